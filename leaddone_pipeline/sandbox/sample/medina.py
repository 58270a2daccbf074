"""The orders of a Shopify shop, in the layout of Shopify's own export.

Source: the 79 columns and the rules of their rows as counted in public exports; UTF-8 without BOM, LF, two
decimals. The first row of an order has everything; each further line item repeats Name, Email and Created at
and fills the Lineitem columns and Vendor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaddone_pipeline.sandbox.sample.orders import Damage, Fate, Line, SampleOrder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

__all__ = ["HEADER", "order_id", "rows"]

_ADDRESS = (
    "Name", "Street", "Address1", "Address2", "Company", "City", "Zip", "Province", "Country", "Phone",
)  # fmt: skip

HEADER = (
    "Name", "Email", "Financial Status", "Paid at", "Fulfillment Status", "Fulfilled at", "Accepts Marketing",
    "Currency", "Subtotal", "Shipping", "Taxes", "Total", "Discount Code", "Discount Amount",
    "Shipping Method", "Created at", "Lineitem quantity", "Lineitem name", "Lineitem price",
    "Lineitem compare at price", "Lineitem sku", "Lineitem requires shipping", "Lineitem taxable",
    "Lineitem fulfillment status",
    *(f"Billing {part}" for part in _ADDRESS),
    *(f"Shipping {part}" for part in _ADDRESS),
    "Notes", "Note Attributes", "Cancelled at", "Payment Method", "Payment Reference", "Refunded Amount",
    "Vendor", "Outstanding Balance", "Employee", "Location", "Device ID", "Id", "Tags", "Risk Level",
    "Source", "Lineitem discount",
    *(f"Tax {number} {part}" for number in range(1, 6) for part in ("Name", "Value")),
    "Phone", "Receipt Number", "Duties", "Billing Province Name", "Shipping Province Name", "Payment ID",
    "Payment Terms Name", "Next Payment Due At", "Payment References",
)  # fmt: skip

_FIRST_SHOPIFY_ID = 5_900_000_000_000
_FINANCIAL_STATUS = {Fate.PAID: "paid", Fate.REFUNDED: "refunded"}


def order_id(order: SampleOrder) -> str:
    """The order's name as couriers know it: one `#` less than in Shopify."""
    return f"MED{order.number}"


def rows(orders: Iterable[SampleOrder]) -> Iterator[list[str]]:
    """The rows of the orders, newest order first, as Shopify writes them."""
    for order in sorted(orders, key=lambda each: each.number, reverse=True):
        repeated = {
            "Name": f"#{order_id(order)}",
            "Email": f"client-{order.number}@example.com",
            "Created at": _stamp(order.created_at),
        }
        for place, line in enumerate(order.lines):
            fields = repeated | _line(order, line) | (_order(order) if place == 0 else {})
            yield [fields.get(column, "") for column in HEADER]


def _line(order: SampleOrder, line: Line) -> dict[str, str]:
    price = _money(line.article.price)
    damaged = {Damage.NEGATIVE_PRICE: f"-{price}", Damage.BLANK_PRICE: ""}
    return {
        "Lineitem quantity": "1.5" if order.damage is Damage.FRACTIONAL_QUANTITY else str(line.quantity),
        "Lineitem name": "" if order.damage is Damage.NO_ARTICLE else line.article.name,
        "Lineitem price": damaged.get(order.damage, price) if order.damage else price,
        "Lineitem sku": line.article.sku,
        "Lineitem requires shipping": "true",
        "Lineitem taxable": "true",
        "Lineitem fulfillment status": "fulfilled" if order.fate is Fate.FULFILLED else "pending",
        "Lineitem discount": "0.00",
        "Vendor": "Medina",
    }


