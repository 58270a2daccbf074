"""Exports of many days: without `{date}` in the files' names, each record's own date tells its day."""

import os
from datetime import UTC, date, datetime, timedelta

import pytest

from leaddone_pipeline.errors import SettingsError
from leaddone_pipeline.intake import Span
from leaddone_pipeline.orchestration.shop import Shop

D16, D17, D18 = "2026-11-16", "2026-11-17", "2026-11-18"
ONE_FILE = {"orders_files": "orders.csv", "courier_files": "tracking.csv"}


@pytest.fixture
def export(project, make_order):
    """Write the one export, as (order id, day, fields); it is as old as its last day."""

    def write(*orders, name="orders.csv", changed=D18):
        rows = [make_order(order_id, date=day, **dict(*fields)) for order_id, day, *fields in orders]
        project.write(name, rows)
        end = datetime.fromisoformat(f"{changed}T20:00:00").replace(tzinfo=UTC).timestamp()
        os.utime(project.root / name, (end, end))

    return write


def told(project, name="orders"):
    return {day: its[0] for day, its in project.materializations(name).items()}


def test_one_file_is_delivered_day_by_day(project, export, make_update, store):
    """A day without rows is materialized empty, and the export is there all the same."""
    export(("A1", D16), ("A2", f"{D16} 23:59"), ("C1", D18), ("A3", D16, {"phone": "12"}))
    project.write(
        "tracking.csv",
        [make_update("A1", at=f"{D16}T22:00:00Z"), make_update("A1", "delivered", f"{D18}T10:00:00Z")],
    )
    results = project.deliver(store, D16, D17, D18, **ONE_FILE)

    assert all(result.success for result in results)
    counts = {day: (one["read"], one["quarantined"], one["valid"]) for day, one in told(project).items()}
    assert counts == {D16: (3, 1, 2), D17: (0, 0, 0), D18: (1, 0, 1)}
    assert {day: one["valid"] for day, one in told(project, "courier_updates").items()} == {
        D16: 1,
        D17: 0,
        D18: 1,
    }
    assert {day: one["sent"] for day, one in told(project, "order_deliveries").items()} == {
        D16: 2,
        D17: 0,
        D18: 1,
    }
    checks = {key: passed for result in results for key, passed in project.verdicts(result).items()}
    laws = ("rows_law", "records_law", "export_present", "files_readable")
    assert [key for key, passed in checks.items() if key[1] in laws and not passed] == []
    assert {day for _, name, day in checks if name == "export_present"} >= {D16, D17, D18}
    links = project.stored(store, "order_links")
    assert dict(zip(links["order_id"], links["partition_date"].dt.strftime("%d"), strict=True)) == {
        "A1": "16",
        "A2": "16",
        "C1": "18",
    }
    assert project.platform.orders("atlas-client")["A1"]["status"] == "delivered"
    before = len(project.platform.requests)
    assert all(result.success for result in project.deliver(store, D16, D17, D18, **ONE_FILE))
    assert len(project.platform.requests) == before


def test_a_folder_and_a_glob_of_such_files_are_one_export(project, export):
    export(("A1", D16), ("A2", D17), name="in/week-1.csv")
    export(("A1", D16), ("A3", D17), name="in/week-2.csv")
    for files in ("in", "in/*.csv"):
        assert project.run(D16, D17, orders_files=files).success
        assert {day: one["merged"] for day, one in told(project).items()} == {D16: 1, D17: 0}
    assert set(project.taken()) == {"A1", "A2", "A3"}


