"""What is known of an account's LeadDone and repeats, and the claim of the one probe that finds out (rule 17)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, bindparam, select, update

from leaddone_pipeline.ledger.claiming import Claim, enter, open_claims, wait_seconds
from leaddone_pipeline.ledger.concluding import conclude, hold
from leaddone_pipeline.ledger.recording import parts
from leaddone_pipeline.ledger.tables import Repeats, State, accounts, records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "ProbeClaim",
    "Standing",
    "claim_probe",
    "read_repeats",
]


@dataclass(frozen=True, slots=True)
class ProbeClaim:
    """What came of asking for the account's probe.

    Attributes:
        claim: of the one order to send; None where there is nothing to send now.
        unknown_attempts: that the order has behind it.
        left: the others of these orders that are still of unknown fate, with their unknown attempts.
        busy: another run is probing; ask again when it has ended.
        elsewhere: order id of an interrupted probe that only a run with this order can go on with.
        wait_seconds: for which nothing may leave (rule 26).
    """

    claim: Claim | None = None
    unknown_attempts: int = 0
    left: Mapping[int, int] = field(default_factory=dict)
    busy: bool = False
    elsewhere: str | None = None
    wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger knows of an account's repeats."""

    repeats: Repeats | None
    probe_order_id: str | None


def read_repeats(connection: Connection, account_id: int) -> Standing:
    """Read what is known, and which order an open probe is about."""
    row = connection.execute(
        select(accounts.c.repeats, records.c.order_id)
        .select_from(accounts.outerjoin(records, records.c.number == accounts.c.probe_number))
        .where(accounts.c.id == account_id)
    ).first()
    if row is None:
        return Standing(None, None)
    if row.repeats:
        return Standing(Repeats(row.repeats), None)
    return Standing(None, row.order_id)


def claim_probe(
    connection: Connection,
    now: ColumnElement[float],
    *,
    run_id: int,
    account_id: int,
    candidates: Sequence[int],
) -> ProbeClaim:
    """Claim the first free order of unknown fate for the account's one probe, unless another run is at it.

    Args:
        connection: of a write transaction.
        now: the ledger's clock.
        run_id: whose claim it becomes.
        account_id: whose probe.
        candidates: numbers of the orders that this run could send; those that the shop has cancelled are let be.
    """
    account = connection.execute(
        select(accounts.c.probe_number, accounts.c.probe_id)
        .where(accounts.c.id == account_id)
        .with_for_update()
    ).one()
    unsettled = _unsettled(connection, candidates, records.c.cancelled.is_(None))
    held = open_claims(connection, [*candidates, *([account.probe_number] if account.probe_number else [])])
    open_probe = _unsettled(connection, [account.probe_number] if account.probe_number else [])
    if account.probe_number in held:
        return ProbeClaim(left=_attempts(unsettled), busy=True)
    if open_probe:
        ((number, (order_id, _)),) = open_probe.items()
        if number not in unsettled:
            return ProbeClaim(left=_attempts(unsettled), elsewhere=order_id)
    elif account.probe_id is not None:
        # Its order was settled otherwise after its first answer: no other probe follows it (rule 17).
        conclude(
            connection,
            now,
            account_id=account_id,
            order_id=_order_id(connection, account.probe_number),
            repeats=Repeats.UNCLEAR,
        )
        hold(connection, now, account_id)
        return ProbeClaim()
    else:
        free = [number for number in unsettled if number not in held]
        if not free:
            return ProbeClaim(left=_attempts(unsettled), busy=bool(unsettled))
        number = free[0]
        connection.execute(
            update(accounts).where(accounts.c.id == account_id).values(probe_number=number, probe_id=None)
        )
    return ProbeClaim(
        claim=enter(connection, now, run_id=run_id, numbers=[number], attempt=1),
        unknown_attempts=unsettled.pop(number)[1],
        left=_attempts(unsettled),
        wait_seconds=wait_seconds(connection, now, account_id),
    )


def _order_id(connection: Connection, number: int) -> str:
    query = select(records.c.order_id).where(records.c.number == number)
    order_id: str = connection.execute(query).scalar_one()
    return order_id


def _attempts(unsettled: Mapping[int, tuple[str, int]]) -> dict[int, int]:
    return {number: attempts for number, (_, attempts) in unsettled.items()}


def _unsettled(
    connection: Connection, numbers: Sequence[int], *further: ColumnElement[bool]
) -> dict[int, tuple[str, int]]:
    """Those of these orders that are unconfirmed and may be sent again, with order id and unknown attempts."""
    query = (
        select(records.c.number, records.c.order_id, records.c.unknown_attempts)
        .where(
            records.c.number.in_(bindparam("numbers", expanding=True)),
            records.c.state == State.UNCONFIRMED,
            records.c.held.is_(False),
            records.c.forgotten.is_(False),
            *further,
        )
        .order_by(records.c.number)
        .with_for_update()
    )
    return {
        row.number: (row.order_id, row.unknown_attempts)
        for part in parts(sorted(numbers))
        for row in connection.execute(query, {"numbers": part})
    }
