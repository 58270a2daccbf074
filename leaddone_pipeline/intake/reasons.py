"""Why a row is refused: a stable code for programs, a sentence and a remedy for its owner.

Sentences are made here and nowhere else, and never hold what the cell holds: a reason is shown where personal
data has no business. The row itself stands in the quarantine's `raw`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from leaddone_pipeline.contract import price_problem
from leaddone_pipeline.intake.phones import MOROCCO, digits_of, two_numbers_in
from leaddone_pipeline.intake.prices import AMBIGUOUS, DIRHAM, foreign

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Code", "Reason", "explain", "foreign_currency", "unexpected", "unknown_status"]

MAX_TEXT_LENGTH = 5_000
MAX_ID_LENGTH = 255
MAX_STATUS_LENGTH = 100
_YEAR_DIGITS = 4
_MONTHS = 12
_ON_ONE_LINE = frozenset({"id", "tracking_number", "status"})


class Code(StrEnum):
    """Stable names of the reasons for quarantine."""

    MISSING = "missing"
    RAGGED = "ragged"
    UNCLOSED_QUOTE = "unclosed_quote"
    NUL = "nul_byte"
    NOT_TEXT = "not_text"
    BROKEN_RECORD = "broken_record"
    TOO_LONG = "too_long"
    CONTROL_CHARACTER = "control_character"
    SCIENTIFIC = "scientific_notation"
    LETTERS = "letters"
    SEVERAL_NUMBERS = "several_numbers"
    WRONG_LENGTH = "wrong_length"
    NO_SUCH_NUMBER = "no_such_number"
    AMBIGUOUS = "ambiguous_number"
    NOT_A_NUMBER = "not_a_number"
    NEGATIVE = "negative"
    ZERO = "zero"
    FRACTION = "fraction"
    OUT_OF_RANGE = "out_of_range"
    UNKNOWN_STATUS = "unknown_status"
    UNKNOWN_PARCEL = "unknown_parcel"
    NOT_A_TIME = "not_a_time"
    NO_OFFSET = "no_offset"
    DAY_OR_MONTH = "day_or_month"
    IN_THE_FUTURE = "in_the_future"
    NO_DAY = "no_day"
    DIFFERS_FROM_EARLIER = "differs_from_earlier"
    LINES_DISAGREE = "lines_disagree"
    ORDER_TWICE = "order_twice_in_a_row"
    ROWS_UNSAID = "rows_share_an_id"
    PRICE_UNSAID = "price_unit_or_total"
    ITEMS_UNREADABLE = "items_unreadable"
    BALANCE_UNKNOWN = "balance_unknown"
    FOREIGN_CURRENCY = "foreign_currency"
    WITH_ORDER = "with_order"


@dataclass(frozen=True, slots=True)
class Reason:
    """A code, what is wrong in one clause, and what to do in one sentence without its full stop."""

    code: Code
    problem: str
    remedy: str


RAGGED = Reason(
    Code.RAGGED,
    "row: another number of cells than the header has",
    "Put cells that hold the delimiter in quotes, or complete the row",
)
UNCLOSED_QUOTE = Reason(
    Code.UNCLOSED_QUOTE,
    "row: a quote is opened and not closed, and has swallowed what follows it",
    "Delete the stray quote; the rows that it swallowed are in this row's raw text",
)
NUL = Reason(Code.NUL, "row: it holds a NUL byte", "Export the file again, it was damaged on its way")
CELL_TOO_LONG = Reason(
    Code.TOO_LONG,
    "row: a cell of more than 32,767 characters",
    "Shorten it; it may have swallowed other rows",
)
BROKEN_RECORD = Reason(
    Code.BROKEN_RECORD, "row: no whole JSON object", "Export the file again, it was damaged on its way"
)
NOT_TEXT = Reason(Code.NOT_TEXT, "row: a cell holds half a character", "Export the file again as UTF-8")
DIFFERS = Reason(
    Code.DIFFERS_FROM_EARLIER,
    "id: an earlier row of the day has the same id and other content; the earlier one stands",
    "Give the order an id of its own, or delete the row that is wrong",
)
LINES_DISAGREE = Reason(
    Code.LINES_DISAGREE,
    "order: its rows disagree about phone, city or amount",
    "Correct the rows, or leave these columns empty on all but the order's first row",
)
ORDER_TWICE = Reason(
    Code.ORDER_TWICE,
    "order: two rows running carry the order's total: one order of two lines, or one order twice",
    "Leave the order's columns empty on further lines, or delete the repeated row",
)
ROWS_UNSAID = Reason(
    Code.ROWS_UNSAID,
    "id: several rows have it and differ: one order of several lines, or several orders",
    "Give each order an id of its own, or set orders: {lines: rows} in a source YAML of your own",
)
ROWS_APART = Reason(
    Code.ORDER_TWICE,
    "order: its rows do not stand together, and some are equal: lines of one order, or one order twice",
    "Sort the file by order, or delete the repeated rows",
)
PRICE_UNSAID = Reason(
    Code.PRICE_UNSAID,
    "price: several pieces, and the file does not say whether the price is one piece's or all's",
    "Set price_is to unit or total in a source YAML of your own, or write a column Total",
)
ITEMS_UNREADABLE = Reason(
    Code.ITEMS_UNREADABLE,
    "items: the cell does not name an article for each item",
    "Export the items as rows, or correct the cell",
)
BALANCE_UNKNOWN = Reason(
    Code.BALANCE_UNKNOWN,
    "price: paid in part, and the file does not say what is left to collect",
    "Export with the column Outstanding Balance, or enter what is left as the order's total",
)
FUTURE = Reason(
    Code.IN_THE_FUTURE,
    "event_time: more than 24 hours ahead of now",
    "Correct the time, or the clock of the program that wrote it",
)
NO_DAY = Reason(
    Code.NO_DAY,
    "date: empty, or no date, and the file's name does not tell the day either",
    "Enter the date in the export, such as 2026-11-23; the row is then taken on its day",
)
AFTER_TODAY = Reason(
    Code.IN_THE_FUTURE,
    "date: after today",
    "Correct the date in the export; if it is right, the row is taken on its day",
)
WITH_ORDER = Reason(Code.WITH_ORDER, "a further line of the order above", "Correct the order's first row")


def foreign_currency(expected: str) -> Reason:
    """Refuse an amount that LeadDone, which knows no currency, would take for another."""
    return Reason(
        Code.FOREIGN_CURRENCY,
        f"currency: not {expected}, and LeadDone would take the amount for {expected}",
        f"Convert the amount, or set currency in the source's YAML if the shop does not sell in {expected}",
    )


def unexpected(column: str) -> Reason:
    """Refuse an order whose state the source does not know."""
    return Reason(
        Code.UNKNOWN_STATUS,
        f"{column}: empty, or a state that the source does not know",
        "Correct the cell, or list the state in a source YAML of your own",
    )


UNKNOWN_PARCEL = Reason(
    Code.UNKNOWN_PARCEL,
    "id: empty, and no order is known by this tracking number",
    "Enter the shop's order id, or send first a courier file that has both",
)


def unknown_status(nearest: str | None) -> Reason:
    """Refuse a courier's word that the source does not map, naming the nearest one that it does."""
    hint = f'; the nearest known is "{nearest}"' if nearest else ""
    return Reason(
        Code.UNKNOWN_STATUS,
        f"status: not among those that the source knows{hint}",
        "Correct the status, or map it in a source YAML of your own",
    )


