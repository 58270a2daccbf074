"""`leaddone send --dry-run`: everything but the sending; the ledger is only read."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from leaddone_pipeline.cli import opening
from leaddone_pipeline.cli.delivering import reading_of, show_report, tell, too_many_paid, without_ledger
from leaddone_pipeline.cli.exits import LEFT_OVER, UNUSABLE, code_of_counts
from leaddone_pipeline.cli.quarantine_files import QuarantineFiles
from leaddone_pipeline.cli.reading import by_reason
from leaddone_pipeline.cli.words import counted, say
from leaddone_pipeline.contract import Kind
from leaddone_pipeline.delivery import OUTCOMES
from leaddone_pipeline.delivery.prepare import Item, PreparedUpdate, orders_of, updates_of
from leaddone_pipeline.delivery.record import place_of
from leaddone_pipeline.delivery.standing import stand
from leaddone_pipeline.delivery.updates import Place, fold
from leaddone_pipeline.errors import LedgerError
from leaddone_pipeline.ledger import Known, Ledger, State, claiming, recording
from leaddone_pipeline.webhook import batches, body, encode, sign

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd

    from leaddone_pipeline.cli.asked import Asked
    from leaddone_pipeline.cli.reading import FileRead, Reading
    from leaddone_pipeline.delivery.prepare import PreparedOrder
    from leaddone_pipeline.settings import Account

__all__ = ["run"]

_NO_KEY = b""


@dataclass(slots=True)
class _Ahead:
    """What a run would find and send.

    Attributes:
        outcomes: of the files' records, as the ledger has them; `pending` for those that would leave.
        records, batches, bytes: that would leave.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    records: int = 0
    batches: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Ledger:
    """The ledger as far as there is one; without, nothing is known of any record."""

    ledger: Ledger | None
    account_id: int

    @property
    def key(self) -> bytes:
        return self.ledger.content_key if self.ledger else _NO_KEY

    def find(self, kind: Kind, order_ids: Sequence[str]) -> tuple[dict[str, Known], frozenset[int]]:
        """What is known of these records, and the numbers of those that a run holds."""
        if self.ledger is None:
            return {}, frozenset()
        known = self.ledger.read(
            partial(recording.find, account_id=self.account_id, kind=kind, order_ids=order_ids)
        )
        numbers = [row.number for row in known.values()]
        return known, self.ledger.read(partial(claiming.open_claims, numbers=numbers))


def run(asked: Asked) -> int:
    """Do all that a run would do before the first byte leaves, and say what would leave."""
    began = time.monotonic()
    credentials = opening.credentials()
    account = opening.account()
    ahead = _Ahead()
    with closing(QuarantineFiles(asked.quarantine, being_read=asked.files)) as quarantine:
        reading = reading_of(asked, quarantine)
        try:
            if not reading.begin():
                return UNUSABLE
            with opening.ledger_if_any() as found:
                known = _Ledger(found, opening.account_number(account, found) if found else 0)
                look = _orders if asked.kind is Kind.ORDERS else _updates
                for items in look(reading.frames(), known, ahead, asked.shop):
                    _sign(items, ahead, asked, credentials.webhook_secret)
        except LedgerError as error:
            return tell(asked, reading, without_ledger(asked, reading, error, began=began))
    return _tell(asked, reading, ahead, account, began=began)


def _tell(asked: Asked, reading: Reading, ahead: _Ahead, account: Account, *, began: float) -> int:
    for one in reading.each:
        _say_file(one)
    reading.say_refused()
    counts = _counts(asked.kind, ahead)
    rows = reading.rows
    show_report(
        asked,
        {
            "shop": asked.shop,
            "kind": asked.kind.value,
            **{name: getattr(rows, name) for name in ("read", "quarantined", "skipped", "merged")},
            **counts,
            "sent": 0,
            "requests": 0,
            "elapsed_s": round(time.monotonic() - began, 3),
            **{f"would_send_{name}": getattr(ahead, name) for name in ("records", "batches", "bytes")},
        },
    )
    _say_ahead(asked, ahead, account)
    if reading.broken or too_many_paid(asked, reading):
        return LEFT_OVER
    # What is pending here is what the run is for.
    return code_of_counts(counts | {"quarantined": rows.quarantined, "pending": 0})


