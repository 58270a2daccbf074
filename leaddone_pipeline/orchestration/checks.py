"""The checks of a day: verdicts from counts, and how Dagster is told them.

None is blocking: in a run over several days one bad day would block all of them. What must not be sent is held by
the delivery itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dagster as dg

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.delivery import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from leaddone_pipeline.intake import RowCounts

__all__ = [
    "Verdict",
    "judge_changed",
    "judge_delivery",
    "judge_export",
    "judge_links",
    "judge_paid",
    "log_days",
    "specs",
    "summaries",
]

ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN

_TRACKING_EXPORT = {
    "rows_law": "Every row that was read is quarantined, skipped, merged or valid, and stands in its table",
    "export_present": "There is a file for the day, once the day is over",
    "files_readable": "Every file of the day could be read to its end",
    "quarantine_rate": "No more of the rows were refused than max_quarantined_share allows",
}
_EXPORT = _TRACKING_EXPORT | {
    "none_skipped_as_paid": "No order was left out as paid by card, unless `paid` says what is to be done with those",
}
_TRACKING_DELIVERY = {
    "records_law": "Every valid record has exactly one outcome",
    "none_unconfirmed": "No record was sent whose fate nobody knows",
    "rejection_rate": "LeadDone refused no more of the records than max_rejected_share allows",
}
_DELIVERY = _TRACKING_DELIVERY | {
    "none_cancelled_late": "No order was cancelled in the shop after LeadDone had accepted it",
    "none_changed": "LeadDone has each accepted order as the export has it, and as this shop's",
}
_LINKS = {
    "links_complete": "Every accepted order has LeadDone's id, and no order of the day waits for its answer"
}
_WORDS = {
    "orders": _EXPORT,
    "courier_updates": _TRACKING_EXPORT,
    "order_deliveries": _DELIVERY,
    "tracking_deliveries": _TRACKING_DELIVERY,
    "order_links": _LINKS,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check says of one day."""

    name: str
    passed: bool
    severity: dg.AssetCheckSeverity = ERROR
    metadata: Mapping[str, Any] = field(default_factory=dict)


def judge_export(
    rows: RowCounts,
    *,
    kept: int,
    skipped_kept: int,
    refused: int,
    files: int,
    unreadable: int,
    is_over: bool,
    limit: float,
) -> list[Verdict]:
    """Judge a day's files.

    Args:
        rows: what intake counted.
        kept: records in the stored table.
        skipped_kept: those of them that are not to be sent.
        refused: rows in the stored quarantine that were read from files.
        files: how many files there were.
        unreadable: how many of them could not be read, or not to their end.
        is_over: whether the day is; before that a file may still come.
        limit: the share of rows that may be refused.
    """
    adds_up = rows.read == rows.quarantined + rows.skipped + rows.merged + rows.valid
    stands = rows.valid == kept - skipped_kept and rows.quarantined == refused
    counts = {
        "read": rows.read,
        "quarantined": rows.quarantined,
        "skipped": rows.skipped,
        "merged": rows.merged,
        "valid": rows.valid,
        "records_stored": kept - skipped_kept,
        "quarantine_stored": refused,
    }
    return [
        Verdict("rows_law", adds_up and stands, ERROR, counts),
        Verdict("export_present", files > 0 or not is_over, WARN, {"files": files}),
        Verdict("files_readable", unreadable == 0, ERROR, {"unreadable": unreadable}),
        _judge_rate("quarantine_rate", rows.quarantined, rows.read, limit),
    ]


def judge_paid(skipped: int, *, is_settled: bool) -> Verdict:
    """Judge a day's orders that were left out as paid by card.

    Args:
        skipped: how many.
        is_settled: whether the shop has said that this is right.
    """
    return Verdict("none_skipped_as_paid", skipped == 0 or is_settled, WARN, {"skipped_as_paid": skipped})


