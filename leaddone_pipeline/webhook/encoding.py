"""Canonical JSON: the one body that verifies both as it is and as PHP would write it again.

Source: design.md, "The request" 2; the bytes are checked against PHP's own in tests/webhook/.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from operator import index
from typing import TYPE_CHECKING, TypeAlias

from leaddone_pipeline.contract import MAX_PRICE_DIGITS, price_problem, trim
from leaddone_pipeline.webhook.records import Order, Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leaddone_pipeline.webhook.records import TrackingUpdate

__all__ = ["JsonValue", "body", "canonical", "encode"]

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | Decimal | bool | None"

_SURROGATE = re.compile("[\ud800-\udfff]")
_PHP_INTEGERS = range(-(2**63), 2**63)


def encode(record: Record) -> bytes:
    """Write one record as a JSON object, strings trimmed, empty optional fields left out.

    Raises:
        ValueError: a field cannot be written; its name is in the text, its value is not.
    """
    text = _order(record) if isinstance(record, Order) else _tracking_update(record)
    return text.encode("ascii")


def body(encoded: Sequence[bytes]) -> bytes:
    """Join encoded records to the array that is signed and sent."""
    return b"[" + b",".join(encoded) + b"]"


def canonical(value: JsonValue) -> bytes:
    """Write any JSON value as PHP's `json_encode` writes what its `json_decode` read into arrays.

    Nothing is trimmed or left out. PHP knows one kind of array: an object that is empty, or whose keys count
    from 0, becomes a list.

    Raises:
        ValueError: a string, integer or decimal that PHP would not write back.
    """
    return _text(value).encode("ascii")


def _order(order: Order) -> str:
    # Written out field by field: a million orders pass here.
    text = (
        f'{{"id":{_required("id", order.id)},"article":{_usual_required("article", order.article)}'
        f',"price":{_price(order.price)}'
    )
    if order.qte is not None:
        text += f',"qte":{_integer("qte", order.qte)}'
    if order.receiver is not None:
        text += _optional("receiver", order.receiver)
    text += f',"phone":{_required("phone", order.phone)}'
    if order.city is not None:
        text += _usual_optional("city", order.city)
    if order.address is not None:
        text += _optional("address", order.address)
    return text + "}"


def _tracking_update(update: TrackingUpdate) -> str:
    return (
        f'{{"id":{_required("id", update.id)}'
        f',"tracking_number":{_required("tracking_number", update.tracking_number)}'
        f',"status":{_required("status", update.status)}}}'
    )


def _required(name: str, text: str) -> str:
    trimmed = trim(text)
    if not trimmed:
        raise ValueError(f"{name} is empty")
    return _string(name, trimmed)


def _optional(name: str, text: str) -> str:
    trimmed = trim(text)
    return f',"{name}":{_string(name, trimmed)}' if trimmed else ""


def _string(name: str, text: str) -> str:
    if not text.isascii() and _SURROGATE.search(text):
        raise ValueError(f"{name} has half a character in it (a lone surrogate), which no JSON can carry")
    if "\x7f" in text:
        # PHP leaves DEL as it is, Python writes \u007f, which does not verify.
        quoted = '"' + "\x7f".join(encode_basestring_ascii(part)[1:-1] for part in text.split("\x7f")) + '"'
    else:
        quoted = encode_basestring_ascii(text)
    return quoted.replace("/", "\\/")


def _price(price: Decimal) -> str:
    return _usual_price(price) if price.is_finite() else _checked_price(price)


def _checked_price(price: Decimal) -> str:
    problem = price_problem(price)
    if problem is not None:
        raise ValueError(f"price is {problem}")
    return _decimal("price", price)


# A shop has few prices, articles and cities, and many orders.
_usual_price = lru_cache(maxsize=4096)(_checked_price)
_usual_required = lru_cache(maxsize=4096)(_required)
_usual_optional = lru_cache(maxsize=4096)(_optional)


def _decimal(name: str, value: Decimal) -> str:
    if not value:
        return "0"
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    # Counted on what is written: Decimal.normalize() first rounds to the context's 28 digits.
    if len(text) > MAX_PRICE_DIGITS and len(text.replace(".", "").strip("-0")) > MAX_PRICE_DIGITS:
        raise ValueError(f"{name} is more than {MAX_PRICE_DIGITS} significant digits")
    return text


def _integer(name: str, value: int) -> str:
    number = index(value)
    if number not in _PHP_INTEGERS:
        raise ValueError(f"{name} is beyond 64 bits, where PHP writes an exponent")
    return f"{number:d}"


def _text(value: JsonValue) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return _integer("a number", value)
        case Decimal():
            problem = price_problem(value.copy_abs())
            if problem is not None:
                raise ValueError(f"a number is {problem}")
            return _decimal("a number", value)
        case str():
            return _string("a text", value)
        case list():
            return f"[{','.join(map(_text, value))}]"
        case dict():
            if list(value) == [str(number) for number in range(len(value))]:
                return _text(list(value.values()))
            fields = (f"{_string('a key', key)}:{_text(each)}" for key, each in value.items())
            return f"{{{','.join(fields)}}}"
