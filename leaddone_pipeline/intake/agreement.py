"""Rows of one order that contradict each other, or that may be one order twice: refused, not guessed at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leaddone_pipeline.intake import normalize, reasons
from leaddone_pipeline.intake.binding import ITEM_FIELDS

if TYPE_CHECKING:
    import pandas as pd

    from leaddone_pipeline.intake.grouping import Groups
    from leaddone_pipeline.intake.judged import JudgedOrders

__all__ = ["refuse_unclear"]

_AGREEING = ("phone", "city", "owed", "status", "currency")


def refuse_unclear(orders: JudgedOrders, groups: Groups) -> None:
    """Refuse orders whose rows do not surely make one order."""
    lines = orders.lines
    further = np.ones(len(lines), dtype=bool)
    further[orders.first] = False
    if not further.any():
        return
    if lines.bound.orders.lines != "rows":
        _refuse_differing(orders, groups)
        return
    _refuse_heads_again(orders, further)
    for order in groups.apart:
        if _repeats(orders, order):
            orders.refusals.add(order, reasons.ROWS_APART, lines.bound.shown("id"))
    for name in _AGREEING:
        for place in lines.bound.fields.get(name, ()):
            cells = lines.joined(place)
            cells = normalize.phone(cells, region=orders.region) if name == "phone" else cells
            for at in np.flatnonzero(further & _differs(orders, cells)):
                orders.refusals.add(orders.owner(at), reasons.LINES_DISAGREE, lines.bound.header[place[0]])


def _refuse_heads_again(orders: JudgedOrders, further: np.ndarray[Any, Any]) -> None:
    """Refuse orders of which a further row carries what only the first one should."""
    for name in orders.lines.bound.orders.head:
        position = orders.lines.bound.position(name)
        if position is not None:
            again = further & orders.lines.cells(position).notna().to_numpy(dtype=bool)
            for at in np.flatnonzero(again):
                orders.refusals.add(orders.owner(at), reasons.ORDER_TWICE, name)


def _differs(orders: JudgedOrders, cells: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Say of each row whether it says something else than its order's first row; an empty cell says nothing."""
    above = cells.iloc[np.repeat(orders.first, orders.count)].reset_index(drop=True)
    return (cells.notna() & above.notna() & (cells != above).fillna(value=False)).to_numpy(dtype=bool)


def _refuse_differing(orders: JudgedOrders, groups: Groups) -> None:
    """Where rows or records that share an id say all the same, they are one order told twice; else nobody knows.

    Columns that the source does not read count too: a size or a colour makes another piece.
    """
    lines, begins = orders.lines, groups.tellings
    size = np.diff(np.append(begins, len(lines)))
    telling = np.repeat(np.arange(len(begins)), size)
    first = np.repeat(np.searchsorted(begins, orders.first), orders.count)
    differ = reasons.records_differ if lines.bound.orders.lines == "records" else reasons.rows_differ
    for at in np.flatnonzero(size[telling] != size[first]):
        orders.refusals.add(orders.owner(at), differ(lines.bound.shown("article")), lines.bound.shown("id"))
    again = np.flatnonzero((telling != first) & (size[telling] == size[first]))
    told = lines.take(again)
    above = lines.take(begins[first[again]] + again - begins[telling[again]])
    for at in np.flatnonzero((telling != first) & lines.ids.isna().to_numpy(dtype=bool)):
        orders.refusals.add(orders.owner(at), reasons.ROW_WITHOUT_ID, lines.bound.shown("id"))
    for place, name in enumerate(lines.bound.header):
        if (place,) in lines.bound.places("id"):
            continue  # they share it, however it is written
        differs = (told.cells(place).fillna("") != above.cells(place).fillna("")).to_numpy(dtype=bool)
        reason = differ(name or f"number {place + 1}")
        for at in again[differs]:
            orders.refusals.add(orders.owner(at), reason, lines.bound.shown("id"))


def _repeats(orders: JudgedOrders, order: int) -> bool:
    """Whether two rows of an order name the same item."""
    start = int(orders.first[order])
    rows = range(start, start + int(orders.count[order]))
    columns = [orders.lines.field(name) for name in ITEM_FIELDS if orders.lines.bound.fields.get(name)]
    items = [tuple(str(column.iloc[at]) for column in columns) for at in rows]
    return len(set(items)) < len(items)
