"""Safety rails: a delivery that starts from the wrong ledger would send everything a second time.

Dagster remembers what it delivered, and to which account. When it does and the ledger does not, the ledger was lost
or moved. And a ledger in an SQLite file, with runs on several machines, is a ledger a machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from leaddone_pipeline.errors import LedgerError

if TYPE_CHECKING:
    from leaddone_pipeline.orchestration.resource import LeadDoneResource

__all__ = ["ACCOUNT", "NEW_LEDGER", "check"]

ACCOUNT = "account"
"""A delivery's metadata names its account by a short hash of address and client id."""

NEW_LEDGER = "leaddone/new_ledger"
"""The run tag by which a person says that the ledger is gone for good: `accept`."""

_LOCAL_LAUNCHERS = frozenset({"DefaultRunLauncher", "SyncInMemoryRunLauncher"})
_EVENTS_LOOKED_AT = 1_000


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
            remedy="Set LEADDONE_LEDGER_URL to one PostgreSQL for all machines (postgresql+psycopg2://...)",
            ledger=leaddone.ledger_place,
        )
    if context.run.tags.get(NEW_LEDGER) == "accept" or leaddone.is_known_to_ledger():
        return
    known = context.instance.fetch_materializations(deliveries, limit=_EVENTS_LOOKED_AT).records
    if any(_is_of(record.asset_materialization, leaddone.account_mark) for record in known):
        raise LedgerError(
            "it knows nothing of this account, though Dagster has deliveries of it: the ledger was lost or moved, "
            "and everything would be sent a second time. Nothing was sent",
            remedy="Bring the ledger back to this place, or set LEADDONE_LEDGER_URL to where it is. If it is gone "
            f"for good and LeadDone has none of the orders of this run's days, run with the tag {NEW_LEDGER}: accept",
            ledger=leaddone.ledger_place,
        )


def _is_local(launcher: object) -> bool:
    return any(kind.__name__ in _LOCAL_LAUNCHERS for kind in type(launcher).__mro__)


def _is_of(event: dg.AssetMaterialization | None, account: str) -> bool:
    """Whether this account's orders were in this delivery."""
    if event is None or event.metadata.get("valid") == dg.IntMetadataValue(0):
        return False
    return event.metadata.get(ACCOUNT, dg.TextMetadataValue(account)) == dg.TextMetadataValue(account)
