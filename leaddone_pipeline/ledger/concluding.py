"""What answers make of an account's probe: its first id, its verdict, and what is left to a person (rule 17).

Every function takes the connection of one write transaction; the caller decides what else belongs to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, insert, select, update

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.ledger.claiming import open_claims
from leaddone_pipeline.ledger.recording import parts
from leaddone_pipeline.ledger.settling import report_second_id
from leaddone_pipeline.ledger.tables import Repeats, State, accounts, audit, records

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "OpenProbe",
    "conclude",
    "go_on",
    "hold",
    "keep_first_id",
    "note_repeats",
    "open_probe",
    "take_late",
]


@dataclass(frozen=True, slots=True)
class OpenProbe:
    """What is known of the order of an open probe.

    Attributes:
        first_id: the first internal id that LeadDone has told of it, kept with the account or linked.
        accepted: a late answer has accepted it; it is not sent again (rule 22).
    """

    first_id: str | None
    accepted: bool


def open_probe(connection: Connection, account_id: int, number: int) -> OpenProbe | None:
    """Say how the account's probe of this order stands; None where it has ended, or has nothing left to find out."""
    row = connection.execute(
        select(records.c.state, records.c.internal_id, accounts.c.probe_id, accounts.c.repeats)
        .join(accounts, accounts.c.probe_number == records.c.number)
        .where(accounts.c.id == account_id, records.c.number == number)
    ).first()
    if row is None:
        return None
    accepted = row.state == State.ACCEPTED
    first_id = row.probe_id or (row.internal_id if accepted else None)
    if row.repeats is not None and first_id is None:
        return None  # a test order has told it meanwhile
    return OpenProbe(first_id, accepted)


def go_on(connection: Connection, account_id: int, *, first_id: str) -> None:
    """Keep the first answer's internal id until the second is read."""
    connection.execute(update(accounts).where(accounts.c.id == account_id).values(probe_id=first_id))


def take_late(
    connection: Connection,
    now: ColumnElement[float],
    account_id: int,
    accepted: Sequence[int],
    *,
    of_a_probe: bool,
) -> None:
    """Let a late acceptance of the open probe's order end the probe: two answers are the verdict (rules 17, 20).

    Args:
        connection: of the write transaction that accepted them.
        now: the ledger's clock.
        account_id: whose probe.
        accepted: numbers of the orders that a late answer accepted.
        of_a_probe: that answer was to a request of a probe.
    """
    order = connection.execute(
        select(records.c.number, records.c.order_id, records.c.internal_id, accounts.c.probe_id)
        .join(accounts, accounts.c.probe_number == records.c.number)
        .where(accounts.c.id == account_id, records.c.number.in_(accepted))
    ).first()
    if order is None:
        return
    if order.probe_id is None:
        if of_a_probe:
            go_on(connection, account_id, first_id=order.internal_id)
        return
    same = order.internal_id == order.probe_id
    if not same:
        connection.execute(
            update(records).where(records.c.number == order.number).values(internal_id=order.probe_id)
        )
        report_second_id(connection, now, order.number, second_id=order.internal_id)
        _hold(connection, account_id)
    repeats = Repeats.RECOGNISED if same else Repeats.SECOND_ORDERS
    conclude(connection, now, account_id=account_id, order_id=order.order_id, repeats=repeats)


def conclude(
    connection: Connection,
    now: ColumnElement[float],
    *,
    account_id: int,
    order_id: str,
    repeats: Repeats | None,
) -> None:
    """End the open probe; what it found out is noted. None: it found nothing out."""
    connection.execute(
        update(accounts).where(accounts.c.id == account_id).values(probe_number=None, probe_id=None)
    )
    note_repeats(connection, now, account_id=account_id, order_id=order_id, repeats=repeats, command="probe")


def note_repeats(
    connection: Connection,
    now: ColumnElement[float],
    *,
    account_id: int,
    order_id: str,
    repeats: Repeats | None,
    command: str,
) -> None:
    """Note what an order has shown of repeats, with its row in the audit; what is known is never made unclear."""
    was = connection.execute(
        select(accounts.c.repeats).where(accounts.c.id == account_id).with_for_update()
    ).scalar_one()
    if was is not None and repeats == Repeats.UNCLEAR:
        repeats = Repeats(was)
    if repeats is not None:
        connection.execute(update(accounts).where(accounts.c.id == account_id).values(repeats=repeats))
    connection.execute(
        insert(audit).values(
            at=now,
            command=command,
            account_id=account_id,
            kind=Kind.ORDERS,
            order_id=order_id,
            before=was or "not known",
            after=repeats or "nothing found out",
        )
    )


def keep_first_id(connection: Connection, now: ColumnElement[float], account_id: int) -> None:
    """End an open probe whose order is left to a person: LeadDone has it under the first id (rule 20).

    It was the account's last one, since another could make a third extra order (rule 17).
    """
    order = connection.execute(
        select(records.c.number, records.c.order_id, accounts.c.probe_id)
        .join(accounts, accounts.c.probe_number == records.c.number)
        .where(
            accounts.c.id == account_id,
            accounts.c.probe_id.is_not(None),
            records.c.state == State.UNCONFIRMED,
            records.c.held.is_(True),
            records.c.forgotten.is_(False),
        )
    ).first()
    if order is None or open_claims(connection, [order.number]):
        return
    connection.execute(
        update(records)
        .where(records.c.number == order.number)
        .values(
            state=State.ACCEPTED, held=False, internal_id=order.probe_id, message_id=None, answered_at=now
        )
    )
    conclude(connection, now, account_id=account_id, order_id=order.order_id, repeats=Repeats.UNCLEAR)
    _hold(connection, account_id)


def hold(
    connection: Connection,
    now: ColumnElement[float],
    account_id: int,
    numbers: Sequence[int] | None = None,
) -> None:
    """Leave unconfirmed orders to a person (rules 16 and 17): these, or all of the account."""
    _hold(connection, account_id, numbers)
    keep_first_id(connection, now, account_id)


def _hold(connection: Connection, account_id: int, numbers: Sequence[int] | None = None) -> None:
    all_of_them = (
        update(records)
        .where(
            records.c.account_id == account_id,
            records.c.kind == Kind.ORDERS,
            records.c.state == State.UNCONFIRMED,
            records.c.held.is_(False),
        )
        .values(held=True)
    )
    if numbers is None:
        connection.execute(all_of_them)
    else:
        for part in parts(sorted(numbers)):
            connection.execute(all_of_them.where(records.c.number.in_(part)))
