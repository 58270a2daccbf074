"""Why a row is refused: a stable code for programs, a sentence and a remedy for its owner.

Sentences are made here and, about single cells, in cell_reasons.py, and never hold what the cell holds: a reason
is shown where personal data has no business. The row itself stands in the quarantine's `raw`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "Code",
    "Reason",
    "foreign_currency",
    "records_differ",
    "rows_differ",
    "unexpected",
    "unknown_status",
]

MAX_TEXT_LENGTH = 5_000
MAX_ID_LENGTH = 255
MAX_STATUS_LENGTH = 100


class Code(StrEnum):
    """Stable names of the reasons for quarantine."""

    MISSING = "missing"
    RAGGED = "ragged"
    UNCLOSED_QUOTE = "unclosed_quote"
    OTHER_HEADER = "below_another_header"
    NUL = "nul_byte"
    NOT_TEXT = "not_text"
    BROKEN_RECORD = "broken_record"
    TOO_LONG = "too_long"
    CONTROL_CHARACTER = "control_character"
    SPREADSHEET_ERROR = "spreadsheet_error"
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
    REFUND_UNCLEAR = "refund_unclear"
    TOTAL_MISSING = "total_missing"
    PERCENTAGE = "percentage"
    DISCOUNT_TOO_LARGE = "discount_too_large"
    FOREIGN_CURRENCY = "foreign_currency"
    WITH_ORDER = "with_order"


@dataclass(frozen=True, slots=True)
class Reason:
    """A code, what is wrong in one clause, and what to do in one sentence without its full stop."""

    code: Code
    problem: str
    remedy: str


_OF_LINES = "where columns: {line_total: [Montant]} names the amount if each row has its own"
"""An amount that is equal on each row is else the order's."""

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
OTHER_HEADER = Reason(
    Code.OTHER_HEADER,
    "row: it stands in a second table, whose columns are in another order than the first one's",
    "Put the second table into a file of its own",
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
    "Correct the rows, or leave these columns empty on all but the order's first row; an amount that each line "
    "has for itself stands under line_total in the source's YAML",
)
ORDER_TWICE = Reason(
    Code.ORDER_TWICE,
    "order: two rows in a row carry the order's total: one order of two lines, or one order twice",
    "Leave the order's columns empty on further lines, or delete the repeated row",
)
ROW_WITHOUT_ID = Reason(
    Code.ROWS_UNSAID,
    "id: empty in a row below the order, which has an article or an amount and no customer",
    "Complete or delete the row; or, if such rows are further lines of the order above, set orders: {lines: rows} in "
    f"a source YAML of your own, {_OF_LINES}",
)
ROWS_APART = Reason(
    Code.ORDER_TWICE,
    "order: its rows do not stand together, and some are equal: lines of one order, or one order twice",
    "Sort the file by order, or delete the repeated rows",
)
PRICE_UNSAID = Reason(
    Code.PRICE_UNSAID,
    "price: several pieces, and the file does not say whether the price is one piece's or all's",
    "Set price_is to unit or total in a source YAML of your own, or add a column Total",
)
ITEMS_UNREADABLE = Reason(
    Code.ITEMS_UNREADABLE,
    "items: the cell does not name an article for each item",
    "Export the items as rows, or correct the cell",
)
BALANCE_UNKNOWN = Reason(
    Code.BALANCE_UNKNOWN,
    "price: paid in part, and the file does not say what is left to collect",
    "Export with the column Outstanding Balance, or enter what is left as the total and pending as the state",
)
REFUND_UNCLEAR = Reason(
    Code.REFUND_UNCLEAR,
    "price: something was given back, and what is left to collect cannot be told",
    "Enter what is left as the order's total and empty the cell of the refund, or leave the order out",
)
PERCENTAGE = Reason(
    Code.PERCENTAGE,
    "discount: below 1, so it looks like a percentage",
    "Write the amount that is taken off, such as 20",
)
DISCOUNT_TOO_LARGE = Reason(
    Code.DISCOUNT_TOO_LARGE,
    "discount: larger than what it is taken off",
    "Correct the discount or the price; leave the order out if nothing is to be collected",
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


def rows_differ(column: str) -> Reason:
    """Refuse rows with one id of which nobody knows whether they are lines of one order."""
    return Reason(
        Code.ROWS_UNSAID,
        f"id: several rows have it and differ in the column {column}: one order of several lines, or several orders",
        f"Give each order an id of its own, or set orders: {{lines: rows}} in a source YAML of your own, {_OF_LINES}",
    )


def records_differ(column: str) -> Reason:
    """Refuse records with one id of which nobody knows which is right."""
    return Reason(
        Code.ROWS_UNSAID,
        f"id: several records have it and differ in {column}: one order at two times, or several orders",
        "Export again with each order once, or delete the rows of the record that is wrong",
    )


def foreign_currency(expected: str) -> Reason:
    """Refuse an amount that LeadDone, which knows no currency, would take for another."""
    return Reason(
        Code.FOREIGN_CURRENCY,
        f"currency: not {expected}, and LeadDone would take the amount for {expected}",
        f"Convert the amount, or set currency in the source's YAML if the shop does not sell in {expected}",
    )


def total_missing(column: str) -> Reason:
    """Refuse an order of which only the goods are known, while shipping or taxes come on top of them."""
    return Reason(
        Code.TOTAL_MISSING,
        "price: the order's total is missing, and shipping, fees or taxes come on top of the goods",
        f"Export again with the column {column}, or enter the total",
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
