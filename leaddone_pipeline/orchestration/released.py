"""Whether the ledger has a checked frame already: what was released once is not held again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.delivery.prepare import PreparedOrder, PreparedUpdate, orders_of, updates_of
from leaddone_pipeline.delivery.record import place_of
from leaddone_pipeline.delivery.standing import stand
from leaddone_pipeline.delivery.updates import fold
from leaddone_pipeline.ledger import Known, Ledger, reading, recording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from sqlalchemy import Connection

    from leaddone_pipeline.settings import Account

__all__ = ["is_recorded"]


def is_recorded(
    ledger: Ledger, account: Account, kind: Kind, frame: pd.DataFrame, *, shop: str, day: str
) -> bool:
    """Say whether the ledger knows of this frame, and has all of it that would be sent with this content."""

    def known(connection: Connection, order_ids: Sequence[str]) -> Mapping[str, Known]:
        number = reading.find_account(connection, account)
        return {} if number is None else recording.find(connection, number, kind, order_ids)

    if kind is Kind.ORDERS:
        orders = orders_of(frame, ledger.content_key)
        rows = ledger.read(lambda connection: known(connection, [one.incoming.order_id for one in orders]))
        return bool(rows) and not any(
            _is_new_order(one, rows.get(one.incoming.order_id), shop, day) for one in orders
        )
    by_order: dict[str, list[PreparedUpdate]] = {}
    for update in updates_of(frame):
        by_order.setdefault(update.order_id, []).append(update)
    rows = ledger.read(lambda connection: known(connection, list(by_order)))
    return bool(rows) and not any(
        _is_new_status(its, rows.get(order_id)) for order_id, its in by_order.items()
    )


def _is_new_order(order: PreparedOrder, row: Known | None, shop: str, day: str) -> bool:
    if order.record is None or row is None:
        return order.record is not None
    standing = stand(row, order.incoming, shop=shop, day=day, busy=False)
    return standing.send and row.content_hash != order.incoming.content_hash


def _is_new_status(its: Sequence[PreparedUpdate], row: Known | None) -> bool:
    if row is not None and row.forgotten:
        return False
    was = place_of(row)
    newest = fold(was, [one.update for one in its]).place.waiting
    return newest is not None and (was.waiting is None or not newest.says_the_same(was.waiting))
