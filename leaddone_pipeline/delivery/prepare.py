"""A clean frame -> encoded records with their content hashes, ready to be recorded and sent."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from leaddone_pipeline.contract import ORDER_FIELDS, TRACKING_FIELDS
from leaddone_pipeline.delivery.standing import Incoming
from leaddone_pipeline.delivery.updates import Update
from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.webhook import Order, Record, TrackingUpdate, encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

__all__ = ["Item", "PreparedOrder", "PreparedUpdate", "content_hash", "orders_of", "updates_of"]

_HASH_BYTES = 16


@dataclass(frozen=True, slots=True)
class Item:
    """A record under its number in the ledger, encoded; what a batch is made of.

    Attributes:
        unknown_attempts: how many attempts of unknown fate it has behind it (rule 15).
        again: this run has sent it before.
    """

    number: int
    record: Record
    body: bytes
    content_hash: bytes
    unknown_attempts: int = 0
    again: bool = False

    @property
    def id(self) -> str:
        return self.record.id


@dataclass(frozen=True, slots=True)
class PreparedOrder:
    """An order of a file; `record` and `body` are empty where the shop's own state says not to send it."""

    incoming: Incoming
    record: Order | None
    body: bytes


@dataclass(frozen=True, slots=True)
class PreparedUpdate:
    """A status of a file."""

    record: TrackingUpdate
    update: Update
    source_file: str | None
    source_row: int | None

    @property
    def order_id(self) -> str:
        return self.record.id


def content_hash(body: bytes, key: bytes) -> bytes:
    """The keyed hash by which a changed record is known (rule 3): without the key it tells nothing."""
    return hashlib.blake2b(body, key=key, digest_size=_HASH_BYTES).digest()


def orders_of(frame: pd.DataFrame, key: bytes) -> list[PreparedOrder]:
    """Encode the orders of a frame.

    Args:
        frame: the columns of an order (prices as decimal text), `skipped`, `source_file` and `source_row`; one row
            an order, each order id once.
        key: the ledger's content key.

    Raises:
        IntakeError: an order that is to be sent cannot be written as LeadDone reads it, or stands twice.
    """
    prepared, seen = [], set()
    for row in _rows(frame, (*ORDER_FIELDS, "skipped", "source_file", "source_row")):
        if row["id"] in seen:
            raise _unfit(row, "this order id stands twice", "id")
        seen.add(row["id"])
        skipped = row["skipped"] or ""
        record, body = (None, b"") if skipped else _encoded_order(row)
        incoming = Incoming(
            order_id=row["id"],
            content_hash=content_hash(body, key) if body else None,
            skipped=skipped,
            source_file=row["source_file"],
            source_row=row["source_row"],
        )
        prepared.append(PreparedOrder(incoming, record, body))
    return prepared


def _encoded_order(row: dict[str, Any]) -> tuple[Order, bytes]:
    try:
        price = Decimal(row["price"])
        qte = None if row["qte"] is None else int(row["qte"])
    except (ArithmeticError, TypeError, ValueError):
        # Their texts quote the cell, which may hold anything.
        raise _unfit(row, "price or qte is no number", None) from None
    order = Order(
        id=row["id"],
        article=row["article"],
        price=price,
        phone=row["phone"],
        qte=qte,
        receiver=row["receiver"],
        city=row["city"],
        address=row["address"],
    )
    return order, _encode(order, row)


def updates_of(frame: pd.DataFrame) -> list[PreparedUpdate]:
    """Read the statuses of a frame.

    Args:
        frame: `id`, `tracking_number`, `status`, `event_time` (ISO 8601, UTC), `timed`, `source_file`,
            `source_row`; one row a status, an order id as often as it has statuses.

    Raises:
        IntakeError: a status cannot be written as LeadDone reads it.
    """
    names = (*TRACKING_FIELDS, "event_time", "timed", "source_file", "source_row")
    prepared = []
    for row in _rows(frame, names):
        record = TrackingUpdate(id=row["id"], tracking_number=row["tracking_number"], status=row["status"])
        _encode(record, row)
        when = datetime.fromisoformat(row["event_time"]).astimezone(UTC).timestamp()
        update = Update(row["tracking_number"], row["status"], when, bool(row["timed"]))
        prepared.append(PreparedUpdate(record, update, row["source_file"], row["source_row"]))
    return prepared


def _rows(frame: pd.DataFrame, names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    columns = {
        name: frame[name].astype(object).where(frame[name].notna(), None).tolist()
        if name in frame
        else [None] * len(frame)
        for name in names
    }
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(names, values, strict=True))


def _encode(record: Record, row: dict[str, Any]) -> bytes:
    try:
        return encode(record)
    except ValueError as problem:
        raise _unfit(row, str(problem), None) from None


def _unfit(row: dict[str, Any], problem: str, column: str | None) -> IntakeError:
    return IntakeError(
        f"{problem}; nothing of this slice was sent",
        remedy="Send frames that leaddone_pipeline.intake has checked",
        file=row["source_file"] or "frame",
        row=row["source_row"],
        column=column,
    )
