"""How an account stands, in a few numbers. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.ledger.probing import read_repeats
from leaddone_pipeline.ledger.reading import outcome_of
from leaddone_pipeline.ledger.tables import Repeats, State, records, runs

__all__ = ["Status", "read_status"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How an account stands.

    Attributes:
        counts: by kind and outcome.
        oldest_pending: order id and day, or file, of the oldest order that is surely not processed.
        oldest_unconfirmed: likewise of the oldest whose fate nobody knows.
        cancelled_late: order ids that the shop cancelled after LeadDone accepted them.
        repeats: what LeadDone does with an order that it gets twice, as far as is known (rule 17).
        probe_order_id: the order by which it is being found out.
        last_run: when it began and ended (UTC seconds), and why it stopped, if it did.
    """

    counts: dict[str, dict[str, int]]
    oldest_pending: tuple[str, str] | None
    oldest_unconfirmed: tuple[str, str] | None
    cancelled_late: tuple[str, ...]
    repeats: Repeats | None
    probe_order_id: str | None
    last_run: tuple[float, float | None, str | None] | None


def read_status(
    connection: Connection, now: ColumnElement[float], *, account_id: int, shop: str | None = None
) -> Status:
    """Read how the account stands; with `shop`, its records under this label."""
    mine = [records.c.account_id == account_id]
    if shop is not None:
        mine.append(records.c.shop == shop)
    outcome = outcome_of(now).label("outcome")
    counts: dict[str, dict[str, int]] = {}
    for kind, state, count in connection.execute(
        select(records.c.kind, outcome, func.count()).where(*mine).group_by(records.c.kind, outcome)
    ):
        counts.setdefault(kind, {})[state] = count
    late = connection.execute(
        select(records.c.order_id)
        .where(*mine, records.c.state == State.ACCEPTED, records.c.cancelled.is_not(None))
        .order_by(records.c.number)
    ).scalars()
    run = connection.execute(
        select(runs.c.started_at, runs.c.ended_at, runs.c.stopped)
        .where(runs.c.account_id == account_id)
        .order_by(runs.c.id.desc())
        .limit(1)
    ).first()
    known = read_repeats(connection, account_id)
    return Status(
        counts=counts,
        repeats=known.repeats,
        probe_order_id=known.probe_order_id,
        oldest_pending=_oldest(connection, [*mine, outcome == State.PENDING]),
        oldest_unconfirmed=_oldest(connection, [*mine, outcome == State.UNCONFIRMED]),
        cancelled_late=tuple(late),
        last_run=None if run is None else (run.started_at, run.ended_at, run.stopped),
    )


def _oldest(connection: Connection, conditions: list[Any]) -> tuple[str, str] | None:
    row = connection.execute(
        select(records.c.order_id, func.coalesce(records.c.day, records.c.source_file, ""))
        .where(records.c.kind == Kind.ORDERS, records.c.forgotten.is_(False), *conditions)
        .order_by(records.c.number)
        .limit(1)
    ).first()
    return None if row is None else (row[0], row[1])
