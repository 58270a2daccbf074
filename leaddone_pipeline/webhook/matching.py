"""Which result of an answer speaks of which id, and what it says (delivery.md, rules 18 and 21)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from leaddone_pipeline.webhook.batching import number_key
from leaddone_pipeline.webhook.masking import MAX_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Fate", "JsonNumber", "Said", "match_results", "readable"]


class Fate(StrEnum):
    """What an answer says of one record."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer says of one record.

    Attributes:
        internal_id: with ACCEPTED only; a number as its decimal text.
        words: the server's message, at most 500 characters, not masked.
        hold: `success: true` without an internal id; a person must look (rule 18).
    """

    fate: Fate
    internal_id: str | None = None
    words: str = field(default="", repr=False)
    hold: bool = False


class JsonNumber(str):
    """A number of the answer as the text that it came as: float would change ids and internal ids."""

    __slots__ = ()


_UNKNOWN = Said(Fate.UNKNOWN)


def match_results(results: Iterable[Any], ids: Sequence[str]) -> tuple[tuple[Said, ...], tuple[str, ...]]:
    """Give what is said of each id, in the order sent, and the ids that were not sent (rule 21).

    An id without a result is of unknown fate, and so is one with two results that differ.
    """
    sent = set(ids)
    by_number: dict[str, list[str]] | None = None
    said: dict[str, Said] = {}
    strangers: dict[str, None] = {}
    for result in results:
        named = result.get("order_id") if isinstance(result, dict) else None
        if not isinstance(named, str):
            continue
        order_id = named if named in sent else None
        if order_id is None and isinstance(named, JsonNumber):
            by_number = by_number if by_number is not None else _by_number(sent)
            same_value = by_number.get(_decimal_text(named), [])
            order_id = same_value[0] if len(same_value) == 1 else None
        if order_id is None:
            strangers[readable(named)] = None
            continue
        now = _said(result)
        said[order_id] = now if said.get(order_id, now) == now else _UNKNOWN
    return tuple(said.get(each, _UNKNOWN) for each in ids), tuple(strangers)


def readable(value: object) -> str:
    """Take text or a number as words that any database keeps, at most 500 characters; else give none."""
    return _writable(value[:MAX_WORDS]) if isinstance(value, str) else ""


@lru_cache(maxsize=256)
def _writable(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)


# Half characters cannot be written as UTF-8, and PostgreSQL takes no NUL.
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


def _by_number(ids: Iterable[str]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for each in ids:
        grouped.setdefault(number_key(each), []).append(each)
    return grouped


_LONGEST_NUMBER = 64


def _decimal_text(number: JsonNumber) -> str:
    """Write a whole number without exponent or fraction, as the ids have it; others stay as they are."""
    if number.isdigit():
        return number_key(number)
    try:
        value = Decimal(number)
    except InvalidOperation:
        return number
    if value < 0 or value.adjusted() > _LONGEST_NUMBER or value != value.to_integral_value():
        return number
    return f"{value.to_integral_value():f}"


def _said(result: dict[str, Any]) -> Said:
    words = readable(result.get("message"))
    if result.get("success") is False:
        return Said(Fate.REFUSED, words=words)
    if result.get("success") is not True:
        return Said(Fate.UNKNOWN, words=words)
    internal_id = result.get("internal_id")
    if not isinstance(internal_id, str) or not internal_id.strip() or _UNWRITABLE.search(internal_id):
        return Said(Fate.UNKNOWN, words=words, hold=True)
    return Said(Fate.ACCEPTED, internal_id=str(internal_id), words=words)
