"""Answers written down: the outcome of each record, in the transaction that ends its claim (delivery.md B and C)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Update,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    update,
)

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.ledger.claiming import Claim, enter
from leaddone_pipeline.ledger.recording import message_ids
from leaddone_pipeline.ledger.tables import SECOND_ID, State, audit, batches, claims, records

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

__all__ = ["Outcome", "report_second_id", "settle", "unreject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one record stands after an attempt. `words` are the server's, masked already (rule 3)."""

    number: int
    state: State
    internal_id: str | None = None
    words: str = ""
    held: bool = False
    unknown: bool = False


def settle(
    connection: Connection,
    now: ColumnElement[float],
    *,
    run_id: int,
    held: Claim,
    outcomes: Sequence[Outcome],
    again: Sequence[Sequence[int]] = (),
) -> list[Claim] | None:
    """Write an answer down and claim what must be sent again, in one transaction (rules 10, 13 and 20).

    Returns:
        One claim for each part of `again`; none if this very answer stands in the ledger already, since only the
        answer of its COMMIT was lost (rule 4); None if the claim was taken over meanwhile: then the acceptances
        alone were written, and nothing may be sent again.
    """
    ended = connection.execute(
        update(batches)
        .where(batches.c.id == held.batch_id, batches.c.token == held.token, batches.c.ending.is_(None))
        .values(ending="settled", ended_at=now)
    )
    if ended.rowcount == 0:
        if _stands(connection, held):
            return []
        _write(connection, now, held, [o for o in outcomes if o.state == State.ACCEPTED], late=True)
        return None
    connection.execute(delete(claims).where(claims.c.batch_id == held.batch_id))
    _write(connection, now, held, outcomes, again={number for part in again for number in part})
    return [enter(connection, now, run_id=run_id, numbers=part, attempt=held.attempt + 1) for part in again]


def _stands(connection: Connection, held: Claim) -> bool:
    """Whether the answer of this claim was written down: no other run's taking over has ended it."""
    ending: str | None = connection.execute(
        select(batches.c.ending).where(batches.c.id == held.batch_id, batches.c.token == held.token)
    ).scalar_one()
    return ending == "settled"


def _write(
    connection: Connection,
    now: ColumnElement[float],
    held: Claim,
    outcomes: Sequence[Outcome],
    *,
    again: Container[int] = (),
    late: bool = False,
) -> None:
    if not outcomes:
        return
    words = message_ids(connection, (outcome.words for outcome in outcomes))
    claimed_at = connection.execute(
        select(batches.c.claimed_at).where(batches.c.id == held.batch_id)
    ).scalar_one()
    values = [
        {
            "at_number": outcome.number,
            "new_state": outcome.state,
            "new_held": outcome.held,
            "new_internal_id": outcome.internal_id,
            "new_message": words[outcome.words],
            "unknown": int(outcome.unknown),
            # The attempt that follows counts those before it.
            "more_attempts": 0 if outcome.number in again else held.attempt,
        }
        for outcome in sorted(outcomes, key=lambda outcome: outcome.number)
    ]
    statement = _outcome_statement(now, held, claimed_at)
    if late:
        # The row of an order's statuses may hold a newer one by now; that one was not what was accepted.
        statement = statement.where(records.c.kind == Kind.ORDERS)
    written = connection.execute(statement, values).rowcount
    if any(outcome.state == State.ACCEPTED for outcome in outcomes):
        _note_accepted_updates(connection, [o.number for o in outcomes if o.state == State.ACCEPTED])
    if written != len(outcomes):
        _report_second_ids(connection, now, outcomes)


def _outcome_statement(now: ColumnElement[float], held: Claim, claimed_at: float) -> Update:
    """An acceptance is for ever: nothing is written over it (rules 20 and 22)."""
    unknown = bindparam("unknown", type_=Integer)
    return (
        update(records)
        .where(records.c.number == bindparam("at_number"), records.c.state != State.ACCEPTED)
        .values(
            state=bindparam("new_state"),
            held=bindparam("new_held"),
            internal_id=bindparam("new_internal_id"),
            message_id=bindparam("new_message"),
            attempts=records.c.attempts + bindparam("more_attempts", type_=Integer),
            unknown_attempts=records.c.unknown_attempts + unknown,
            first_sent_at=func.coalesce(records.c.first_sent_at, claimed_at),
            answered_at=case((unknown == 1, records.c.answered_at), else_=now),
            batch_id=held.batch_id,
        )
    )


def _note_accepted_updates(connection: Connection, numbers: Sequence[int]) -> None:
    """The last accepted status is what the next one is measured against (rule 28)."""
    connection.execute(
        update(records)
        .where(
            records.c.number.in_(numbers), records.c.kind == Kind.TRACKING, records.c.state == State.ACCEPTED
        )
        .values(
            accepted_tracking_number=records.c.tracking_number,
            accepted_status=records.c.status,
            accepted_event_at=records.c.event_at,
            accepted_timed=records.c.timed,
        )
    )


def _report_second_ids(
    connection: Connection, now: ColumnElement[float], outcomes: Sequence[Outcome]
) -> None:
    """Keep the first internal id and write the second into the audit (rule 20)."""
    said = {o.number: o.internal_id for o in outcomes if o.state == State.ACCEPTED}
    for row in connection.execute(
        select(records).where(
            records.c.number.in_(said), records.c.kind == Kind.ORDERS, records.c.state == State.ACCEPTED
        )
    ).all():
        if row.internal_id != said[row.number]:
            report_second_id(connection, now, row.number, second_id=said[row.number] or "")


def report_second_id(
    connection: Connection, now: ColumnElement[float], number: int, *, second_id: str
) -> None:
    """Write into the audit that LeadDone has an accepted order twice (rules 17 and 20)."""
    row = connection.execute(select(records).where(records.c.number == number)).one()
    connection.execute(
        insert(audit).values(
            at=now,
            command=SECOND_ID,
            account_id=row.account_id,
            kind=row.kind,
            order_id=row.order_id,
            before=row.internal_id or "",
            after=second_id,
        )
    )


def unreject(connection: Connection, numbers: Sequence[int]) -> None:
    """Make records pending again whose refusal may mean the account, not the record (rule 19).

    The words stay: by them the next run knows what was refused alone, and tries the others first.
    """
    connection.execute(
        update(records)
        .where(records.c.number.in_(numbers), records.c.state == State.REJECTED)
        .values(state=State.PENDING, answered_at=None)
    )
