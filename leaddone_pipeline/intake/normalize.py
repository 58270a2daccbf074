"""Text as people and programs write it -> text as LeadDone reads it: pure functions over whole columns.

Each takes and gives a Series of `string[pyarrow]` with the same index. What has one meaning is rewritten;
what has none or two is left as it stands, for `schemas.py` to refuse and `reasons.py` to explain. So each
function is idempotent, never changes the digits of a valid phone, and never changes the value of money.
Empty and blank become NA. Source: sources.md, sections 6 and 7.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leaddone_pipeline.contract import price_problem, trim

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "STRING",
    "amount_text",
    "event_time",
    "is_amount",
    "is_id",
    "matches",
    "order_id",
    "phone",
    "price",
    "qte",
    "text",
]

STRING = pd.StringDtype("pyarrow")
"""What every text column of intake is."""

PHONE = r"^(0[5-8][0-9]{8}|\+(?:[013-9]|2[02-9]|21[013-9])[0-9]{6,13})$"
"""A number in Morocco as 0XXXXXXXXX, any other as E.164 (but never +212)."""

ID = r"^[^\x00-\x1F\x7F]{1,255}$"
_ID_POWER_OF_TEN = r"^[+-]?[0-9]+([.,][0-9]+[eE][+-]?|[eE][+-])[0-9]+$"
PRICE = r"^(0|[1-9][0-9]*)(\.[0-9]+)?$"
QTE = r"^[1-9][0-9]{0,8}$"

_PRICE_WITHIN_LIMITS = r"^(0|0\.[0-9]{0,3}[1-9]|[1-9][0-9]{0,9}(\.[0-9]{1,4})?)$"
_TIME_WITH_OFFSET = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?"
    r" ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
)
_PLAIN_ENDS = r"^[!-~](?s:.*[!-~])?$"
_PRICE_AS_WRITTEN = r"^(0|[1-9][0-9]*)(\.([0-9]?[1-9]))?$"
AMBIGUOUS = re.compile(r"^0*[1-9][0-9]{0,2}[.,][0-9]{3}$")
"""`1.234` and `1,234`: a thousand and more, or one and a bit; nobody can tell from the cell alone."""

_ARABIC_DIGITS = {ord(digit): str(n) for row in ("٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹") for n, digit in enumerate(row)}
_ARABIC_DIGIT = "[\u0660-\u0669\u06f0-\u06f9]"
_INVISIBLE = r"[\x{00AD}\x{061C}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2069}\x{FEFF}]"
_PHONE_SEPARATORS = r"[\s\x{00A0}\x{2000}-\x{200A}\x{202F}\x{2010}-\x{2015}\x{2212}._()\-]"


def text(values: pd.Series[Any]) -> pd.Series[Any]:
    """Trim as every Laravel would (contract.trim), compose accents (NFC), make empty text NA."""
    cells = _arrow(values)
    plain = pc.fill_null(pc.match_substring_regex(cells, _PLAIN_ENDS), fill_value=True)
    if not pc.all(plain).as_py():
        cells = pc.if_else(plain, cells, pc.utf8_trim(cells, characters=_trimmed_characters()))
        cells = pc.if_else(pc.equal(cells, ""), pa.scalar(None, cells.type), cells)
    if not pc.all(pc.string_is_ascii(cells)).as_py():
        cells = pc.utf8_normalize(cells, form="NFC")
    return _series(cells, values)


def order_id(values: pd.Series[Any]) -> pd.Series[Any]:
    """Take exactly `.0` from a whole number that a spreadsheet made a float; ids are text, always."""
    return _series(pc.replace_substring_regex(_arrow(text(values)), r"^([0-9]+)\.0$", r"\1"), values)


def phone(values: pd.Series[Any]) -> pd.Series[Any]:
    """Write Moroccan numbers as 0XXXXXXXXX and foreign ones as E.164; leave the rest as it stands."""
    cells = _arrow(text(values))
    ready = pc.fill_null(pc.match_substring_regex(cells, PHONE), fill_value=True)
    if pc.all(ready).as_py():
        return _series(cells, values)
    bare = _arabic_to_ascii(pc.replace_substring_regex(cells, _INVISIBLE, ""))
    bare = pc.replace_substring_regex(bare, r"^\s*(?i:tel|phone|p)\s*:", "")
    bare = pc.replace_substring_regex(bare, r"^[\s'\x{2018}\x{2019}]+", "")
    bare = pc.replace_substring_regex(bare, r"^(\+?[0-9]+)\.0$", r"\1")
    bare = pc.replace_substring_regex(bare, _PHONE_SEPARATORS, "")
    bare = pc.replace_substring_regex(bare, r"^(?:(?:\+|00)?212)?0?([5-8][0-9]{8})$", r"0\1")
    bare = pc.replace_substring_regex(bare, r"^00([1-9][0-9]{6,14})$", r"+\1")
    clear = pc.fill_null(pc.match_substring_regex(bare, PHONE), fill_value=False)
    return _series(pc.if_else(clear, bare, cells), values)


def price(values: pd.Series[Any]) -> pd.Series[Any]:
    """Write an amount as its exact decimal, with a point and without exponent, currency or spare zeros.

    A number of thousandths that could be read as thousands keeps a fourth decimal (`1.2340`), which says that
    it was meant: so the text means one thing for whoever reads it next, this function included.
    """
    return _rewrite(text(values), ready=_PRICE_AS_WRITTEN, rewrite=_price)


def qte(values: pd.Series[Any]) -> pd.Series[Any]:
    """Write a quantity as a whole number; a fraction stays and is refused, never cut."""
    return _rewrite(text(values), ready=QTE, rewrite=_qte)


def event_time(values: pd.Series[Any]) -> pd.Series[Any]:
    """Write an ISO 8601 time with its offset in UTC to the second; the epoch, a usual filler, is no date."""
    values_as_text = text(values)
    cells = _arrow(values_as_text)
    spaced = pc.replace_substring_regex(cells, r"^(\S+)[T ]([0-9:.,]+) ?", r"\1T\2")
    tidy = _series(pc.replace_substring(spaced, ",", "."), values)
    times = pd.to_datetime(
        tidy.where(matches(values_as_text, _TIME_WITH_OFFSET)), format="ISO8601", utc=True, errors="coerce"
    )
    written = times.dt.strftime("%Y-%m-%dT%H:%M:%SZ").astype(STRING)
    result = written.fillna(_series(cells, values))
    return result.mask(result == "1970-01-01T00:00:00Z")


def is_id(values: pd.Series[Any]) -> pd.Series[Any]:
    """Say of each text whether it can be an id: one line, at most 255 characters, no power of ten."""
    return matches(values, ID) & ~matches(values, _ID_POWER_OF_TEN)


def is_amount(values: pd.Series[Any]) -> pd.Series[Any]:
    """Say of each text whether it is an amount as `price` writes it, zero included, that PHP would keep."""
    good = matches(values, _PRICE_WITHIN_LIMITS)
    rare = matches(values, PRICE) & ~good
    if rare.any():
        good[rare] = [price_problem(Decimal(amount)) is None for amount in values[rare]]
    return good & ~matches(values, AMBIGUOUS.pattern)


def amount_text(amount: Decimal) -> str:
    """Write an exact amount as `price` does."""
    whole, _, fraction = f"{amount:f}".partition(".")
    return _decimal_text(whole, fraction)


def matches(values: pd.Series[Any], pattern: str) -> pd.Series[Any]:
    """Say for each cell whether RE2 finds the pattern; NA finds nothing."""
    found = pc.fill_null(pc.match_substring_regex(_arrow(values), pattern), fill_value=False)
    return _series_of_bool(found, values)


_CURRENCY = r"(?:dirhams?|dhs?|mad|د\s*\.?\s*م\s*\.?|درهما|درهم|دراهم)\.?"
_CURRENCY_WORDS = re.compile(rf"^{_CURRENCY}\s*(?=[0-9.,])|(?<=[0-9])\s*{_CURRENCY}$", re.IGNORECASE)
_MARKS = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_DECIMAL = re.compile(r"([0-9]*)(?:[.,]([0-9]+))?")
_SPACED_THOUSANDS = re.compile(r"([1-9][0-9]{0,2}(?:[\s'\u2019\u066c][0-9]{3})+)(?:[.,]([0-9]+))?")
_MARKED_THOUSANDS = (
    re.compile(r"([1-9][0-9]{0,2}(?:,[0-9]{3})+)\.([0-9]+)"),
    re.compile(r"([1-9][0-9]{0,2}(?:\.[0-9]{3})+),([0-9]+)"),
    re.compile(r"([1-9][0-9]{0,2}(?:,[0-9]{3}){2,})()"),
    re.compile(r"([1-9][0-9]{0,2}(?:\.[0-9]{3}){2,})()"),
)


def _price(written: str) -> str:
    bare = _MARKS.sub("", written).translate(_ARABIC_DIGITS).replace("\u066b", ".").strip()
    bare = _CURRENCY_WORDS.sub("", bare).strip()
    if AMBIGUOUS.fullmatch(bare):
        return written
    for form in (_DECIMAL, _SPACED_THOUSANDS, *_MARKED_THOUSANDS):
        if bare and (found := form.fullmatch(bare)):
            return _decimal_text(re.sub(r"[^0-9]", "", found[1]), found[2] or "")
    return written


def _decimal_text(whole: str, fraction: str) -> str:
    short = fraction.rstrip("0")
    result = (whole.lstrip("0") or "0") + (f".{short}" if short else "")
    return f"{result}0" if AMBIGUOUS.fullmatch(result) else result


def _qte(written: str) -> str:
    bare = _MARKS.sub("", written).translate(_ARABIC_DIGITS).strip()
    found = re.fullmatch(r"0*([0-9]+?)(?:[.,\u066b]0+)?", bare)
    return found[1] if found else written


def _rewrite(values: pd.Series[Any], *, ready: str, rewrite: Callable[[str], str]) -> pd.Series[Any]:
    """Apply a rewriting once to each different text that is not in its final form yet."""
    cells = _arrow(values)
    done = pc.fill_null(pc.match_substring_regex(cells, ready), fill_value=True)
    if pc.all(done).as_py():
        return values
    codes = cells.dictionary_encode()
    rewritten = pa.array(
        [None if cell is None else rewrite(cell) for cell in codes.dictionary.to_pylist()], cells.type
    )
    return _series(pc.if_else(done, cells, rewritten.take(codes.indices)), values)


def _arabic_to_ascii(cells: pa.Array) -> pa.Array:
    arabic = pc.fill_null(pc.match_substring_regex(cells, _ARABIC_DIGIT), fill_value=False)
    if not pc.any(arabic).as_py():
        return cells
    latin = [cell.translate(_ARABIC_DIGITS) for cell in cells.filter(arabic).to_pylist()]
    return pc.replace_with_mask(cells, arabic, pa.array(latin, cells.type))


@cache
def _trimmed_characters() -> str:
    candidates = (*range(0x3200), 0xFEFF, 0xFFA0, 0x1D159, *range(0x1D173, 0x1D17B), 0xE0020)
    return "".join(chr(point) for point in candidates if not trim(chr(point)))


def _arrow(values: pd.Series[Any]) -> pa.Array:
    cells = pa.array(values, type=pa.large_string(), from_pandas=True)
    return cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells


def _series(cells: pa.Array, like: pd.Series[Any]) -> pd.Series[Any]:
    return pd.Series(pd.arrays.ArrowStringArray(cells), index=like.index, name=like.name)


def _series_of_bool(cells: pa.Array, like: pd.Series[Any]) -> pd.Series[Any]:
    return pd.Series(cells.to_numpy(zero_copy_only=False), index=like.index, name=like.name)
