"""Each day of a delivery stands on its own."""

import pytest

DAYS = ("2026-11-16", "2026-11-17", "2026-11-18")


@pytest.fixture
def broken(project, make_order, failures):
    """A range run of three days whose first request is answered 401."""
    for day in DAYS:
        project.orders(day, make_order(f"{day}-1"), make_order(f"{day}-2"))
    project.platform.set_faults(["unauthorized:1"])
    result = project.run(DAYS[0], DAYS[-1])
    assert not result.success
    return project, result, failures(result)


def test_a_day_whose_delivery_stops_is_red_alone(broken):
    project, result, reasons = broken
    assert set(project.materializations("order_deliveries")) == set(DAYS[1:])
    assert len(reasons) == 1
    assert reasons[0].description.startswith("1 of 3 days stopped: 2026-11-16: ")
    assert "whsec" not in reasons[0].description
    assert "401" in reasons[0].description or "signature" in reasons[0].description
    assert list(reasons[0].metadata["failed"].value) == [DAYS[0]]
    assert [event.step_key for event in result.get_step_failure_events()] == ["atlas__order_deliveries"]


def test_good_days_are_green_once_each_with_their_own_counts(broken):
    project, _, _ = broken
    good = project.materializations("order_deliveries")
    assert [len(told) for told in good.values()] == [1, 1]
    assert [told[0]["sent"] for told in good.values()] == [2, 2]
    assert all(told[0]["accepted"] == 2 for told in good.values())


def test_the_checks_of_all_days_are_told_when_some_stopped(broken):
    project, result, _ = broken
    told = project.verdicts(result)
    assert [told["order_deliveries", "records_law", day] for day in DAYS] == [True, True, True]


def test_a_retry_of_the_bad_day_sends_its_orders_alone(broken):
    project, _, _ = broken
    before = len(project.platform.requests)
    assert project.run(DAYS[0]).success
    ids = [name for request in project.platform.requests[before:] for name in request.ids]
    assert ids == [f"{DAYS[0]}-1", f"{DAYS[0]}-2"]
    assert all(one["processed"] == 1 for one in project.platform.orders("atlas-client").values())
    assert set(project.materializations("order_deliveries")) == set(DAYS)


def test_a_single_day_that_stops_fails_its_run_and_is_recorded(project, make_order):
    project.orders(DAYS[0], make_order("A1"))
    project.platform.set_faults(["unauthorized"])
    assert not project.run(DAYS[0]).success
    assert project.materializations("order_deliveries") == {}
    assert project.ledger()["outcome"].tolist() == ["pending"]
    project.platform.set_faults([])
    assert project.run(DAYS[0]).success
    assert project.links() == project.taken()


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
