"""What Dagster's storage says of a shop's days: what was made of them, what is held, which a run has before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from leaddone_pipeline.orchestration import guard
from leaddone_pipeline.orchestration.automation import RANGE_END, RANGE_START, days_between
from leaddone_pipeline.orchestration.stored import counts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leaddone_pipeline.orchestration.names import Names
    from leaddone_pipeline.orchestration.shop import Shop

__all__ = ["History"]

_MATERIALIZED = dg.DagsterEventType.ASSET_MATERIALIZATION
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

    def is_held(self, names: Names, day: str) -> bool:
        """Whether the guard would hold the day as it was read last."""
        rows = counts_of(self._instance, self._shop.key(names.export), day)
        return guard.is_held(rows, self._shop.limits.refused)

    def busy_days(self) -> set[str]:
        """Days that a run of this shop has before it already."""
        busy: set[str] = set()
        for run in self._instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY)):
            keys = run.asset_selection or set()
            if run.job_name != f"{self._shop.name}_deliver" and not any(
                key.path[0] == self._shop.name for key in keys
            ):
                continue
            first = run.tags.get(RANGE_START) or run.tags.get("dagster/partition")
            if first:
                busy |= set(days_between(first, run.tags.get(RANGE_END) or first))
        return busy
