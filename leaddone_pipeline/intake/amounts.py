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
    """One line of an order."""

    article: str
    price: Decimal
    qte: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """An order as LeadDone takes it."""

    article: str
    price: Decimal
    qte: int


def sum_of(items: Sequence[Item], *, line_discounts: Decimal, discount: Decimal) -> Decimal:
    """What the goods cost; the order's discount holds those of its lines too, where both are told."""
    whole = sum((item.price * item.qte for item in items), Decimal(0))
    return max(whole - max(line_discounts, discount), Decimal(0))


def fit(items: Sequence[Item], amount: Decimal) -> Fitted:
    """Make one record of an order's lines whose price × qte is exactly the amount.

    A single line stands as it is where it gives the amount, and with another unit price where the amount
    divides by its quantity to the cent. Otherwise the quantities go into the article, as `2 × A + 1 × B`.
    """
    if len(items) == 1:
        (item,) = items
        if item.price * item.qte == amount:
            return Fitted(item.article, item.price, item.qte)
        unit = (amount / item.qte).quantize(_CENT)
        if unit * item.qte == amount:
            return Fitted(item.article, unit, item.qte)
    return Fitted(" + ".join(f"{item.qte} × {item.article}" for item in items), amount, 1)
