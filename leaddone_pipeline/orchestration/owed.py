"""Orders that a day owes and its files no longer have: the ledger keeps no content, so nothing could send them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.ledger import openness
from leaddone_pipeline.orchestration.metadata import masked_ids

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import Connection

    from leaddone_pipeline.orchestration.resource import LeadDoneResource

__all__ = ["open_orders", "owing_days", "refuse_missing"]

_IDS_SHOWN = 10


def owing_days(leaddone: LeadDoneResource) -> Collection[str]:
    """Days of the shop that owe orders."""

    def find(connection: Connection, number: int | None) -> Collection[str]:
        return () if number is None else openness.open_days(connection, account_id=number, shop=leaddone.shop)

    return leaddone.ask_ledger(find)


def open_orders(leaddone: LeadDoneResource, day: str) -> Sequence[str]:
    """Ids of the orders that a day owes: the next delivery of its export is to send them."""

    def find(connection: Connection, number: int | None) -> Sequence[str]:
        if number is None:
            return ()
        return openness.open_orders(connection, account_id=number, shop=leaddone.shop, day=day)

    return leaddone.ask_ledger(find)


def refuse_missing(day: str, owed: Sequence[str], handed_over: Iterable[str]) -> IntakeError | None:
    """Say which orders a day owes that were not among those handed over, and what to do; None if none are.

    An order that a later day's export has taken along is owed by that day, and not by this one.

    Args:
        day: ISO.
        owed: order ids that the ledger has open under the day, after its delivery.
        handed_over: all order ids of the day's stored table.
    """
    here = set(handed_over)
    missing = [order_id for order_id in owed if order_id not in here]
    if not missing:
        return None
    shown = ", ".join(masked_ids(missing[:_IDS_SHOWN]))
    more = len(missing) - _IDS_SHOWN
    return IntakeError(
        f"{len(missing)} orders that the day still owes are no longer among the orders of its files, and were not "
        f"sent: {shown}" + (f" and {more} more" if more > 0 else ""),
        remedy="Where a later day's export has them, run that day. Else put the file back, or export the day again "
        "with them (refused rows stand in orders_quarantine), and run the day; orders that are not to be sent are "
        "settled by `leaddone resolve` (unconfirmed ones) or `leaddone forget`; `leaddone links` names them all",
        file=f"orders of {day}",
    )
