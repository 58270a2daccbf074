"""A person's word on records: resolve and forget, each with its row in the audit (delivery.md, rules 7 and 24)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, delete, exists, insert, select, text, update

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.ledger.claiming import open_claims
from leaddone_pipeline.ledger.recording import Known, find, message_ids
from leaddone_pipeline.ledger.tables import State, accounts, audit, messages, records

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["forget", "resolve"]


def resolve(
    connection: Connection,
    now: ColumnElement[float],
    *,
    account_id: int,
    order_ids: Sequence[str],
    to: State,
    internal_id: str | None = None,
    reason: str = "",
) -> dict[str, str]:
    """Settle orders by a person's word.

    Args:
        connection: of a write transaction.
        now: the ledger's clock.
        account_id: whose orders.
        order_ids: as the shop writes them.
        to: ACCEPTED (with `internal_id`), REJECTED (with `reason`), or PENDING: to be sent again.
        internal_id: LeadDone's id, for ACCEPTED.
        reason: the person's words, for REJECTED.

    Returns:
        The orders that were not settled, each with the reason; an empty dict when all were.
    """
    known = find(connection, account_id, Kind.ORDERS, order_ids)
    busy = open_claims(connection, [row.number for row in known.values()])
    probe = connection.execute(
        select(accounts.c.probe_number, accounts.c.probe_id).where(accounts.c.id == account_id)
    ).one()
    words = message_ids(connection, [reason])[reason]
    refused = {}
    for order_id in order_ids:
        row = known.get(order_id)
        objection = _objection(row, busy, to)
        if row is not None and row.number == probe.probe_number and probe.probe_id and to != State.ACCEPTED:
            objection = f"LeadDone has said that it has this order, as {probe.probe_id}; use --accepted"
        if row is None or objection:
            refused[order_id] = objection or ""
            continue
        values: dict[str, Any] = {"state": to, "held": False, "answered_at": now}
        if to == State.ACCEPTED:
            values["internal_id"] = internal_id
        elif to == State.REJECTED:
            values["message_id"] = words
        else:
            # The person's word is newer than a cancellation. The unknown attempts stay: a refusal may still mean
            # that LeadDone has it (rule 15).
            values.update(answered_at=None, message_id=None, cancelled=None)
        connection.execute(update(records).where(records.c.number == row.number).values(values))
        _audit(connection, now, account_id, row, kind=Kind.ORDERS, after=to, command="resolve")
    return refused


def _objection(row: Known | None, busy: frozenset[int], to: State) -> str | None:
    if row is None:
        return "the ledger does not know this order"
    if row.forgotten:
        return "it was forgotten, and is never sent again"
    if row.number in busy:
        return "a run holds it right now; try again when that run has ended"
    resolvable = {State.UNCONFIRMED, State.REJECTED} if to == State.PENDING else {State.UNCONFIRMED}
    if row.state not in resolvable:
        return f"it is {row.state}, and only {' or '.join(sorted(resolvable))} orders can be resolved so"
    return None


def forget(
    connection: Connection, now: ColumnElement[float], *, account_id: int, order_ids: Sequence[str]
) -> dict[str, str]:
    """Erase what the ledger holds of these orders and their statuses, but for a tombstone (rule 7).

    The words that stand beside them, and beside no other record, go as well.

    Returns:
        The orders that were not forgotten, each with the reason.
    """
    if connection.dialect.name == "postgresql":
        # Nobody may be about to refer to words that are deleted below.
        connection.execute(text("LOCK TABLE messages IN SHARE ROW EXCLUSIVE MODE"))
    refused = {}
    words: set[int] = set()
    for kind in Kind:
        known = find(connection, account_id, kind, order_ids)
        busy = open_claims(connection, [row.number for row in known.values()])
        for order_id in order_ids:
            row = known.get(order_id)
            if row is None:
                if kind == Kind.ORDERS:
                    refused[order_id] = "the ledger does not know this order"
            elif row.number in busy:
                refused[order_id] = "a run holds it right now; try again when that run has ended"
            else:
                words.update([] if row.message_id is None else [row.message_id])
                connection.execute(update(records).where(records.c.number == row.number).values(_TOMBSTONE))
                _audit(connection, now, account_id, row, kind=kind, after="forgotten", command="forget")
    of_others = exists().where(records.c.message_id == messages.c.id)
    connection.execute(delete(messages).where(messages.c.id.in_(words), ~of_others))
    return refused


_TOMBSTONE: dict[str, Any] = {
    "forgotten": True,
    "held": True,
    "source_file": None,
    "source_row": None,
    "content_hash": None,
    "message_id": None,
    "tracking_number": None,
    "status": None,
    "event_at": None,
    "accepted_tracking_number": None,
    "accepted_status": None,
    "accepted_event_at": None,
}


def _audit(
    connection: Connection,
    now: ColumnElement[float],
    account_id: int,
    row: Known,
    *,
    kind: Kind,
    after: str,
    command: str,
) -> None:
    connection.execute(
        insert(audit).values(
            at=now,
            command=command,
            account_id=account_id,
            kind=kind,
            order_id=row.order_id,
            before=row.state,
            after=after,
        )
    )
