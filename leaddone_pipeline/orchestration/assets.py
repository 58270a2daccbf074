"""The assets of a shop: exports, deliveries, results; for orders and for tracking alike.

orders, orders_quarantine -> order_deliveries -> order_links
courier_updates, courier_updates_quarantine -> tracking_deliveries -> tracking_results
"""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as it stands.
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import dagster as dg
import pandas as pd

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.errors import LeadDoneError
from leaddone_pipeline.intake import NOTHING_KNOWN
from leaddone_pipeline.orchestration import metadata, tables
from leaddone_pipeline.orchestration.checks import Verdict, judge_delivery, judge_export, specs, summaries
from leaddone_pipeline.orchestration.days import Days
from leaddone_pipeline.orchestration.exports import ExportDay, Files
from leaddone_pipeline.orchestration.resource import LeadDoneResource
from leaddone_pipeline.orchestration.shop import Shop

__all__ = ["build_assets"]

_SLICE_ROWS = 50_000
_OfDay = Callable[[dg.AssetExecutionContext, LeadDoneResource, str], pd.DataFrame]


@dataclass(frozen=True)
class _Names:
    """The assets of one kind, and their tables."""

    kind: Kind
    export: str
    table: tables.Table
    delivery: str
    result: str
    result_table: tables.Table

    @property
    def quarantine(self) -> str:
        return f"{self.export}_quarantine"


_ORDERS = _Names(Kind.ORDERS, "orders", tables.ORDERS, "order_deliveries", "order_links", tables.ORDER_LINKS)
_TRACKING = _Names(
    Kind.TRACKING,
    "courier_updates",
    tables.COURIER_UPDATES,
    "tracking_deliveries",
    "tracking_results",
    tables.TRACKING_RESULTS,
)
_SAYS = {
    "orders": "The day's orders as they will be sent, and those rightly not sent with the reason. Personal data.",
    "orders_quarantine": "Rows of the day's exports that were refused, with file, row, reason and remedy. Personal "
    "data.",
    "order_deliveries": "Sends the day's orders to LeadDone, each once, and keeps the answers in the ledger. Stores "
    "nothing here.",
    "order_links": "Order id to LeadDone's internal id, for every order of the day. Read from the ledger; sends "
    "nothing.",
    "courier_updates": "The day's statuses from the couriers.",
    "courier_updates_quarantine": "Rows of the day's courier files that were refused, with file, row, reason and "
    "remedy.",
    "tracking_deliveries": "Sends each order's newest status to LeadDone, if it is news. Stores nothing here.",
    "tracking_results": "What became of each of the day's statuses. Read from the ledger; sends nothing.",
}


def build_assets(shop: Shop) -> list[dg.AssetsDefinition]:
    """Build the shop's assets: four for orders and, where it has courier files, four for tracking."""
    built = [_exports(shop, _ORDERS, shop.orders), _deliveries(shop, _ORDERS), _order_links(shop)]
    if shop.courier is not None:
        built += [
            _exports(shop, _TRACKING, shop.courier),
            _deliveries(shop, _TRACKING),
            _tracking_results(shop),
        ]
    return built


def _exports(shop: Shop, names: _Names, files: Files) -> dg.AssetsDefinition:
    def out(asset: str, table: tables.Table) -> dg.AssetOut:
        return dg.AssetOut(
            key=shop.key(asset),
            description=_SAYS[asset],
            group_name=shop.group,
            owners=shop.owners,
            tags=shop.tags,
            io_manager_key=shop.io_manager_key,
            metadata=metadata.of_table(table),
            kinds={"pandas"},
            dagster_type=pd.DataFrame,
        )

    key, quarantine_key = shop.key(names.export), shop.key(names.quarantine)

    @dg.multi_asset(
        name=f"{shop.name}_{names.export}",
        outs={
            names.export: out(names.export, names.table),
            names.quarantine: out(names.quarantine, tables.QUARANTINE),
        },
        partitions_def=shop.partitions,
        backfill_policy=shop.backfill_policy,
        check_specs=specs(key, shop.partitions),
        # The ledger knows which order a parcel belongs to, where a courier's file does not say.
        required_resource_keys={shop.resource_key} if names.kind is Kind.TRACKING else set(),
    )
    def read_exports(context: dg.AssetExecutionContext) -> Iterator[Any]:
        known = NOTHING_KNOWN
        if names.kind is Kind.TRACKING:
            known = getattr(context.resources, shop.resource_key).known_parcels()
        days = {day: files.read(day, known) for day in context.partition_keys}
        for day, export in days.items():
            _tell_export(context, day, export, keys=(key, quarantine_key))
        yield dg.Output(names.table.join([one.frame for one in days.values()]), names.export)
        yield dg.Output(tables.QUARANTINE.join([one.refused for one in days.values()]), names.quarantine)
        yield from summaries(context, key, {day: _judge_export(export) for day, export in days.items()})

    return read_exports


def _tell_export(
    context: dg.AssetExecutionContext, day: str, export: ExportDay, *, keys: tuple[dg.AssetKey, dg.AssetKey]
) -> None:
    counts = {"files": export.files, **asdict(export.rows)}
    told = {"warnings": list(export.warnings)} if export.warnings else {}
    context.add_asset_metadata(
        metadata.of_rows(export.frame, **counts) | told, asset_key=keys[0], partition_key=day
    )
    context.add_asset_metadata(
        metadata.of_rows(export.refused, **counts), asset_key=keys[1], partition_key=day
    )
    for warning in (*export.warnings, *map(str, export.broken)):
        context.log.warning("%s: %s", day, warning)


