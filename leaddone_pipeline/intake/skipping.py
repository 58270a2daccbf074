"""Which orders are rightly not sent, and which are in a state that the source does not know."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from leaddone_pipeline.contract import SkipReason
from leaddone_pipeline.intake import reasons
from leaddone_pipeline.intake.forms import SEND
from leaddone_pipeline.intake.lines import says
from leaddone_pipeline.intake.prices import is_currency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pandas as pd

    from leaddone_pipeline.intake.judged import JudgedOrders
    from leaddone_pipeline.intake.owed import Owed

__all__ = ["refuse_unknown", "skip"]


_NOTHING = Decimal(0)

_DONE = {
    SkipReason.FULFILLED.value: "fulfilled",
    SkipReason.FULFILLED_IN_PART.value: "fulfilled",
    SkipReason.PAID.value: "paid",
}
"""Meanings of a status that a setting may change, and the setting."""


def skip(orders: JudgedOrders, owed: Owed) -> None:
    """Skip orders that are no orders any more, then by the source's rules, then those that are done already."""
    lines = orders.lines
    form, source = lines.bound.orders, lines.bound.source
    _skip_by_words(orders, lambda meaning: meaning not in _DONE)
    for rule in form.skip:
        if any((getattr(source, name) or "skip") == value for name, value in rule.unless.items()):
            continue
        orders.skip(orders.heads_of(lines.holds(rule.when)) & orders.open(), rule.reason)
    _skip_by_words(orders, lambda meaning: meaning in _DONE and getattr(source, _DONE[meaning]) != SEND)
    paid = (orders.frame["skipped"] == SkipReason.PAID.value).to_numpy(dtype=bool)
    orders.paid.count = int(paid.sum())
    known = np.flatnonzero(paid & owed.readable()) if paid.any() else ()
    orders.paid.amount = sum((max(owed.amount(int(at)) or _NOTHING, _NOTHING) for at in known), _NOTHING)
    orders.skip_nothing((owed.told == "0").fillna(value=False).to_numpy(dtype=bool) & orders.open())


def _skip_by_words(orders: JudgedOrders, chosen: Callable[[str], bool]) -> None:
    """Skip what any column of the state or of the payment says is not to be sent, by the meanings chosen."""
    for vocabulary, _, cells in _told(orders):
        for meaning, words in vocabulary.items():
            if meaning != SEND and chosen(meaning):
                orders.skip(says(cells, words) & orders.open(), SkipReason(meaning))


def _told(orders: JudgedOrders) -> Iterator[tuple[Mapping[str, list[str]], str, pd.Series[Any]]]:
    """Yield a vocabulary, a column that speaks by it, and what it says of each order, an empty cell as the others."""
    lines = orders.lines
    form = lines.bound.orders
    for field, vocabulary in (("status", form.statuses), ("payment", form.payments)):
        if vocabulary:
            for place in lines.bound.fields.get(field, ()):
                cells = lines.joined(place).fillna(lines.field(field))
                yield vocabulary, lines.bound.header[place[0]], orders.heads(cells)


def refuse_unknown(orders: JudgedOrders) -> None:
    """Refuse the orders whose state or currency the source does not know."""
    lines = orders.lines
    form = lines.bound.orders
    for vocabulary, column, cells in _told(orders):
        known = np.logical_or.reduce([says(cells, words) for words in vocabulary.values() if words])
        for at in np.flatnonzero(orders.open() & ~known):
            orders.refusals.add(at, reasons.unexpected(column), column)
    for column, values in form.expects.items():
        if lines.bound.places(column):
            told = orders.heads_of(lines.holds({column: values}))
            for at in np.flatnonzero(orders.open() & ~told):
                orders.refusals.add(at, reasons.unexpected(column), column)
    currency = lines.bound.source.currency
    if currency not in {None, "any"} and lines.bound.fields.get("currency"):
        used = orders.heads(lines.field("currency")).fillna(currency)
        foreign = [cell for cell in used.unique() if not is_currency(cell, str(currency))]
        for at in np.flatnonzero(orders.open() & used.isin(foreign).to_numpy(dtype=bool)):
            orders.refusals.add(at, reasons.foreign_currency(str(currency)), lines.bound.shown("currency"))