def judge_delivery(kind: Kind, counts: Mapping[str, int], *, handed_over: int, limit: float) -> list[Verdict]:
    """Judge a day's delivery.

    Args:
        kind: orders or tracking.
        counts: of the report.
        handed_over: valid records of the day's stored table, counted there and not by the delivery.
        limit: the share of records that may be rejected.
    """
    outcomes = {name: counts[name] for name in OUTCOMES[kind]}
    law = counts["valid"] == handed_over == sum(outcomes.values())
    unconfirmed = counts["unconfirmed"]
    verdicts = [
        Verdict("records_law", law, ERROR, {"handed_over": handed_over, **outcomes}),
        Verdict("none_unconfirmed", unconfirmed == 0, WARN, {"unconfirmed": unconfirmed}),
        _judge_rate("rejection_rate", counts["rejected"], counts["valid"], limit),
    ]
    if kind is Kind.ORDERS:
        late = counts["cancelled_late"]
        verdicts.append(Verdict("none_cancelled_late", late == 0, ERROR, {"cancelled_late": late}))
    return verdicts


def judge_changed(changed: int, *, of_others: Mapping[str, int]) -> Verdict:
    """Judge a day's orders that LeadDone has accepted with another content.

    Args:
        changed: how many.
        of_others: another shop's label -> how many of the day's orders are accepted as that shop's.
    """
    told: dict[str, Any] = {"changed": changed, "of_other_shops": sum(of_others.values())}
    if changed:
        told["meaning"] = "LeadDone keeps the content that it accepted first: tell it what has changed"
    if of_others:
        shops = " and ".join(f"{count} of {shop}" for shop, count in of_others.items())
        told["of_other_shops_meaning"] = (
            f"accepted as orders of another shop of this account ({shops}): unless the shop was renamed, these are "
            "other customers' orders under the same numbers, and this shop's were never sent; give each shop an "
            "account of its own, or order numbers of its own"
        )
    return Verdict("none_changed", not (changed or of_others), WARN, told)


def judge_links(counts: Mapping[str, int], *, without_id: int) -> list[Verdict]:
    """Judge a day's links.

    Args:
        counts: of the day's orders by outcome.
        without_id: accepted orders that have no internal id.
    """
    told = {"without_id": without_id, **{name: counts.get(name, 0) for name in OUTCOMES[Kind.ORDERS]}}
    complete = not (without_id or told["pending"] or told["unconfirmed"])
    return [Verdict("links_complete", complete, WARN, told)]


def _judge_rate(name: str, count: int, total: int, limit: float) -> Verdict:
    share = count / total if total else 0.0
    return Verdict(name, share <= limit, WARN, {"share": share, "limit": limit, "count": count})


def specs(asset: dg.AssetKey, partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetCheckSpec]:
    """The checks of an asset of a shop."""
    return [
        dg.AssetCheckSpec(name, asset=asset, description=description, partitions_def=partitions)
        for name, description in _WORDS[asset.path[-1]].items()
    ]


def log_days(
    context: dg.AssetExecutionContext, asset: dg.AssetKey, days: Mapping[str, Sequence[Verdict]]
) -> None:
    """Tell Dagster each day's verdicts as events of their own: a check's result has no partition argument."""
    for day, verdicts in days.items():
        for verdict in verdicts:
            context.log_event(
                dg.AssetCheckEvaluation(
                    asset_key=asset,
                    check_name=verdict.name,
                    passed=verdict.passed,
                    severity=verdict.severity,
                    partition=day,
                    metadata=verdict.metadata,
                    blocking=False,
                )
            )


def summaries(
    context: dg.AssetExecutionContext, asset: dg.AssetKey, days: Mapping[str, Sequence[Verdict]]
) -> Iterator[dg.AssetCheckResult]:
    """One result a check, as Dagster wants it; over several days, each day's verdicts are logged before it."""
    if len(days) > 1:
        log_days(context, asset, days)
    by_check: dict[str, dict[str, Verdict]] = {}
    for day, verdicts in days.items():
        for verdict in verdicts:
            by_check.setdefault(verdict.name, {})[day] = verdict
    for name, by_day in by_check.items():
        failed = [day for day, verdict in by_day.items() if not verdict.passed]
        one = next(iter(by_day.values()))
        yield dg.AssetCheckResult(
            asset_key=asset,
            check_name=name,
            passed=not failed,
            severity=one.severity,
            metadata=one.metadata if len(by_day) == 1 else {"days": len(by_day), "failed": failed},
        )
