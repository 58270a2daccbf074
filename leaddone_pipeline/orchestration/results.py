"""The results: what became of a day's records, read from the ledger alone; sends nothing."""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as it stands.
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import dagster as dg
import pandas as pd

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.orchestration import metadata
from leaddone_pipeline.orchestration.checks import judge_links, specs, summaries
from leaddone_pipeline.orchestration.names import ORDERS, SAYS, TRACKING, Names
from leaddone_pipeline.orchestration.resource import LeadDoneResource
from leaddone_pipeline.orchestration.shop import Shop
from leaddone_pipeline.orchestration.stored import read_day

__all__ = ["build_order_links", "build_tracking_results"]

_OfDay = Callable[[dg.AssetExecutionContext, LeadDoneResource, str], tuple[pd.DataFrame, Mapping[str, Any]]]
"""A day's rows, and what its metadata says beside their counts."""


def build_order_links(shop: Shop) -> dg.AssetsDefinition:
    """Build `order_links`: the ledger's rows of the day."""

    def of_day(
        _context: dg.AssetExecutionContext, leaddone: LeadDoneResource, day: str
    ) -> tuple[pd.DataFrame, Mapping[str, Any]]:
        links, as_of = leaddone.links_of(day)
        return links, {metadata.AS_OF: dg.MetadataValue.timestamp(as_of)}

    return _results(shop, ORDERS, of_day, deps=[shop.key(ORDERS.delivery)])


def build_tracking_results(shop: Shop) -> dg.AssetsDefinition:
    """Build `tracking_results`: each of the day's statuses with its outcome."""
    updates_key = shop.key(TRACKING.export)

    def of_day(
        context: dg.AssetExecutionContext, leaddone: LeadDoneResource, day: str
    ) -> tuple[pd.DataFrame, Mapping[str, Any]]:
        updates = read_day(context, updates_key, TRACKING.table, day).rename(columns={"id": "order_id"})
        known = leaddone.links(updates["order_id"].unique().tolist(), kind=Kind.TRACKING)
        return _outcomes_of(updates, known), {}

    return _results(shop, TRACKING, of_day, deps=[updates_key, shop.key(TRACKING.delivery)])


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


def _results(shop: Shop, names: Names, of_day: _OfDay, *, deps: list[dg.AssetKey]) -> dg.AssetsDefinition:
    key, table, has_checks = shop.key(names.result), names.result_table, names.kind is Kind.ORDERS

    @dg.asset(
        key=key,
        description=SAYS[names.result],
        group_name=shop.group,
        owners=shop.owners,
        tags=shop.tags,
        deps=deps,
        partitions_def=shop.partitions,
        backfill_policy=shop.backfill_policy,
        io_manager_key=shop.io_manager_key,
        metadata=metadata.of_table(table, shop.name),
        check_specs=specs(key, shop.partitions) if has_checks else None,
        required_resource_keys={shop.resource_key},
        kinds={"pandas"},
    )
    def read_results(context: dg.AssetExecutionContext) -> Iterator[Any]:
        leaddone: LeadDoneResource = getattr(context.resources, shop.resource_key)
        days = {day: of_day(context, leaddone, day) for day in context.partition_keys}
        verdicts = {}
        for day, (frame, told) in days.items():
            counts = {str(name): int(count) for name, count in frame["outcome"].value_counts().items()}
            context.add_asset_metadata({**metadata.of_rows(frame, **counts), **told}, partition_key=day)
            if has_checks:
                verdicts[day] = judge_links(counts, without_id=_without_id(frame))
        yield dg.Output(table.join([table.cast(frame) for frame, _ in days.values()]))
        yield from summaries(context, key, verdicts)

    return read_results


def _without_id(links: pd.DataFrame) -> int:
    return int((links["internal_id"].isna() & (links["outcome"] == "accepted")).sum())