def explain(field: str, value: str | None, *, region: str = MOROCCO) -> Reason:
    """Say why a cell, normalized as far as it could be, is not what the field must be."""
    if value is None:
        return Reason(Code.MISSING, f"{field}: empty", f"Enter the {field.replace('_', ' ')}")
    if field == "phone":
        return _phone(value, region)
    by_field = {"price": _price, "qte": _qte, "event_time": _time}
    return by_field[field](value) if field in by_field else _text(field, value)


def _phone(value: str, region: str) -> Reason:
    if _scientific(value):
        return _lost_digits("phone")
    if two_numbers_in(value):
        return Reason(
            Code.SEVERAL_NUMBERS, "phone: more than one number", "Leave the number that LeadDone shall call"
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


def _price(value: str) -> Reason:
    if _scientific(value):
        return _lost_digits("price")
    if AMBIGUOUS.fullmatch(value) or re.fullmatch(rf"\D*{AMBIGUOUS.pattern.strip('^$')}\D*", value):
        return Reason(
            Code.AMBIGUOUS,
            "price: its one separator may be a decimal point or mark thousands",
            "Write two decimals, or no separator for thousands",
        )
    if foreign(value):
        return foreign_currency(DIRHAM)
    if re.match(r"[-\u2212]\s*[0-9]", value):
        return Reason(Code.NEGATIVE, "price: negative", "Enter what the customer pays")
    if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", value) is None:
        return Reason(Code.NOT_A_NUMBER, "price: not a number", "Write the amount in digits, such as 199.50")
    amount = Decimal(value)
    if amount == 0:
        return Reason(Code.ZERO, "price: zero", "Enter the price, or leave the order out")
    problem = price_problem(amount) or "out of the range that can be sent"
    return Reason(Code.OUT_OF_RANGE, f"price: {problem}", "Enter the price in dirhams, such as 199.50")


def _qte(value: str) -> Reason:
    remedy = "Enter the number of pieces as a whole number"
    if _scientific(value):
        return _lost_digits("qte")
    if re.fullmatch(r"[0-9]*[.,][0-9]+", value):
        return Reason(Code.FRACTION, "qte: a fraction", remedy)
    if re.fullmatch(r"0+", value):
        return Reason(Code.ZERO, "qte: zero", remedy)
    if re.fullmatch(r"[0-9]+", value):
        return Reason(Code.OUT_OF_RANGE, "qte: a thousand million or more", remedy)
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
            "event_time: which number is the day and which the month is not said",
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
