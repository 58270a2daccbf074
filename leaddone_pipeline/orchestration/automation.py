"""When a shop's days run by themselves: a job over all its assets, and a schedule over today and yesterday."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dagster as dg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leaddone_pipeline.orchestration.shop import Shop

__all__ = ["build_job", "build_schedule"]

_LOOKBACK_DAYS = 1
_RANGE_START = "dagster/asset_partition_range_start"
_RANGE_END = "dagster/asset_partition_range_end"


def build_job(shop: Shop, assets: Sequence[dg.AssetsDefinition]) -> dg.UnresolvedAssetJobDefinition:
    """The job `<shop>_deliver`: a shop's day, from its files to its links."""
    return dg.define_asset_job(
        f"{shop.name}_deliver",
        selection=list(assets),
        description=f"From the files of {shop.name} to LeadDone and back to the results, a day or a range of days.",
    )


def build_schedule(shop: Shop, job: dg.UnresolvedAssetJobDefinition, cron: str) -> dg.ScheduleDefinition:
    """Run the job over today and yesterday; a tick with nothing new sends nothing."""
    zone = shop.partitions.timezone

    @dg.schedule(
        job=job,
        cron_schedule=cron,
        execution_timezone=zone,
        name=f"{shop.name}_deliver_schedule",
        description="Delivers today and yesterday; orders that LeadDone has already are not sent again.",
    )
    def deliver_recent_days(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        today = context.scheduled_execution_time.astimezone(ZoneInfo(zone)).date()
        recent = [(today - timedelta(days=back)).isoformat() for back in range(_LOOKBACK_DAYS, -1, -1)]
        days = [day for day in recent if day >= f"{shop.partitions.start:%Y-%m-%d}"]
        if not days:
            return dg.SkipReason(f"{shop.name} begins on {shop.partitions.start:%Y-%m-%d}")
        return [_request(part) for part in _runs(days, shop.backfill_policy.max_partitions_per_run)]

    return deliver_recent_days


def _runs(days: list[str], days_per_run: int | None) -> list[list[str]]:
    size = days_per_run or len(days)
    return [days[at : at + size] for at in range(0, len(days), size)]


def _request(days: list[str]) -> dg.RunRequest:
    """A run over these days; its key sets it apart from the tick's other runs."""
    if len(days) == 1:
        return dg.RunRequest(run_key=days[0], partition_key=days[0])
    return dg.RunRequest(run_key=days[0], tags={_RANGE_START: days[0], _RANGE_END: days[-1]})
