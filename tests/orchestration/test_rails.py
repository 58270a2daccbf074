"""A delivery stops before it sends anything with a ledger that cannot be the right one."""

import sqlite3
import time
from contextlib import closing
from functools import partialmethod

import dagster as dg
import pytest

from leaddone_pipeline.ledger import Ledger
from leaddone_pipeline.orchestration.rails import NEW_LEDGER
from leaddone_pipeline.orchestration.waits import REFUSED_WAIT_SECONDS

D16, D17, D18 = "2026-11-16", "2026-11-17", "2026-11-18"


@pytest.fixture
def lost(project, make_order):
    """A project that delivered a day, and whose ledger is gone."""
    project.orders(D16, make_order("A1"))
    project.orders(D17, make_order("B1"))
    assert project.run(D16).success
    for file in (project.root / ".leaddone").iterdir():
        file.unlink()
    return project


@pytest.fixture
def ask_open_days(project):
    """The days that a first tick of `atlas_open_days` asks for."""

    def ask():
        stores = dg.Definitions(resources={"io_manager": project.tables})
        defs = dg.Definitions.merge(project.defs(), stores)
        sensor = next(one for one in defs.sensors if one.name == "atlas_open_days")
        repository = defs.get_repository_def()
        context = dg.build_sensor_context(instance=project.instance, repository_def=repository)
        return [request.partition_key for request in sensor.evaluate_tick(context).run_requests]

    return ask


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


@pytest.fixture
def renewed(project, make_order):
    """A project that delivered two days of three, whose ledger is gone, and for which another has sent an order."""
    for day in (D16, D17, D18):
        project.orders(day, make_order(day))
    assert project.run(D16, D17).success
    for file in (project.root / ".leaddone").iterdir():
        file.unlink()
    project.write("theirs.csv", [make_order("W1")])
    assert project.type("send", "orders", "theirs.csv", "--shop", "wholesale").returncode == 0
    return project


def test_what_others_recorded_since_does_not_make_the_lost_days_known(renewed):
    requests = len(renewed.platform.requests)
    result = renewed.run(D16, D18)
    assert not result.success
    assert f"it knows nothing of {D16}, {D17}, though" in reason(result)
    assert NEW_LEDGER in reason(result)
    assert len(renewed.platform.requests) == requests
    assert set(renewed.observations("order_deliveries")) == {D16, D17}
    assert renewed.run(D18).success
    assert set(renewed.taken()) == {D16, D17, D18, "W1"}


def test_a_persons_word_is_of_the_days_of_its_run(renewed):
    assert renewed.run(D17, tags={NEW_LEDGER: "accept"}).success
    assert renewed.run(D17).success
    assert not renewed.run(D16).success
    assert renewed.run(D16, tags={NEW_LEDGER: "accept"}).success
    assert renewed.run(D16, D18).success


def test_an_old_copy_of_the_ledger_does_not_know_the_days_since(project, make_order, monkeypatch):
    """Nor do its runs from before, though the ledger's clock may be behind."""
    monkeypatch.setattr("leaddone_pipeline.orchestration.rails._SKEW_SECONDS", 0.0)
    for day in (D16, D17):
        project.orders(day, make_order(day))
    assert project.run(D16).success
    ledger = project.root / ".leaddone" / "ledger.db"
    copy = ledger.read_bytes()
    assert project.run(D17).success
    ledger.write_bytes(copy)
    assert project.run(D16).success
    assert f"it knows nothing of {D17}" in reason(project.run(D17))


def test_days_of_which_no_order_is_the_first_or_last_are_known_by_their_run(project, make_order):
    """Exports that overlap, read in any order: the ledger keeps two days of an order."""
    for day in (D16, D17, D18):
        project.orders(day, make_order("A1"))
    for day in (D17, D16, D18):
        assert project.run(day).success
    assert project.run(D16).success
    assert project.run(D17).success
    assert project.run(D16, D18).success


def test_a_ledger_whose_clock_is_another_knows_a_day_by_its_orders(project, make_order, monkeypatch):
    monkeypatch.setattr("leaddone_pipeline.orchestration.rails._SKEW_SECONDS", -1e9)
    project.orders(D16, make_order("A1"))
    assert project.run(D16).success
    assert project.run(D16).success


def test_the_sensor_leaves_a_lost_day_to_a_person(renewed, ask_open_days, monkeypatch):
    """For a day: then it is asked whether the ledger is back."""
    assert not renewed.run(D16).success
    assert ask_open_days() == []
    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() + REFUSED_WAIT_SECONDS + 60)
    assert ask_open_days() == [D16]


def test_a_day_that_was_only_reported_as_delivered_may_be_delivered(project, make_order):
    """Somebody has cleared it in Dagster's UI: no delivery of ours says that LeadDone has its orders."""
    project.orders(D17, make_order("B1"))
    assert project.run(D17).success
    key = dg.AssetKey(["atlas", "order_deliveries"])
    project.instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=D16))
    project.orders(D16, make_order("A1"))
    with closing(sqlite3.connect(project.root / ".leaddone" / "ledger.db")) as connection, connection:
        connection.execute("UPDATE runs SET started_at = started_at - 86400")
    assert project.run(D16).success


def test_a_ledgers_clock_that_is_ahead_makes_no_day_lost(project, make_order, monkeypatch):
    """A day whose only order belongs to two other days by now: its run alone speaks for it."""
    kept = Ledger.__init__
    monkeypatch.setattr(Ledger, "__init__", partialmethod(kept, clock=lambda: time.time() + 3600))
    for day in (D16, D17, D18):
        project.orders(day, make_order("A1"))
        assert project.run(day).success
    assert project.run(D17).success


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
