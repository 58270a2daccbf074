"""`<shop>_open_days`: what an outage left undone is asked for again, without a person."""

import json

import dagster as dg
import pytest

from leaddone_pipeline.orchestration.automation import RANGE_END, RANGE_START
from leaddone_pipeline.orchestration.guard import RELEASE
from leaddone_pipeline.orchestration.tables import ORDER_LINKS, Table
from leaddone_pipeline.orchestration.waits import Waits

D16, D17, D18 = "2026-11-16", "2026-11-17", "2026-11-18"
DELIVERY, LINKS = "order_deliveries", "order_links"


class Desk:
    """The sensor as the daemon works it: tick after tick with its cursor, and the runs that it asks for."""

    def __init__(self, project, **attributes):
        self.project = project
        self.attributes = attributes
        self.cursor = None

    def tick(self, later=0.0):
        """What the next tick asks for, as (assets, first day, last day), so many seconds later."""
        if self.cursor and later:
            told = json.loads(self.cursor)
            told["asked"] = {what: (tries, at - later) for what, (tries, at) in told["asked"].items()}
            self.cursor = json.dumps(told)
        self.defs = dg.Definitions.merge(
            self.project.defs(**self.attributes),
            dg.Definitions(resources={"io_manager": self.project.tables}),
        )
        sensor = next(one for one in self.defs.sensors if one.name == "atlas_open_days")
        context = dg.build_sensor_context(
            instance=self.project.instance,
            cursor=self.cursor,
            repository_def=self.defs.get_repository_def(),
        )
        result = sensor.evaluate_tick(context)
        self.cursor = result.cursor or self.cursor
        self.requests = result.run_requests or []
        self.skipped = result.skip_message
        return [self._told(request) for request in self.requests]

    def run(self):
        """Run what the last tick asked for."""
        job = self.defs.resolve_job_def("atlas_deliver")
        return [
            job.execute_in_process(
                instance=self.project.instance,
                partition_key=request.partition_key,
                tags=request.tags,
                asset_selection=request.asset_selection,
                raise_on_error=False,
            ).success
            for request in self.requests
        ]

    def _told(self, request):
        first = request.partition_key or request.tags[RANGE_START]
        last = request.partition_key or request.tags[RANGE_END]
        return [key.path[-1] for key in request.asset_selection], first, last


@pytest.fixture
def desk(project):
    """Of a shop without courier files."""
    return Desk(project, courier_files=None)


@pytest.fixture
def whole_desk(project):
    return Desk(project)


@pytest.fixture
def known(project, make_order):
    """A shop that has delivered a day before."""
    project.orders(D18, make_order("before"))
    assert project.run(D18).success
    return project


@pytest.fixture
def refused(project, make_order):
    """Three days that LeadDone refused with 401."""
    for day in (D16, D17, D18):
        project.orders(day, make_order(day))
    project.platform.set_faults(["unauthorized"])
    assert not project.run(D16, D18).success
    project.platform.set_faults([])
    return project


@pytest.fixture
def dead(project, make_order, monkeypatch):
    """Three days that found LeadDone out of reach, and one that was delivered before."""
    project.orders("2026-11-19", make_order("before"))
    assert project.run("2026-11-19").success
    for day in (D16, D17, D18):
        project.orders(day, make_order(day))
    project.platform.set_faults(["unauthorized"])
    # The same as out of reach to all but the person who would have to mend it, and without its waits.
    monkeypatch.setattr("leaddone_pipeline.delivery.stops.CredentialsRejected", _unavailable)
    assert not project.run(D16, D18).success
    return project


def _unavailable(problem, *, remedy, status):  # noqa: ARG001 - in the place of CredentialsRejected
    from leaddone_pipeline.errors import LeadDoneUnavailable  # noqa: PLC0415

    return LeadDoneUnavailable(problem, remedy=remedy)


def test_the_sensor_is_on_by_default(project):
    sensor = next(one for one in project.defs().sensors if one.name == "atlas_open_days")
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    others = [one for one in project.defs().sensors if one.name != sensor.name]
    assert [one.default_status for one in others] == [dg.DefaultSensorStatus.STOPPED]


def test_without_credentials_or_a_ledger_a_tick_skips_and_makes_nothing(project, desk, monkeypatch):
    assert desk.tick() == []
    assert "knows nothing" in desk.skipped
    assert not (project.root / ".leaddone" / "ledger.db").exists()
    monkeypatch.delenv("LEADDONE_CLIENT_ID")
    assert desk.tick() == []
    assert "LEADDONE_CLIENT_ID" in desk.skipped


def test_an_outage_heals_without_a_person(dead, desk):
    asked = [([DELIVERY, LINKS], D16, D18)]
    assert desk.tick() == asked
    assert desk.run() == [False]
    assert desk.tick(60) == []
    each = [([DELIVERY, LINKS], day, day) for day in (D16, D17, D18)]
    assert desk.tick(5 * 60) == each
    assert desk.run() == [False] * 3
    assert desk.tick(5 * 60) == []
    dead.platform.set_faults([])
    assert desk.tick(10 * 60) == each
    assert desk.run() == [True] * 3
    assert dead.links() == dead.taken()
    assert set(dead.materializations(DELIVERY)) == {D16, D17, D18, "2026-11-19"}
    assert desk.tick(24 * 60 * 60) == []
    assert json.loads(desk.cursor)["asked"] == {}