def _order(order: SampleOrder) -> dict[str, str]:
    return {
        **_amounts(order),
        **_payment(order),
        **_addresses(order),
        "Fulfillment Status": "fulfilled" if order.fate is Fate.FULFILLED else "unfulfilled",
        "Fulfilled at": _stamp(order.fated_at) if order.fate is Fate.FULFILLED else "",
        "Accepts Marketing": "yes" if order.number % 4 == 0 else "no",
        "Shipping Method": "Livraison gratuite" if order.shipping == 0 else "Livraison standard",
        "Notes": "Appeler avant de livrer\nmerci 🙏" if order.number % 23 == 0 else "",
        "Note Attributes": "utm_source: instagram\nlanding: /produit" if order.number % 17 == 0 else "",
        "Id": str(_FIRST_SHOPIFY_ID + order.number * 32_768),
        "Tags": "releasit_cod_form" if order.fate is not Fate.PAID else "",
        "Risk Level": "Low",
        "Source": "web",
    }


def _amounts(order: SampleOrder) -> dict[str, str]:
    subtotal = sum(line.article.price * line.quantity for line in order.lines) - order.discount
    amounts = {"Subtotal": subtotal, "Total": subtotal + order.shipping}
    texts = {name: _money(centimes) for name, centimes in amounts.items()}
    if order.damage is Damage.NEGATIVE_PRICE:
        texts = {name: f"-{text}" for name, text in texts.items()}
    if order.damage is Damage.BLANK_PRICE:
        texts = dict.fromkeys(texts, "")
    return {
        "Currency": "MAD",
        "Shipping": _money(order.shipping),
        "Taxes": "0.00",
        "Discount Code": "BIENVENUE10" if order.discount else "",
        "Discount Amount": _money(order.discount),
        **texts,
    }


def _payment(order: SampleOrder) -> dict[str, str]:
    total = _amounts(order)["Total"]
    by_card = order.fate in {Fate.PAID, Fate.REFUNDED}
    return {
        "Financial Status": _FINANCIAL_STATUS.get(order.fate, "pending"),
        "Paid at": _stamp(order.created_at) if by_card else "",
        "Payment Method": "Carte bancaire (CMI)" if by_card else "Cash on Delivery (COD)",
        "Payment Reference": f"c{order.number}.1" if by_card else "",
        "Payment References": f"c{order.number}.1" if by_card else "",
        "Refunded Amount": total if order.fate is Fate.REFUNDED else "0.00",
        "Outstanding Balance": "0.00" if by_card or order.fate is Fate.CANCELLED else total,
        "Cancelled at": _stamp(order.fated_at) if order.fate is Fate.CANCELLED else "",
    }


def _addresses(order: SampleOrder) -> dict[str, str]:
    phone = _phone(order)
    both = {
        "Name": order.receiver,
        "Street": order.address,
        "Address1": order.address,
        "City": order.city.name,
        "Zip": f"'{order.city.postcode}",
        "Province": order.city.region_code,
        "Country": "MA",
        "Province Name": order.city.region,
    }
    shipping = {f"Shipping {part}": text for part, text in both.items()}
    billing = {f"Billing {part}": text for part, text in both.items()}
    # A few customers leave their number in one of the other two places only.
    place = {0: "Billing Phone", 1: "Phone"}.get(order.number % 29, "Shipping Phone")
    return shipping | billing | {place: phone}


def _phone(order: SampleOrder) -> str:
    match order.damage:
        case Damage.NO_PHONE:
            return ""
        case Damage.SHORT_PHONE:
            return f"0{order.phone[:6]}"
        case Damage.E_NOTATION_PHONE:
            return f"2.12{order.phone[:3]}E+11"
        case _:
            return _phone_forms(order.phone)[order.number % 5]


def _phone_forms(phone: str) -> tuple[str, str, str, str, str]:
    pairs = " ".join(phone[i : i + 2] for i in range(1, 9, 2))
    return f"+212{phone}", f"0{phone}", f"0{phone[0]} {pairs}", f"'+212 {phone[0]} {pairs}", f"212{phone}"


def _money(centimes: int) -> str:
    return f"{centimes // 100}.{centimes % 100:02d}"


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S %z")