def _say_file(file: FileRead) -> None:
    """Say how a file was read: the source and why, field by field, what became of its rows."""
    about = file.about
    say(f"{about.file}: source {about.source}, since {about.why}.")
    for name, columns in about.mapping:
        say(f"  {name:<16} <- {columns}")
    rows = file.rows
    say(
        f"  {counted(rows.read, 'row')}: {rows.valid:,} valid, {rows.quarantined:,} refused, "
        f"{rows.skipped:,} skipped, {rows.merged:,} merged."
    )
    if file.skipped:
        say(f"  Orders skipped: {by_reason(file.skipped)}.")
    if file.rewritten:
        say(
            f"  Quantities went into the article of {counted(file.rewritten, 'order')}, so that the amount is right:"
        )
        for example in file.examples:
            say(f"    {example}")


def _say_ahead(asked: Asked, ahead: _Ahead, account: Account) -> None:
    what = counted(ahead.records, *(("order",) if asked.kind is Kind.ORDERS else ("status", "statuses")))
    say(
        f"Dry run, nothing was sent. {what} would go to {account.base_url} in "
        f"{counted(ahead.batches, 'signed batch', 'signed batches')} of {ahead.bytes:,} bytes together."
    )
    if asked.kind is Kind.ORDERS:
        say(
            f"LeadDone has accepted {counted(ahead.outcomes['accepted'], 'of the orders', 'of the orders')} already."
        )


def _counts(kind: Kind, ahead: _Ahead) -> dict[str, int]:
    outcomes = {name: ahead.outcomes[name] for name in OUTCOMES[kind]}
    rest = {name: ahead.outcomes[name] for name in ("changed", "cancelled_late")}
    return {"valid": sum(outcomes.values()), **outcomes, **rest}


def _orders(
    frames: Iterable[pd.DataFrame], ledger: _Ledger, ahead: _Ahead, shop: str
) -> Iterator[list[Item]]:
    """Yield the orders of each slice that would leave."""
    for frame in frames:
        prepared = orders_of(frame, ledger.key)
        known, busy = ledger.find(Kind.ORDERS, [order.incoming.order_id for order in prepared])
        leaving = []
        for order in prepared:
            row = known.get(order.incoming.order_id)
            if _leaves(order, row, ahead, shop=shop, busy=row is not None and row.number in busy):
                leaving.append(_order_item(order))
        yield leaving


def _leaves(order: PreparedOrder, row: Known | None, ahead: _Ahead, *, shop: str, busy: bool) -> bool:
    if row is None:
        ahead.outcomes[State.PENDING] += order.record is not None
        return order.record is not None
    standing = stand(row, order.incoming, shop=shop, day=None, busy=busy)
    ahead.outcomes["cancelled_late"] += standing.cancelled and row.state == State.ACCEPTED
    if order.record is None:
        return False
    ahead.outcomes["changed"] += standing.changed
    unknown = row.state == State.UNCONFIRMED
    ahead.outcomes[State.PENDING if standing.send and not unknown else row.state] += 1
    return standing.send and not busy


def _order_item(order: PreparedOrder) -> Item:
    if order.record is None:
        raise TypeError("a skipped order has nothing to send")
    return Item(0, order.record, order.body, order.incoming.content_hash or b"")


def _updates(
    frames: Iterable[pd.DataFrame], ledger: _Ledger, ahead: _Ahead, _shop: str
) -> Iterator[list[Item]]:
    """Yield the newest status of each order that would leave, once all files are read (rules 28 and 30).

    Statuses of earlier files that wait in the ledger are not counted: they are not of these files.
    """
    by_order: dict[str, list[PreparedUpdate]] = {}
    for frame in frames:
        for update in updates_of(frame):
            by_order.setdefault(update.order_id, []).append(update)
    told, _ = ledger.find(Kind.TRACKING, list(by_order))
    orders, _ = ledger.find(Kind.ORDERS, list(by_order))
    leaving = []
    for order_id, its in by_order.items():
        folded = fold(Place(place_of(told.get(order_id)).accepted), [one.update for one in its])
        ahead.outcomes["unchanged"] += folded.unchanged
        ahead.outcomes["superseded"] += folded.superseded
        newest = folded.place.waiting
        if newest is None:
            continue
        order = orders.get(order_id)
        state = order.state if order else State.ACCEPTED
        ahead.outcomes["held_back" if state in {State.REJECTED, State.SKIPPED} else State.PENDING] += 1
        if state == State.ACCEPTED:
            record = next(one.record for one in reversed(its) if one.update == newest)
            leaving.append(Item(0, record, encode(record), b""))
    yield leaving


def _sign(items: Sequence[Item], ahead: _Ahead, asked: Asked, secret: str) -> None:
    limits = asked.settings
    for batch in batches(items, size=limits.batch_size, max_bytes=limits.max_batch_bytes):
        signed = body([item.body for item in batch])
        sign(signed, secret)
        ahead.records += len(batch)
        ahead.batches += 1
        ahead.bytes += len(signed)
