"""The orders of a slice, each with its rows, while they are judged."""

# ruff: noqa: RUF002 - the sign stands in the article, as people read it

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from leaddone_pipeline.contract import SkipReason
from leaddone_pipeline.intake.cell_reasons import explain
from leaddone_pipeline.intake.phones import MOROCCO
from leaddone_pipeline.intake.quarantine import Refusals

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from leaddone_pipeline.intake.forms import Source
    from leaddone_pipeline.intake.line_items import LineItems
    from leaddone_pipeline.intake.lines import Lines
    from leaddone_pipeline.intake.reasons import Reason

__all__ = ["JudgedOrders", "Paid"]


@dataclass(slots=True)
class Paid:
    """Orders of one file that were skipped as paid: said once, on the file's last slice."""

    count: int = 0
    amount: Decimal = Decimal(0)

    def add(self, judged: JudgedOrders) -> None:
        self.count += judged.paid.count
        self.amount += judged.paid.amount

    def warnings(self, source: Source) -> tuple[str, ...]:
        if not self.count:
            return ()
        currency = "" if source.currency in {None, "any"} else f" {source.currency}"
        worth = f"{self.amount:,.2f}".removesuffix(".00") + currency
        what = f"{self.count:,} orders" if self.count > 1 else "1 order"
        advice = (
            ""
            if source.paid
            else "; set paid: send if a courier is still to collect for them, or paid: skip if this is right"
        )
        return (f"{what} worth {worth} skipped as already paid{advice}",)


@dataclass(slots=True)
class JudgedOrders:
    """The orders of a slice, each with its rows.

    Attributes:
        lines: the rows that they were made of.
        first: position of each order's first row.
        count: number of each order's rows.
        items: their line items.
        frame: as OrdersTable says, range index; refused orders may hold anything.
        refusals: the refused ones.
        paid: those skipped as paid, and their amount.
        rewritten: how many have their quantities in the article.
        examples: some of those, as `amount 320 sent as "3 × A", qte 1`.
    """

    lines: Lines
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    items: LineItems
    frame: pd.DataFrame
    refusals: Refusals = field(default_factory=Refusals)
    paid: Paid = field(default_factory=Paid)
    rewritten: int = 0
    examples: list[str] = field(default_factory=list)

    def open(self) -> NDArray[np.bool_]:
        """Say of each order whether it is to be sent so far: neither refused nor skipped."""
        refused = self.refusals.mask(len(self.frame)).to_numpy()
        return ~refused & (self.frame["skipped"] == "").to_numpy(dtype=bool)

    @property
    def region(self) -> str:
        """Country of phone numbers without a country code."""
        return self.lines.bound.source.region or MOROCCO

    def heads(self, column: pd.Series[Any]) -> pd.Series[Any]:
        """Take each order's first row of a column of the lines."""
        return column if len(self.first) == len(column) else column.iloc[self.first].reset_index(drop=True)

    def heads_of(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Take each order's first row of a mask of the lines."""
        return mask[self.first]

    def owner(self, position: int | np.integer[Any]) -> int:
        """Which order a row belongs to."""
        return int(np.searchsorted(self.first, position, side="right")) - 1

    def skip(self, where: NDArray[np.bool_], reason: SkipReason) -> None:
        if where.any():
            self.frame["skipped"] = self.frame["skipped"].mask(where, reason.value)

    def skip_nothing(self, where: NDArray[np.bool_]) -> None:
        self.skip(where, SkipReason.ZERO_AMOUNT)

    def explain(self, field: str, value: str | None) -> Reason:
        """Say why a cell is not what the field must be, in the shop's country and currency."""
        return explain(field, value, region=self.region, currency=self.lines.currency)
