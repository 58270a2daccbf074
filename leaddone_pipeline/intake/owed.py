"""What each order's customer owes: as a column tells it, else as the lines add up."""

# ruff: noqa: RUF002 - the sign stands in the article, as people read it

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leaddone_pipeline.intake import normalize, reasons
from leaddone_pipeline.intake.amounts import Fitted, fit, sum_of
from leaddone_pipeline.intake.normalize import STRING
from leaddone_pipeline.intake.refunds import refunded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaddone_pipeline.intake.judged import JudgedOrders
    from leaddone_pipeline.intake.line_items import LineItems

__all__ = ["Owed", "fit_all", "price_column", "refuse_bad_amounts", "refuse_bad_items"]

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Owed:
    """What a slice's orders cost their customers.

    Attributes:
        told: amount by a column of the file less what was given back, NA where the lines must say it.
        discount: what is taken off the whole order, NA where nothing is.
        items: the lines.
        refund_unclear: orders of which something was given back, and what is left is not known.
        column, discount_column: what they are called, for messages.
    """

    told: pd.Series[Any]
    discount: pd.Series[Any]
    items: LineItems
    refund_unclear: NDArray[np.bool_]
    column: str
    discount_column: str

    @classmethod
    def of(cls, orders: JudgedOrders) -> Owed:
        """Read the columns; an order paid in part without its balance is refused."""
        lines, bound = orders.lines, orders.lines.bound
        wanted = bound.source.amount or "owed"
        told = orders.heads(lines.money(bound.fields.get(wanted, ()), above_zero=True))
        rule = bound.orders.balance
        if rule is not None and (left := orders.heads_of(lines.holds(rule.when))).any():
            at = bound.position(rule.column)
            told = told.mask(left, pd.NA if at is None else orders.heads(lines.money([(at,)])))
            for order in np.flatnonzero(left & told.isna().to_numpy(dtype=bool)):
                orders.refusals.add(order, reasons.BALANCE_UNKNOWN, rule.column)
        told, unclear = _less_refunds(told, orders.heads(refunded(lines)), whole=wanted == "owed")
        discount = orders.heads(lines.money(bound.fields.get("discount", ()), signed=False))
        return cls(told, discount, orders.items, unclear, bound.shown(wanted), bound.shown("discount"))

    def amount(self, order: int) -> Decimal | None:
        """What one order costs; None if nobody says. Its cells must be good."""
        told = self.told.iloc[order]
        if told is not pd.NA:
            return Decimal(told)
        taken = self.discount.iloc[order]
        return sum_of(
            self.items.items(order),
            line_discounts=self.items.line_discounts(order),
            discount=Decimal(0) if taken is pd.NA else Decimal(taken),
        )

    def readable(self) -> NDArray[np.bool_]:
        """Say of each order whether all its cells are good, and it is known what it costs."""
        items = self.items
        untold = self.told.isna().to_numpy(dtype=bool)
        priced = (items.price.notna() | items.total.notna()).to_numpy(dtype=bool)
        good = (
            items.article.notna()
            & (items.price.isna() | normalize.is_amount(items.price))
            & (items.total.isna() | normalize.is_amount(items.total))
            & (items.qte.isna() | normalize.matches(items.qte, normalize.QTE))
            & (items.discount.isna() | normalize.is_amount(items.discount))
        ).to_numpy(dtype=bool)
        bad = ~good | (untold[items.owner] & ~priced) | (untold[items.owner] & items.unsaid)
        result: NDArray[np.bool_] = (items.count > 0) & (
            np.bincount(items.owner, weights=bad, minlength=len(untold)) == 0
        )
        for cells in (self.told, self.discount):
            result &= (cells.isna() | normalize.is_amount(cells)).to_numpy(dtype=bool)
        return result


