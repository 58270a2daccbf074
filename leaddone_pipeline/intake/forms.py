"""What a source's YAML may hold, written like a form; an unknown key or a wrong value is refused."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from leaddone_pipeline.contract import Kind, SkipReason

__all__ = [
    "SEND",
    "BalanceRule",
    "Dates",
    "ItemCells",
    "OrderColumns",
    "OrdersForm",
    "Recognition",
    "SkipRule",
    "Source",
    "SourceSettings",
    "TrackingColumns",
    "TrackingForm",
]

SEND = "send"
"""What the statuses of orders that are sent stand under, in `statuses`."""

Columns = list[str]
"""Names of a file's columns, the first that is not empty counts; `A + B` joins two with a space.

Names are compared without case, accents, spaces and punctuation (folding.fold_name).
"""

Condition = dict[str, list[str]]
"""Field of the form, or column of the file -> what it may say.

`*` stands for any text, an empty pattern for an empty cell, a `!` in front for what it must not say; case and
accents do not matter.
"""


def _meaning(word: str) -> str:
    if word != SEND and word not in set(SkipReason):
        raise ValueError(f"no meaning of a status; use {SEND}, {', '.join(SkipReason)}")
    return word


Meaning = Annotated[str, AfterValidator(_meaning)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Recognition(_Form):
    """A file is of this source where it has so many of these columns."""

    at_least: int = Field(ge=1)
    of: list[str] = Field(min_length=1)


class OrderColumns(_Form):
    """Field of an order -> the file's columns that may hold it."""

    id: Columns = Field(min_length=1)
    article: Columns = Field(default=[], description="Needed, unless `cells` reads the items.")
    variant: Columns = Field(default=[], description="Size, colour and the like; stands behind the article.")
    price: Columns = Field(default=[], description="Price of one piece.")
    bare_price: Columns = Field(
        default=[],
        description="A price whose name does not say whether it is one piece's or all's: price_is does.",
    )
    phone: Columns = Field(min_length=1)
    qte: Columns = []
    receiver: Columns = []
    city: Columns = []
    address: Columns = []
    owed: Columns = Field(default=[], description="What is to be collected; the first above zero counts.")
    on_top: Columns = Field(
        default=[], description="Shipping, fees and taxes that the total holds and the goods do not."
    )
    refunded: Columns = Field(
        default=[], description="What was given back and the total still holds: an amount, or a list of them."
    )
    items: Columns = Field(default=[], description="What the goods cost after discounts, without shipping.")
    line_total: Columns = Field(default=[], description="What all pieces of one line cost, after discounts.")
    discount: Columns = Field(default=[], description="Discount of the whole order.")
    line_discount: Columns = Field(default=[], description="Discount of one line.")
    currency: Columns = []
    status: Columns = Field(default=[], description="State of the order, which `statuses` explains.")
    payment: Columns = Field(
        default=[], description="How or whether it is paid, for conditions, or as `payments` explains."
    )
    date: Columns = Field(default=[], description="When it was ordered; `dates` says how it is read.")


class TrackingColumns(_Form):
    """Field of a tracking update -> the file's columns that may hold it."""

    id: Columns
    tracking_number: Columns
    status: Columns
    event_time: Columns = []


class SkipRule(_Form):
    """Orders for which all conditions hold are skipped for this reason, unless the setting says otherwise.

    Attributes:
        warn: whether a file is warned of that lacks the columns of the conditions.
    """

    reason: SkipReason
    when: Condition
    warn: bool = True
    unless: dict[Literal["paid", "fulfilled"], Literal["send"]] = {}


class BalanceRule(_Form):
    """Orders for which the amount must stand in one column, or they are refused."""

    when: Condition
    column: str


class ItemCells(_Form):
    """Items written in cells, as `name:Tapis|quantity:2|total:300`.

    Attributes:
        columns: the cells; `line_item_*` stands for `line_item_1`, `line_item_2` and so on.
        between: what stands between the items of one cell; empty: a cell holds one item.
        keys: field of an item -> the names that it may have in the cell; the first that is there counts.
    """

    columns: list[str] = Field(min_length=1)
    between: str = ""
    keys: dict[Literal["article", "price", "qte", "line_total"], list[str]]


class Dates(_Form):
    """How dates are read: ISO 8601, seconds since 1970, or days, months and years with strokes or points.

    Attributes:
        without_offset: zone of a time that names none: the shop's own, or UTC.
        order: which of `03/04/2026` is the day; `by_file`: a value above 12 in the file decides.
    """

    without_offset: Literal["shop", "utc"] = "shop"
    order: Literal["by_file", "day_first", "month_first"] = "by_file"


