"""The effect: a day's stored records to LeadDone, one day at a time, each held, stopped or delivered by itself."""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as it stands.
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import dagster as dg
import pandas as pd

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.errors import LeadDoneError
from leaddone_pipeline.orchestration import guard, metadata, rails
from leaddone_pipeline.orchestration.checks import Verdict, judge_changed, judge_delivery, specs
from leaddone_pipeline.orchestration.days import Days
from leaddone_pipeline.orchestration.names import ORDERS, SAYS, Names
from leaddone_pipeline.orchestration.owed import open_orders, owing_days, refuse_missing
from leaddone_pipeline.orchestration.resource import LeadDoneResource
from leaddone_pipeline.orchestration.shop import Shop
from leaddone_pipeline.orchestration.stored import counts_of, observed, read_day

__all__ = ["build_delivery"]

_SLICE_ROWS = 50_000


def build_delivery(shop: Shop, names: Names) -> dg.AssetsDefinition:
    """Build `order_deliveries` or `tracking_deliveries`."""
    deps = [shop.key(names.export)]
    if names.kind is Kind.TRACKING:
        # Statuses of orders that LeadDone does not have yet would be refused.
        deps.append(shop.key(ORDERS.delivery))

    @dg.asset(
        key=shop.key(names.delivery),
        description=SAYS[names.delivery],
        group_name=shop.group,
        owners=shop.owners,
        tags=shop.tags,
        deps=deps,
        partitions_def=shop.partitions,
        backfill_policy=shop.backfill_policy,
        check_specs=specs(shop.key(names.delivery), shop.partitions),
        required_resource_keys={shop.resource_key},
        pool=shop.pool,
        kinds={"leaddone"},
    )
    def deliver(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads it bare
        leaddone: LeadDoneResource = getattr(context.resources, shop.resource_key)
        rails.check(context, leaddone, shop.key(ORDERS.delivery))
        step = _Step(context, leaddone, shop, names)
        with Days(context) as days:
            days.run(step.deliver, record=step.record)
            return dg.MaterializeResult(check_results=days.finish())

    return deliver


class _Step:
    """A delivery's step, asked for one day after the other."""

    def __init__(
        self, context: dg.AssetExecutionContext, leaddone: LeadDoneResource, shop: Shop, names: Names
    ) -> None:
        self._context = context
        self._leaddone = leaddone
        self._shop = shop
        self._names = names
        self._export = shop.key(names.export)
        self._delivery = shop.key(names.delivery)

    def deliver(self, day: str) -> tuple[Mapping[str, Any], Sequence[Verdict], LeadDoneError | None]:
        """Deliver a day.

        Raises:
            IntakeError: the guard holds it.
            LeadDoneError: the delivery could not begin.
        """
        rows, frame = self._guarded(day)
        report = self._leaddone.deliver(self._names.kind, _slices(frame), day=day)
        valid = int((frame["skipped"] == "").sum()) if "skipped" in frame else len(frame)
        told = {
            **report.to_metadata(),
            "quarantined": rows.get("quarantined", 0),
            rails.ACCOUNT: self._leaddone.account_mark,
            "ledger": self._leaddone.ledger_place,
            "preview": metadata.preview(report.links),
            metadata.AS_OF: dg.MetadataValue.timestamp(self._leaddone.ledger_now()),
        }
        if report.notes:
            told["notes"] = [metadata.masked(note) for note in report.notes]
        verdicts = judge_delivery(
            self._names.kind, report.counts, handed_over=valid, limit=self._shop.limits.rejected
        )
        if self._names.kind is Kind.ORDERS:
            others = _of_others(report.links, self._shop.name)
            verdicts.append(judge_changed(report.counts["changed"], of_others=others))
        return told, verdicts, report.stopped or self._missing(day, frame)

    def record(self, day: str) -> bool:
        """Record a day that is not tried; say whether anything of it is to be sent.

        Raises:
            IntakeError: the guard holds it.
            LeadDoneError: it could not be recorded.
        """
        _, frame = self._guarded(day)
        return self._leaddone.record(self._names.kind, _slices(frame), day=day)

    @cached_property
    def _owing(self) -> Collection[str]:
        """Days that owe orders, asked once: a day that owes none before its delivery misses none after it."""
        return owing_days(self._leaddone)

    def _missing(self, day: str, frame: pd.DataFrame) -> LeadDoneError | None:
        """Why a day is not done though its delivery is: it owes orders that its files no longer have."""
        if self._names.kind is Kind.TRACKING or day not in self._owing:
            return None
        return refuse_missing(day, open_orders(self._leaddone, day), frame["id"])

    def _guarded(self, day: str) -> tuple[Mapping[str, int], pd.DataFrame]:
        """A day's counts and records, unless the guard holds them."""
        rows, limit = counts_of(self._context.instance, self._export, day), self._shop.limits.refused
        frame = read_day(self._context, self._export, self._names.table, day)
        if guard.is_held(rows, limit):
            if guard.is_released(day, self._context.run.tags):
                noted = {guard.RELEASED: guard.counted(rows)}
                self._context.log_event(dg.AssetObservation(self._delivery, metadata=noted, partition=day))
            elif not self._was_released(day, rows, frame):
                raise guard.refuse(day, self._names.export, rows, limit)
        return rows, frame

    def _was_released(self, day: str, rows: Mapping[str, int], frame: pd.DataFrame) -> bool:
        """Whether a person has released this very day before: the same counts, and nothing new to send."""
        said = observed(self._context.instance, self._delivery, day, guard.RELEASED)
        return said == guard.counted(rows) and self._leaddone.has_recorded(
            self._names.kind, _slices(frame), day=day
        )


def _of_others(links: pd.DataFrame, shop: str) -> Mapping[str, int]:
    """Other shops' labels -> how many of these orders LeadDone has accepted as theirs."""
    theirs = links[(links["outcome"] == "accepted") & (links["shop"] != shop)]
    return {str(label): int(count) for label, count in theirs["shop"].value_counts().items()}


def _slices(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    return (frame.iloc[at : at + _SLICE_ROWS] for at in range(0, len(frame), _SLICE_ROWS))
