"""The two records that LeadDone takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = ["Order", "Record", "TrackingUpdate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as LeadDone's first webhook takes it. What names the customer appears in no repr.

    Attributes:
        id: unique in the shop's system; sent as text, whatever it looks like.
        price: unit price, exact.
        qte: quantity.
    """

    id: str
    article: str
    price: Decimal
    phone: str = field(repr=False)
    qte: int | None = None
    receiver: str | None = field(default=None, repr=False)
    city: str | None = None
    address: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingUpdate:
    """A parcel's number and status as LeadDone's second webhook takes them; `id` is the order's."""

    id: str
    tracking_number: str
    status: str


Record = Order | TrackingUpdate
