"""One day at a time: what a run over several days leaves behind for each of them.

Dagster has no word for a failed partition. So while days run their metadata is kept; when all were good it becomes
the metadata of the step's own materializations, and when some were bad each good day is materialized by an event of
its own before the step fails. A day is never written twice: the second event would have no counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import dagster as dg

from leaddone_pipeline.errors import LeadDoneError
from leaddone_pipeline.orchestration.checks import Verdict, log_days, summaries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

__all__ = ["Days"]


class Days:
    """The days of one step of an asset that stores nothing itself.

    Leaving the block by an exception materializes the days that were good until then.
    """

    def __init__(self, context: dg.AssetExecutionContext) -> None:
        self._context = context
        self._good: dict[str, Mapping[str, Any]] = {}
        self._bad: dict[str, str] = {}
        self._verdicts: dict[str, Sequence[Verdict]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        for day, metadata in self._good.items():
            self._context.log_event(
                dg.AssetMaterialization(self._context.asset_key, partition=day, metadata=metadata)
            )
        log_days(self._context, self._context.asset_key, self._verdicts)

    def run(
        self, deliver: Callable[[str], tuple[Mapping[str, Any], Sequence[Verdict], LeadDoneError | None]]
    ) -> None:
        """Deliver each day, oldest first (delivery.md, rule 14); a day that stops does not stop the next.

        Args:
            deliver: day -> its metadata, its checks, and why it stopped, if it did.
        """
        for day in sorted(self._context.partition_keys):
            try:
                metadata, self._verdicts[day], stopped = deliver(day)
            except LeadDoneError as error:
                stopped, metadata = error, {}
            if stopped is None:
                self._good[day] = metadata
            else:
                self._bad[day] = str(stopped)
                self._context.log.error("%s: %s", day, stopped)

    def finish(self) -> list[dg.AssetCheckResult]:
        """Give each day its metadata and the checks their results.

        Raises:
            Failure: naming the bad days and why; they alone are red.
        """
        if self._bad:
            total = len(self._bad) + len(self._good)
            raise dg.Failure(
                f"{len(self._bad)} of {total} days stopped: "
                + "; ".join(f"{day}: {reason}" for day, reason in self._bad.items()),
                metadata={"failed": dg.MetadataValue.json(self._bad)},
                allow_retries=False,
            )
        for day, metadata in self._good.items():
            self._context.add_asset_metadata(metadata, partition_key=day)
        return list(summaries(self._context, self._context.asset_key, self._verdicts))