def test_an_order_without_a_day_stands_with_the_newest_day_alone(project, export, store):
    """It is refused with its remedy, counted once, and both laws hold; orders before the first day are told."""
    ahead = f"{datetime.now(UTC).date() + timedelta(days=2)}"
    export(("A1", D16), ("B1", ""), ("B2", "soon"), ("B3", ahead), ("C1", D17), ("old", "2026-11-15"))
    results = project.deliver(store, D16, D17, D18, **ONE_FILE)

    refused = project.stored(store, "orders_quarantine")
    assert refused[["order_id", "code"]].to_numpy().tolist() == [
        ["B1", "no_day"],
        ["B2", "no_day"],
        ["B3", "in_the_future"],
    ]
    assert set(refused["partition_date"].dt.strftime("%d")) == {"17"}
    assert refused["remedy"].str.contains("in the export").all()
    counts = {
        day: (one["read"], one["quarantined"], one.get("undated"), one.get("early"))
        for day, one in told(project).items()
    }
    assert counts == {D16: (1, 0, None, None), D17: (4, 3, 3, 1), D18: (0, 0, None, None)}
    checks = {key: passed for result in results for key, passed in project.verdicts(result).items()}
    assert all(passed for (_, name, _), passed in checks.items() if name.endswith("_law"))
    assert set(project.taken()) == {"A1", "C1"}


def test_without_any_day_they_stand_with_today(project, export, monkeypatch):
    monkeypatch.setattr(Shop, "span", lambda shop: Span(shop.first_day, D18, "Africa/Casablanca"))
    export(("B1", ""), ("B2", "soon"))
    assert project.run(D18, **ONE_FILE).success
    assert told(project)[D18]["undated"] == 2
    assert not project.platform.requests


def test_rows_of_no_day_hold_no_day(project, export):
    """The guard judges a day by its own rows."""
    good = [(f"A{number}", D16) for number in range(20)]
    export(*good, *((f"B{number}", "") for number in range(40)))
    assert project.run(D16, **ONE_FILE).success
    assert len(project.taken()) == 20
    export(*good[:5], *((f"C{number}", D16, {"phone": "12"}) for number in range(20)))
    assert not project.run(D16, **ONE_FILE).success


def test_an_export_that_ends_before_the_day_does_not_cover_it(project, export):
    """One that was changed after the day, or goes on beyond it, does."""
    export(("A1", D16), changed=D16)
    checks = project.verdicts(project.run(D16, D18, **ONE_FILE))
    assert [checks["orders", "export_present", day] for day in (D16, D17, D18)] == [True, False, False]
    assert {day: one["files"] for day, one in told(project).items()} == {D16: 1, D17: 0, D18: 0}


