"""Putting records into the ledger before anything is sent (delivery.md, rules 1, 5 and 6)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import (
    ARRAY,
    Connection,
    Text,
    and_,
    any_,
    bindparam,
    case,
    exists,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.ledger.tables import State, accounts, batches, ledger, messages, records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from leaddone_pipeline.settings import Account

__all__ = ["Known", "add", "change", "find", "message_ids", "open_account", "parts", "reopen_updates"]

_IDS_A_STATEMENT = 500
_NUMBERS_A_STATEMENT = 5_000

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the ledger knows of one record."""

    number: int
    order_id: str
    shop: str
    state: State
    held: bool
    day: str | None
    seen_day: str | None
    content_hash: bytes | None
    message_id: int | None
    unknown_attempts: int
    cancelled: str | None
    forgotten: bool
    tracking_number: str | None
    status: str | None
    event_at: float | None
    timed: bool | None
    accepted_tracking_number: str | None
    accepted_status: str | None
    accepted_event_at: float | None
    accepted_timed: bool | None


_KNOWN_COLUMNS = [records.c[field.name] for field in fields(Known)]


def open_account(connection: Connection, account: Account) -> int:
    """Find the account's number, making it if this ledger has never seen it."""
    _insert_missing(connection, accounts, [{"base_url": account.base_url, "client_id": account.client_id}])
    number: int = connection.execute(
        select(accounts.c.id).where(
            accounts.c.base_url == account.base_url, accounts.c.client_id == account.client_id
        )
    ).scalar_one()
    return number


def find(connection: Connection, account_id: int, kind: Kind, order_ids: Sequence[str]) -> dict[str, Known]:
    """Find what is known of these orders. Inside a write, nobody else changes what it found until the end of it."""
    if not connection.get_execution_options().get("leaddone_reads"):
        _hold(connection, account_id, kind, order_ids)
    query = select(*_KNOWN_COLUMNS).where(
        records.c.account_id == account_id,
        records.c.kind == kind,
        records.c.order_id.in_(bindparam("ids", expanding=True)),
    )
    found = {}
    for start in range(0, len(order_ids), _IDS_A_STATEMENT):
        part = {"ids": order_ids[start : start + _IDS_A_STATEMENT]}
        for row in connection.execute(query, part).mappings():
            known = Known(**{**row, "state": State(row["state"])})
            found[known.order_id] = known
    return found


def _hold(connection: Connection, account_id: int, kind: Kind, order_ids: Sequence[str]) -> None:
    """Lock the recording of new records, and those of these that are not accepted, in key order (rule 4).

    A write has all of SQLite to itself. In PostgreSQL an answer may otherwise be settled, or a claim made, between
    what is read here and what is written after it. What is accepted stays so (rule 22) and needs no lock.
    """
    if connection.dialect.name == "sqlite":
        return
    connection.execute(select(ledger.c.next_number).with_for_update())
    connection.execute(
        select(records.c.number)
        .where(
            records.c.account_id == account_id,
            records.c.kind == kind,
            records.c.order_id == any_(bindparam("ids", type_=ARRAY(Text))),
            records.c.state != State.ACCEPTED,
        )
        .order_by(records.c.number)
        .with_for_update(),
        {"ids": list(order_ids)},
    )


def reopen_updates(connection: Connection, account_id: int) -> None:
    """Let an update leave again that was refused when its order may not have been accepted yet (rule 30).

    The refusal itself may be read after the order's acceptance, so the time that counts is that of its claim.
    One that was held, refused after an attempt of unknown fate for instance, is tried again as well (rule 29); it
    stays unconfirmed (rule 15).
    """
    order = records.alias("its_order")
    accepted_since = exists().where(
        order.c.account_id == account_id,
        order.c.kind == Kind.ORDERS,
        order.c.order_id == records.c.order_id,
        order.c.state == State.ACCEPTED,
        batches.c.id == records.c.batch_id,
        order.c.answered_at > batches.c.claimed_at,
    )
    connection.execute(
        update(records)
        .where(
            records.c.account_id == account_id,
            records.c.kind == Kind.TRACKING,
            or_(
                records.c.state == State.REJECTED,
                and_(records.c.state == State.UNCONFIRMED, records.c.held.is_(True)),
            ),
            records.c.forgotten.is_(False),
            accepted_since,
        )
        .values(
            state=case((records.c.state == State.REJECTED, State.PENDING), else_=records.c.state), held=False
        )
    )


def add(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert new records under ascending numbers, in the order given; the first number comes back."""
    following: int = connection.execute(
        update(ledger).values(next_number=ledger.c.next_number + len(rows)).returning(ledger.c.next_number)
    ).scalar_one()
    first = following - len(rows)
    if rows:
        connection.execute(
            insert(records), [{**row, "number": first + index} for index, row in enumerate(rows)]
        )
    return first


def change(connection: Connection, changes: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
    """Write new values, by column name, to the records of these numbers."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for number, values in sorted(changes, key=lambda change: change[0]):
        alike.setdefault(tuple(sorted(values)), []).append({**values, "at_number": number})
    for columns, rows in alike.items():
        connection.execute(
            update(records)
            .where(records.c.number == bindparam("at_number"))
            .values({column: bindparam(column) for column in columns}),
            rows,
        )


def message_ids(connection: Connection, texts: Iterable[str]) -> dict[str, int | None]:
    """Store each of these words once, and say under which id; no words, no id."""
    wanted = sorted({text for text in texts if text})
    if wanted:
        _insert_missing(connection, messages, [{"text": text} for text in wanted])
    query = select(messages.c.text, messages.c.id).where(
        messages.c.text.in_(bindparam("texts", expanding=True))
    )
    stored: dict[str, int | None] = {"": None}
    for start in range(0, len(wanted), _IDS_A_STATEMENT):
        rows = connection.execute(query, {"texts": wanted[start : start + _IDS_A_STATEMENT]})
        stored.update((text, number) for text, number in rows)
    return stored


def parts(values: Sequence[Value]) -> Iterable[Sequence[Value]]:
    """Cut values into as many as one statement takes."""
    for start in range(0, len(values), _NUMBERS_A_STATEMENT):
        yield values[start : start + _NUMBERS_A_STATEMENT]


def _insert_missing(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:  # noqa: ANN401
    dialect = {"sqlite": sqlite, "postgresql": postgresql}[connection.dialect.name]
    connection.execute(dialect.insert(table).on_conflict_do_nothing(), rows)
