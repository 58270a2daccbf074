"""Which days wait for something, and which deliveries the ledger knows of. Reads only."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.ledger.tables import State, records, runs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["changed_days", "has_records", "is_delivering", "known_deliveries", "open_days", "open_orders"]


def has_records(connection: Connection, *, account_id: int) -> bool:
    """Whether anything was ever recorded for this account."""
    query = select(records.c.number).where(records.c.account_id == account_id).limit(1)
    return connection.execute(query).first() is not None


def known_deliveries(
    connection: Connection, deliveries: Mapping[str, tuple[float, float]], *, account_id: int, shop: str
) -> set[str]:
    """Those of the days whose deliveries this ledger has seen.

    Either sign will do. A run of the account began while the delivery was made: but the ledger's clock may be another
    one. Or the day has an accepted order: but an order has two days only, the first and the last that spoke of it.

    Args:
        connection: of a read.
        deliveries: day, ISO -> from when until when it was delivered, UTC seconds.
        account_id: whose.
        shop: the label of the orders; a run may be of any.
    """
    if not deliveries:
        return set()
    began = connection.execute(
        select(runs.c.started_at)
        .where(
            runs.c.account_id == account_id,
            runs.c.kind == Kind.ORDERS,
            runs.c.started_at >= min(first for first, _ in deliveries.values()),
            runs.c.started_at <= max(last for _, last in deliveries.values()),
        )
        .order_by(runs.c.started_at)
    ).scalars()
    times = list(began)
    seen = {
        day
        for day, (first, last) in deliveries.items()
        if (at := bisect_left(times, first)) < len(times) and times[at] <= last
    }
    others = sorted(deliveries.keys() - seen)
    for day in (records.c.day, records.c.seen_day) if others else ():
        query = select(day).where(
            records.c.account_id == account_id,
            records.c.kind == Kind.ORDERS,
            records.c.shop == shop,
            records.c.state == State.ACCEPTED,
            day.between(others[0], others[-1]),
        )
        seen |= {str(one) for one in connection.execute(query.distinct()).scalars()} & deliveries.keys()
    return seen


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
    """Days of which an order's outcome has changed at or after a time: one answer may be of several days.

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
            records.c.answered_at >= after,
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
