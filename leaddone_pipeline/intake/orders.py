"""Lines -> orders: rows of one order become one record with the right amount, or one reason against it."""

# ruff: noqa: RUF002 - the sign stands in the article, as people read it

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leaddone_pipeline.contract import ORDER_FIELDS, SkipReason
from leaddone_pipeline.intake import agreement, normalize
from leaddone_pipeline.intake.cell_reasons import explain
from leaddone_pipeline.intake.line_items import LineItems
from leaddone_pipeline.intake.normalize import STRING
from leaddone_pipeline.intake.owed import Owed, fit_all, price_column, refuse_bad_amounts, refuse_bad_items
from leaddone_pipeline.intake.phones import MOROCCO
from leaddone_pipeline.intake.quarantine import Refusals, failures
from leaddone_pipeline.intake.schemas import OrdersTable, OrdersToSend
from leaddone_pipeline.intake.skipping import Paid, refuse_unknown, skip

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaddone_pipeline.intake.grouping import Groups
    from leaddone_pipeline.intake.lines import Lines
    from leaddone_pipeline.intake.reasons import Reason

__all__ = ["JudgedOrders", "judge"]


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
        """Say why a cell is not what the field must be, for the shop's country."""
        return explain(field, value, region=self.region)


def judge(groups: Groups, skipped: pd.Series[Any] | None = None) -> JudgedOrders:
    """Make orders of whole groups of rows: damage, id, skip rules, amount, then the schema, in this order.

    Args:
        groups: rows in which no order is cut in two.
        skipped: reasons that the rows bring themselves.
    """
    lines = groups.lines
    orders = JudgedOrders(
        lines, groups.first, groups.count, LineItems.of(groups.told_first()), pd.DataFrame()
    )
    orders.frame = _as_written(orders, skipped)
    for position, code in lines.damages.items():
        orders.refusals.add_damage(orders.owner(position), code)
    _refuse_bad_ids(orders)
    agreement.refuse_unclear(orders, groups)
    owed = Owed.of(orders)
    skip(orders, owed)
    refuse_unknown(orders)
    refuse_bad_amounts(orders, owed)
    refuse_bad_items(orders, owed)
    fit_all(orders, owed)
    columns = {name: lines.bound.shown(name) for name in ORDER_FIELDS}
    columns["price"] = lines.bound.shown(price_column(orders))
    orders.refusals.check(orders.frame[orders.open()], OrdersToSend, columns, region=orders.region)
    _blank_skipped(orders)
    return orders


def _as_written(orders: JudgedOrders, skipped: pd.Series[Any] | None) -> pd.DataFrame:
    lines, heads, items = orders.lines, orders.heads, orders.items
    frame = pd.DataFrame({"id": heads(lines.ids)})
    frame["article"] = items.first(items.article)
    frame["price"] = items.first(items.price)
    frame["qte"] = items.first(items.qte)
    frame["receiver"] = heads(lines.field("receiver"))
    frame["phone"] = normalize.phone(heads(lines.field("phone")), region=orders.region)
    frame["city"] = heads(lines.field("city"))
    frame["address"] = heads(lines.field("address"))
    frame["skipped"] = pd.Series("", index=frame.index, dtype=STRING) if skipped is None else heads(skipped)
    frame["source_file"] = heads(lines.files)
    frame["source_row"] = heads(lines.rows)
    return frame


def _refuse_bad_ids(orders: JudgedOrders) -> None:
    ids = orders.frame["id"]
    good = normalize.is_id(ids)
    for at in np.flatnonzero(~good.to_numpy(dtype=bool)):
        value = ids.iloc[at]
        reason = explain("id", None if value is pd.NA else value)
        orders.refusals.add(at, reason, orders.lines.bound.shown("id"))


def _blank_skipped(orders: JudgedOrders) -> None:
    skipped = (orders.frame["skipped"] != "").to_numpy(dtype=bool)
    for at, name in failures(
        orders.frame[skipped & ~orders.refusals.mask(len(orders.frame)).to_numpy()], OrdersTable
    ):
        orders.frame.loc[at, name] = pd.NA