def _less_refunds(
    told: pd.Series[Any], given_back: pd.Series[Any], *, whole: bool
) -> tuple[pd.Series[Any], NDArray[np.bool_]]:
    """Take what was given back off the orders' totals; say of which it cannot be taken.

    That is: of an amount that is no total, of none, of less, or where what was given back cannot be read.
    """
    unclear = (given_back.notna() & (given_back != "0").fillna(value=False)).to_numpy(dtype=bool)
    left = told.copy()
    good = (normalize.is_amount(told) & normalize.is_amount(given_back)).to_numpy(dtype=bool)
    for at in np.flatnonzero(unclear & good) if whole else ():
        amount = Decimal(told.iloc[at]) - Decimal(given_back.iloc[at])
        if amount >= 0:
            left.iloc[int(at)], unclear[at] = normalize.amount_text(amount), False
    return left, unclear


def refuse_bad_amounts(orders: JudgedOrders, owed: Owed) -> None:
    """Refuse orders whose amount or discount is no number or cannot be right, or whose total is missing."""
    shown = orders.lines.bound.shown
    for at in np.flatnonzero(orders.open() & owed.refund_unclear):
        orders.refusals.add(at, reasons.REFUND_UNCLEAR, shown("refunded"))
    for cells, column, needed in (
        (owed.told, owed.column, np.ones(len(owed.told), dtype=bool)),
        (owed.discount, owed.discount_column, owed.told.isna().to_numpy(dtype=bool)),
    ):
        bad = (cells.notna() & ~normalize.is_amount(cells)).to_numpy(dtype=bool)
        for at in np.flatnonzero(orders.open() & needed & bad):
            orders.refusals.add(at, orders.explain("price", cells.iloc[at]), column)
    # A spreadsheet's cell that shows 10 % holds 0.1.
    percentage = normalize.matches(owed.discount, r"^0\.").to_numpy(dtype=bool) & owed.told.isna().to_numpy()
    for at in np.flatnonzero(orders.open() & percentage):
        orders.refusals.add(at, reasons.PERCENTAGE, owed.discount_column)
    _refuse_goods_alone(orders, owed)


def _refuse_goods_alone(orders: JudgedOrders, owed: Owed) -> None:
    """Refuse orders without the total that is wanted, where more than the goods is to be paid."""
    lines, bound = orders.lines, orders.lines.bound
    totals = bound.orders.columns.owed
    if bound.source.amount == "items" or not totals:
        return
    total = bound.shown("owed") if bound.fields.get("owed") else totals[-1]
    for place in bound.fields.get("on_top", ()):
        cells = orders.heads(lines.money([place]))
        more = (cells.notna() & (cells != "0").fillna(value=False)).to_numpy(dtype=bool)
        for at in np.flatnonzero(orders.open() & more & owed.told.isna().to_numpy(dtype=bool)):
            orders.refusals.add(at, reasons.total_missing(total), total)


def refuse_bad_items(orders: JudgedOrders, owed: Owed) -> None:
    """Refuse orders with a line that cannot be read, or that does not say its price where it must."""
    items, bound = owed.items, orders.lines.bound
    open_, untold = orders.open(), owed.told.isna().to_numpy(dtype=bool)

    def refuse(item_mask: np.ndarray[Any, Any], cells: pd.Series[Any] | None, name: str, reason: Any) -> None:  # noqa: ANN401
        for at in np.flatnonzero(item_mask & open_[items.owner]):
            value = None if cells is None or cells.iloc[at] is pd.NA else cells.iloc[at]
            told = reason or orders.explain("price" if name not in {"article", "qte"} else name, value)
            orders.refusals.add(items.owner[at], told, bound.shown(name))

    nothing = reasons.ITEMS_UNREADABLE if bound.cells else orders.explain("article", None)
    for at in np.flatnonzero(open_ & (items.count == 0)):
        orders.refusals.add(at, nothing, bound.shown("article"))
    unnamed = items.article.isna().to_numpy(dtype=bool)
    refuse(unnamed, None, "article", reasons.ITEMS_UNREADABLE if bound.cells else None)
    for cells, name in ((items.price, items.price_name), (items.total, items.total_name)):
        bad = (cells.notna() & ~normalize.is_amount(cells)).to_numpy(dtype=bool)
        refuse(bad, cells, name, None)
    bad_qte = (items.qte.notna() & ~normalize.matches(items.qte, normalize.QTE)).to_numpy(dtype=bool)
    refuse(bad_qte, items.qte, "qte", None)
    priceless = (items.price.isna() & items.total.isna()).to_numpy(dtype=bool)
    refuse(priceless & untold[items.owner], None, price_column(orders), None)
    refuse(items.unsaid & untold[items.owner], None, "bare_price", reasons.PRICE_UNSAID)
    bad = (items.discount.notna() & ~normalize.is_amount(items.discount)).to_numpy(dtype=bool)
    refuse(bad & untold[items.owner], items.discount, "line_discount", None)


