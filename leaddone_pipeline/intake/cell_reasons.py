"""Why a single cell is refused, found by looking at what it holds; no sentence repeats it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from leaddone_pipeline.contract import price_problem
from leaddone_pipeline.intake.phones import MOROCCO, digits_of, two_numbers_in
from leaddone_pipeline.intake.prices import AMBIGUOUS, DIRHAM, foreign
from leaddone_pipeline.intake.reasons import (
    MAX_ID_LENGTH,
    MAX_STATUS_LENGTH,
    MAX_TEXT_LENGTH,
    NUL,
    Code,
    Reason,
    foreign_currency,
)
from leaddone_pipeline.intake.spreadsheet_errors import shows_error

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["explain"]

_YEAR_DIGITS = 4
_MONTHS = 12
_ON_ONE_LINE = frozenset({"id", "tracking_number", "status"})


def explain(field: str, value: str | None, *, region: str = MOROCCO, currency: str = DIRHAM) -> Reason:
    """Say why a cell, normalized as far as it could be, is not what the field must be."""
    if value is None:
        return Reason(Code.MISSING, f"{field}: empty", f"Enter the {field.replace('_', ' ')}")
    if shows_error(field, value):
        return Reason(
            Code.SPREADSHEET_ERROR,
            f"{field}: a spreadsheet's error such as #N/A, or a formula that was never computed",
            "Mend the formula, or write the value in its place",
        )
    if field == "phone":
        return _phone(value, region)
    if field == "price":
        return _price(value, currency)
    by_field = {"qte": _qte, "event_time": _time}
    return by_field[field](value) if field in by_field else _text(field, value)


def _phone(value: str, region: str) -> Reason:
    if _scientific(value):
        return _lost_digits("phone")
    if two_numbers_in(value):
        return Reason(
            Code.SEVERAL_NUMBERS,
            "phone: more than one number",
            "Keep only the number that LeadDone is to call",
        )
    if any(letter.isalpha() for letter in value):
        return Reason(Code.LETTERS, "phone: letters among the digits", "Write the number in digits alone")
    remedy = "Correct the number; write a foreign one with + and its country code"
    digits = "".join(letter for letter in value if letter.isdecimal())
    if value.lstrip("' ").startswith("+") and not digits.startswith("212"):
        return Reason(
            Code.WRONG_LENGTH, f"phone: {len(digits)} digits, too few or too many for its country", remedy
        )
    if region != MOROCCO:
        lengths = _either(digits_of(region))
        return Reason(
            Code.WRONG_LENGTH, f"phone: {len(digits)} digits, a number in {region} has {lengths}", remedy
        )
    national = re.sub(r"^(?:00212|212|0)", "", digits)
    (wanted,) = digits_of(MOROCCO)
    if re.fullmatch(r"[5-8][0-9]{8}", national):
        return Reason(
            Code.NOT_A_NUMBER, "phone: other characters among the digits", "Write the number in digits alone"
        )
    if len(national) != wanted:
        return Reason(
            Code.WRONG_LENGTH,
            f"phone: {len(national)} digits, a number in {MOROCCO} has {wanted} after the 0",
            remedy,
        )
    return Reason(Code.NO_SUCH_NUMBER, f"phone: a number in {MOROCCO} begins with 05, 06, 07 or 08", remedy)


def _either(lengths: Sequence[int]) -> str:
    *first, last = map(str, lengths or ("another number of digits",))
    return f"{', '.join(first)} or {last}" if first else last


def _price(value: str, currency: str) -> Reason:
    if _scientific(value):
        return _lost_digits("price")
    if AMBIGUOUS.fullmatch(value) or re.fullmatch(rf"\D*{AMBIGUOUS.pattern.strip('^$')}\D*", value):
        return Reason(
            Code.AMBIGUOUS,
            "price: its one separator may be a decimal point or mark thousands",
            "Write two decimals, or no separator for thousands",
        )
    if foreign(value, currency):
        return foreign_currency(currency)
    if re.match(r"[-\u2212]\s*[0-9]", value):
        return Reason(Code.NEGATIVE, "price: negative", "Enter what the customer pays")
    if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", value) is None:
        return Reason(Code.NOT_A_NUMBER, "price: not a number", "Write the amount in digits, such as 199.50")
    amount = Decimal(value)
    if amount == 0:
        return Reason(Code.ZERO, "price: zero", "Enter the price, or leave the order out")
    problem = price_problem(amount) or "out of the range that can be sent"
    return Reason(Code.OUT_OF_RANGE, f"price: {problem}", "Enter the price as a plain amount, such as 199.50")


def _qte(value: str) -> Reason:
    remedy = "Enter the number of pieces as a whole number"
    if _scientific(value):
        return _lost_digits("qte")
    if re.fullmatch(r"[0-9]*[.,][0-9]+", value):
        return Reason(Code.FRACTION, "qte: a fraction", remedy)
    if re.fullmatch(r"0+", value):
        return Reason(Code.ZERO, "qte: zero", remedy)
    if re.fullmatch(r"[0-9]+", value):
        return Reason(Code.OUT_OF_RANGE, "qte: 1,000,000,000 or more", remedy)
    return Reason(Code.NOT_A_NUMBER, "qte: not a whole number", remedy)


def _time(value: str) -> Reason:
    day = re.match(r"([0-9]{1,4})[-/.]([0-9]{1,2})[-/.]([0-9]{2,4})(?:[ T,]|$)", value)
    if day is None:
        return Reason(
            Code.NOT_A_TIME,
            "event_time: not a time",
            "Write it with its offset, such as 2026-11-23T10:00:00+01:00",
        )
    if len(day[1]) < _YEAR_DIGITS and int(day[1]) <= _MONTHS and int(day[2]) <= _MONTHS and day[1] != day[2]:
        return Reason(
            Code.DAY_OR_MONTH,
            "event_time: it is unclear which number is the day and which the month",
            "Set times.order in the source's YAML, or write it as 2026-11-23T10:00:00+01:00",
        )
    if re.search(r"[0-9]:[0-9]{2}", value) is None:
        return Reason(
            Code.NOT_A_TIME,
            "event_time: a day without a time and a zone, or no day of the calendar",
            "Write it with its offset, such as 2026-11-23T10:00:00+01:00",
        )
    return Reason(
        Code.NO_OFFSET,
        "event_time: without an offset from UTC, or no time of the calendar",
        "Add the offset, such as 2026-11-23T10:00:00+01:00, or set times.zone in the source's YAML",
    )


def _text(field: str, value: str) -> Reason:
    if field in {"id", "tracking_number"} and _scientific(value):
        return _lost_digits(field)
    if "\x00" in value:
        return NUL
    if field in _ON_ONE_LINE and any(letter < " " or letter == "\x7f" for letter in value):
        return Reason(
            Code.CONTROL_CHARACTER, f"{field}: a line end or control character", "Write it on one line"
        )
    limit = {"id": MAX_ID_LENGTH, "tracking_number": MAX_ID_LENGTH, "status": MAX_STATUS_LENGTH}.get(
        field, MAX_TEXT_LENGTH
    )
    return Reason(Code.TOO_LONG, f"{field}: {len(value)} characters, {limit} at most", "Shorten it")


def _scientific(value: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]+", value) is not None


def _lost_digits(field: str) -> Reason:
    return Reason(
        Code.SCIENTIFIC,
        f"{field}: a spreadsheet has written it as a power of ten, and its digits are gone",
        "Export the file again and do not save it in a spreadsheet, or format the column as text first",
    )
