"""The line items of a slice, read one order at a time, or what is wrong with one of them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd

from leaddone_pipeline.intake import normalize, reasons
from leaddone_pipeline.intake.amounts import Item, sum_of

if TYPE_CHECKING:
    from leaddone_pipeline.intake.lines import Lines

__all__ = ["LineItems"]


class LineItems:
    """The line items of a slice, read one order at a time."""

    def __init__(self, lines: Lines) -> None:
        self.bound = lines.bound
        self.article = lines.field("article").tolist()
        prices, qtes = normalize.price(lines.field("price")), normalize.qte(lines.field("qte"))
        self.price, self.price_good = prices.tolist(), normalize.is_amount(prices).tolist()
        self.qte, self.qte_good = (
            qtes.tolist(),
            (qtes.isna() | normalize.matches(qtes, normalize.QTE)).tolist(),
        )
        discounts = [normalize.price(lines.field(name)) for name in ("line_discount", "discount")]
        self.line_discount, self.discount = (
            cells.where(normalize.is_amount(cells), "0").tolist() for cells in discounts
        )

    def of(self, rows: range) -> list[Item] | tuple[reasons.Reason, str]:
        """Read an order's items, or say which field of which line is to blame."""
        items = []
        for at in rows:
            for name, cell, good in (
                ("article", self.article[at], self.article[at] is not pd.NA),
                ("price", self.price[at], self.price_good[at]),
                ("qte", self.qte[at], self.qte_good[at]),
            ):
                if not good:
                    return reasons.explain(name, None if cell is pd.NA else cell), self.bound.shown(name)
            qte = 1 if self.qte[at] is pd.NA else int(self.qte[at])
            items.append(Item(self.article[at], Decimal(self.price[at]), qte))
        return items

    def total(self, items: list[Item], first: int, count: int) -> Decimal:
        by_line = sum((Decimal(cell) for cell in self.line_discount[first : first + count]), Decimal(0))
        return sum_of(items, line_discounts=by_line, discount=Decimal(self.discount[first]))
