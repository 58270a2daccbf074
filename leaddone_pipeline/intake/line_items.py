"""The line items of a slice's orders, from rows, groups of columns or cells, as flat columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leaddone_pipeline.intake import normalize
from leaddone_pipeline.intake.amounts import Item
from leaddone_pipeline.intake.item_cells import items_in
from leaddone_pipeline.intake.normalize import STRING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaddone_pipeline.intake.grouping import Groups
    from leaddone_pipeline.intake.lines import Lines

__all__ = ["LineItems"]

_FIELDS = ("article", "price", "bare_price", "qte", "line_total", "line_discount")


@dataclass(slots=True)
class LineItems:
    """Line items of many orders, those of one order side by side.

    Attributes:
        begin: where each order's items begin, and one more for the end.
        owner: the order of each item.
        article, price, qte, total, discount: text as normalize.py writes it, NA where the file says nothing;
            the price of one piece, what all pieces cost, and what is taken off.
        unsaid: items of several pieces whose price may be one piece's or all's.
        price_name, total_name: fields that price and total were read from, for messages.
    """

    begin: NDArray[np.int64]
    owner: NDArray[np.int64]
    article: pd.Series[Any]
    price: pd.Series[Any]
    qte: pd.Series[Any]
    total: pd.Series[Any]
    discount: pd.Series[Any]
    unsaid: NDArray[np.bool_]
    price_name: str = "price"
    total_name: str = "line_total"
    _cells: list[list[Any]] | None = field(default=None, init=False, repr=False)

    @classmethod
    def of(cls, groups: Groups) -> LineItems:
        """Read all items of a slice."""
        lines = groups.lines
        owner = np.repeat(np.arange(len(groups.first)), groups.count)
        if lines.bound.cells:
            table, owner = _from_cells(lines, owner)
        elif len(lines.bound.groups) > 1:
            table, owner = _from_groups(lines, owner)
        else:
            table = _from_places(lines, lines.bound.fields)
        begin = np.searchsorted(owner, np.arange(len(groups.first) + 1))
        qte = normalize.qte(table["qte"])
        price, total, unsaid = _priced(table, qte, lines.bound.source.price_is)
        fields = lines.bound.fields
        return cls(
            begin,
            owner,
            table["article"],
            price,
            qte,
            total,
            table["line_discount"],
            unsaid,
            price_name="price" if fields.get("price") or not fields.get("bare_price") else "bare_price",
            total_name="line_total" if fields.get("line_total") else "bare_price",
        )

    @property
    def count(self) -> NDArray[np.int64]:
        """How many items each order has."""
        return np.diff(self.begin)

    def first(self, column: pd.Series[Any]) -> pd.Series[Any]:
        """Take each order's first item; NA for an order without any."""
        some = self.count > 0
        result = pd.Series(pd.NA, index=range(len(some)), dtype=STRING)
        result[some] = column.iloc[self.begin[:-1][some]].to_numpy(dtype=object)
        return result

    def items(self, order: int) -> list[Item]:
        """The items of one order; all their cells must be good."""
        if self._cells is None:
            # Out of a column of arrow, cell by cell, it takes thirty times as long as out of a list.
            self._cells = [column.tolist() for column in (self.article, self.qte, self.price, self.total)]
        span = slice(self.begin[order], self.begin[order + 1])
        return [
            Item(
                article=article,
                qte=1 if qte is pd.NA else int(qte),
                price=None if price is pd.NA else Decimal(price),
                total=None if total is pd.NA else Decimal(total),
            )
            for article, qte, price, total in zip(*(cells[span] for cells in self._cells), strict=True)
        ]

    def line_discounts(self, order: int) -> Decimal:
        told = self.discount.iloc[self.begin[order] : self.begin[order + 1]].dropna()
        return sum((Decimal(cell) for cell in told), Decimal(0))


def _from_places(lines: Lines, places: dict[str, Any]) -> dict[str, pd.Series[Any]]:
    table = {name: _read(lines, name, places.get(name, ())) for name in _FIELDS}
    if variants := places.get("variant", ()):
        products = [place for place in places.get("article", ()) if place not in variants]
        table["article"] = _with_variant(lines.first_of(products), lines.first_of(variants))
    return table


def _with_variant(product: pd.Series[Any], variant: pd.Series[Any]) -> pd.Series[Any]:
    """Write `T-shirt - M / Rouge`, as Shopify names its items."""
    return (product + " - " + variant).fillna(product).fillna(variant)


def _read(lines: Lines, name: str, places: Any) -> pd.Series[Any]:  # noqa: ANN401 - tuples of Place
    if name in {"article", "qte"}:
        return lines.first_of(places)
    return lines.money(places, signed=name != "line_discount")


def _from_groups(
    lines: Lines, owner: NDArray[np.int64]
) -> tuple[dict[str, pd.Series[Any]], NDArray[np.int64]]:
    tables = [_from_places(lines, places) for places in lines.bound.groups]
    filled = [
        np.logical_or.reduce([table[name].notna().to_numpy(dtype=bool) for name in _FIELDS])
        for table in tables
    ]
    owners = np.concatenate([owner[some] for some in filled])
    rows = np.concatenate([np.flatnonzero(some) for some in filled])
    order = np.lexsort((rows, owners))
    stacked = {
        name: pd.concat([table[name][some] for table, some in zip(tables, filled, strict=True)])
        .iloc[order]
        .reset_index(drop=True)
        for name in _FIELDS
    }
    return stacked, owners[order]


def _from_cells(
    lines: Lines, owner: NDArray[np.int64]
) -> tuple[dict[str, pd.Series[Any]], NDArray[np.int64]]:
    form = lines.bound.orders.cells
    if form is None:
        raise TypeError("cells without a form")
    columns = [lines.cells(position).tolist() for position in lines.bound.cells]
    found: list[dict[str, str]] = []
    owners: list[int] = []
    for at, row in enumerate(zip(*columns, strict=True)):
        for cell in row:
            if cell is not pd.NA:
                items = list(items_in(cell, form))
                found.extend(items)
                owners.extend([int(owner[at])] * len(items))
    table = {
        name: normalize.text(pd.Series([item.get(name) for item in found], dtype=STRING)) for name in _FIELDS
    }
    currency = lines.currency
    for name in ("price", "line_total"):
        table[name] = normalize.price(table[name], currency=currency)
    return table, np.array(owners, dtype=np.int64)


def _priced(
    table: dict[str, pd.Series[Any]], qte: pd.Series[Any], price_is: str | None
) -> tuple[pd.Series[Any], pd.Series[Any], NDArray[np.bool_]]:
    """Say what a bare price is; where it is not said, it may stand for one piece alone."""
    price, total, bare = table["price"], table["line_total"], table["bare_price"]
    used = (price.isna() & total.isna() & bare.notna()).to_numpy(dtype=bool)
    several = (qte.notna() & (qte != "1").fillna(value=False)).to_numpy(dtype=bool)
    if price_is == "total":
        return price, total.fillna(bare.where(used)), np.zeros(len(used), dtype=bool)
    priced = price.fillna(bare.where(used))
    return priced, total, used & several if price_is is None else np.zeros(len(used), dtype=bool)