def test_a_released_day_that_met_an_outage_leaves_without_a_second_release(
    project, desk, make_order, monkeypatch
):
    project.orders(D16, *(make_order(f"A{n}", phone="12" if n > 8 else "0685123456") for n in range(20)))
    project.platform.set_faults(["unauthorized"])
    monkeypatch.setattr("leaddone_pipeline.delivery.stops.CredentialsRejected", _unavailable)
    assert not project.run(D16, tags={RELEASE: D16}).success
    project.platform.set_faults([])
    assert desk.tick() == [([DELIVERY, LINKS], D16, D16)]
    assert desk.run() == [True]
    assert project.links() == project.taken()
    assert set(project.taken()) == {f"A{n}" for n in range(9)}


def test_a_day_that_lost_its_owed_orders_is_asked_for_ever_less_often_and_sends_nothing(dead, desk):
    dead.platform.set_faults([])
    (dead.root / f"orders-{D16}.csv").unlink()
    assert not dead.run(D16, D18).success
    requests = len(dead.platform.requests)
    asked = [([DELIVERY, LINKS], D16, D16)]
    assert desk.tick()[:1] == asked
    desk.run()
    for wait in (5, 10):
        assert desk.tick((wait - 1) * 60) == []
        assert desk.tick(60) == asked
        assert desk.run() == [False]
    assert len(dead.platform.requests) == requests


def test_a_day_that_refuses_credentials_is_asked_for_once_a_day(refused, desk):
    assert desk.tick() == []
    now = refused.instance.fetch_observations(dg.AssetKey(["atlas", DELIVERY]), limit=1).records[0].timestamp
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: now + 24 * 60 * 60 + 1)
        assert desk.tick() == [([DELIVERY, LINKS], D16, D18)]
    assert desk.run() == [True]
    assert refused.links() == refused.taken()


def test_links_that_a_partly_red_run_skipped_are_made_alone(project, desk, make_order):
    """A red day keeps what is downstream of it from running, for all days of the run."""
    project.orders(D16, *(make_order(f"{D16}-{n}", phone="12") for n in range(20)))
    project.orders(D17, make_order("B1"))
    project.orders(D18, make_order("C1"))
    assert not project.run(D16, D18).success
    requests = len(project.platform.requests)
    assert desk.tick() == [([LINKS], D17, D18)]
    assert desk.run() == [True]
    assert project.links() == project.taken()
    assert len(project.platform.requests) == requests
    assert desk.tick(24 * 60 * 60) == []


def test_links_older_than_a_persons_word_are_made_anew(project, desk, make_order):
    project.orders(D16, make_order("A1"), make_order("A2"))
    project.platform.set_faults(["partly"])
    assert project.run(D16, guarantee="at_most_once").success
    desk.tick()
    assert desk.tick(24 * 60 * 60) == []
    project.platform.set_faults([])
    unknown = next(name for name in ("A1", "A2") if name not in project.links())
    project.type("resolve", unknown, "--rejected", "looked it up")
    assert desk.tick() == [([LINKS], D16, D16)]
    assert desk.run() == [True]
    assert project.table(LINKS).set_index("order_id")["outcome"][unknown] == "rejected"
    assert desk.tick(24 * 60 * 60) == []


def test_an_outcome_that_changes_while_links_are_made_reaches_them(project, desk, make_order, monkeypatch):
    for day in (D16, D17):
        project.orders(day, make_order(f"{day}-1"), make_order(f"{day}-2"))
    project.platform.set_faults(["partly"])
    assert project.run(D16, D17, guarantee="at_most_once").success
    project.platform.set_faults([])
    desk.tick()
    links = project.table(LINKS)
    unknown = sorted(links[links["outcome"] == "unconfirmed"]["order_id"])
    store = Table.join

    def join(table, days):
        if table is ORDER_LINKS:
            project.type("resolve", *unknown, "--rejected", "looked it up")
        return store(table, days)

    with monkeypatch.context() as patch:
        patch.setattr(Table, "join", join)
        assert project.run(D16, D17, only=[LINKS]).success
    assert set(project.table(LINKS)["outcome"]) == {"accepted", "unconfirmed"}
    assert desk.tick() == [([LINKS], D16, D17)]
    assert project.run(D16, only=[LINKS]).success
    assert desk.tick(24 * 60 * 60) == [([LINKS], D17, D17)]
    assert desk.tick(24 * 60 * 60) == [([LINKS], D17, D17)], "both changed at the same moment"
    assert desk.run() == [True]
    assert set(project.table(LINKS)["outcome"]) == {"accepted", "rejected"}
    assert desk.tick(24 * 60 * 60) == []


