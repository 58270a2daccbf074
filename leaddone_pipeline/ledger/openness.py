"""Which days wait for something: records that may still leave, outcomes that are newer than a table. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.ledger.tables import State, accounts, records, runs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["changed_days", "has_records", "is_delivering", "open_days", "open_orders"]


def has_records(connection: Connection, *, base_url: str, client_id: str) -> bool:
    """Whether anything was ever recorded for this account."""
    query = (
        select(records.c.number)
        .join(accounts, accounts.c.id == records.c.account_id)
        .where(accounts.c.base_url == base_url, accounts.c.client_id == client_id)
        .limit(1)
    )
    return connection.execute(query).first() is not None


def open_days(connection: Connection, *, account_id: int, shop: str) -> Mapping[str, int]:
    """Days with orders that the next delivery would send: pending, or unconfirmed and not held.

    Each counts for the day whose export was the last to speak of it: an older one may have another content.

    Returns:
        Day, ISO -> how many such orders; oldest first.
    """
    query = (
        select(records.c.seen_day, func.count())
        .where(_is_open(account_id, shop), records.c.seen_day.is_not(None))
        .group_by(records.c.seen_day)
        .order_by(records.c.seen_day)
    )
    return {str(day): count for day, count in connection.execute(query)}


def open_orders(connection: Connection, *, account_id: int, shop: str, day: str) -> list[str]:
    """The order ids that `open_days` counts for this day, in the ledger's order."""
    query = (
        select(records.c.order_id)
        .where(_is_open(account_id, shop), records.c.seen_day == day)
        .order_by(records.c.number)
    )
    return list(connection.execute(query).scalars())


def _is_open(account_id: int, shop: str) -> ColumnElement[bool]:
    unknown = and_(records.c.state == State.UNCONFIRMED, records.c.held.is_(False))
    return and_(
        records.c.account_id == account_id,
        records.c.kind == Kind.ORDERS,
        records.c.shop == shop,
        records.c.forgotten.is_(False),
        or_(records.c.state == State.PENDING, unknown),
    )


def changed_days(connection: Connection, *, account_id: int, shop: str, after: float) -> Mapping[str, float]:
    """Days of which an order's outcome has changed after a time.

    Args:
        connection: of a read.
        account_id: whose.
        shop: this label alone.
        after: UTC seconds.

    Returns:
        Day, ISO -> time of its last change, UTC seconds; the longest ago first.
    """
    changed = func.max(records.c.answered_at)
    query = (
        select(records.c.day, changed)
        .where(
            records.c.account_id == account_id,
            records.c.kind == Kind.ORDERS,
            records.c.shop == shop,
            records.c.day.is_not(None),
            records.c.answered_at > after,
        )
        .group_by(records.c.day)
        .order_by(changed)
    )
    return {str(day): float(at) for day, at in connection.execute(query)}


def is_delivering(connection: Connection, now: ColumnElement[float], *, account_id: int) -> bool:
    """Whether a living run is delivering orders of this account just now."""
    query = select(runs.c.id).where(
        runs.c.account_id == account_id,
        runs.c.kind == Kind.ORDERS,
        runs.c.ended_at.is_(None),
        runs.c.lease_until > now,
    )
    return connection.execute(query.limit(1)).first() is not None
