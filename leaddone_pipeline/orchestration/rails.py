"""Safety rails: a delivery that starts from the wrong ledger would send everything a second time.

Dagster remembers which days it delivered, and to which account. When it does and the ledger does not, the ledger was
lost or moved, or an old copy was brought back; what others have recorded since says nothing of these days. And a
ledger in an SQLite file, with runs on several machines, is a ledger a machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from leaddone_pipeline.errors import LedgerError
from leaddone_pipeline.ledger import openness
from leaddone_pipeline.orchestration.days import ERROR
from leaddone_pipeline.orchestration.metadata import AS_OF

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from leaddone_pipeline.orchestration.resource import LeadDoneResource

__all__ = ["ACCOUNT", "LOST", "NEW_LEDGER", "check"]

ACCOUNT = "account"
"""A delivery's metadata names its account by a short hash of address and client id."""

NEW_LEDGER = "leaddone/new_ledger"
"""The run tag by which a person says that the ledger is gone for good: `accept`."""

LOST = "ledger lost"
"""Under this error stands a day of which the ledger knows nothing; a person mends it, and not asking again."""

_LOCAL_LAUNCHERS = frozenset({"DefaultRunLauncher", "SyncInMemoryRunLauncher"})
_EVENTS_LOOKED_AT = 1_000
_DAYS_SHOWN = 5
_SKEW_SECONDS = 60.0
"""So far the ledger's clock may be behind Dagster's."""
_LONG_RUN_SECONDS = 60 * 60.0
"""Of a run that Dagster does not know any more."""


def check(context: dg.AssetExecutionContext, leaddone: LeadDoneResource, deliveries: dg.AssetKey) -> None:
    """Refuse to deliver with a ledger that cannot be the right one.

    Args:
        context: of the delivery's step.
        leaddone: of its shop.
        deliveries: the shop's `order_deliveries`.

    Raises:
        LedgerError: with the remedy.
    """
    launcher = context.instance.run_launcher
    if leaddone.ledger_is_a_file and not _is_local(launcher):
        raise LedgerError(
            f"it is a file on one machine, and {type(launcher).__name__} launches runs on others: each machine would "
            "have a ledger of its own, and send what another has sent already. Nothing was sent",
            remedy="Set LEADDONE_LEDGER_URL to one PostgreSQL for all machines: "
            "postgresql://user:password@host/database",
            ledger=leaddone.ledger_place,
        )
    if context.run.tags.get(NEW_LEDGER) == "accept":
        return
    what = _unknown_to(leaddone, context, deliveries)
    if what:
        raise LedgerError(
            f"it knows nothing of {what}, though Dagster has deliveries of it: the ledger was lost or moved, and "
            "everything would be sent a second time. Nothing was sent",
            remedy="Bring the ledger back to this place, or set LEADDONE_LEDGER_URL to where it is. If it is gone "
            f"for good and LeadDone has none of the orders of this run's days, run with the tag {NEW_LEDGER}: accept",
            ledger=leaddone.ledger_place,
        )


def _unknown_to(
    leaddone: LeadDoneResource, context: dg.AssetExecutionContext, deliveries: dg.AssetKey
) -> str:
    """What was delivered and the ledger does not know of: the account, or days of the run."""
    instance, mark = context.instance, leaddone.account_mark
    if not leaddone.ask_ledger(_has_records):
        known = instance.fetch_materializations(deliveries, limit=_EVENTS_LOOKED_AT).records
        return "this account" if any(_orders_of(one, mark, "valid") for one in known) else ""
    made = _times(instance, _newest(instance, deliveries, context.partition_keys, mark))

    def known_deliveries(connection: Connection, number: int | None) -> set[str]:
        if number is None:
            return set()
        return openness.known_deliveries(connection, made, account_id=number, shop=leaddone.shop)

    lost = sorted(made.keys() - leaddone.ask_ledger(known_deliveries))
    for day in lost:
        told = {"stopped": f"the ledger {leaddone.ledger_place} knows nothing of it", ERROR: LOST}
        context.log_event(dg.AssetObservation(context.asset_key, partition=day, metadata=told))
    more = f" and {len(lost) - _DAYS_SHOWN} more of its days" if len(lost) > _DAYS_SHOWN else ""
    return ", ".join(lost[:_DAYS_SHOWN]) + more


def _has_records(connection: Connection, number: int | None) -> bool:
    return number is not None and openness.has_records(connection, account_id=number)


def _newest(
    instance: dg.DagsterInstance, deliveries: dg.AssetKey, days: Sequence[str], mark: str
) -> Mapping[str, dg.EventLogRecord]:
    """Day -> its newest delivery to this account, where LeadDone had accepted orders of it."""
    newest = instance.get_latest_storage_id_by_partition(
        deliveries, dg.DagsterEventType.ASSET_MATERIALIZATION, set(days)
    )
    if not newest:
        return {}
    which = dg.AssetRecordsFilter(asset_key=deliveries, storage_ids=list(newest.values()))
    made = {_day(one): one for one in instance.fetch_materializations(which, limit=len(newest)).records}
    for day in [day for day, one in made.items() if not _is_of(one, mark)]:
        which = dg.AssetRecordsFilter(asset_key=deliveries, asset_partitions=[day])
        older = instance.fetch_materializations(which, limit=_EVENTS_LOOKED_AT).records
        made[day] = next((one for one in older if _is_of(one, mark)), made[day])
    return {day: one for day, one in made.items() if _orders_of(one, mark, "accepted")}


def _times(
    instance: dg.DagsterInstance, made: Mapping[str, dg.EventLogRecord]
) -> Mapping[str, tuple[float, float]]:
    """Day -> from when until when its delivery was made; a delivery is noted when all days of its run are done.

    By the ledger's clock, where the delivery has told it.
    """
    run_ids = {one.event_log_entry.run_id for one in made.values()}
    found = instance.get_run_records(dg.RunsFilter(run_ids=list(run_ids))) if run_ids else []
    began = {one.dagster_run.run_id: one.start_time for one in found}
    times = {}
    for day, one in made.items():
        took = one.timestamp - (began.get(one.event_log_entry.run_id) or one.timestamp - _LONG_RUN_SECONDS)
        event = one.asset_materialization
        told = event.metadata.get(AS_OF) if event else None
        until = told.value if isinstance(told, dg.TimestampMetadataValue) else one.timestamp
        times[day] = (until - took - _SKEW_SECONDS, until)
    return times


def _is_local(launcher: object) -> bool:
    return any(kind.__name__ in _LOCAL_LAUNCHERS for kind in type(launcher).__mro__)


def _day(record: dg.EventLogRecord) -> str:
    event = record.asset_materialization
    return (event and event.partition) or ""


def _is_of(record: dg.EventLogRecord, mark: str) -> bool:
    """Whether this account's delivery made it; what a person reports in Dagster's UI was made by none."""
    event = record.asset_materialization
    told = dg.TextMetadataValue(mark)
    return event is not None and "valid" in event.metadata and event.metadata.get(ACCOUNT, told) == told


def _orders_of(record: dg.EventLogRecord, mark: str, count: str) -> bool:
    """Whether any of this account's orders were in this delivery: `valid` ones, or `accepted` ones."""
    event = record.asset_materialization
    return event is not None and _is_of(record, mark) and event.metadata.get(count) != dg.IntMetadataValue(0)