def test_a_file_that_cannot_be_read_stands_with_each_day_and_the_others_are_delivered(project, export):
    export(("A1", D16), name="in/a.csv")
    (project.root / "in" / "b.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    result = project.run(D16, D17, orders_files="in/*.csv")
    assert result.success
    refused = project.table("orders_quarantine")
    assert refused["code"].tolist() == ["unreadable_file"] * 2
    checks = project.verdicts(result)
    assert [checks["orders", "files_readable", day] for day in (D16, D17)] == [False, False]
    assert checks["orders", "rows_law", D16]
    assert set(project.taken()) == {"A1"}


def test_a_file_without_a_column_for_the_day_says_what_to_do(project, make_order, make_update):
    project.write("orders.csv", [make_order("A1")])
    untimed = make_update("A1")
    del untimed["event_time"]
    project.write("tracking.csv", [untimed])
    result = project.run(D16, **ONE_FILE)
    assert not project.verdicts(result)["orders", "files_readable", D16]
    for name in ("orders_quarantine", "courier_updates_quarantine"):
        (remedy,) = project.table(name)["remedy"]
        assert "{date}" in remedy
    assert not project.platform.requests


def test_a_source_that_names_no_column_for_the_day_is_refused_at_load(project):
    (project.root / "mine.yaml").write_text("extends: sheet\norders: {columns: {date: []}}\n")
    (project.root / "courier.yaml").write_text("extends: courier\ntracking: {columns: {event_time: []}}\n")
    with pytest.raises(SettingsError, match=r"atlas: orders_files.*date"):
        project.defs(orders_files="orders.csv", source="mine.yaml")
    with pytest.raises(SettingsError, match=r"atlas: courier_files.*date"):
        project.defs(courier_files="tracking.csv", courier_source="courier.yaml")
    project.defs(source="mine.yaml", courier_source="courier.yaml")


def test_the_day_is_that_of_the_shops_time_zone(project, export):
    export(("A1", f"{D16}T23:30:00Z"), ("A2", f"{D16}T22:30:00Z"))
    assert project.run(D16, D17, **ONE_FILE, time_zone="Africa/Lagos").success
    assert {day: one["valid"] for day, one in told(project).items()} == {D16: 1, D17: 1}


@pytest.fixture
def tick(tick):
    """Of files that go on growing; a single day stands for itself."""

    def run(**attributes):
        runs = tick(**ONE_FILE, **attributes)
        run.keys = tick.keys
        return [first if first == last else (first, last) for first, last in runs]

    return run


def test_the_sensor_asks_for_the_days_whose_rows_changed_once_the_file_lies_still(
    project, export, make_update, tick
):
    export(("A1", D16), ("B1", D17), ("C1", D18))
    assert tick() == []
    assert tick() == [(D16, D18)]
    assert tick() == tick() == []
    export(("A1", D16), ("B1", D17, {"city": "Fès"}), ("C1", D18), ("D1", "2026-11-20"), changed="2026-11-20")
    assert tick() == []
    assert tick() == [D17, "2026-11-20"]
    assert tick() == []
    project.write("tracking.csv", [make_update("A1", at=f"{D16}T10:00:00Z")])
    assert tick() == []
    assert tick() == [D16]
    assert tick() == []


def test_rows_that_are_as_they_were_once_are_asked_for_again(export, tick):
    """Under a run key of their own: Dagster takes each but once."""
    first, second, keys = [("A1", D16)], [("A1", D16, {"city": "Fès"})], []
    for number, rows in enumerate((first, second, first)):
        export(*rows, changed=f"2026-11-2{number}")
        tick()
        assert tick() == [D16]
        keys += tick.keys
    assert len(set(keys)) == 3


def test_days_beyond_the_runs_of_a_tick_are_asked_for_in_the_next(export, tick):
    days = [f"{date(2026, 10, 1) + timedelta(days=number)}" for number in range(25)]
    export(*((day, day) for day in days))
    start = {"start_date": days[0], "days_per_run": 1}
    assert tick(**start) == []
    assert tick(**start) == days[:20]
    assert tick(**start) == days[20:]
    assert tick(**start) == []


def test_a_file_that_is_too_large_or_unreadable_asks_for_the_days_of_the_schedule(
    project, export, tick, monkeypatch
):
    """Whose runs deliver what is new, or say why it cannot be read."""
    today, yesterday = "2026-11-20", "2026-11-19"
    monkeypatch.setattr(Shop, "span", lambda shop: Span(shop.first_day, today, "Africa/Casablanca"))
    (project.root / "orders.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    assert tick() == []
    assert tick() == [(yesterday, today)]
    assert tick() == []
    export(("A1", D16))
    with (project.root / "orders.csv").open("ab") as file:
        file.truncate(21_000_000)
    assert tick() == []
    assert tick() == [(yesterday, today)]
    assert tick() == []


def test_a_large_file_asks_for_the_days_since_it_was_looked_at_last(export, tick, monkeypatch, project):
    """Dagster was off from Friday to Monday; which days have new rows, no tick can tell."""

    def on(day, size):
        monkeypatch.setattr(Shop, "span", lambda shop: Span(shop.first_day, day, "Africa/Casablanca"))
        with (project.root / "orders.csv").open("ab") as file:
            file.truncate(size)
        return tick(), tick(), tick()

    export(("A1", D16))
    assert on("2026-11-20", 21_000_000) == ([], [("2026-11-19", "2026-11-20")], [])
    assert on("2026-11-23", 21_000_001) == ([], [("2026-11-20", "2026-11-23")], [])
    assert on("2026-11-23", 21_000_002) == ([], [("2026-11-22", "2026-11-23")], [])
    export(("A1", D16), ("B1", "2026-11-24"))
    assert on("2026-11-24", (project.root / "orders.csv").stat().st_size)[1] == [D16, "2026-11-24"]
    assert on("2026-11-27", 21_000_000) == ([], [("2026-11-24", "2026-11-27")], [])
