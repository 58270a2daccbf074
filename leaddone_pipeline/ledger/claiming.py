"""Claims: which run may send which records (delivery.md B).

Every function takes the connection of one write transaction; the caller decides what else belongs to it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.ledger.recording import change, parts
from leaddone_pipeline.ledger.tables import State, accounts, batches, claims, records

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

__all__ = [
    "Claim",
    "Claimed",
    "claim",
    "enter",
    "give_back",
    "give_back_unsent",
    "no_longer_sent",
    "open_claims",
    "still_held",
    "wait",
    "wait_seconds",
]


@dataclass(frozen=True, slots=True)
class Claim:
    """One batch of this run, claimed: it may be sent until the lease ends.

    Attributes:
        attempt: 1 for a first sending in this run, one more for each retry or part of it.
    """

    batch_id: int
    token: str
    attempt: int
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Claimed:
    """What came of trying to claim.

    Attributes:
        claim: the batch; None if no record was free.
        unknown_attempts: that each claimed record has behind it, by number (rule 15).
        busy: records that another claim holds.
        unknown: records of unknown fate that may be sent again, but were not asked for.
        wait_seconds: for which no request may leave (rule 26).
    """

    claim: Claim | None
    unknown_attempts: Mapping[int, int]
    busy: frozenset[int]
    unknown: Mapping[int, int]
    wait_seconds: float


def claim(
    connection: Connection,
    now: ColumnElement[float],
    *,
    run_id: int,
    wanted: Sequence[tuple[int, bytes]],
    states: Collection[State],
    as_recorded: bool = False,
) -> Claimed:
    """Claim the records that may be sent and that no open claim holds (rule 9).

    Args:
        connection: of a write transaction.
        now: the ledger's clock.
        run_id: whose claim it becomes.
        wanted: number and content hash of each record as this run would send it. The content of the run that sends
            it counts (rule 5), but of one with unknown attempts the first attempt's (rule 22).
        states: PENDING for first sendings, UNCONFIRMED for those of unknown fate (rule 17).
        as_recorded: only records that still have this very content; another run may have brought a newer
            tracking update since it was read (rule 29).
    """
    numbers = [number for number, _ in wanted]
    hashes = dict(wanted)
    rows = {
        row.number: row
        for row in connection.execute(
            select(
                records.c.number,
                records.c.content_hash,
                records.c.state,
                records.c.unknown_attempts,
                records.c.account_id,
            )
            .where(
                records.c.number.in_(numbers),
                records.c.forgotten.is_(False),
                records.c.cancelled.is_(None),
                or_(
                    records.c.state == State.PENDING,
                    (records.c.state == State.UNCONFIRMED) & records.c.held.is_(False),
                ),
            )
            .order_by(records.c.number)
            .with_for_update()
        )
        if not as_recorded or row.content_hash == hashes[row.number]
    }
    held = open_claims(connection, numbers)
    free = [number for number in numbers if number in rows and number not in held]
    mine = [number for number in free if rows[number].state in states]
    change(
        connection,
        [
            (number, {"content_hash": hashes[number]})
            for number in mine
            if not rows[number].unknown_attempts and rows[number].content_hash != hashes[number]
        ],
    )
    attempts = {number: rows[number].unknown_attempts for number in free}
    account_id = next((row.account_id for row in rows.values()), None)
    return Claimed(
        claim=enter(connection, now, run_id=run_id, numbers=mine, attempt=1) if mine else None,
        unknown_attempts={number: attempts[number] for number in mine},
        busy=frozenset(held.intersection(rows)),
        unknown={n: attempts[n] for n in free if rows[n].state == State.UNCONFIRMED and n not in set(mine)},
        wait_seconds=0.0 if account_id is None else wait_seconds(connection, now, account_id),
    )


def enter(
    connection: Connection, now: ColumnElement[float], *, run_id: int, numbers: Sequence[int], attempt: int
) -> Claim:
    """Write a claim on these records, which the caller has seen to be free or its own."""
    token = secrets.token_hex(8)
    batch_id = connection.execute(
        insert(batches)
        .values(run_id=run_id, attempt=attempt, token=token, claimed_at=now)
        .returning(batches.c.id)
    ).scalar_one()
    connection.execute(
        insert(claims),
        [
            {"batch_id": batch_id, "first_number": first, "last_number": last}
            for first, last in _ranges(sorted(numbers))
        ],
    )
    return Claim(batch_id, token, attempt, tuple(numbers))


def still_held(connection: Connection, held: Claim) -> bool:
    """Whether nobody took this claim over, or can before this transaction ends."""
    ending = connection.execute(
        select(batches.c.ending)
        .where(batches.c.id == held.batch_id, batches.c.token == held.token)
        .with_for_update()
    ).one()
    return ending[0] is None


def give_back(connection: Connection, now: ColumnElement[float], held: Claim) -> None:
    """End a claim whose records were never handed to the transport; they are pending again (rule 13)."""
    ended = connection.execute(
        update(batches)
        .where(batches.c.id == held.batch_id, batches.c.token == held.token, batches.c.ending.is_(None))
        .values(ending="returned", ended_at=now)
    )
    if ended.rowcount:
        connection.execute(delete(claims).where(claims.c.batch_id == held.batch_id))


def give_back_unsent(
    connection: Connection, now: ColumnElement[float], *, run_id: int, sent: Collection[int]
) -> None:
    """End all claims of a run but those of these batches: it may have some that it was never told of (rule 4)."""
    own = select(batches.c.id).where(batches.c.run_id == run_id, batches.c.ending.is_(None))
    unsent = [batch_id for batch_id in connection.execute(own).scalars() if batch_id not in sent]
    for part in parts(unsent):
        connection.execute(delete(claims).where(claims.c.batch_id.in_(part)))
        connection.execute(
            update(batches)
            .where(batches.c.id.in_(part), batches.c.ending.is_(None))
            .values(ending="returned", ended_at=now)
        )


def no_longer_sent(connection: Connection, numbers: Sequence[int]) -> frozenset[int]:
    """Those of these claimed orders that a late answer or the shop's cancelling has made needless (rules 20, 22)."""
    query = select(records.c.number).where(
        records.c.number.in_(numbers),
        records.c.kind == Kind.ORDERS,
        or_(records.c.state == State.ACCEPTED, records.c.cancelled.is_not(None)),
    )
    return frozenset(connection.execute(query).scalars())


def open_claims(connection: Connection, numbers: Sequence[int]) -> frozenset[int]:
    """Those of these records that any claim holds, its run living or dead."""
    if not numbers:
        return frozenset()
    spans = connection.execute(
        select(claims.c.first_number, claims.c.last_number).where(
            claims.c.first_number <= max(numbers), claims.c.last_number >= min(numbers)
        )
    ).all()
    if not spans:
        return frozenset()
    return frozenset(n for n in numbers if any(first <= n <= last for first, last in spans))


def wait_seconds(connection: Connection, now: ColumnElement[float], account_id: int) -> float:
    """How long no run of the account may send, as LeadDone has told one of them (rule 26); 0.0 when it may."""
    left: float | None = connection.execute(
        select(accounts.c.wait_until - now).where(accounts.c.id == account_id)
    ).scalar_one()
    return max(0.0, left or 0.0)


def wait(connection: Connection, now: ColumnElement[float], account_id: int, *, seconds: float) -> None:
    """Let no run of the account send for so long; a longer wait stays."""
    longer = or_(accounts.c.wait_until.is_(None), accounts.c.wait_until < now + seconds)
    connection.execute(
        update(accounts).where(accounts.c.id == account_id, longer).values(wait_until=now + seconds)
    )


def _ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return spans
