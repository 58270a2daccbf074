"""One day at a time: what a run over several days leaves behind for each of them.

Dagster has no word for a failed partition. So while days run their metadata is kept; when all were good it becomes
the metadata of the step's own materializations, and when some were bad each good day is materialized by an event of
its own before the step fails. A day is never written twice: the second event would have no counts. A bad day's
reason stands in an observation, so that its partition page says why it is red.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import dagster as dg

from leaddone_pipeline.errors import (
    CredentialsRejected,
    EndpointWrong,
    LeadDoneError,
    LeadDoneUnavailable,
    LedgerError,
    SettingsError,
)
from leaddone_pipeline.orchestration.checks import Verdict, log_days, summaries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

__all__ = ["ERROR", "Days"]

ERROR = "error"
"""Key of an observation's metadata: the name of the error's class."""

_REASONS_SHOWN = 3
_NOT_OF_THE_DAY = (CredentialsRejected, EndpointWrong, LeadDoneUnavailable)
"""LeadDone is to blame and not the day: each further day would fail alike, after half a minute of waiting."""
_OF_ALL_DAYS = (LedgerError, SettingsError)
"""Nothing can even be recorded."""


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
        self,
        deliver: Callable[[str], tuple[Mapping[str, Any], Sequence[Verdict], LeadDoneError | None]],
        *,
        record: Callable[[str], bool],
    ) -> None:
        """Deliver each day, oldest first (delivery.md, rule 14); a day that stops does not stop the next.

        But when LeadDone was to blame, a later day that has something to send is recorded and not tried: it is red
        too, since its orders are owed, and `<shop>_open_days` asks for it again.

        Args:
            deliver: day -> its metadata, its checks, and why it stopped, if it did.
            record: puts a day into the ledger (rule 5), and says whether anything of it is to be sent.
        """
        cause: tuple[str, LeadDoneError] | None = None
        for day in sorted(self._context.partition_keys):
            metadata: Mapping[str, Any] = {}
            try:
                if cause is not None and (isinstance(cause[1], _OF_ALL_DAYS) or record(day)):
                    self._leave(day, f"not tried, since {cause[0]} stopped before it", cause[1])
                    continue
                metadata, self._verdicts[day], stopped = deliver(day)
            except LeadDoneError as error:
                stopped = error
            if stopped is None:
                self._good[day] = metadata
                continue
            self._leave(day, str(stopped), stopped, metadata)
            if isinstance(stopped, _NOT_OF_THE_DAY + _OF_ALL_DAYS):
                cause = cause or (day, stopped)

    def finish(self) -> list[dg.AssetCheckResult]:
        """Give each day its metadata and the checks their results.

        Raises:
            Failure: naming the bad days and why; they alone are red.
        """
        if self._bad:
            total = len(self._bad) + len(self._good)
            shown = [f"{day}: {reason}" for day, reason in list(self._bad.items())[:_REASONS_SHOWN]]
            more = len(self._bad) - len(shown)
            raise dg.Failure(
                f"{len(self._bad)} of {total} days stopped: "
                + "; ".join(shown)
                + (f"; and {more} more" if more else ""),
                metadata={"failed": dg.MetadataValue.json(self._bad)},
                allow_retries=False,
            )
        for day, metadata in self._good.items():
            self._context.add_asset_metadata(metadata, partition_key=day)
        return list(summaries(self._context, self._context.asset_key, self._verdicts))

    def _leave(
        self, day: str, reason: str, error: LeadDoneError, metadata: Mapping[str, Any] | None = None
    ) -> None:
        """Note a bad day; its partition is red for want of a materialization."""
        self._bad[day] = reason
        self._context.log.error("%s: %s", day, reason)
        told = {**(metadata or {}), "stopped": reason, ERROR: type(error).__name__}
        self._context.log_event(dg.AssetObservation(self._context.asset_key, partition=day, metadata=told))
