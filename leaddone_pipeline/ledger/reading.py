"""What the ledger tells: the results table, the counts, the updates that may leave. Reads only."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
)

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.ledger.recording import parts
from leaddone_pipeline.ledger.tables import (
    SECOND_ID,
    State,
    accounts,
    audit,
    batches,
    claims,
    messages,
    records,
    runs,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from leaddone_pipeline.settings import Account

__all__ = [
    "LINK_COLUMNS",
    "count_outcomes",
    "count_second_ids",
    "find_account",
    "links",
    "order_ids_of",
    "outcome_of",
    "under_way",
    "updates",
]

LINK_COLUMNS = {
    "shop": "string[pyarrow]",
    "order_id": "string[pyarrow]",
    "internal_id": "string[pyarrow]",
    "outcome": "string[pyarrow]",
    "held": "bool",
    "message": "string[pyarrow]",
    "attempts": "int64",
    "first_sent_at": "datetime64[us, UTC]",
    "answered_at": "datetime64[us, UTC]",
    "batch_id": "Int64",
    "content_hash": "string[pyarrow]",
    "source_file": "string[pyarrow]",
    "source_row": "Int64",
    "partition_date": "datetime64[us]",
}
"""The columns of `order_links` and their dtypes (interface.md)."""


def links(
    connection: Connection,
    now: ColumnElement[float],
    *,
    account_id: int,
    kind: Kind = Kind.ORDERS,
    shop: str | None = None,
    day: str | None = None,
    order_ids: Sequence[str] | None = None,
    numbers: Sequence[int] | None = None,
) -> pd.DataFrame:
    """The results table: a row for each record that matches, whatever its outcome, in the ledger's order.

    Args:
        connection: of a read.
        now: the ledger's clock, to tell living claims from dead ones.
        account_id: whose records.
        kind: orders; or tracking, which adds `tracking_number`, `status` and `event_time`.
        shop: this label alone.
        day: the records of this day alone (rule 6), ISO.
        order_ids: these alone.
        numbers: the records of these numbers alone.

    Returns:
        `LINK_COLUMNS`, with `partition_date` as a naive local midnight, empty where no day is known.
    """
    query = (
        _link_query(now)
        .where(records.c.account_id == account_id, records.c.kind == kind)
        .order_by(records.c.number)
    )
    if shop is not None:
        query = query.where(records.c.shop == shop)
    if day is not None:
        query = query.where(records.c.day == day)
    column, wanted = (records.c.order_id, order_ids) if numbers is None else (records.c.number, numbers)
    if wanted is None:
        rows: list[Any] = list(connection.execute(query))
    else:
        query = query.where(column.in_(bindparam("wanted", expanding=True)))
        rows = [row for part in parts(sorted(wanted)) for row in connection.execute(query, {"wanted": part})]
    extra = {} if kind == Kind.ORDERS else _UPDATE_COLUMNS
    return _frame(rows, LINK_COLUMNS | extra)


_UPDATE_COLUMNS = {
    "tracking_number": "string[pyarrow]",
    "status": "string[pyarrow]",
    "event_time": "datetime64[us, UTC]",
}


def _link_query(now: ColumnElement[float]) -> Select[Any]:
    return select(
        records.c.shop,
        records.c.order_id,
        records.c.internal_id,
        outcome_of(now).label("outcome"),
        records.c.held,
        messages.c.text.label("message"),
        records.c.attempts,
        records.c.first_sent_at,
        records.c.answered_at,
        records.c.batch_id,
        records.c.content_hash,
        records.c.source_file,
        records.c.source_row,
        records.c.day.label("partition_date"),
        records.c.tracking_number,
        records.c.status,
        records.c.event_at.label("event_time"),
    ).select_from(records.outerjoin(messages, messages.c.id == records.c.message_id))


def outcome_of(now: ColumnElement[float]) -> ColumnElement[str]:
    """SQL for what a record's state means to its reader.

    A record whose claim outlived its run is unconfirmed already, before anyone takes it over (rule 12); the
    status of an order that was rejected or skipped is held back (rule 30).
    """
    dead = exists().where(
        claims.c.first_number <= records.c.number,
        claims.c.last_number >= records.c.number,
        batches.c.id == claims.c.batch_id,
        runs.c.id == batches.c.run_id,
        or_(runs.c.ended_at.is_not(None), runs.c.lease_until < now),
    )
    order = records.alias("its_order")
    held_back = exists().where(
        order.c.account_id == records.c.account_id,
        order.c.kind == Kind.ORDERS,
        order.c.order_id == records.c.order_id,
        order.c.state.in_([State.REJECTED, State.SKIPPED]),
    )
    pending = records.c.state == State.PENDING
    return case(
        (and_(pending, dead), State.UNCONFIRMED.value),
        (and_(pending, records.c.kind == Kind.TRACKING, held_back), State.HELD_BACK.value),
        else_=records.c.state,
    )


def _frame(rows: list[Any], dtypes: dict[str, str]) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for name, dtype in dtypes.items():
        values = [getattr(row, name) for row in rows]
        if dtype.endswith("UTC]"):
            # Whole numbers: of floats with gaps pandas 2.3 rounds memory that it never wrote, and may overflow.
            micros = pd.Series(values, dtype="float64").mul(1e6).round().astype("Int64")
            columns[name] = pd.to_datetime(micros, unit="us", utc=True).dt.as_unit("us")
        elif name == "content_hash":
            columns[name] = pd.Series([value.hex() if value else None for value in values], dtype=dtype)
        elif name == "partition_date":
            columns[name] = pd.to_datetime(pd.Series(values, dtype="string")).dt.as_unit("us")
        else:
            columns[name] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(columns)


def count_outcomes(connection: Connection, now: ColumnElement[float], numbers: Iterable[int]) -> Counter[str]:
    """Count the records of these numbers by outcome, as the ledger has them now."""
    outcome = outcome_of(now).label("outcome")
    query = (
        select(outcome, func.count())
        .where(records.c.number.in_(bindparam("numbers", expanding=True)))
        .group_by(outcome)
    )
    counts: Counter[str] = Counter()
    for part in parts(list(numbers)):
        counts.update({str(state): count for state, count in connection.execute(query, {"numbers": part})})
    return counts


def updates(
    connection: Connection, account_id: int, *, after: int, limit: int, only_unknown: bool = False
) -> list[Any]:
    """Tracking updates that may leave now, by ascending number: their order is accepted, or unknown here (rule 30).

    Returns:
        Rows with `number`, `order_id`, `tracking_number`, `status`, `content_hash`, `unknown_attempts`.
    """
    order = records.alias("its_order")
    unknown = and_(records.c.state == State.UNCONFIRMED, records.c.held.is_(False))
    query = (
        select(
            records.c.number,
            records.c.order_id,
            records.c.tracking_number,
            records.c.status,
            records.c.content_hash,
            records.c.unknown_attempts,
        )
        .select_from(
            records.outerjoin(
                order,
                and_(
                    order.c.account_id == records.c.account_id,
                    order.c.kind == Kind.ORDERS,
                    order.c.order_id == records.c.order_id,
                ),
            )
        )
        .where(
            records.c.account_id == account_id,
            records.c.kind == Kind.TRACKING,
            records.c.forgotten.is_(False),
            records.c.number > after,
            unknown if only_unknown else or_(unknown, records.c.state == State.PENDING),
            or_(order.c.state.is_(None), order.c.state == State.ACCEPTED),
        )
        .order_by(records.c.number)
        .limit(limit)
    )
    return list(connection.execute(query))


def order_ids_of(connection: Connection, account_id: int, tracking_numbers: Sequence[str]) -> dict[str, str]:
    """Tracking numbers -> the one order that earlier courier files named with them, where it is one."""
    wanted: BindParameter[Any] = bindparam("wanted", expanding=True)
    found: dict[str, set[str]] = {}
    for number in (records.c.tracking_number, records.c.accepted_tracking_number):
        query = select(number, records.c.order_id).where(
            records.c.account_id == account_id, records.c.kind == Kind.TRACKING, number.in_(wanted)
        )
        for part in parts(list(tracking_numbers)):
            for row in connection.execute(query, {"wanted": part}):
                found.setdefault(row[0], set()).add(row.order_id)
    return {number: next(iter(ids)) for number, ids in found.items() if len(ids) == 1}


def under_way(connection: Connection, account_id: int, order_ids: Sequence[str]) -> set[str]:
    """Those of the orders whose newest status, accepted or still to be, is that of a parcel on its way."""
    on_its_way = ["shipped", "out_for_delivery"]
    query = select(records.c.order_id).where(
        records.c.account_id == account_id,
        records.c.kind == Kind.TRACKING,
        records.c.order_id.in_(bindparam("wanted", expanding=True)),
        or_(records.c.status.in_(on_its_way), records.c.accepted_status.in_(on_its_way)),
    )
    every = parts(list(order_ids))
    return {order_id for part in every for order_id in connection.execute(query, {"wanted": part}).scalars()}


def count_second_ids(connection: Connection, run_id: int) -> int:
    """How many accepted orders LeadDone has given another internal id since this run began (rule 20)."""
    run = connection.execute(select(runs.c.account_id, runs.c.started_at).where(runs.c.id == run_id)).one()
    return connection.execute(
        select(func.count()).where(
            audit.c.account_id == run.account_id,
            audit.c.at >= run.started_at,
            audit.c.command == SECOND_ID,
        )
    ).scalar_one()


def find_account(connection: Connection, account: Account) -> int | None:
    """The account's number, without making it."""
    return connection.execute(
        select(accounts.c.id).where(
            accounts.c.base_url == account.base_url, accounts.c.client_id == account.client_id
        )
    ).scalar()
