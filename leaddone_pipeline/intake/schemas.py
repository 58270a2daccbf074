"""What the tables of intake are, written like a form.

The schemas coerce nothing, drop nothing, read nothing: normalize.py comes before, quarantine.py after.
Descriptions reach Dagster's column schemas.
"""

# ruff: noqa: RUF001 - the sign stands in the article, as people read it

from __future__ import annotations

from typing import Any

import pandas as pd  # noqa: TC002 - pandera reads the annotations
import pandera.pandas as pa

from leaddone_pipeline.contract import STATUS_RANK
from leaddone_pipeline.intake import normalize
from leaddone_pipeline.intake.reasons import MAX_STATUS_LENGTH, MAX_TEXT_LENGTH
from leaddone_pipeline.intake.spreadsheet_errors import IN_TEXT
from leaddone_pipeline.intake.times import TIME

__all__ = [
    "ORDERS_SCHEMA",
    "QUARANTINE_SCHEMA",
    "TRACKING_SCHEMA",
    "OrdersTable",
    "OrdersToSend",
    "QuarantineTable",
    "TrackingTable",
]

# "id: String/Int, Required, Unique ID in your system": normalize.ID, no power of ten with digits lost.
# "phone: String, Required": phones.is_phone, as the documentation's 0600000000; foreign ones as E.164.
# "price: Decimal, Required, Unit price": prices.is_amount, within the limits of PHP (contract.price_problem).
# "qte: Integer, Optional": normalize.QTE, below a thousand million.
# "article: String, Required" and the optional texts: no documented limit; a longer one is a damaged file.
# "status, e.g. in-progress, delivered, returned": no closed list; what a source maps to is the shop's word.
STATUS = rf"^[^\x00-\x1F\x7F]{{1,{MAX_STATUS_LENGTH}}}$"
# "event_time": ISO 8601 in UTC to the second (times.TIME), so that order as text is order in time.

_TEXT = {"storage": "pyarrow"}


def _text(description: str, *, nullable: bool = False) -> Any:  # noqa: ANN401 - pandera's Field is Any
    return pa.Field(description=description, nullable=nullable, dtype_kwargs=_TEXT)


class OrdersTable(pa.DataFrameModel):
    """One row an order; the fields are LeadDone's. Skipped orders may lack all but their id."""

    id: pd.StringDtype = _text("The shop's own order id, unique within a day")
    article: pd.StringDtype = _text("Product name; several lines of an order as 2 × A + 1 × B", nullable=True)
    price: pd.StringDtype = _text(
        "Unit price, exact decimal as text: price × qte is to be collected", nullable=True
    )
    qte: pd.StringDtype = _text("Quantity, a whole number as text; empty: not said", nullable=True)
    receiver: pd.StringDtype = _text("Customer's name", nullable=True)
    phone: pd.StringDtype = _text("Customer's phone: 0XXXXXXXXX in Morocco, else E.164", nullable=True)
    city: pd.StringDtype = _text("Customer's city", nullable=True)
    address: pd.StringDtype = _text("Customer's address", nullable=True)
    skipped: pd.StringDtype = _text("Why the order is rightly not sent; empty: it is sent", nullable=False)
    source_file: pd.StringDtype = _text("Name of the file that the order stands in")
    source_row: pd.Int64Dtype = pa.Field(
        description="Row of the order's first line, as a spreadsheet numbers it"
    )

    class Config:
        """Columns are these and no others."""

        strict = True

    @pa.check("id")
    @classmethod
    def id_is_text_on_one_line(cls, column: pd.Series[Any]) -> pd.Series[Any]:
        return normalize.is_id(column)

    @pa.check("price")
    @classmethod
    def price_is_above_zero_and_exact(cls, column: pd.Series[Any]) -> pd.Series[Any]:
        return normalize.is_amount(column) & ~normalize.matches(column, "^0$")

    @pa.check("phone")
    @classmethod
    def phone_can_be_called(cls, column: pd.Series[Any]) -> pd.Series[Any]:
        return normalize.is_phone(column)

    @pa.check("qte")
    @classmethod
    def qte_is_whole_and_above_zero(cls, column: pd.Series[Any]) -> pd.Series[Any]:
        return normalize.matches(column, normalize.QTE)

    @pa.check("article", "receiver", "city", "address")
    @classmethod
    def text_has_a_sane_length_and_no_error(cls, column: pd.Series[Any]) -> pd.Series[Any]:
        return _sane(column)


class OrdersToSend(OrdersTable):
    """The orders that are sent: LeadDone requires these fields."""

    article: pd.StringDtype = _text("Product name")
    price: pd.StringDtype = _text("Unit price")
    phone: pd.StringDtype = _text("Customer's phone")


class TrackingTable(pa.DataFrameModel):
    """One row an event of a parcel."""

    id: pd.StringDtype = _text("The shop's own order id")
    tracking_number: pd.StringDtype = _text("The courier's number of the parcel")
    status: pd.StringDtype = _text(f"State of the parcel in LeadDone's words: {', '.join(STATUS_RANK)}")
    event_time: pd.StringDtype = _text(
        "When it became so, UTC, ISO 8601; without a time of its own the file's"
    )
    timed: pd.BooleanDtype = pa.Field(description="Whether the row had a time of its own")
    source_file: pd.StringDtype = _text("Name of the file that the event stands in")
    source_row: pd.Int64Dtype = pa.Field(description="Row of the event, as a spreadsheet numbers it")

    class Config:
        """Columns are these and no others."""

        strict = True

    @pa.check("id", "tracking_number")
    @classmethod
    def id_is_text_on_one_line(cls, column: pd.Series[Any]) -> pd.Series[Any]:
        return normalize.is_id(column)

    @pa.check("status")
    @classmethod
    def status_is_a_word(cls, column: pd.Series[Any]) -> pd.Series[Any]:
        return normalize.matches(column, STATUS)

    @pa.check("event_time")
    @classmethod
    def event_time_is_utc(cls, column: pd.Series[Any]) -> pd.Series[Any]:
        return normalize.matches(column, TIME)


class QuarantineTable(pa.DataFrameModel):
    """One row a refused row of a file, as it stood."""

    source_file: pd.StringDtype = _text("Name of the file")
    source_row: pd.Int64Dtype = pa.Field(description="Row as a spreadsheet numbers it: the header is row 1")
    order_id: pd.StringDtype = _text("Order id as the row has it", nullable=True)
    column: pd.StringDtype = _text("The file's column that is to blame", nullable=True)
    code: pd.StringDtype = _text("Stable name of the reason")
    reason: pd.StringDtype = _text("The reason as a sentence, without personal data")
    remedy: pd.StringDtype = _text("What to do")
    raw: pd.StringDtype = _text("The row as it stood, one JSON object; personal data")

    class Config:
        """Columns are these and no others."""

        strict = True


def _sane(column: pd.Series[Any]) -> pd.Series[Any]:
    short = (column.str.len() <= MAX_TEXT_LENGTH).astype(bool)
    return short & ~normalize.matches(column, r"\x00") & ~normalize.matches(column, IN_TEXT)


ORDERS_SCHEMA = OrdersTable.to_schema()
TRACKING_SCHEMA = TrackingTable.to_schema()
QUARANTINE_SCHEMA = QuarantineTable.to_schema()