def _judge_export(export: ExportDay) -> list[Verdict]:
    return judge_export(
        export.rows,
        kept=len(export.frame),
        skipped_kept=export.skipped,
        refused=len(export.refused) - len(export.broken),
        files=export.files,
        unreadable=len(export.broken),
    )


def _deliveries(shop: Shop, names: _Names) -> dg.AssetsDefinition:
    deps = [shop.key(names.export)]
    if names.kind is Kind.TRACKING:
        # Statuses of orders that LeadDone does not have yet would be refused.
        deps.append(shop.key(_ORDERS.delivery))

    @dg.asset(
        key=shop.key(names.delivery),
        description=_SAYS[names.delivery],
        group_name=shop.group,
        owners=shop.owners,
        tags=shop.tags,
        deps=deps,
        partitions_def=shop.partitions,
        backfill_policy=shop.backfill_policy,
        check_specs=specs(shop.key(names.delivery), shop.partitions, delivery=names.kind),
        required_resource_keys={shop.resource_key},
        pool=shop.pool,
        kinds={"leaddone"},
    )
    def deliver(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster reads it bare
        leaddone: LeadDoneResource = getattr(context.resources, shop.resource_key)
        with Days(context) as days:
            days.run(lambda day: _deliver_day(context, leaddone, names, shop.key(names.export), day))
            return dg.MaterializeResult(check_results=days.finish())

    return deliver


def _deliver_day(
    context: dg.AssetExecutionContext,
    leaddone: LeadDoneResource,
    names: _Names,
    export: dg.AssetKey,
    day: str,
) -> tuple[Mapping[str, Any], Sequence[Verdict], LeadDoneError | None]:
    frame = _stored(context, export, names.table, day)
    parts = (frame.iloc[at : at + _SLICE_ROWS] for at in range(0, len(frame), _SLICE_ROWS))
    report = leaddone.deliver(names.kind, parts, day=day)
    valid = int((frame["skipped"] == "").sum()) if "skipped" in frame else len(frame)
    told = {
        **report.to_metadata(),
        "ledger": leaddone.ledger_place,
        "preview": metadata.preview(report.links),
    }
    return told, judge_delivery(names.kind, report.counts, handed_over=valid), report.stopped


def _stored(
    context: dg.AssetExecutionContext, key: dg.AssetKey, table: tables.Table, day: str
) -> pd.DataFrame:
    """Read a day's rows of a stored table, alone, so that memory is that of a day.

    A day whose materialization says that it has no rows is not looked for: some IO managers make no table before
    the first row comes.
    """
    made = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=key, asset_partitions=[day]), limit=1
    )
    event = made.records[0].asset_materialization if made.records else None
    if event is not None and event.metadata.get(metadata.PARTITION_ROWS) == dg.IntMetadataValue(0):
        return table.empty()
    return table.cast(context.load_asset_value(key, python_type=pd.DataFrame, partition_key=day))


def _order_links(shop: Shop) -> dg.AssetsDefinition:
    def of_day(_context: dg.AssetExecutionContext, leaddone: LeadDoneResource, day: str) -> pd.DataFrame:
        return leaddone.links(day=day)

    return _results(shop, _ORDERS, of_day, deps=[shop.key(_ORDERS.delivery)])


def _tracking_results(shop: Shop) -> dg.AssetsDefinition:
    updates_key = shop.key(_TRACKING.export)

    def of_day(context: dg.AssetExecutionContext, leaddone: LeadDoneResource, day: str) -> pd.DataFrame:
        updates = _stored(context, updates_key, _TRACKING.table, day).rename(columns={"id": "order_id"})
        known = leaddone.links(updates["order_id"].unique().tolist(), kind=Kind.TRACKING)
        return _outcomes_of(updates, known)

    return _results(shop, _TRACKING, of_day, deps=[updates_key, shop.key(_TRACKING.delivery)])


def _outcomes_of(updates: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Say of each status what became of it: the ledger holds an order's newest one, all others are superseded."""
    newest = known[["order_id", "tracking_number", "status", "outcome", "message"]]
    told = updates.merge(newest, on="order_id", how="left", suffixes=("", "_known"))
    same = (told["tracking_number"] == told["tracking_number_known"]) & (
        told["status"] == told["status_known"]
    )
    is_known, is_newest = told["outcome"].notna(), same.fillna(value=False).astype(bool)
    # An order without a row in the ledger: nothing of it was sent yet.
    outcome = told["outcome"].where(is_newest, "superseded").where(is_known, "pending")
    return told.assign(outcome=outcome, message=told["message"].where(is_newest, None))


def _results(shop: Shop, names: _Names, of_day: _OfDay, *, deps: list[dg.AssetKey]) -> dg.AssetsDefinition:
    table = names.result_table

    @dg.asset(
        key=shop.key(names.result),
        description=_SAYS[names.result],
        group_name=shop.group,
        owners=shop.owners,
        tags=shop.tags,
        deps=deps,
        partitions_def=shop.partitions,
        backfill_policy=shop.backfill_policy,
        io_manager_key=shop.io_manager_key,
        metadata=metadata.of_table(table),
        required_resource_keys={shop.resource_key},
        kinds={"pandas"},
    )
    def read_results(context: dg.AssetExecutionContext) -> pd.DataFrame:
        leaddone: LeadDoneResource = getattr(context.resources, shop.resource_key)
        days = {day: of_day(context, leaddone, day) for day in context.partition_keys}
        for day, frame in days.items():
            counts = {str(name): int(count) for name, count in frame["outcome"].value_counts().items()}
            context.add_asset_metadata(metadata.of_rows(frame, **counts), partition_key=day)
        return table.join([table.cast(frame) for frame in days.values()])

    return read_results
