"""A check that cannot fail is a defect: each is seen to fail."""

from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.intake import RowCounts
from leaddone_pipeline.orchestration.checks import (
    judge_changed,
    judge_delivery,
    judge_export,
    judge_links,
    judge_paid,
)
from leaddone_pipeline.sandbox import REFUSED_CITY

DAY, NEXT = "2026-11-16", "2026-11-17"
SAMPLE = Path(__file__).parents[2] / "data" / "medina" / "orders" / f"orders_export-{DAY}.csv"
GOOD = {"valid": 2, "accepted": 1, "rejected": 1, "unconfirmed": 0, "pending": 0, "cancelled_late": 0}
TRACKING = {"unchanged": 0, "superseded": 0, "held_back": 0}
ROWS = RowCounts(read=10, quarantined=2, skipped=3, merged=1, valid=4)
EXPORT = {
    "kept": 6,
    "skipped_kept": 2,
    "refused": 2,
    "files": 1,
    "unreadable": 0,
    "is_over": True,
    "limit": 0.2,
}


def failed(verdicts):
    return {verdict.name for verdict in verdicts if not verdict.passed}


def test_an_export_may_have_as_many_refused_rows_as_its_limit_allows():
    assert failed(judge_export(ROWS, **EXPORT)) == set()
    assert failed(judge_export(ROWS, **EXPORT | {"limit": 0.19})) == {"quarantine_rate"}


@pytest.mark.parametrize(
    ("rows", "export"),
    [
        (RowCounts(read=11, quarantined=2, skipped=3, merged=1, valid=4), {}),
        (ROWS, {"kept": 5}),
        (ROWS, {"refused": 1}),
    ],
    ids=["a row vanished in intake", "an order vanished on its way to the table", "a refusal vanished"],
)
def test_the_law_of_rows_fails_when_a_row_vanishes(rows, export):
    assert "rows_law" in failed(judge_export(rows, **{**EXPORT, **export}))


def test_a_missing_and_an_unreadable_file_fail_their_checks():
    assert "export_present" in failed(judge_export(ROWS, **{**EXPORT, "files": 0}))
    assert "export_present" not in failed(judge_export(ROWS, **{**EXPORT, "files": 0, "is_over": False}))
    assert "files_readable" in failed(judge_export(ROWS, **{**EXPORT, "unreadable": 1}))


@pytest.mark.parametrize("kind", Kind)
def test_the_law_of_records_fails_when_a_record_has_no_outcome(kind):
    counts = GOOD if kind is Kind.ORDERS else GOOD | TRACKING
    assert failed(judge_delivery(kind, counts, handed_over=2, limit=0.5)) == set()
    assert failed(judge_delivery(kind, counts, handed_over=3, limit=0.5)) == {"records_law"}
    assert failed(judge_delivery(kind, counts | {"pending": 1}, handed_over=2, limit=0.5)) == {"records_law"}


@pytest.mark.parametrize("kind", Kind)
def test_a_rejection_rate_above_the_limit_fails(kind):
    counts = GOOD if kind is Kind.ORDERS else GOOD | TRACKING
    assert failed(judge_delivery(kind, counts, handed_over=2, limit=0.49)) == {"rejection_rate"}


def test_orders_left_out_as_paid_fail_until_the_shop_has_said_what_it_wants():
    assert failed([judge_paid(3, is_settled=False)]) == {"none_skipped_as_paid"}
    assert failed([judge_paid(3, is_settled=True), judge_paid(0, is_settled=False)]) == set()


@pytest.mark.parametrize(
    ("counts", "without_id"), [({"accepted": 2}, 1), ({"pending": 1}, 0), ({"unconfirmed": 1}, 0)]
)
def test_links_are_complete_when_nothing_waits_and_each_has_its_id(counts, without_id):
    assert failed(judge_links(counts, without_id=without_id)) == {"links_complete"}
    assert failed(judge_links({"accepted": 2, "rejected": 1, "skipped": 4}, without_id=0)) == set()


def test_unconfirmed_and_late_cancellations_fail_their_checks():
    assert failed(judge_delivery(Kind.ORDERS, GOOD | {"cancelled_late": 1}, handed_over=2, limit=0.5)) == {
        "none_cancelled_late"
    }
    counts = GOOD | {"unconfirmed": 1, "rejected": 0}
    assert failed(judge_delivery(Kind.ORDERS, counts, handed_over=2, limit=0.5)) == {"none_unconfirmed"}


def test_orders_that_leaddone_has_otherwise_fail_their_check():
    assert failed([judge_changed(1, of_others={}), judge_changed(0, of_others={"atlas": 1})]) == {
        "none_changed"
    }
    assert failed([judge_changed(0, of_others={})]) == set()