def test_statuses_that_were_read_and_not_delivered_are_asked_for(
    project, whole_desk, make_order, make_update
):
    project.orders(D16, make_order("A1"))
    project.courier(D16, make_update("A1"))
    assert project.run(D16).success
    desk = whole_desk
    assert desk.tick() == []
    project.courier(D16, make_update("A1", "delivered", "2026-11-16T20:00:00Z"))
    assert project.run(D16, only=["courier_updates", "courier_updates_quarantine"]).success
    assert desk.tick() == [(["tracking_deliveries", "tracking_results"], D16, D16)]
    assert desk.run() == [True]
    assert project.platform.orders("atlas-client")["A1"]["status"] == "delivered"
    assert desk.tick(24 * 60 * 60) == []


def test_orders_whose_run_died_before_it_delivered_them_are_asked_for(known, desk, make_order, monkeypatch):
    """It has recorded nothing: only Dagster knows of the day."""
    known.orders(D16, make_order("A1"))
    known.orders(D17, *(make_order(f"{D17}-{n}", phone="12") for n in range(20)))
    with monkeypatch.context() as patch:
        patch.setattr("leaddone_pipeline.orchestration.rails.check", killed)
        assert not known.run(D16, D17).success
    assert desk.tick() == [([DELIVERY, LINKS], D16, D16)]
    assert desk.tick(60) == []
    assert desk.tick(5 * 60) == [([DELIVERY, LINKS], D16, D16)]
    assert desk.run() == [True]
    assert set(known.taken()) == {"A1", "before"}
    assert desk.tick(24 * 60 * 60) == []


def test_orders_whose_run_a_person_terminated_are_left_alone(known, desk, make_order, monkeypatch):
    known.orders(D16, make_order("A1"))
    with monkeypatch.context() as patch:
        patch.setattr("leaddone_pipeline.orchestration.rails.check", killed)
        ended = known.run(D16)
    run = known.instance.get_run_by_id(ended.run_id)
    known.instance.report_run_canceled(run)
    assert desk.tick(24 * 60 * 60) == []


def killed(*_):
    raise RuntimeError("the worker is gone")


def test_orders_that_were_read_alone_are_somebodys_look_at_them(known, desk, make_order):
    known.orders(D16, make_order("A1"))
    assert known.run(D16, only=["orders", "orders_quarantine"]).success
    assert desk.tick(24 * 60 * 60) == []


def test_a_delivery_without_its_ledger_is_asked_for_again(known, desk, make_order, monkeypatch):
    known.orders(D16, make_order("A1"))
    with monkeypatch.context() as patch:
        patch.setattr(
            "leaddone_pipeline.environment.ledger_url", lambda _folder: "sqlite:////no/such/place/l.db"
        )
        assert not known.run(D16).success
    assert desk.tick() == [([DELIVERY, LINKS], D16, D16)]
    assert desk.run() == [True]
    assert set(known.taken()) == {"A1", "before"}


def test_days_held_by_the_guard_or_for_a_person_are_left_alone(project, whole_desk, make_order, make_update):
    project.orders(D16, *(make_order(f"{D16}-{n}", phone="12") for n in range(20)))
    project.orders(D17, make_order("B1"), make_order("B2"))
    project.courier(D17, *(make_update(f"B{n}", "no such status") for n in range(20)))
    project.platform.set_faults(["partly"])
    project.run(D17, guarantee="at_most_once")
    project.run(D16, courier_files=None)
    asked = {name for assets, *_ in whole_desk.tick() for name in assets}
    assert not asked & {DELIVERY, "tracking_deliveries"}


def test_a_day_that_a_run_has_before_it_is_not_asked_for_again(dead, desk):
    stores = dg.Definitions(resources={"io_manager": dead.tables})
    dead.instance.create_run_for_job(
        dg.Definitions.merge(dead.defs(), stores).resolve_job_def("atlas_deliver"),
        tags={RANGE_START: D16, RANGE_END: D17},
        status=dg.DagsterRunStatus.STARTED,
    )
    assert desk.tick() == [([DELIVERY, LINKS], D18, D18)]


def test_days_before_a_start_date_that_was_moved_are_named_and_hold_up_no_other(dead, desk):
    desk.attributes["start_date"] = D17
    assert desk.tick() == [([DELIVERY, LINKS], D17, D18)]
    dead.platform.set_faults([])
    assert desk.run() == [True]
    assert desk.tick() == []
    assert desk.skipped.startswith(f"{D16} cannot be asked for: not between start_date {D17} and today")
    desk.attributes["start_date"] = D16
    assert desk.tick() == [([DELIVERY, LINKS], D16, D16)]


def test_waits_grow_to_two_hours():
    waits, now, gaps = Waits(), 0.0, []
    for _ in range(8):
        waits.ask("deliver:2026-11-16", now)
        begun = now
        while not waits.is_due("deliver:2026-11-16", now):
            now += 60
        gaps.append((now - begun) / 60)
    assert gaps == [5, 10, 20, 40, 80, 120, 120, 120]
    assert Waits.read(waits.write()) == waits
