"""When a shop's days run by themselves: a job over all its assets, and a schedule over today and yesterday."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dagster as dg

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from leaddone_pipeline.orchestration.shop import Shop

__all__ = [
    "RANGE_END",
    "RANGE_START",
    "build_job",
    "build_schedule",
    "days_between",
    "job_name",
    "ranges",
    "request",
]

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


def job_name(shop: str) -> str:
    """The job that runs a shop's days."""
    return f"{shop}_deliver"


def build_job(shop: Shop, assets: Sequence[dg.AssetsDefinition]) -> dg.UnresolvedAssetJobDefinition:
    """The job `<shop>_deliver`: a shop's day, from its files to its links."""
    return dg.define_asset_job(
        job_name(shop.name),
        selection=list(assets),
        description=f"From the files of {shop.name} to LeadDone and back to the results, a day or a range of days.",
    )


def build_schedule(shop: Shop, job: dg.UnresolvedAssetJobDefinition, cron: str) -> dg.ScheduleDefinition:
    """Run the job over today and the days before it; a tick with nothing new sends nothing."""
    zone = shop.partitions.timezone

    @dg.schedule(
        job=job,
        cron_schedule=cron,
        execution_timezone=zone,
        name=f"{job_name(shop.name)}_schedule",
        description="Delivers today and the days before it; orders that LeadDone has already are not sent again.",
    )
    def deliver_recent_days(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        today = context.scheduled_execution_time.astimezone(ZoneInfo(zone)).date()
        recent = [(today - timedelta(days=back)).isoformat() for back in range(shop.lookback_days + 1)]
        days = [day for day in recent if day >= shop.first_day]
        if not days:
            return dg.SkipReason(f"{shop.name} begins on {shop.first_day}")
        return [request(part, run_key=part[0]) for part in ranges(days, shop.days_per_run)]

    return deliver_recent_days


def days_between(first: str, last: str) -> list[str]:
    """All days of a range, ISO, both ends included."""
    start, count = date.fromisoformat(first), (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    return [(start + timedelta(days=number)).isoformat() for number in range(count)]


def ranges(days: Iterable[str], days_per_run: int | None) -> Iterator[list[str]]:
    """Part days, ISO, into as few runs as can be: each a range without a gap, oldest first."""
    part: list[str] = []
    for day in sorted(days):
        follows = bool(part) and date.fromisoformat(part[-1]) + timedelta(days=1) == date.fromisoformat(day)
        if part and (not follows or len(part) == days_per_run):
            yield part
            part = []
        part.append(day)
    if part:
        yield part


def request(
    days: Sequence[str], *, run_key: str, assets: Sequence[dg.AssetKey] | None = None
) -> dg.RunRequest:
    """A run over a range of days; without `assets`, of all of the job's."""
    if len(days) == 1:
        return dg.RunRequest(run_key=run_key, partition_key=days[0], asset_selection=assets)
    tags = {RANGE_START: days[0], RANGE_END: days[-1]}
    return dg.RunRequest(run_key=run_key, tags=tags, asset_selection=assets)
