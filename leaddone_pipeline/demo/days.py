"""A run of all days for each shop, and what Dagster knows of each of them afterwards."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from leaddone_pipeline.orchestration.automation import RANGE_END, RANGE_START, job_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["DayCounts", "deliver", "read_days"]

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True, slots=True)
class DayCounts:
    """What the materializations of a shop's day say."""

    shop: str
    day: str
    orders: Mapping[str, int]
    order_deliveries: Mapping[str, int]
    tracking_deliveries: Mapping[str, int]


def deliver(
    definitions: dg.Definitions, instance: dg.DagsterInstance, *, shop: str, days: Sequence[str]
) -> list[str]:
    """Materialize all assets of a shop over these days, in one run; say why steps failed, if any did."""
    with warnings.catch_warnings():
        # Logging configured in dagster.yaml; the demo shows nothing of it but a file.
        warnings.simplefilter("ignore", category=dg.BetaWarning)
        result = definitions.resolve_job_def(job_name(shop)).execute_in_process(
            instance=instance,
            tags={RANGE_START: days[0], RANGE_END: days[-1]},
            run_config=_QUIET,
            raise_on_error=False,
        )
    return [
        failure.error.message.strip()
        for event in result.all_events
        if event.is_step_failure and (failure := event.step_failure_data).error
    ]


def read_days(instance: dg.DagsterInstance, *, shop: str, days: Sequence[str]) -> list[DayCounts]:
    """Read the counts of each day from its newest materializations."""
    return [
        DayCounts(
            shop,
            day,
            orders=_counts(instance, [shop, "orders"], day),
            order_deliveries=_counts(instance, [shop, "order_deliveries"], day),
            tracking_deliveries=_counts(instance, [shop, "tracking_deliveries"], day),
        )
        for day in days
    ]


def _counts(instance: dg.DagsterInstance, key: Sequence[str], day: str) -> dict[str, int]:
    wanted = dg.AssetRecordsFilter(asset_key=dg.AssetKey(key), asset_partitions=[day])
    records = instance.fetch_materializations(wanted, limit=1).records
    event = records[0].asset_materialization if records else None
    if event is None:
        return {}
    return {name: value.value for name, value in event.metadata.items() if isinstance(value.value, int)}
