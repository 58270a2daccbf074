"""Lines -> orders: rows of one order become one record with the right amount, or one reason against it."""

# ruff: noqa: RUF002 - the sign stands in the article, as people read it

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leaddone_pipeline.contract import ORDER_FIELDS, SkipReason
from leaddone_pipeline.intake import normalize, reasons
from leaddone_pipeline.intake.amounts import fit
from leaddone_pipeline.intake.line_items import LineItems
from leaddone_pipeline.intake.normalize import STRING
from leaddone_pipeline.intake.quarantine import Refusals, failures
from leaddone_pipeline.intake.schemas import OrdersTable, OrdersToSend

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaddone_pipeline.intake.lines import Lines
    from leaddone_pipeline.intake.sources import OrdersForm

__all__ = ["JudgedOrders", "judge", "starts"]


def starts(lines: Lines) -> NDArray[np.bool_]:
    """Say of each row whether an order begins there; a row without an id belongs to the order above it."""
    if _form(lines).lines == "one":
        return np.ones(len(lines), dtype=bool)
    owner = lines.field("id").ffill()
    begins = (owner.fillna("") != owner.shift().fillna("")).to_numpy(dtype=bool)
    begins[:1] = True
    return begins


@dataclass(slots=True)
class JudgedOrders:
    """The orders of a slice, each with its rows.

    Attributes:
        lines: the rows that they were made of.
        first: position of each order's first row.
        count: number of each order's rows.
        frame: as OrdersTable says, range index; refused orders may hold anything.
        refusals: the refused ones.
        paid: how many were skipped as paid, and their amount.
    """

    lines: Lines
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    frame: pd.DataFrame
    refusals: Refusals = field(default_factory=Refusals)
    paid: int = 0
    paid_amount: Decimal = Decimal(0)

    def open(self) -> NDArray[np.bool_]:
        """Say of each order whether it is to be sent so far: neither refused nor skipped."""
        refused = self.refusals.mask(len(self.frame)).to_numpy()
        return ~refused & (self.frame["skipped"] == "").to_numpy(dtype=bool)

    def heads(self, column: pd.Series[Any]) -> pd.Series[Any]:
        """Take each order's first row of a column of the lines."""
        return column if len(self.first) == len(column) else column.iloc[self.first].reset_index(drop=True)

    def owner(self, position: int | np.integer[Any]) -> int:
        """Which order a row belongs to."""
        return int(np.searchsorted(self.first, position, side="right")) - 1

    def skip(self, where: NDArray[np.bool_], reason: SkipReason) -> None:
        if where.any():
            self.frame["skipped"] = self.frame["skipped"].mask(where, reason.value)


def judge(lines: Lines, skipped: pd.Series[Any] | None = None) -> JudgedOrders:
    """Make orders of whole groups of rows: damage, id, skip rules, amount, then the schema, in this order.

    Args:
        lines: rows in which no order is cut in two.
        skipped: reasons that the rows bring themselves.
    """
    form = _form(lines)
    begins = starts(lines)
    first = np.flatnonzero(begins)
    count = np.diff(np.append(first, len(lines)))
    orders = JudgedOrders(lines, first, count, pd.DataFrame())
    orders.frame = _as_written(orders, form, skipped)
    for position, code in lines.damages.items():
        orders.refusals.add_damage(orders.owner(position), code)
    _refuse_bad_ids(orders)
    if form.lines == "adjacent":
        _refuse_unclear_groups(orders, form)
    amounts = _amounts(orders, form)
    _skip(orders, form, amounts)
    _refuse_unknown(orders, form, amounts)
    if amounts is not None:
        _fit(orders, amounts)
    columns = {name: lines.bound.shown(name) for name in ORDER_FIELDS}
    orders.refusals.check(orders.frame[orders.open()], OrdersToSend, columns)
    _blank_skipped(orders)
    return orders


def _form(lines: Lines) -> OrdersForm:
    form = lines.bound.source.orders
    if form is None:
        raise TypeError("lines of a source without orders")
    return form


def _as_written(orders: JudgedOrders, form: OrdersForm, skipped: pd.Series[Any] | None) -> pd.DataFrame:
    lines, heads = orders.lines, orders.heads
    ids = heads(lines.field("id"))
    if form.id_prefix:
        ids = ids.str.removeprefix(form.id_prefix).astype(STRING)
    frame = pd.DataFrame({"id": normalize.order_id(ids)})
    frame["article"] = heads(lines.field("article"))
    frame["price"] = normalize.price(heads(lines.field("price")))
    frame["qte"] = normalize.qte(heads(lines.field("qte")))
    frame["receiver"] = heads(lines.field("receiver"))
    frame["phone"] = normalize.phone(heads(lines.field("phone")))
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
        reason = reasons.explain("id", None if value is pd.NA else value)
        orders.refusals.add(at, reason, orders.lines.bound.shown("id"))


def _refuse_unclear_groups(orders: JudgedOrders, form: OrdersForm) -> None:
    """Refuse orders whose further rows carry the order's own columns again, or contradict its first row."""
    lines = orders.lines
    further = np.ones(len(lines), dtype=bool)
    further[orders.first] = False
    if not further.any():
        return
    at_first = np.repeat(orders.first, orders.count)
    for name in form.head:
        position = lines.bound.position(name)
        if position is None:
            continue
        again = further & lines.cells(position).notna().to_numpy()
        for at in np.flatnonzero(again):
            orders.refusals.add(orders.owner(at), reasons.ORDER_TWICE, name)
    for name in ("phone", "city"):
        for position in lines.bound.fields.get(name, ()):
            cells = lines.cells(position)
            above = cells.iloc[at_first].reset_index(drop=True)
            other = further & (cells.notna() & above.notna() & (cells != above).fillna(value=False)).to_numpy(
                dtype=bool
            )
            for at in np.flatnonzero(other):
                orders.refusals.add(orders.owner(at), reasons.LINES_DISAGREE, lines.bound.header[position])


