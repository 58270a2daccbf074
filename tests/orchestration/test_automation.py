from datetime import UTC, datetime

import dagster as dg
import pytest

START, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@pytest.fixture
def tick(project):
    """A tick of the shop's schedule at a time, UTC."""

    def at(when, **attributes):
        defs = project.defs(**attributes)
        context = dg.build_schedule_context(
            instance=project.instance,
            scheduled_execution_time=datetime.fromisoformat(when).replace(tzinfo=UTC),
            repository_def=dg.Definitions.merge(
                defs, dg.Definitions(resources={"io_manager": project.tables})
            ).get_repository_def(),
        )
        return next(iter(defs.schedules)).evaluate_tick(context)

    return at


def test_a_tick_asks_for_yesterday_and_today_in_one_run(tick):
    requests = tick("2026-11-18T09:15:00").run_requests
    assert [(one.tags[START], one.tags[END]) for one in requests] == [("2026-11-17", "2026-11-18")]


def test_where_a_run_stores_one_day_a_tick_asks_for_two_runs(tick):
    requests = tick("2026-11-18T09:15:00", days_per_run=1).run_requests
    assert [one.partition_key for one in requests] == ["2026-11-17", "2026-11-18"]
    assert len({one.run_key for one in requests}) == 2


def test_today_is_the_shops_today(tick):
    """Half an hour before midnight in London is past it in Casablanca."""
    requests = tick("2026-11-18T23:30:00").run_requests
    assert requests[0].tags[END] == "2026-11-19"


def test_the_first_day_has_no_yesterday_and_before_it_nothing_runs(tick):
    assert [one.partition_key for one in tick("2026-11-16T09:00:00").run_requests] == ["2026-11-16"]
    skipped = tick("2026-11-01T09:00:00")
    assert not skipped.run_requests
    assert "2026-11-16" in skipped.skip_message


def test_what_a_tick_asks_for_runs_and_a_second_tick_sends_nothing(project, tick, make_order):
    project.connect()
    project.orders("2026-11-17", make_order("A1"))
    project.orders("2026-11-18", make_order("B1"))
    request = tick("2026-11-18T09:15:00").run_requests[0]
    defs = dg.Definitions.merge(project.defs(), dg.Definitions(resources={"io_manager": project.tables}))
    job = defs.resolve_job_def("atlas_deliver")
    assert job.execute_in_process(instance=project.instance, tags=request.tags).success
    assert project.links() == project.taken()
    requests = len(project.platform.requests)
    assert job.execute_in_process(instance=project.instance, tags=request.tags).success
    assert len(project.platform.requests) == requests
