"""Each day of a delivery stands on its own."""

import pytest

from leaddone_pipeline.orchestration.guard import RELEASE

DAYS = ("2026-11-16", "2026-11-17", "2026-11-18")
ROWS = 20
NOWHERE = "http://127.0.0.1:1/api/webhook"


@pytest.fixture
def bad_file(project, make_order):
    """A file of which more than half is refused: the guard holds its day."""

    def write(day, good=9, first=0):
        rows = [
            make_order(f"{day}-{first + n}", phone="0685123456" if n < good else "12") for n in range(ROWS)
        ]
        project.orders(day, *rows)

    return write


@pytest.fixture
def broken(project, make_order, bad_file, failures, store):
    """Three days, of which the guard holds the first."""
    bad_file(DAYS[0])
    for day in DAYS[1:]:
        project.orders(day, make_order(f"{day}-1"), make_order(f"{day}-2"))
    results = project.deliver(store, *DAYS)
    assert not results[0].success
    return project, results, failures(results[0])


def test_a_day_whose_delivery_stops_is_red_alone(broken):
    project, results, reasons = broken
    assert set(project.materializations("order_deliveries")) == set(DAYS[1:])
    assert len(reasons) == 1
    assert reasons[0].description.startswith(
        f"1 of {3 if len(results) == 1 else 1} days stopped: 2026-11-16: "
    )
    assert list(reasons[0].metadata["failed"].value) == [DAYS[0]]
    assert [event.step_key for event in results[0].get_step_failure_events()] == ["atlas__order_deliveries"]


def test_the_page_of_a_red_day_says_why_without_personal_data(broken):
    project, _, _ = broken
    told = project.observations("order_deliveries")
    assert set(told) == {DAYS[0]}
    assert told[DAYS[0]][0]["stopped"].startswith(f"orders of {DAYS[0]}: 11 of 20 rows were refused")
    assert told[DAYS[0]][0]["error"] == "IntakeError"
    assert not any(personal in repr(told) for personal in ("0685123456", "Oliviers", "whsec"))


def test_good_days_are_green_once_each_with_their_own_counts(broken):
    project, _, _ = broken
    good = project.materializations("order_deliveries")
    assert [len(told) for told in good.values()] == [1, 1]
    assert [told[0]["sent"] for told in good.values()] == [2, 2]
    assert all(told[0]["accepted"] == 2 for told in good.values())


def test_the_checks_of_all_good_days_are_told_when_one_stopped(broken):
    project, results, _ = broken
    told = {key: passed for result in results for key, passed in project.verdicts(result).items()}
    assert [told.get(("order_deliveries", "records_law", day)) for day in DAYS] == [None, True, True]


def test_a_held_day_is_neither_sent_nor_recorded(broken):
    project, _, _ = broken
    assert set(project.taken()) == {f"{day}-{n}" for day in DAYS[1:] for n in (1, 2)}
    assert set(project.ledger()["order_id"]) == set(project.taken())


def test_a_retry_of_the_mended_day_sends_its_orders_alone(broken, bad_file, store):
    project, _, _ = broken
    bad_file(DAYS[0], good=ROWS)
    before = len(project.platform.requests)
    assert all(result.success for result in project.deliver(store, DAYS[0]))
    ids = [name for request in project.platform.requests[before:] for name in request.ids]
    assert sorted(ids) == sorted(f"{DAYS[0]}-{n}" for n in range(ROWS))
    assert all(one["processed"] == 1 for one in project.platform.orders("atlas-client").values())
    assert set(project.materializations("order_deliveries")) == set(DAYS)


@pytest.mark.parametrize("word", ["all", f"{DAYS[1]}, {DAYS[0]}"])
def test_a_held_day_is_released_by_the_runs_tag(broken, word):
    project, _, _ = broken
    other = project.run(DAYS[0], tags={RELEASE: DAYS[1]})
    assert not other.success
    assert project.run(DAYS[0], tags={RELEASE: word}).success
    assert sum(name.startswith(DAYS[0]) for name in project.taken()) == 9


def test_a_released_day_stays_released_until_its_file_brings_other_orders(project, bad_file, failures):
    """Delivery.md, rule 5: what the ledger has was released; only what would newly be sent is held."""
    bad_file(DAYS[0])
    assert project.run(DAYS[0], tags={RELEASE: DAYS[0]}).success
    before = len(project.platform.requests)

    assert project.run(DAYS[0]).success
    assert len(project.platform.requests) == before
    assert project.materializations("order_deliveries")[DAYS[0]][0]["accepted"] == 9

    bad_file(DAYS[0], good=9, first=1)
    again = project.run(DAYS[0])
    assert not again.success
    assert "the day is held" in failures(again)[0].description
    assert len(project.platform.requests) == before