def price_column(orders: JudgedOrders) -> str:
    """Field of the column that should have said what an order costs."""
    fields = orders.lines.bound.fields
    return next((name for name in ("price", "bare_price", "line_total", "owed") if fields.get(name)), "price")


def fit_all(orders: JudgedOrders, owed: Owed) -> None:
    """Replace article, price and qte so that price × qte is the amount; amounts.fit has the rule.

    An order of one piece takes the amount as its price as it stands, which whole columns do at once. Skipped
    orders are written likewise, as far as they can be read.
    """
    frame, items = orders.frame, owed.items
    one = (items.count == 1) & (frame["qte"].isna() | (frame["qte"] == "1").fillna(value=False)).to_numpy(
        dtype=bool
    )
    told = owed.told.notna().to_numpy(dtype=bool)
    open_ = orders.open()
    done = open_ | ((frame["skipped"] != "").to_numpy(dtype=bool) & owed.readable())
    frame["price"] = frame["price"].mask(done & one & told, owed.told)
    left = (items.count == 1) & ~told & _as_it_stands(owed)
    todo = np.flatnonzero(done & ~(one & told) & ~left)
    if not len(todo):
        return
    fitted: dict[str, list[Any]] = {name: frame[name].tolist() for name in ("article", "price", "qte")}
    nothing = np.zeros(len(frame), dtype=bool)
    for at in todo:
        amount = owed.amount(int(at))
        if amount is None:
            orders.refusals.add(
                at, orders.explain("price", None), orders.lines.bound.shown(price_column(orders))
            )
            continue
        if amount < 0:
            if open_[at]:
                told_off = "line_discount" if owed.discount.iloc[at] is pd.NA else "discount"
                orders.refusals.add(at, reasons.DISCOUNT_TOO_LARGE, orders.lines.bound.shown(told_off))
            continue
        result = fit(items.items(int(at)), amount)
        nothing[at] = open_[at] and amount == 0
        fitted["article"][at] = result.article
        fitted["price"][at] = normalize.amount_text(result.price)
        fitted["qte"][at] = str(result.qte)
        if result.rewritten and amount and open_[at]:
            _note(orders, result)
    for name, column in fitted.items():
        frame[name] = pd.Series(column, dtype=STRING)
    orders.skip_nothing(nothing)


def _as_it_stands(owed: Owed) -> np.ndarray[Any, Any]:
    """Orders of one line that says the price of one piece, and nothing is taken off."""
    items = owed.items
    plain = (items.price.notna() & items.total.isna() & items.discount.isna()).to_numpy(dtype=bool)
    per_order = np.zeros(len(items.count), dtype=bool)
    single = items.count == 1
    per_order[single] = plain[items.begin[:-1][single]]
    return per_order & owed.discount.isna().to_numpy(dtype=bool)


def _note(orders: JudgedOrders, result: Fitted) -> None:
    orders.rewritten += 1
    if len(orders.examples) < _EXAMPLES:
        amount = normalize.amount_text(result.price)
        orders.examples.append(f'amount {amount} sent as "{result.article}", qte 1')
