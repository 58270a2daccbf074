"""The assets of a shop: exports, deliveries, results; for orders and for tracking alike.

orders, orders_quarantine -> order_deliveries -> order_links
courier_updates, courier_updates_quarantine -> tracking_deliveries -> tracking_results
"""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as it stands.
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import dagster as dg
import pandas as pd

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.intake import NOTHING_KNOWN
from leaddone_pipeline.orchestration import metadata, tables
from leaddone_pipeline.orchestration.checks import Verdict, judge_export, judge_paid, specs, summaries
from leaddone_pipeline.orchestration.deliveries import build_delivery
from leaddone_pipeline.orchestration.exports import ExportDay, Files
from leaddone_pipeline.orchestration.names import ORDERS, SAYS, TRACKING, Names
from leaddone_pipeline.orchestration.results import build_order_links, build_tracking_results
from leaddone_pipeline.orchestration.shop import Shop

__all__ = ["build_assets"]

_FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=30), warn_window=timedelta(hours=26))
"""A day's files are looked for at least once a day."""


def build_assets(shop: Shop) -> list[dg.AssetsDefinition]:
    """Build the shop's assets: four for orders and, where it has courier files, four for tracking."""
    built = [_exports(shop, ORDERS, shop.orders), build_delivery(shop, ORDERS), build_order_links(shop)]
    if shop.courier is not None:
        built += [
            _exports(shop, TRACKING, shop.courier),
            build_delivery(shop, TRACKING),
            build_tracking_results(shop),
        ]
    return built


def _exports(shop: Shop, names: Names, files: Files) -> dg.AssetsDefinition:
    def out(asset: str, table: tables.Table) -> dg.AssetOut:
        return dg.AssetOut(
            key=shop.key(asset),
            description=SAYS[asset],
            group_name=shop.group,
            owners=shop.owners,
            tags=shop.tags,
            io_manager_key=shop.io_manager_key,
            metadata=metadata.of_table(table, shop.name),
            kinds={"pandas"},
            dagster_type=pd.DataFrame,
            freshness_policy=_FRESH,
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
        span, known = shop.span(), NOTHING_KNOWN
        if names.kind is Kind.TRACKING:
            known = getattr(context.resources, shop.resource_key).known_parcels()
        days = files.read(context.partition_keys, span, known)
        for day, export in days.items():
            _tell_export(context, day, export, keys=(key, quarantine_key))
        yield dg.Output(names.table.join([one.frame for one in days.values()]), names.export)
        yield dg.Output(tables.QUARANTINE.join([one.refused for one in days.values()]), names.quarantine)
        verdicts = {
            day: _judge(shop, files, export, is_over=day < span.today) for day, export in days.items()
        }
        yield from summaries(context, key, verdicts)

    return read_exports


def _tell_export(
    context: dg.AssetExecutionContext, day: str, export: ExportDay, *, keys: tuple[dg.AssetKey, dg.AssetKey]
) -> None:
    counts = {"files": export.files, **asdict(export.rows), **export.beside}
    told = {"warnings": list(export.warnings)} if export.warnings else {}
    context.add_asset_metadata(
        metadata.of_rows(export.frame, **counts) | told, asset_key=keys[0], partition_key=day
    )
    context.add_asset_metadata(
        metadata.of_rows(export.refused, **counts), asset_key=keys[1], partition_key=day
    )
    for warning in (*export.warnings, *map(str, export.broken)):
        context.log.warning("%s: %s", day, warning)


def _judge(shop: Shop, files: Files, export: ExportDay, *, is_over: bool) -> list[Verdict]:
    verdicts = judge_export(
        export.rows,
        kept=len(export.frame),
        skipped_kept=export.skipped,
        refused=len(export.refused) - len(export.broken),
        files=export.files,
        unreadable=len(export.broken),
        is_over=is_over,
        limit=shop.limits.quarantined,
    )
    if files.kind is Kind.ORDERS:
        verdicts.append(judge_paid(export.skipped_as_paid, is_settled=files.paid_is_settled))
    return verdicts
