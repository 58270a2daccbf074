"""`<shop>_files`: a day is delivered as soon as its files are new or changed, and lie still."""

import itertools
import json
import os

import dagster as dg

from leaddone_pipeline.orchestration.arrivals import Seen, look

D16, D17, D18 = "2026-11-16", "2026-11-17", "2026-11-18"


def test_a_file_is_taken_when_two_ticks_found_it_alike(project, tick, make_order):
    project.orders(D17, make_order("A1"))
    assert tick() == []
    project.orders(D17, make_order("A1"), make_order("A2"))
    assert tick() == []
    assert tick() == [(D17, D17)]
    assert tick() == tick() == []


def test_all_files_of_a_day_go_in_one_run(project, tick, make_order, make_update):
    project.orders(f"{D17}-a", make_order("A1"))
    project.orders(f"{D17}-b", make_order("A2"))
    project.courier(D17, make_update("A1"))
    tick(orders_files="orders-{date}*.csv")
    assert tick(orders_files="orders-{date}*.csv") == [(D17, D17)]


def test_a_file_that_was_written_again_has_another_run_key(project, tick, make_order):
    project.orders(D17, make_order("A1"))
    tick()
    tick()
    first = tick.keys
    project.orders(D17, make_order("A1"), make_order("A2"))
    tick()
    assert tick() == [(D17, D17)]
    assert tick.keys != first
    second = tick.keys
    file = project.root / f"orders-{D17}.csv"
    os.utime(file, (1, 1))
    tick()
    assert tick() == [(D17, D17)]
    assert tick.keys not in (first, second)


def test_days_in_a_row_are_one_run_where_the_tables_take_it(project, tick, make_order):
    for day in (D16, D17, "2026-11-20"):
        project.orders(day, make_order(day))
    tick()
    assert tick() == [(D16, D17), ("2026-11-20", "2026-11-20")]


def test_where_a_run_stores_one_day_each_day_is_a_run(project, tick, make_order):
    for day in (D16, D17):
        project.orders(day, make_order(day))
    tick(days_per_run=1)
    assert tick(days_per_run=1) == [(D16, D16), (D17, D17)]
    assert len(set(tick.keys)) == 2


def test_a_late_file_rematerializes_its_day_only(project, tick, make_order, store):
    for day in (D16, D18):
        project.orders(day, make_order(day))
    project.deliver(store, D16, D17, D18)
    tick()
    tick()
    project.orders(D17, make_order("late"))
    tick()
    ((first, last),) = tick()
    assert all(result.success for result in project.deliver(store, first))
    assert (first, last) == (D17, D17)
    counts = {day: len(told) for day, told in project.materializations("order_links").items()}
    assert counts == {D16: 1, D17: 2, D18: 1}
    assert "late" in project.taken()
    links = project.stored(store, "order_links")
    assert sorted(links["order_id"]) == [D16, D18, "late"]


def test_a_day_whose_run_died_before_it_read_anything_is_asked_for_again(project, tick, make_order):
    """With growing waits, alone, and under another run key: Dagster skips one that any run had before."""
    for day in (D16, D17):
        project.orders(day, make_order(day))
    tick()
    assert tick() == [(D16, D17)]
    keys = set(tick.keys)
    assert tick(later=4 * 60) == []
    assert tick(later=5 * 60) == [(D16, D16), (D17, D17)]
    keys |= set(tick.keys)
    assert tick(later=9 * 60) == []
    assert project.run(D16).success
    assert tick(later=10 * 60) == [(D17, D17)]
    assert len(keys | set(tick.keys)) == 4
    assert project.run(D17, only=["orders", "orders_quarantine"]).success
    assert tick(later=24 * 60 * 60) == [(D17, D17)], "its courier files were not read"
    assert project.run(D17).success
    assert tick(later=24 * 60 * 60) == []


def begun(project):
    """A run of the shop's job over D16, under way."""
    stores = dg.Definitions(resources={"io_manager": project.tables})
    return project.instance.create_run_for_job(
        dg.Definitions.merge(project.defs(), stores).resolve_job_def("atlas_deliver"),
        tags={"dagster/partition": D16},
        status=dg.DagsterRunStatus.STARTED,
    )


def test_a_day_that_a_run_has_before_it_is_not_asked_for_again(project, tick, make_order):
    project.orders(D16, make_order("A1"))
    tick()
    assert tick() == [(D16, D16)]
    run = begun(project)
    assert tick(later=24 * 60 * 60) == []
    project.instance.report_run_failed(run)
    assert tick() == [(D16, D16)]


def test_a_day_whose_run_a_person_terminated_is_not_asked_for_again(project, tick, make_order):
    for day in (D16, D17):
        project.orders(day, make_order(day))
    tick()
    assert tick() == [(D16, D17)]
    run = begun(project)
    project.instance.report_run_canceled(run)
    assert tick(later=24 * 60 * 60) == [(D17, D17)]
    project.orders(D16, make_order("another"))
    tick(later=60)
    assert tick(later=60) == [(D16, D16)], "a new file is asked for again"


def test_a_lost_day_whose_file_changes_waits_for_it_to_lie_still(project, tick, make_order):
    project.orders(D16, make_order("A1"))
    tick()
    assert tick() == [(D16, D16)]
    project.orders(D16, make_order("A1"), make_order("A2"))
    assert tick(later=24 * 60 * 60) == []
    assert tick() == [(D16, D16)]
    (project.root / f"orders-{D16}.csv").unlink()
    assert tick(later=24 * 60 * 60) == tick(later=24 * 60 * 60) == []


def test_a_cursor_that_was_reset_asks_for_all_days_again(project, tick, make_order):
    project.orders(D16, make_order("A1"))
    tick()
    tick()
    keys = tick.keys
    tick.reset()
    tick(later=60)
    assert tick(later=60) == [(D16, D16)]
    assert tick.keys != keys


def test_a_file_that_is_gone_asks_for_nothing(project, tick, make_order):
    project.orders(D17, make_order("A1"))
    tick()
    tick()
    (project.root / f"orders-{D17}.csv").unlink()
    assert tick() == tick() == []


def test_a_tick_is_bounded_and_the_next_one_goes_on():
    """The two newest days are looked at in each tick, the others in turn."""
    days = [f"day {number:02}" for number in range(10)]
    looked, seen = [], Seen()

    def fingerprint(day):
        looked.append(day)
        return day

    for _ in range(3):
        look(days, seen, fingerprint, seconds=2.5, clock=itertools.count().__next__)
        seen = Seen.read(seen.write())
    news = days[:2]
    assert looked[:4] == [*news, *days[2:4]]
    turns = [day for day in looked if day not in news]
    assert turns == (days[2:] * 2)[: len(turns)]
    assert len(looked) < 3 * len(days)


def test_the_cursor_of_a_year_is_small():
    seen = Seen({f"2026-{n // 28 + 1:02}-{n % 28 + 1:02}": ("0" * 16, "0" * 16) for n in range(336)})
    assert len(seen.write()) < 20_000
    assert json.loads(seen.write())["next"] is None
