"""The server's words without personal data, so that they may be kept (delivery.md, rule 3)."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from leaddone_pipeline.webhook.records import Order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from leaddone_pipeline.webhook.records import Record

__all__ = ["MAX_WORDS", "mask", "mask_all"]

MAX_WORDS = 500
"""Characters of the server's words that are kept."""

_MASK = "***"
_SHORTEST = 4
"""Shorter values are part of too many ordinary words."""

_Span = tuple[int, int]

# \d is any script's digit. Between two of them: what people put into phone numbers, marks of direction too.
_BETWEEN = "[\\s.()/_+\u00ad\u2010-\u2015\u200b-\u200f\u202a-\u202e\u2066-\u2069-]{0,3}"
_PHONE_LIKE = re.compile(f"[+(]?\\d(?:{_BETWEEN}\\d){{6,}}")
_CUT_PHONE = re.compile(f"[+(]?\\d(?:{_BETWEEN}\\d){{3,}}{_BETWEEN}$")
_COUNTRY = re.compile("^(?:00)?(?:212)?0?")
_MAX_GAP = 4


def mask(words: str, record: Record) -> str:
    """Put `***` for phone-like digits and the record's own receiver, phone, address, article; cut to 500.

    Values count from 4 characters up, whatever their case, white space, HTML entities or way of writing accents;
    phone-like is 7 digits or more, however they are grouped. Privacy wins over legibility: an order id or tracking
    number of 7 digits is masked too, which is why the ledger keeps the id beside the words. A value cut off at the
    end of words that fill all 500 characters is known by its beginning.
    """
    return mask_all(words, (record,))


def mask_all(words: str, records: Iterable[Record]) -> str:
    """Do what `mask` does, for words about a whole batch."""
    is_full = len(words) >= MAX_WORDS
    words = _plain_once(words)
    spans = list(_phone_like(words, is_full=is_full))
    if words:
        for record in records:
            if isinstance(record, Order):
                spans.extend(_own(words, record, is_full=is_full))
    return _without(words, spans)[:MAX_WORDS]


def _without(words: str, spans: list[_Span]) -> str:
    kept: list[str] = []
    end = 0
    for start, stop in sorted(spans):
        if start > end or not kept:
            kept += [words[end:start], _MASK]
        end = max(end, stop)
    return "".join([*kept, words[end:]])


def _own(words: str, order: Order, *, is_full: bool) -> Iterator[_Span]:
    folded = _fold_once(words)
    for value in (order.receiver, order.address, order.article, order.phone):
        text = _plain(value) if value else ""
        # The first character alone rules out most values before they are folded.
        if len(text) >= _SHORTEST and _lower(text[0]) in folded:
            own = _fold(text)
            yield from _occurrences(own, folded)
            if is_full:
                yield from _cut_off(own, folded)
    yield from _own_phone(words, order.phone)


def _occurrences(own: str, text: str) -> Iterator[_Span]:
    start = text.find(own)
    while start >= 0:
        yield start, start + len(own)
        start = text.find(own, start + 1)


def _cut_off(own: str, text: str) -> Iterator[_Span]:
    for length in range(min(len(own), len(text)), _SHORTEST - 1, -1):
        if text.endswith(own[:length]):
            yield len(text) - length, len(text)
            return


def _own_phone(words: str, phone: str) -> Iterator[_Span]:
    """Find the subscriber's digits under any prefix and with any signs, but no letters, between them."""
    digits, places = _digits_once(words)
    if not digits:
        return
    own = _COUNTRY.sub("", "".join(str(int(char)) for char in phone if char.isdecimal()))
    if len(own) < _SHORTEST:
        return
    for start, stop in _occurrences(own, digits):
        at = places[start:stop]
        gaps = [words[left + 1 : right] for left, right in pairwise(at)]
        if not any(len(gap) > _MAX_GAP or any(map(str.isalpha, gap)) for gap in gaps):
            yield at[0], at[-1] + 1


# Most answers say the same of every record: what depends on the words alone is found out once.


@lru_cache(maxsize=256)
def _phone_like(words: str, *, is_full: bool) -> tuple[_Span, ...]:
    spans = [found.span() for found in _PHONE_LIKE.finditer(words)]
    if is_full:
        spans += [found.span() for found in _CUT_PHONE.finditer(words)]
    return tuple(spans)


@lru_cache(maxsize=256)
def _digits_once(words: str) -> tuple[str, tuple[int, ...]]:
    found = [(str(int(char)), place) for place, char in enumerate(words) if char.isdecimal()]
    return "".join(digit for digit, _ in found), tuple(place for _, place in found)


def _plain(text: str) -> str:
    """Write a text as people read it: entities resolved, accents composed, one blank for any white space."""
    resolved = html.unescape(text) if "&" in text else text
    return " ".join(unicodedata.normalize("NFC", resolved).split())


_plain_once = lru_cache(maxsize=256)(_plain)


def _fold(text: str) -> str:
    """Make upper and lower case equal, character by character, so that places stay."""
    return text.lower() if text.isascii() else "".join(map(_lower, text))


_fold_once = lru_cache(maxsize=256)(_fold)


def _lower(char: str) -> str:
    lower = char.lower()
    return lower if len(lower) == 1 else char
