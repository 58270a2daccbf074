"""Amounts of money as people and programs write them -> exact decimals as text. No float comes near them.

`1.234` alone may be a thousand or one and a bit. The column settles it, by what its other cells show beyond
doubt (a Convention, made of a bounded sample), or the cell is refused; it is never guessed.
Source: sources.md, section 6.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from leaddone_pipeline.contract import MAX_PRICE_DIGITS, price_problem
from leaddone_pipeline.intake.columns import matches, rewrite, text, unmarked

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AMBIGUOUS", "DIRHAM", "Convention", "amount_text", "foreign", "is_amount", "is_currency", "price"]

DIRHAM = "MAD"

AMBIGUOUS = re.compile(r"^0*[1-9][0-9]{0,2}[.,][0-9]{3}$")
"""`1.234` and `1,234`: a thousand and more, or one and a bit; nobody can tell from the cell alone."""

_PRICE = r"^(0|[1-9][0-9]*)(\.[0-9]+)?$"
_WITHIN_LIMITS = r"^(0|0\.[0-9]{0,3}[1-9]|[1-9][0-9]{0,9}(\.[0-9]{1,4})?)$"
_AS_WRITTEN = r"^(0|[1-9][0-9]*)(\.([0-9]?[1-9]))?$"

_WORDS = {
    DIRHAM: r"dirhams?|dhs?|د\s*\.?\s*م|درهما|درهم|دراهم|ⴰⴷⵔⵉⵎ|ⴷⵔⵀⵎ",
    "EUR": r"€|euros?",
    "USD": r"\$|us\$|dollars?",
    "GBP": r"£",
}
_ARABIC_POINTS = {0x066B: ".", 0x066C: "'", 0xFF0E: ".", 0xFF0C: ","}
_DECIMAL = re.compile(r"([0-9]*)(?:[.,]([0-9]+))?")
_SPACED_THOUSANDS = re.compile(r"([1-9][0-9]{0,2}(?:[\s'\u2019][0-9]{3})+)(?:[.,]([0-9]+))?")
_MARKED_THOUSANDS = (
    re.compile(r"([1-9][0-9]{0,2}(?:,[0-9]{3})+)\.([0-9]+)"),
    re.compile(r"([1-9][0-9]{0,2}(?:\.[0-9]{3})+),([0-9]+)"),
    re.compile(r"([1-9][0-9]{0,2}(?:,[0-9]{3}){2,})()"),
    re.compile(r"([1-9][0-9]{0,2}(?:\.[0-9]{3}){2,})()"),
)


def _alone(*forms: str) -> str:
    return rf"(?:^|[^0-9.,])(?:{'|'.join(forms)})(?:$|[^0-9.,])"


def _showing(decimal: str, thousands: str) -> str:
    """Match what shows a decimal mark beyond doubt.

    That is: other than three digits after it, a nought or four digits before it, or the other mark for thousands.
    """
    return _alone(
        rf"[0-9]+[{decimal}](?:[0-9]{{1,2}}|[0-9]{{4,}})",
        rf"0*[{decimal}][0-9]+",
        rf"[0-9]{{4,}}[{decimal}][0-9]+",
        rf"[0-9]{{1,3}}(?:[{thousands}][0-9]{{3}})+[{decimal}][0-9]+",
        rf"[0-9]{{1,3}}(?:[{thousands}][0-9]{{3}}){{2,}}",
    )


_POINT, _COMMA = _showing(".", ","), _showing(",", ".")
_THREE_PLACES = _alone(
    r"0*[.,][0-9]{3}",
    r"[0-9]{4,}[.,][0-9]{3}",
    r"[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]{3}",
    r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]{3}",
)

_NOISY_DIGITS = 16
_MEANT_DIGITS = 11
_DOUBLE = Context(prec=MAX_PRICE_DIGITS)


@dataclass(frozen=True, slots=True)
class Convention:
    """How a column writes its numbers, as far as its cells show it beyond doubt.

    Attributes:
        point: some cell has `.` as its decimal mark.
        comma: some cell has `,` as its decimal mark.
        three_places: some cell has three decimals, so `1.234` need not be thousands.
    """

    point: bool = False
    comma: bool = False
    three_places: bool = False

    @classmethod
    def of(cls, sample: pd.Series[Any]) -> Convention:
        """Read a sample of the column: the file's first rows, so that slices of any size decide alike."""
        plain = sample.dropna()
        if matches(plain, r"[^ -~]").any():
            plain = rewrite(plain, ready=r"^[ -~]*$", by=_plain)
        return cls(
            point=bool(matches(plain, _POINT).any()),
            comma=bool(matches(plain, _COMMA).any()),
            three_places=bool(matches(plain, _THREE_PLACES).any()),
        )

    def contradicted(self, values: pd.Series[Any]) -> int:
        """Count the cells of later rows whose decimal mark is not the one that the sample showed."""
        if self.point == self.comma:
            return 0
        return int(matches(values.dropna(), _COMMA if self.point else _POINT).sum())

    def settle(self, written: str) -> str | None:
        """Read an ambiguous number, with `.` as decimal mark; None if the column does not settle it."""
        if self.point == self.comma:
            return None
        decimal = "." if self.point else ","
        if decimal not in written:
            return re.sub(r"[.,]", "", written)
        return written.replace(",", ".") if self.three_places else None


