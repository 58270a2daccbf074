"""The orders of a shop that writes its own list, with the field names of LeadDone's documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaddone_pipeline.contract import ORDER_FIELDS
from leaddone_pipeline.sandbox.sample.orders import Damage, SampleOrder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["HEADER", "order_id", "rows"]

HEADER = ORDER_FIELDS


def order_id(order: SampleOrder) -> str:
    """The order's id in the shop's list, and with its couriers."""
    return f"ATL-{order.number}"


def rows(orders: Iterable[SampleOrder]) -> Iterator[list[str]]:
    """One row an order: its first line alone, since this shop sells one article at a time."""
    for order in orders:
        yield list(_fields(order).values())


def _fields(order: SampleOrder) -> dict[str, str]:
    line = order.lines[0]
    fields = {
        "id": order_id(order),
        "article": line.article.name,
        "price": _price(line.article.price),
        "qte": str(line.quantity) if order.number % 9 else "",
        "receiver": order.receiver if order.number % 31 else "",
        "phone": _phone(order),
        "city": order.city.name,
        "address": order.address if order.number % 11 else "",
    }
    match order.damage:
        case Damage.NO_PHONE:
            fields["phone"] = ""
        case Damage.SHORT_PHONE:
            fields["phone"] = f"0{order.phone[:6]}"
        case Damage.E_NOTATION_PHONE:
            fields["phone"] = f"{order.phone[0]}.{order.phone[1:6]}E+08"
        case Damage.NEGATIVE_PRICE:
            fields["price"] = f"-{fields['price']}"
        case Damage.BLANK_PRICE:
            fields["price"] = ""
        case Damage.FRACTIONAL_QUANTITY:
            fields["qte"] = "1.5"
        case Damage.NO_ARTICLE:
            fields["article"] = ""
    return fields


def _price(centimes: int) -> str:
    whole, rest = divmod(centimes, 100)
    return f"{whole}.{rest:02d}" if rest else str(whole)


def _phone(order: SampleOrder) -> str:
    return f"+212{order.phone}" if order.number % 13 == 0 else f"0{order.phone}"