def test_an_order_that_changed_after_it_was_accepted_fails_its_check(project, make_order):
    project.orders(DAY, make_order("A1"), make_order("A2"))
    assert project.verdicts(project.run(DAY))["order_deliveries", "none_changed", DAY]
    project.orders(NEXT, make_order("A1", city="Fès"), make_order("A2"))
    result = project.run(NEXT)
    assert result.success
    evaluation = next(one for one in result.get_asset_check_evaluations() if one.check_name == "none_changed")
    assert not evaluation.passed
    assert evaluation.severity.name == "WARN"
    assert (evaluation.metadata["changed"].value, evaluation.metadata["of_other_shops"].value) == (1, 0)


def test_two_shops_of_one_account_that_number_alike_are_told(project, make_order):
    """Rule 1: the row stays the shop's whose order LeadDone has."""
    project.write(f"atlas-{DAY}.csv", [make_order("1001"), make_order("1002")])
    project.write(f"boutique-{DAY}.csv", [make_order("1001", article="Tapis"), make_order("1003")])
    told = {}
    for shop in ("atlas", "boutique"):
        defs = project.defs(shop=shop, orders_files=f"{shop}-{{date}}.csv", courier_files=None)
        project.connect()
        result = dg.materialize(
            list(defs.assets),
            instance=project.instance,
            resources={**defs.resources, "io_manager": project.tables},
            partition_key=DAY,
        )
        told[shop] = next(
            one for one in result.get_asset_check_evaluations() if one.check_name == "none_changed"
        )
    assert [told[shop].passed for shop in told] == [True, False]
    assert told["boutique"].metadata["of_other_shops"].value == 1
    assert "1 of atlas" in told["boutique"].metadata["of_other_shops_meaning"].value
    assert project.run(DAY, orders_files="atlas-{date}.csv", only=["order_links"]).success
    assert set(project.table("order_links")["order_id"]) == {"1001", "1002"}
    assert set(project.table("order_links", "boutique")["order_id"]) == {"1003"}


def test_a_range_run_tells_each_day_and_fails_the_whole_for_one(project, make_order):
    project.orders(DAY, make_order("A1"), make_order("A2", phone="1"))
    project.orders(NEXT, make_order("B1"))
    told = project.verdicts(project.run(DAY, NEXT))
    name = ("orders", "quarantine_rate")
    assert [told[*name, DAY], told[*name, NEXT], told[*name, None]] == [False, True, False]
    assert told["orders", "rows_law", None]


def test_a_single_day_is_told_once(project, make_order):
    project.orders(DAY, make_order("A1"))
    evaluations = project.run(DAY).get_asset_check_evaluations()
    names = [(e.asset_key.path[-1], e.check_name, e.partition) for e in evaluations]
    assert len(names) == len(set(names)) == 5 + 4 + 5 + 3 + 1
    assert {partition for *_, partition in names} == {DAY}


def test_no_check_blocks(project, make_order):
    project.orders(DAY, make_order("A1", phone="1"))
    assert project.run(DAY).success
    assert not any(spec.blocking for asset in project.defs().assets for spec in asset.check_specs)


def test_an_order_whose_answer_was_lost_fails_none_unconfirmed(project, make_order):
    project.orders(DAY, make_order("A1"), make_order("A2"))
    project.platform.set_faults(["partly"])
    told = project.verdicts(project.run(DAY, guarantee="at_most_once"))
    assert not told["order_deliveries", "none_unconfirmed", DAY]
    assert not told["order_links", "links_complete", DAY]


def test_shares_above_their_limits_fail_and_the_limits_are_the_shops(project, make_order):
    project.orders(DAY, make_order("A1"), make_order("A2", city=REFUSED_CITY), make_order("A3", phone="12"))
    names = ("order_deliveries", "rejection_rate", DAY), ("orders", "quarantine_rate", DAY)
    strict = project.verdicts(project.run(DAY))
    assert [strict[name] for name in names] == [False, False]
    lenient = project.verdicts(project.run(DAY, max_rejected_share=0.5, max_quarantined_share=0.5))
    assert [lenient[name] for name in names] == [True, True]


def test_orders_left_out_as_paid_fail_their_check_until_paid_is_set(project):
    row = pd.read_csv(SAMPLE, dtype=str, keep_default_na=False)
    row["Financial Status"] = row["Financial Status"].where(row["Financial Status"] == "", "paid")
    row.to_csv(project.root / f"orders-{DAY}.csv", index=False)
    unsaid, said = project.verdicts(project.run(DAY)), project.verdicts(project.run(DAY, paid="skip"))
    assert [told["orders", "none_skipped_as_paid", DAY] for told in (unsaid, said)] == [False, True]


def test_an_order_cancelled_after_it_was_accepted_fails_its_check(project):
    row = pd.read_csv(SAMPLE, dtype=str, keep_default_na=False)
    row.to_csv(project.root / f"orders-{DAY}.csv", index=False)
    project.run(DAY)
    accepted = next(iter(project.taken()))
    row.loc[row["Name"].str.lstrip("#") == accepted, "Cancelled at"] = "2026-11-17 09:00:00 +0100"
    row.to_csv(project.root / f"orders-{NEXT}.csv", index=False)
    told = project.verdicts(project.run(NEXT))
    assert not told["order_deliveries", "none_cancelled_late", NEXT]
