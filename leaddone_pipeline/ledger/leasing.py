"""Runs and their leases, and what becomes of a dead run's claims (delivery.md, rules 10 and 12).

Every function takes the connection of one write transaction; the caller decides what else belongs to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, case, delete, func, insert, or_, select, true, update

from leaddone_pipeline.ledger.recording import message_ids
from leaddone_pipeline.ledger.tables import State, batches, claims, records, runs

if TYPE_CHECKING:
    from leaddone_pipeline.contract import Kind

__all__ = ["end_run", "renew", "start_run", "take_over"]

NO_ANSWER = "no answer: the run that held it ended before one was recorded"


def start_run(
    connection: Connection,
    now: ColumnElement[float],
    *,
    account_id: int,
    kind: Kind,
    shop: str,
    lease_seconds: float,
) -> int:
    """Enter a run with its lease (rule 10)."""
    run_id: int = connection.execute(
        insert(runs)
        .values(account_id=account_id, kind=kind, shop=shop, started_at=now, lease_until=now + lease_seconds)
        .returning(runs.c.id)
    ).scalar_one()
    return run_id


def renew(connection: Connection, now: ColumnElement[float], *, run_id: int, lease_seconds: float) -> bool:
    """Lengthen the lease from the database's now; False if the run was ended, by itself or by a taking over."""
    renewed = connection.execute(
        update(runs)
        .where(runs.c.id == run_id, runs.c.ended_at.is_(None))
        .values(lease_until=now + lease_seconds)
    )
    return renewed.rowcount > 0


def end_run(connection: Connection, now: ColumnElement[float], *, run_id: int, stopped: str | None) -> None:
    """Close a run. A claim that it still has is of unknown fate from now on (rule 12)."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(ended_at=now, stopped=stopped))


def take_over(
    connection: Connection, now: ColumnElement[float], *, account_id: int, kind: Kind, hold: bool, enough: int
) -> int:
    """End runs that are dead, and their claims: each record of them is of unknown fate (rule 12).

    A run that only slept finds itself ended when it wakes, and sends nothing more (rule 10).

    Args:
        connection: of a write transaction.
        now: the ledger's clock.
        account_id: whose claims.
        kind: orders or tracking.
        hold: leave the records to a person (rule 16); else they may be sent again.
        enough: after so many unknown attempts they are left to a person all the same (rule 18).

    Returns:
        How many records became unconfirmed.
    """
    dead = connection.execute(
        select(batches.c.id, batches.c.run_id, batches.c.attempt, batches.c.claimed_at)
        .join(runs, runs.c.id == batches.c.run_id)
        .where(
            batches.c.id.in_(select(claims.c.batch_id)),
            batches.c.ending.is_(None),
            runs.c.account_id == account_id,
            runs.c.kind == kind,
            or_(runs.c.ended_at.is_not(None), runs.c.lease_until < now),
        )
        .order_by(batches.c.id)
        .with_for_update(key_share=True)  # a claim of the same run refers to its row meanwhile
    ).all()
    taken = 0
    for batch_id, run_id, attempt, claimed_at in dead:
        connection.execute(
            update(runs)
            .where(runs.c.id == run_id, runs.c.ended_at.is_(None))
            .values(ended_at=now, stopped=NO_ANSWER)
        )
        for first, last in connection.execute(
            select(claims.c.first_number, claims.c.last_number).where(claims.c.batch_id == batch_id)
        ).all():
            taken += connection.execute(
                update(records)
                .where(records.c.number.between(first, last), records.c.state != State.ACCEPTED)
                .values(
                    state=State.UNCONFIRMED,
                    held=true()
                    if hold
                    else case((records.c.unknown_attempts + 1 >= enough, True), else_=False),
                    message_id=message_ids(connection, [NO_ANSWER])[NO_ANSWER],
                    attempts=records.c.attempts + attempt,
                    unknown_attempts=records.c.unknown_attempts + 1,
                    first_sent_at=func.coalesce(records.c.first_sent_at, claimed_at),
                    batch_id=batch_id,
                )
            ).rowcount
        connection.execute(delete(claims).where(claims.c.batch_id == batch_id))
        connection.execute(
            update(batches).where(batches.c.id == batch_id).values(ending="taken_over", ended_at=now)
        )
    return taken
