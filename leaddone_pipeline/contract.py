"""What intake and webhook both must know of LeadDone's API: fields, limits, statuses, the trim set.

Source: LeadDone's API documentation, and design.md ("The request") where the documentation is silent.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum

__all__ = [
    "CANCELLED_REASONS",
    "MAX_PRICE",
    "MAX_PRICE_DIGITS",
    "MIN_PRICE",
    "ORDER_FIELDS",
    "ORDER_REQUIRED",
    "STATUS_RANK",
    "TERMINAL_STATUSES",
    "TRACKING_FIELDS",
    "Kind",
    "SkipReason",
    "price_problem",
    "trim",
]


class Kind(StrEnum):
    """The two records that LeadDone takes, each by a webhook of its own."""

    ORDERS = "orders"
    TRACKING = "tracking"


class SkipReason(StrEnum):
    """Why a shop's order is rightly not sent; an order's `skipped` column holds one of these, or nothing."""

    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    VOIDED = "voided"
    RESTOCKED = "returned to stock"
    DRAFT = "draft"
    TEST = "test order"
    ZERO_AMOUNT = "nothing to collect"
    FULFILLED = "already fulfilled"
    FULFILLED_IN_PART = "already fulfilled in part"
    PAID = "already paid"
    COLLECTED = "already collected on delivery"


CANCELLED_REASONS = frozenset(
    {SkipReason.CANCELLED, SkipReason.REFUNDED, SkipReason.VOIDED, SkipReason.RESTOCKED}
)
"""An accepted order that is skipped for one of these was cancelled too late (delivery.md, rule 22)."""

ORDER_FIELDS = ("id", "article", "price", "qte", "receiver", "phone", "city", "address")
"""The fields of an order, in the order of the documentation's own example."""

ORDER_REQUIRED = ("id", "article", "price", "phone")

TRACKING_FIELDS = ("id", "tracking_number", "status")

STATUS_RANK = {"in-progress": 1, "shipped": 2, "out_for_delivery": 3, "delivered": 4, "returned": 4}
"""Progress of a parcel, for updates of equal time (delivery.md, rule 28). The names are LeadDone's own."""

TERMINAL_STATUSES = frozenset({"delivered", "returned"})

MAX_PRICE = Decimal(10) ** 15
"""From here up PHP writes an exponent, which no longer matches the bytes that we signed."""

MIN_PRICE = Decimal("0.0001")
"""Below this, but for 0 itself, PHP writes an exponent."""

MAX_PRICE_DIGITS = 15
"""Beyond 15 significant digits a double no longer keeps the decimal that was meant."""

# Everything that any version of Laravel's TrimStrings takes from the ends of a string: PHP's own \s and NUL,
# then the invisible characters of its later regular expression (design.md, "Canonical body").
_TRIMMED = (
    "\x00\\s"
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u2000-\u200f\u205f-\u2065\u206a-\u206f"
    "\u2800\u3164\ufeff\uffa0\U0001d159\U0001d173-\U0001d17a\U000e0020"
)
_ENDS = re.compile(f"^[{_TRIMMED}]+|[{_TRIMMED}]+$")


def trim(text: str) -> str:
    """Take from both ends what Laravel's middleware would take, so that what is signed is what is read."""
    if text and " " < text[0] < "\x7f" and " " < text[-1] < "\x7f":
        return text
    return _ENDS.sub("", text)


def price_problem(price: Decimal) -> str | None:
    """Say why PHP would not write this price back as we send it; None if it would."""
    if not price.is_finite():
        return "not a number"
    if price < 0:
        return "negative"
    if price >= MAX_PRICE:
        return "10^15 or more"
    if 0 < price < MIN_PRICE:
        return "below 0.0001"
    written = "".join(map(str, price.as_tuple().digits)).strip("0")
    if len(written) > MAX_PRICE_DIGITS:
        return "more than 15 significant digits"
    return None
