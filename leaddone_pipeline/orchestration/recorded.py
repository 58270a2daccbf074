"""A frame put into the ledger and not sent: what a stopped run still owes (delivery.md, rule 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.delivery.prepare import orders_of, updates_of
from leaddone_pipeline.delivery.record import record_orders, record_updates
from leaddone_pipeline.ledger import Ledger, recording

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Connection

    from leaddone_pipeline.settings import Account

__all__ = ["record_frame"]


def record_frame(
    ledger: Ledger, account: Account, kind: Kind, frame: pd.DataFrame, *, shop: str, day: str | None
) -> bool:
    """Record a frame that intake has checked, as a delivery would before its first request.

    Returns:
        Whether a delivery would have something to send of it.
    """

    def write(connection: Connection) -> bool:
        account_id = recording.open_account(connection, account)
        if kind is Kind.ORDERS:
            orders = orders_of(frame, ledger.content_key)
            orders_now = record_orders(connection, orders, account_id=account_id, shop=shop, day=day)
            return bool(orders_now.to_send or orders_now.to_send_last)
        recorded = record_updates(
            connection,
            updates_of(frame),
            account_id=account_id,
            shop=shop,
            day=day,
            mine=(),
            key=ledger.content_key,
        )
        return bool(recorded.numbers or recorded.waiting)

    return ledger.write(write)
