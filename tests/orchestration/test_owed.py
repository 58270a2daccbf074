"""A day that owes orders which its files no longer have is red: nothing but its files could ever send them."""

import pandas as pd
import pytest

D16, D17 = "2026-11-16", "2026-11-17"
EFFECT = "order_deliveries"


@pytest.fixture
def owing(project, make_order):
    """A day whose two orders LeadDone could not take; it can by now."""
    project.orders(D16, make_order("A1"), make_order("A2"))
    project.platform.set_faults(["unauthorized"])
    assert not project.run(D16).success
    project.platform.set_faults([])
    return project


def test_a_day_whose_file_has_gone_is_red_until_it_is_back(owing, failures):
    (owing.root / f"orders-{D16}.csv").rename(owing.root / "archived.csv")
    gone = owing.run(D16)
    assert not gone.success
    told = failures(gone)[0].description
    assert f"orders of {D16}: 2 orders that the day still owes are no longer among the orders" in told
    assert "were not sent: A1, A2. Where a later day" in told
    assert owing.materializations(EFFECT) == {}

    (owing.root / "archived.csv").rename(owing.root / f"orders-{D16}.csv")
    assert owing.run(D16).success
    assert owing.links() == owing.taken()
    assert set(owing.taken()) == {"A1", "A2"}


def test_of_a_range_only_the_day_that_lost_its_orders_is_red(owing, make_order):
    owing.orders(D16, make_order("A3"))
    owing.orders(D17, make_order("B1"))
    assert not owing.run(D16, D17).success
    assert set(owing.materializations(EFFECT)) == {D17}
    assert set(owing.taken()) == {"A3", "B1"}


def test_ids_that_look_like_phones_are_not_named_and_no_more_than_ten_are(project, failures, make_order):
    project.orders(D16, make_order("0685123456"), *(make_order(f"A{n}") for n in range(11)))
    project.platform.set_faults(["unauthorized"])
    project.run(D16)
    project.orders(D16, make_order("B1"))
    project.platform.set_faults([])
    told = failures(project.run(D16))[0].description
    assert "not sent: ***, A0, A1, A2, A3, A4, A5, A6, A7, A8 and 2 more." in told


def test_an_order_whose_row_is_refused_now_is_owed_as_well(owing, make_order):
    owing.orders(D16, make_order("A1", phone="12"), make_order("A2"))
    assert not owing.run(D16).success
    owing.orders(D16, make_order("A1", price="249"), make_order("A2"))
    assert owing.run(D16).success


def test_a_person_may_settle_what_is_not_to_be_sent(owing, make_order):
    owing.orders(D16, make_order("A3"))
    assert not owing.run(D16).success
    assert owing.type("forget", "A1", "A2").returncode == 0
    assert owing.run(D16).success
    assert set(owing.taken()) == {"A3"}


def test_orders_that_a_later_day_has_taken_along_are_not_missed(owing, make_order):
    (owing.root / f"orders-{D16}.csv").unlink()
    owing.orders(D17, make_order("A1"), make_order("A2"))
    owing.platform.set_faults(["unauthorized"])
    assert not owing.run(D17).success
    owing.platform.set_faults([])
    assert owing.run(D16).success
    assert owing.run(D17).success
    assert set(owing.taken()) == {"A1", "A2"}


def test_an_order_that_is_held_for_a_person_is_not_missed(project, make_order):
    project.orders(D16, make_order("A1"), make_order("A2"))
    project.platform.set_faults(["partly"])
    assert project.run(D16, guarantee="at_most_once").success
    project.platform.set_faults([])
    project.orders(D16, make_order("A3"))
    assert project.run(D16, guarantee="at_most_once").success


def test_an_order_that_the_shop_has_cancelled_is_not_missed(project, shopify_day):
    shopify_day(D16)
    project.platform.set_faults(["unauthorized"])
    assert not project.run(D16).success
    project.platform.set_faults([])
    shopify_day(D16, **{"Cancelled at": "2026-11-17 09:00:00 +0100"})
    assert project.run(D16).success
    assert not project.taken()


@pytest.fixture
def shopify_day(project, request):
    """Write a day of the sample of Shopify, with columns overwritten."""
    sample = request.config.rootpath / "data" / "medina" / "orders" / f"orders_export-{D16}.csv"

    def write(day, **columns):
        rows = pd.read_csv(sample, dtype=str, keep_default_na=False).assign(**columns)
        rows.to_csv(project.root / f"orders-{day}.csv", index=False)

    return write