class OrdersForm(_Form):
    """How a source's order files are read.

    Attributes:
        needs: fields without which a file is none of this source; `price or owed` where one of them is enough.
        lines: `one`: a row is an order. `rows`: rows with one id, or without an id below it, are one order.
            `unsaid`: as `one`, but where several rows share an id the file is not guessed at: they are refused.
            `records`: an order is a record of JSON, its items are the rows; records that share an id and differ
            are refused.
        groups: whether item columns may stand there several times, once for each item.
        head: columns that are filled on an order's first row only.
        deciding: names of columns that are said aloud where nothing reads them, for they may decide what is sent;
            `*` stands for any text.
        statuses: meaning -> what the columns of `status` may say; any other is refused. Meanings: `send`, or the
            reason for which the order is skipped.
        payments: the same of the columns of `payment`.
        expects: an order whose cell says none of these is refused.
    """

    recognised_by: Recognition | None = None
    needs: list[str] = ["id", "article", "price", "phone"]
    columns: OrderColumns
    cells: ItemCells | None = None
    id_prefix: str = ""
    lines: Literal["one", "rows", "unsaid", "records"] = "one"
    groups: bool = False
    head: list[str] = []
    deciding: list[str] = []
    statuses: dict[Meaning, list[str]] = {}
    payments: dict[Meaning, list[str]] = {}
    expects: Condition = {}
    skip: list[SkipRule] = []
    balance: BalanceRule | None = None
    dates: Dates = Dates()


@cache
def _zones() -> set[str]:
    return available_timezones()  # it looks through hundreds of files


def _zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("no time zone; write it as Africa/Casablanca")
    return name


class Times(_Form):
    """How a courier's times are read that are not ISO 8601 with their offset.

    Attributes:
        zone: where a time without an offset was read off the clock; empty: such a time is refused.
        order: which of `03/04/2026` is the day; empty: a date that a number above 12 does not settle is refused.
    """

    zone: Annotated[str, AfterValidator(_zone)] | None = None
    order: Literal["day_first", "month_first"] | None = None


class TrackingForm(_Form):
    """How a source's courier files are read.

    Attributes:
        needs: fields without which a file is none of this source. A missing id is looked up by tracking number.
        columns: of a field's columns the first that is not empty counts; of the status's, the first that says
            anything of the parcel's way.
        statuses: LeadDone's word, or one of statuses.Meaning -> the file's words; any other is refused.
    """

    recognised_by: Recognition | None = None
    needs: list[str] = ["tracking_number", "status"]
    columns: TrackingColumns
    id_prefix: str = ""
    times: Times = Times()
    statuses: dict[str, list[str]]


class SourceSettings(_Form):
    """A shop's own decisions; what is left empty (None) is as the source says, else the first named here.

    Attributes:
        paid: orders paid by card: `skip`, or `send`, and a courier collects their amount once more. Empty:
            skipped, and said aloud.
        fulfilled: orders that the shop has shipped already: `skip` or `send`.
        amount: what is collected: `owed`, what the customer still owes, or `items`, the goods without shipping.
        price_is: what a bare price column holds: the price of one piece (`unit`) or of all (`total`). Empty:
            orders of more than one piece are refused.
        currency: the shop's; orders in another are refused. `any`: none is.
        region: country of phone numbers without a country code, `MA`.
    """

    paid: Literal["skip", "send"] | None = None
    fulfilled: Literal["skip", "send"] | None = None
    amount: Literal["owed", "items"] | None = None
    price_is: Literal["unit", "total"] | None = None
    currency: Annotated[str, Field(pattern=r"^([A-Z]{3}|any)$")] | None = None
    region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None


class Source(SourceSettings):
    """One kind of file, with the settings of the shop that it comes from."""

    name: str
    title: str = ""
    orders: OrdersForm | None = None
    tracking: TrackingForm | None = None

    def form(self, kind: Kind) -> OrdersForm | TrackingForm | None:
        return self.orders if kind is Kind.ORDERS else self.tracking

    def with_settings(self, settings: SourceSettings) -> Source:
        """Put what the settings say over what the source says."""
        said = settings.model_dump(exclude_none=True, include=set(SourceSettings.model_fields))
        return self.model_copy(update=said) if said else self
