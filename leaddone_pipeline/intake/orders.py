"""Lines -> orders: rows of one order become one record with the right amount, or one reason against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leaddone_pipeline.contract import ORDER_FIELDS
from leaddone_pipeline.intake import agreement, normalize
from leaddone_pipeline.intake.cell_reasons import explain
from leaddone_pipeline.intake.judged import JudgedOrders
from leaddone_pipeline.intake.line_items import LineItems
from leaddone_pipeline.intake.normalize import STRING
from leaddone_pipeline.intake.owed import Owed, fit_all, price_column, refuse_bad_amounts, refuse_bad_items
from leaddone_pipeline.intake.quarantine import failures
from leaddone_pipeline.intake.schemas import OrdersTable, OrdersToSend
from leaddone_pipeline.intake.skipping import refuse_unknown, skip

if TYPE_CHECKING:
    from leaddone_pipeline.intake.grouping import Groups

__all__ = ["judge"]


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
    orders.refusals.check(orders.frame[orders.open()], OrdersToSend, columns, explain=orders.explain)
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
