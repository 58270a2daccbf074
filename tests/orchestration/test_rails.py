"""A delivery stops before it sends anything with a ledger that cannot be the right one."""

import dagster as dg
import pytest

from leaddone_pipeline.orchestration.rails import NEW_LEDGER

D16, D17 = "2026-11-16", "2026-11-17"


@pytest.fixture
def lost(project, make_order):
    """A project that delivered a day, and whose ledger is gone."""
    project.orders(D16, make_order("A1"))
    project.orders(D17, make_order("B1"))
    assert project.run(D16).success
    for file in (project.root / ".leaddone").iterdir():
        file.unlink()
    return project


def reason(result):
    (failure,) = [event.step_failure_data for event in result.get_step_failure_events()]
    return failure.error.cause.message


def test_a_lost_ledger_stops_the_delivery_before_it_sends(lost):
    requests = len(lost.platform.requests)
    for day in (D16, D17):
        result = lost.run(day)
        assert not result.success
        assert "LedgerError" in reason(result)
        assert "the ledger was lost or moved" in reason(result)
        assert NEW_LEDGER in reason(result)
    assert len(lost.platform.requests) == requests


def test_making_links_does_not_make_a_lost_ledger_known(lost):
    assert lost.run(D16, only=["order_links"]).success
    assert not lost.run(D17).success


def test_a_person_may_say_that_the_ledger_is_gone_for_good(lost):
    assert lost.run(D17, tags={NEW_LEDGER: "accept"}).success
    assert set(lost.taken()) == {"A1", "B1"}
    assert lost.run(D17).success


def test_another_account_begins_without_a_word(lost, monkeypatch):
    """From the sandbox to production: Dagster's deliveries were of another account."""
    lost.platform._credentials["other"] = "whsec_0a1b2c3d"
    monkeypatch.setenv("OTHER_CLIENT_ID", "other")
    assert lost.run(D17, client_id_env="OTHER_CLIENT_ID").success
    assert set(lost.platform.orders("other")) == {"B1"}
    assert not lost.run(D17).success


def test_days_without_orders_are_no_sign_of_a_lost_ledger(project, make_order):
    assert project.run(D16).success
    for file in (project.root / ".leaddone").iterdir():
        file.unlink()
    project.orders(D17, make_order("B1"))
    assert project.run(D17).success


class CeleryRunLauncher:
    """Stands for any launcher that starts runs on other machines."""


def test_a_ledger_in_a_file_is_refused_where_runs_go_to_other_machines(project, make_order, monkeypatch):
    project.orders(D16, make_order("A1"))
    monkeypatch.setattr(
        dg.DagsterInstance, "run_launcher", property(lambda _self: CeleryRunLauncher()), raising=True
    )
    result = project.run(D16)
    assert not result.success
    assert "CeleryRunLauncher launches runs on others" in reason(result)
    assert "PostgreSQL" in reason(result)
    assert not project.platform.requests
