"""Pure: how an order of a file stands against what the ledger knows, before anything is sent (delivery.md A)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from leaddone_pipeline.contract import CANCELLED_REASONS
from leaddone_pipeline.ledger import Known, State
from leaddone_pipeline.settings import DEFAULT_SHOP

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Incoming", "Standing", "stand"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One order of a file, as far as the ledger may know it (rule 3)."""

    order_id: str
    content_hash: bytes | None
    skipped: str
    source_file: str | None
    source_row: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What an order's place in the ledger means for this run.

    Attributes:
        send: it may be claimed.
        last: when all others are settled, since it is pending though it was refused alone; else a few refused
            orders could keep the others from ever being tried (rule 19).
        changed: it was accepted with another content; the API has no update (rule 22).
        cancelled: it was sent, and the shop has cancelled it since (rule 22).
        values: columns to write into its row.
    """

    send: bool = False
    last: bool = False
    changed: bool = False
    cancelled: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)


def stand(known: Known, incoming: Incoming, *, shop: str, day: str | None, busy: bool) -> Standing:
    """Compare an order with its row in the ledger.

    Args:
        known: its row.
        incoming: the order as the file has it.
        shop: the label that this run uses.
        day: the day whose export this is, if a day is known.
        busy: an open claim holds the row, so that its state is not this run's to change (rule 9).
    """
    values: dict[str, Any] = {}
    if known.shop != shop:
        values["shop"] = shop
    if day is not None and known.day is None:
        values["day"] = day
    if day is not None and (known.seen_day or "") < day:
        values["seen_day"] = day
    if known.forgotten:
        return Standing()
    if incoming.skipped and _is_old(known, day):
        return Standing(values=values)
    if incoming.skipped:
        return _skipped(known, incoming, values, busy=busy)
    if known.state == State.ACCEPTED:
        changed = known.content_hash is not None and known.content_hash != incoming.content_hash
        if changed and known.shop not in {shop, DEFAULT_SHOP}:
            values = {}  # most likely two shops' orders under one number: the row is of the one that LeadDone has
        return Standing(changed=changed, values=values)
    if busy:
        return Standing(send=_may_be_sent(known), values=values)
    return _open(known, incoming, values, day=day)


def _skipped(known: Known, incoming: Incoming, values: dict[str, Any], *, busy: bool) -> Standing:
    """A skipped order is never sent; one that may have been sent before was cancelled too late."""
    cancelled = incoming.skipped in CANCELLED_REASONS
    if cancelled and known.cancelled != incoming.skipped:
        values["cancelled"] = incoming.skipped
    if known.state != State.ACCEPTED and not busy:
        late = cancelled and known.unknown_attempts > 0 and known.state != State.REJECTED
        return Standing(cancelled=late, values=values | _withdrawn(known))
    return Standing(cancelled=cancelled, values=values)


def _withdrawn(known: Known) -> dict[str, Any]:
    """What becomes of an order that is not to be sent after all, or not again."""
    if known.unknown_attempts and known.state == State.REJECTED:
        return {}  # only a person says so of an order that may have arrived: they have looked
    if known.unknown_attempts:
        # LeadDone may have it from before, also where a person has asked for it to be sent again (rule 15).
        return {"state": State.UNCONFIRMED, "held": True}
    return {} if known.state == State.SKIPPED else {"state": State.SKIPPED}


def _open(known: Known, incoming: Incoming, values: dict[str, Any], *, day: str | None) -> Standing:
    """An order that is not accepted and not in flight: pending, rejected, unconfirmed or skipped so far."""
    source = {"source_file": incoming.source_file, "source_row": incoming.source_row}
    if known.cancelled:
        if not _is_newer(known, day):
            return Standing(values=values | _withdrawn(known))
        values["cancelled"] = None
        if known.state != State.UNCONFIRMED:
            return Standing(send=True, values={**values, **source, "state": State.PENDING})
    if known.state == State.PENDING:
        return Standing(send=True, last=known.message_id is not None, values=values)
    if known.state == State.REJECTED and known.content_hash != incoming.content_hash:
        return Standing(send=True, values={**values, **source, "state": State.PENDING})  # rule 23
    if known.state == State.SKIPPED and not _is_old(known, day):
        return Standing(send=True, values={**values, **source, "state": State.PENDING})
    return Standing(send=_may_be_sent(known), values=values)


def _may_be_sent(known: Known) -> bool:
    return known.state == State.PENDING or (known.state == State.UNCONFIRMED and not known.held)


def _is_newer(known: Known, day: str | None) -> bool:
    """Only an export that is surely not older than the cancellation can take it back; a file without a day is not."""
    return day is not None and known.seen_day is not None and day >= known.seen_day


def _is_old(known: Known, day: str | None) -> bool:
    """An earlier day's export, read again, does not know what the shop has said of the order since."""
    return day is not None and known.seen_day is not None and day < known.seen_day
