"""A slice on its way into the ledger: one transaction before its first batch leaves (delivery.md, rules 5 and 6)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from leaddone_pipeline.contract import CANCELLED_REASONS, Kind
from leaddone_pipeline.delivery.prepare import Item, PreparedOrder, PreparedUpdate, content_hash
from leaddone_pipeline.delivery.standing import stand
from leaddone_pipeline.delivery.updates import Folded, Place, Update, fold
from leaddone_pipeline.ledger import Known, State, claiming, recording
from leaddone_pipeline.webhook import encode

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from sqlalchemy import Connection

__all__ = ["Recorded", "place_of", "record_orders", "record_updates"]


@dataclass(slots=True)
class Recorded:
    """What recording a slice found.

    Attributes:
        numbers: of the records that count as valid: everything but skipped orders, unchanged and superseded updates.
        to_send: orders that may be claimed.
        to_send_last: those that may be claimed when all others are settled (rule 19).
        cancelled: numbers of orders that the shop cancelled after they may have been sent (rule 22).
        changed: how many were accepted with another content.
        unchanged: updates that LeadDone knows already.
        superseded: updates that a newer one makes needless.
        accepted_before: updates of this run's files that were accepted before a newer one took their row.
        gone: numbers that this run counted, and whose update was superseded since.
        waiting: updates of orders whose earlier update is in flight; to be recorded again (rule 29).
    """

    numbers: list[int] = field(default_factory=list)
    to_send: list[Item] = field(default_factory=list)
    to_send_last: list[Item] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)
    changed: int = 0
    unchanged: int = 0
    superseded: int = 0
    accepted_before: int = 0
    gone: list[int] = field(default_factory=list)
    waiting: list[PreparedUpdate] = field(default_factory=list)


def record_orders(
    connection: Connection, orders: Sequence[PreparedOrder], *, account_id: int, shop: str, day: str | None
) -> Recorded:
    """Record orders, new ones as pending, and find those that this run may send."""
    known = recording.find(connection, account_id, Kind.ORDERS, [o.incoming.order_id for o in orders])
    busy = claiming.open_claims(connection, [row.number for row in known.values()])
    recorded = Recorded()
    fresh: list[PreparedOrder] = []
    changes: list[tuple[int, Mapping[str, Any]]] = []
    for order in orders:
        row = known.get(order.incoming.order_id)
        if row is None:
            fresh.append(order)
            continue
        standing = stand(row, order.incoming, shop=shop, day=day, busy=row.number in busy)
        recorded.changed += standing.changed
        if standing.cancelled:
            recorded.cancelled.append(row.number)
        if standing.values:
            changes.append((row.number, standing.values))
        item = _counted(recorded, order, row.number, row.unknown_attempts)
        if item is not None and standing.send:
            (recorded.to_send_last if standing.last else recorded.to_send).append(item)
    recording.change(connection, changes)
    first = recording.add(connection, [_new_order(o, account_id, shop, day) for o in fresh])
    words = recording.message_ids(connection, {o.incoming.skipped for o in fresh})
    recording.change(
        connection,
        [
            (number, {"message_id": words[o.incoming.skipped]})
            for number, o in enumerate(fresh, first)
            if o.incoming.skipped
        ],
    )
    for number, order in enumerate(fresh, first):
        item = _counted(recorded, order, number, unknown_attempts=0)
        recorded.to_send += [] if item is None else [item]
    return recorded


def _counted(recorded: Recorded, order: PreparedOrder, number: int, unknown_attempts: int) -> Item | None:
    """Count an order as valid and make what would be sent of it; None of a skipped one."""
    if order.record is None or order.incoming.content_hash is None:
        return None
    recorded.numbers.append(number)
    return Item(number, order.record, order.body, order.incoming.content_hash, unknown_attempts)


def _new_order(order: PreparedOrder, account_id: int, shop: str, day: str | None) -> dict[str, Any]:
    incoming = order.incoming
    return {
        "account_id": account_id,
        "kind": Kind.ORDERS,
        "order_id": incoming.order_id,
        "shop": shop,
        "state": State.SKIPPED if incoming.skipped else State.PENDING,
        "cancelled": incoming.skipped if incoming.skipped in CANCELLED_REASONS else None,
        "day": day,
        "seen_day": day,
        "source_file": incoming.source_file,
        "source_row": incoming.source_row,
        "content_hash": incoming.content_hash,
    }


def record_updates(
    connection: Connection,
    updates: Sequence[PreparedUpdate],
    *,
    account_id: int,
    shop: str,
    day: str | None,
    mine: Container[int],
    key: bytes,
) -> Recorded:
    """Record statuses: one row an order, with its newest status (rules 28 to 30).

    Args:
        connection: of a write transaction.
        updates: in the order of their rows.
        account_id: whose.
        shop: the label.
        day: the day of the file, if a day is known.
        mine: numbers of the rows whose waiting update came from this run's own files.
        key: the ledger's content key.
    """
    by_order: dict[str, list[PreparedUpdate]] = {}
    for update in updates:
        by_order.setdefault(update.order_id, []).append(update)
    known = recording.find(connection, account_id, Kind.TRACKING, list(by_order))
    busy = claiming.open_claims(connection, [row.number for row in known.values()])
    recorded = Recorded()
    fresh: list[dict[str, Any]] = []
    changes: list[tuple[int, Mapping[str, Any]]] = []
    for order_id, its in by_order.items():
        row = known.get(order_id)
        if row is not None and row.forgotten:
            recorded.superseded += len(its)
        elif row is not None and row.number in busy:
            recorded.waiting.extend(its)
        else:
            was = place_of(row)
            folded = _count(recorded, row, was, its, mine)
            held = row is not None and row.held
            values = _values(was, folded.place, its, held=held, shop=shop, day=day, key=key)
            if row is None:
                fresh.append(
                    {"account_id": account_id, "kind": Kind.TRACKING, "order_id": order_id, **values}
                )
            elif values:
                changes.append((row.number, values))
    recording.change(connection, changes)
    first = recording.add(connection, fresh)
    recorded.numbers.extend(range(first, first + len(fresh)))
    return recorded


def _count(
    recorded: Recorded, row: Known | None, was: Place, its: Sequence[PreparedUpdate], mine: Container[int]
) -> Folded:
    """Fold an order's updates and count each of them once, with the run's earlier one of the same order."""
    own = row is not None and row.number in mine
    folded = fold(was, [one.update for one in its], waits=own and was.waiting is not None)
    recorded.unchanged += folded.unchanged
    recorded.superseded += folded.superseded
    if row is None:
        return folded
    if folded.waits:
        recorded.numbers.append(row.number)
        recorded.accepted_before += own and was.waiting is None
    elif own and was.waiting is not None:
        recorded.gone.append(row.number)
    return folded


def place_of(row: Known | None) -> Place:
    """What a row of the ledger says of an order's statuses."""
    if row is None:
        return Place()
    accepted = waiting = None
    if row.accepted_status is not None:
        accepted = Update(
            row.accepted_tracking_number or "",
            row.accepted_status,
            row.accepted_event_at or 0.0,
            bool(row.accepted_timed),
        )
    if row.state != State.ACCEPTED and row.status is not None:
        waiting = Update(row.tracking_number or "", row.status, row.event_at or 0.0, bool(row.timed))
    return Place(accepted, waiting, doubtful=waiting is not None and row.unknown_attempts > 0)


def _values(
    was: Place,
    place: Place,
    its: Sequence[PreparedUpdate],
    *,
    held: bool,
    shop: str,
    day: str | None,
    key: bytes,
) -> dict[str, Any]:
    """The columns that change with an order's newest status."""
    values: dict[str, Any] = {}
    if place.accepted != was.accepted and place.accepted is not None:
        values |= {f"accepted_{name}": value for name, value in asdict(place.accepted).items()}
    newest = place.waiting or place.accepted
    if newest is None or (place.waiting == was.waiting and not values):
        return values
    values |= asdict(newest)
    if place.waiting is None:
        return values | {"state": State.ACCEPTED, "held": False}
    if was.waiting is not None and place.waiting.says_the_same(was.waiting) and not held:
        return values  # a held one is tried again when a newer file repeats it
    brought = next((one for one in reversed(its) if one.update == place.waiting), None)
    if brought is None:
        return values
    return values | {
        "content_hash": content_hash(encode(brought.record), key),
        "state": State.PENDING,
        "held": False,
        "unknown_attempts": int(place.doubtful),
        "message_id": None,
        "answered_at": None,
        "shop": shop,
        "day": day,
        "seen_day": day,
        "source_file": brought.source_file,
        "source_row": brought.source_row,
    }