def price(
    values: pd.Series[Any], *, convention: Convention = Convention(), currency: str = DIRHAM
) -> pd.Series[Any]:
    """Write an amount as its exact decimal, with a point and without exponent, currency or spare zeros.

    A number of thousandths that could be read as thousands keeps a fourth decimal (`1.2340`), which says that
    it was meant: so the text means one thing for whoever reads it next, this function included. Words and
    signs of the shop's currency are dropped; those of another stay, and the cell is refused.
    """
    return rewrite(text(values), ready=_AS_WRITTEN, by=lambda cell: _price(cell, convention, currency))


def is_amount(values: pd.Series[Any]) -> pd.Series[Any]:
    """Say of each text whether it is an amount as `price` writes it, zero included, that PHP would keep."""
    good = matches(values, _WITHIN_LIMITS)
    rare = matches(values, _PRICE) & ~good
    if rare.any():
        good[rare] = [price_problem(Decimal(amount)) is None for amount in values[rare]]
    return good & ~matches(values, AMBIGUOUS.pattern)


def amount_text(amount: Decimal) -> str:
    """Write an exact amount as `price` does."""
    whole, _, fraction = f"{amount:f}".partition(".")
    return _decimal_text(whole, fraction)


def foreign(value: str, currency: str = DIRHAM) -> bool:
    """Say whether a cell names another currency than the shop's."""
    bare = _plain(value)
    return any(_words(other).search(bare) is not None for other in _WORDS if other != currency)


def is_currency(value: str, currency: str = DIRHAM) -> bool:
    """Say whether a cell names the currency alone, in any of the words that may stand beside an amount."""
    return _words(currency).sub("", f"1 {_plain(value)}") == "1"


def _price(written: str, convention: Convention, currency: str) -> str:
    bare = _words(currency).sub("", _plain(written)).strip()
    if AMBIGUOUS.fullmatch(bare):
        settled = convention.settle(bare)
        if settled is None:
            return written
        whole, _, fraction = settled.partition(".")
        return _decimal_text(whole, fraction)
    for form in (_DECIMAL, _SPACED_THOUSANDS, *_MARKED_THOUSANDS):
        if bare and (found := form.fullmatch(bare)):
            return _decimal_text(re.sub(r"[^0-9]", "", found[1]), found[2] or "")
    return written


def _plain(written: str) -> str:
    return unmarked(written).translate(_ARABIC_POINTS).strip()


@lru_cache
def _words(currency: str) -> re.Pattern[str]:
    words = "|".join(filter(None, [re.escape(currency), _WORDS.get(currency)]))
    words = rf"(?:{words})\.?"
    return re.compile(rf"^{words}\s*(?=[0-9.,])|(?<=[0-9])\s*{words}$", re.IGNORECASE)


def _decimal_text(whole: str, fraction: str) -> str:
    whole, fraction = _without_noise(whole, fraction)
    short = fraction.rstrip("0")
    result = (whole.lstrip("0") or "0") + (f".{short}" if short else "")
    return f"{result}0" if AMBIGUOUS.fullmatch(result) else result


def _without_noise(whole: str, fraction: str) -> tuple[str, str]:
    """Take back what a binary float adds: `68.66499999999999` was 68.665, and no amount has 16 digits."""
    if len((whole + fraction).strip("0")) < _NOISY_DIGITS or not fraction:
        return whole, fraction
    meant = _DOUBLE.create_decimal(f"{whole or '0'}.{fraction}").normalize(_DOUBLE)
    if len(meant.as_tuple().digits) > _MEANT_DIGITS:
        return whole, fraction
    whole, _, fraction = f"{meant:f}".partition(".")
    return whole, fraction