def _amounts(orders: JudgedOrders, form: OrdersForm) -> pd.Series[Any] | None:
    """What each order's customer owes, as text; NA where its lines must tell; None where no column does."""
    lines = orders.lines
    wanted = lines.bound.source.amount
    if form.lines == "one" and wanted not in lines.bound.fields:
        return None
    amount = pd.Series(pd.NA, index=orders.frame.index, dtype=STRING)
    for position in lines.bound.fields.get(wanted, ()):
        cells = normalize.price(orders.heads(lines.cells(position)))
        empty = amount.isna() | (amount == "0").fillna(value=False)
        amount = amount.mask(empty & cells.notna(), cells)
    if form.balance is not None and (left := _holds(orders, form.balance.when)).any():
        at = lines.bound.position(form.balance.column)
        balance = amount.mask(left) if at is None else normalize.price(orders.heads(lines.cells(at)))
        amount = amount.mask(left, balance)
        for order in np.flatnonzero(left & amount.isna().to_numpy()):
            orders.refusals.add(order, reasons.BALANCE_UNKNOWN, form.balance.column)
    return amount


def _skip(orders: JudgedOrders, form: OrdersForm, amounts: pd.Series[Any] | None) -> None:
    source = orders.lines.bound.source
    for rule in form.skip:
        if any(getattr(source, setting) == value for setting, value in rule.unless.items()):
            continue
        fits = _holds(orders, rule.when) & orders.open()
        orders.skip(fits, rule.reason)
        if "paid" in rule.unless and amounts is not None:
            told = amounts[fits]
            orders.paid += int(fits.sum())
            orders.paid_amount += sum((Decimal(text) for text in told[normalize.is_amount(told)]), Decimal(0))
    if amounts is not None:
        orders.skip(
            (amounts == "0").fillna(value=False).to_numpy(dtype=bool) & orders.open(), SkipReason.ZERO_AMOUNT
        )


def _refuse_unknown(orders: JudgedOrders, form: OrdersForm, amounts: pd.Series[Any] | None) -> None:
    lines = orders.lines
    for column, values in form.expects.items():
        if lines.bound.position(column) is not None:
            for at in np.flatnonzero(orders.open() & ~_holds(orders, {column: values})):
                orders.refusals.add(at, reasons.unexpected(column), column)
    currency = lines.bound.source.currency
    if currency is not None and "currency" in lines.bound.fields:
        told = orders.heads(lines.field("currency")).fillna(currency)
        for at in np.flatnonzero(orders.open() & (told.str.upper() != currency.upper()).to_numpy(dtype=bool)):
            orders.refusals.add(at, reasons.foreign_currency(currency), lines.bound.shown("currency"))
    if amounts is not None:
        bad = amounts.notna() & ~normalize.is_amount(amounts)
        column = lines.bound.shown(lines.bound.source.amount)
        for at in np.flatnonzero(orders.open() & bad.to_numpy(dtype=bool)):
            orders.refusals.add(at, reasons.explain("price", amounts.iloc[at]), column)


def _fit(orders: JudgedOrders, amounts: pd.Series[Any]) -> None:
    """Replace article, price and qte so that price × qte is the amount; see amounts.fit for the rule."""
    frame = orders.frame
    one = (frame["qte"].isna() | (frame["qte"] == "1").fillna(value=False)).to_numpy(dtype=bool)
    same = (frame["price"] == amounts).fillna(value=False).to_numpy(dtype=bool)
    todo = np.flatnonzero(orders.open() & ~((orders.count == 1) & one & same))
    if not len(todo):
        return
    lines = LineItems(orders.lines)
    fitted: dict[str, list[Any]] = {name: frame[name].tolist() for name in ("article", "price", "qte")}
    nothing = np.zeros(len(frame), dtype=bool)
    for at in todo:
        items = lines.of(range(orders.first[at], orders.first[at] + orders.count[at]))
        if not isinstance(items, list):
            orders.refusals.add(at, *items)
            continue
        told = amounts.iloc[at]
        result = fit(
            items, lines.total(items, orders.first[at], orders.count[at]) if told is pd.NA else Decimal(told)
        )
        nothing[at] = result.price == 0
        fitted["article"][at] = result.article
        fitted["price"][at] = normalize.amount_text(result.price)
        fitted["qte"][at] = str(result.qte)
    for name, column in fitted.items():
        frame[name] = pd.Series(column, dtype=STRING)
    orders.skip(nothing, SkipReason.ZERO_AMOUNT)


def _blank_skipped(orders: JudgedOrders) -> None:
    skipped = (orders.frame["skipped"] != "").to_numpy(dtype=bool)
    for at, name in failures(
        orders.frame[skipped & ~orders.refusals.mask(len(orders.frame)).to_numpy()], OrdersTable
    ):
        orders.frame.loc[at, name] = pd.NA


def _holds(orders: JudgedOrders, condition: dict[str, list[str]]) -> NDArray[np.bool_]:
    return orders.heads(orders.lines.holds(condition)).to_numpy(dtype=bool)
