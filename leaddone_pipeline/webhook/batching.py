"""Encoded records to batches, by count and bytes, in one pass and in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from leaddone_pipeline.contract import trim

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["EncodedRecord", "batches", "number_key"]

_BRACKETS = len(b"[]")
_COMMA = len(b",")


class EncodedRecord(Protocol):
    """A record with its id and the JSON object that `encode` made of it."""

    @property
    def id(self) -> str: ...

    @property
    def body(self) -> bytes: ...


T = TypeVar("T", bound=EncodedRecord)


def batches(records: Iterable[T], *, size: int, max_bytes: int) -> Iterator[list[T]]:
    """Cut records into batches whose bodies, brackets and commas included, keep both limits.

    A lone record beyond `max_bytes` is a batch by itself: only LeadDone can say whether it takes it. Ids that
    a server may cast to one number never share a batch (delivery.md, rule 14): the second one closes the
    batch, so the order of the records is kept and no more than one batch is held in memory.
    """
    batch: list[T] = []
    keys: set[str] = set()
    length = _BRACKETS
    for record in records:
        key = number_key(trim(record.id))
        grown = length + len(record.body) + (_COMMA if batch else 0)
        if batch and (len(batch) >= size or grown > max_bytes or key in keys):
            yield batch
            batch, keys, grown = [], set(), _BRACKETS + len(record.body)
        batch.append(record)
        keys.add(key)
        length = grown
    if batch:
        yield batch


def number_key(order_id: str) -> str:
    """Name the number that a server may make of an id; other ids stand for themselves."""
    if order_id.isascii() and order_id.isdigit():
        return order_id.lstrip("0") or "0"
    return order_id
