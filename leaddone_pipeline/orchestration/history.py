"""What Dagster's storage says of a shop's days: what was made of them, what is held, which a run has before it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from leaddone_pipeline.orchestration import guard
from leaddone_pipeline.orchestration.automation import RANGE_END, RANGE_START, days_between, job_name
from leaddone_pipeline.orchestration.stored import counts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leaddone_pipeline.orchestration.names import Names
    from leaddone_pipeline.orchestration.shop import Shop

__all__ = ["History"]

_MATERIALIZED = dg.DagsterEventType.ASSET_MATERIALIZATION
_PLANNED = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
_UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


class History:
    """A shop's days in one Dagster instance."""

    def __init__(self, shop: Shop, instance: dg.DagsterInstance) -> None:
        self._shop = shop
        self._instance = instance

    def newest(self, asset: str) -> Mapping[str, int]:
        """Day -> the number of its newest materialization in Dagster's storage; numbers only grow."""
        return self._instance.get_latest_storage_id_by_partition(self._shop.key(asset), _MATERIALIZED)

    def was_to_deliver(self, names: Names, days: Mapping[str, int]) -> set[str]:
        """Those of these days that were read by a run which was to deliver them as well, and did not come so far.

        Args:
            names: orders or tracking.
            days: day -> the number of its newest reading.
        """
        if not days:
            return set()
        which = dg.AssetRecordsFilter(asset_key=self._shop.key(names.export), storage_ids=list(days.values()))
        read = self._instance.fetch_materializations(which, limit=len(days)).records
        planned = {run_id for run_id in {one.run_id for one in read} if self._planned(names, run_id)}
        return {one.partition_key for one in read if one.partition_key and one.run_id in planned}

    def _planned(self, names: Names, run_id: str) -> bool:
        """Whether a run was to deliver; one that a person has terminated, or that Dagster has forgotten, was not."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.status is dg.DagsterRunStatus.CANCELED:
            return False
        events = self._instance.get_records_for_run(run_id, of_type=_PLANNED).records
        keys = {
            one.event_log_entry.dagster_event.asset_key for one in events if one.event_log_entry.dagster_event
        }
        return self._shop.key(names.delivery) in keys

    def is_held(self, names: Names, day: str) -> bool:
        """Whether the guard would hold the day as it was read last."""
        rows = counts_of(self._instance, self._shop.key(names.export), day)
        return guard.is_held(rows, self._shop.limits.refused)

    def busy_days(self) -> set[str]:
        """Days that a run of this shop has before it already."""
        runs = self._instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY))
        return {day for run in runs for day in self._days_of(run)}

    def terminated_days(self, since: float) -> Mapping[str, float]:
        """Day -> when its newest run was made that a person has terminated, of those made since (UTC seconds)."""
        which = dg.RunsFilter(
            statuses=[dg.DagsterRunStatus.CANCELED], created_after=datetime.fromtimestamp(since, UTC)
        )
        newest: dict[str, float] = {}
        for record in self._instance.get_run_records(which):
            for day in self._days_of(record.dagster_run):
                newest[day] = max(newest.get(day, 0.0), record.create_timestamp.timestamp())
        return newest

    def _days_of(self, run: dg.DagsterRun) -> list[str]:
        """The days that a run of this shop is over; none of another's."""
        keys = run.asset_selection or set()
        name = self._shop.name
        if run.job_name != job_name(name) and not any(key.path[0] == name for key in keys):
            return []
        first = run.tags.get(RANGE_START) or run.tags.get("dagster/partition")
        return list(days_between(first, run.tags.get(RANGE_END) or first)) if first else []
