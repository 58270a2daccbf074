"""What a customer owes, as one article, one unit price and one quantity."""

# ruff: noqa: RUF001, RUF002 - the sign stands in the article, as people read it

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Fitted", "Item", "fit", "sum_of"]

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an order: the price of one piece, or what all pieces cost, or neither where nobody says."""

    article: str
    price: Decimal | None
    qte: int
    total: Decimal | None = None

    @property
    def amount(self) -> Decimal | None:
        """What all pieces cost."""
        if self.total is not None:
            return self.total
        return None if self.price is None else self.price * self.qte


@dataclass(frozen=True, slots=True)
class Fitted:
    """An order as LeadDone takes it.

    Attributes:
        rewritten: whether the quantities went into the article.
    """

    article: str
    price: Decimal
    qte: int
    rewritten: bool = False


def sum_of(items: Sequence[Item], *, line_discounts: Decimal, discount: Decimal) -> Decimal | None:
    """What the goods cost, below zero where more is taken off than they cost; None if a line does not say.

    The order's discount holds those of its lines too, where both are told; a line's total is after discounts.
    """
    whole = Decimal(0)
    for item in items:
        amount = item.amount
        if amount is None:
            return None
        whole += amount
    if all(item.total is not None for item in items):
        return whole
    return whole - max(line_discounts, discount)


def fit(items: Sequence[Item], amount: Decimal) -> Fitted:
    """Make one record of an order's lines whose price × qte is exactly the amount.

    A single line stands as it is where it gives the amount, and with another unit price where the amount
    divides by its quantity to the cent. Otherwise the quantities go into the article, as `2 × A + 1 × B`.
    """
    if len(items) == 1:
        (item,) = items
        if item.price is not None and item.price * item.qte == amount:
            return Fitted(item.article, item.price, item.qte)
        unit = (amount / item.qte).quantize(_CENT)
        if unit * item.qte == amount:
            return Fitted(item.article, unit, item.qte)
        if item.qte == 1:
            return Fitted(item.article, amount, 1)
    article = " + ".join(f"{item.qte} × {item.article}" for item in items)
    return Fitted(article, amount, 1, rewritten=True)