def test_what_a_released_day_still_owes_needs_no_second_release(project, bad_file):
    bad_file(DAYS[0])
    project.platform.set_faults(["unauthorized"])
    assert not project.run(DAYS[0], tags={RELEASE: "all"}).success
    assert project.ledger()["outcome"].tolist() == ["pending"] * 9
    project.platform.set_faults([])

    assert project.run(DAYS[0]).success
    assert project.links() == project.taken()


def test_statuses_of_a_released_day_are_not_held_again(project, make_order, make_update):
    project.orders(DAYS[0], make_order("A1"), make_order("A2"))
    refused = [make_update("A1", "no such status") for _ in range(20)]
    project.courier(DAYS[0], make_update("A1"), *refused)
    assert not project.run(DAYS[0]).success
    assert project.run(DAYS[0], tags={RELEASE: DAYS[0]}).success
    assert project.run(DAYS[0]).success

    project.courier(DAYS[0], make_update("A1"), make_update("A2"), *refused)
    assert not project.run(DAYS[0]).success
    taken = project.platform.orders("atlas-client")
    assert (taken["A1"]["status"], taken["A2"]["status"]) == ("shipped", None)


def test_a_day_without_a_good_row_is_held_whatever_the_ledger_has(project, bad_file):
    bad_file(DAYS[0], good=0)
    assert not project.run(DAYS[0]).success


def test_a_small_day_and_a_day_at_the_limit_are_not_held(project, make_order, bad_file):
    project.orders(DAYS[0], make_order("A1"), *(make_order(f"A{n}", phone="1") for n in range(2, 20)))
    bad_file(DAYS[1], good=10)
    bad_file(DAYS[2])
    assert project.run(*DAYS[:2]).success
    assert project.run(DAYS[2], max_refused_share=0.6).success
    assert len(project.taken()) == 1 + 10 + 9


@pytest.mark.parametrize(
    ("fault", "error"),
    [("unauthorized", "CredentialsRejected"), ("redirect", "EndpointWrong")],
)
def test_when_leaddone_refuses_later_days_are_recorded_and_not_tried(project, make_order, fault, error):
    for day in DAYS:
        project.orders(day, make_order(f"{day}-1"), make_order(f"{day}-2"))
    project.platform.set_faults([fault])
    assert not project.run(DAYS[0], DAYS[-1]).success
    assert len(project.platform.requests) == 1
    assert project.ledger()["outcome"].tolist() == ["pending"] * 6
    assert project.materializations("order_deliveries") == {}
    told = project.observations("order_deliveries")
    assert {day: one[0]["error"] for day, one in told.items()} == dict.fromkeys(DAYS, error)
    assert told[DAYS[2]][0]["stopped"].startswith(f"not tried, since {DAYS[0]} stopped")
    project.platform.set_faults([])
    assert project.run(DAYS[0], DAYS[-1]).success
    assert project.links() == project.taken()


def test_a_dead_leaddone_is_waited_for_once_in_a_run_of_many_days(project, make_order):
    """A day that cannot connect gives up after 20 s; the others of the run must not wait as long each."""
    days = [f"2026-11-{day}" for day in range(10, 22)]
    for day in days:
        project.orders(day, make_order(day))
    project.unreachable()
    result = project.run(days[0], days[-1], start_date=days[0], connect=False)
    assert not result.success
    told = project.observations("order_deliveries")
    assert len(told) == len(days)
    assert sum(one[0]["stopped"].startswith("not tried") for one in told.values()) == len(days) - 1
    assert project.ledger(base_url=NOWHERE)["outcome"].tolist() == ["pending"] * len(days)


def test_a_day_with_nothing_to_send_is_green_though_an_earlier_one_was_refused(project, make_order):
    """Nothing of it is open, so nobody would ask for it again."""
    project.orders(DAYS[1], make_order("B1"))
    assert project.run(DAYS[1]).success
    project.orders(DAYS[0], make_order("A1"))
    project.platform.set_faults(["unauthorized"])
    assert not project.run(DAYS[0], DAYS[-1]).success
    told = project.materializations("order_deliveries")
    assert {day: len(its) for day, its in told.items()} == {DAYS[1]: 2, DAYS[2]: 1}


def test_days_that_were_good_stay_so_when_the_step_breaks(project, make_order, monkeypatch):
    """An error that is none of ours ends the step; what was delivered until then is told."""
    from leaddone_pipeline import LeadDoneResource  # noqa: PLC0415

    for day in DAYS:
        project.orders(day, make_order(day))
    deliver = LeadDoneResource.deliver

    def breaking(self, kind, frames, *, day):
        if day == DAYS[1]:
            raise ZeroDivisionError
        return deliver(self, kind, frames, day=day)

    monkeypatch.setattr(LeadDoneResource, "deliver", breaking)
    assert not project.run(DAYS[0], DAYS[-1]).success
    assert set(project.materializations("order_deliveries")) == {DAYS[0]}
