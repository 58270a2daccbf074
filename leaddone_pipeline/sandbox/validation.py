"""How Laravel reads a body and refuses records: the platform's assumed validation rules.

The documentation names types and required fields; the form of a refusal is Laravel's own
(`{"message", "errors": {"17.price": ["..."]}}`, delivery.md C).
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from leaddone_pipeline.contract import Kind, trim

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["id_text", "parse_records", "refusal", "validate"]

_NUMERIC = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_INTEGER = re.compile(r"[+-]?(0|[1-9]\d*)")


class _Rule(NamedTuple):
    field: str
    kind: str
    required: bool = False


_RULES: Mapping[Kind, tuple[_Rule, ...]] = {
    Kind.ORDERS: (
        _Rule("id", "identifier", required=True),
        _Rule("article", "string", required=True),
        _Rule("price", "number", required=True),
        _Rule("phone", "string", required=True),
        _Rule("qte", "integer"),
        _Rule("receiver", "string"),
        _Rule("city", "string"),
        _Rule("address", "string"),
    ),
    Kind.TRACKING: (
        _Rule("id", "identifier", required=True),
        _Rule("tracking_number", "string", required=True),
        _Rule("status", "string", required=True),
    ),
}

_MUST_BE = {"identifier": "a string", "string": "a string", "number": "a number", "integer": "an integer"}


def parse_records(body: bytes, content_type: str) -> dict[str, Any]:
    """The body's records by index, trimmed and with empty texts as None: what Laravel's middleware passes on.

    What PHP cannot parse, or is not told to be JSON, is an empty input: no error, no records.
    """
    if "/json" not in content_type and "+json" not in content_type:
        return {}
    try:
        value = json.loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return {}
    if isinstance(value, list):
        return {str(index): _cleaned(record) for index, record in enumerate(value)}
    if isinstance(value, dict):
        return {key: _cleaned(record) for key, record in value.items()}
    return {}


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _cleaned(record: Any) -> Any:  # noqa: ANN401 - any JSON value
    if not isinstance(record, dict):
        return record
    return {
        name: (trim(value) or None) if isinstance(value, str) else value for name, value in record.items()
    }


def id_text(value: Any) -> str | None:  # noqa: ANN401 - any JSON value
    """An id as text, whether it was sent as a string or as an integer; None if it is neither."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def validate(kind: Kind, records: Mapping[str, Any]) -> dict[str, list[str]]:
    """Laravel's errors by `index.field`; empty if every record may be processed."""
    errors = {}
    for index, record in records.items():
        fields = record if isinstance(record, dict) else {}
        for rule in _RULES[kind]:
            problem = _problem(rule, fields.get(rule.field))
            if problem is not None:
                errors[f"{index}.{rule.field}"] = [f"The {index}.{rule.field} field {problem}."]
    return errors


def _problem(rule: _Rule, value: Any) -> str | None:  # noqa: ANN401 - any JSON value
    if value is None:
        return "is required" if rule.required else None
    return None if _fits(rule.kind, value) else f"must be {_MUST_BE[rule.kind]}"


def _fits(kind: str, value: Any) -> bool:  # noqa: ANN401 - any JSON value
    if isinstance(value, bool):
        return False
    match kind:
        case "identifier":
            return isinstance(value, str | int)
        case "string":
            return isinstance(value, str)
        case "number":
            return isinstance(value, int | Decimal) or _matches(_NUMERIC, value)
        case _:
            whole = isinstance(value, Decimal) and value == value.to_integral_value()
            return isinstance(value, int) or whole or _matches(_INTEGER, value)


def _matches(pattern: re.Pattern[str], value: Any) -> bool:  # noqa: ANN401 - any JSON value
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def refusal(errors: Mapping[str, list[str]]) -> dict[str, Any]:
    """Laravel's body of a 422: the first message, how many more there are, and all of them by field."""
    first = next(iter(errors.values()))[0]
    others = sum(len(messages) for messages in errors.values()) - 1
    more = f" (and {others} more error{'s' if others > 1 else ''})" if others else ""
    return {"message": first + more, "errors": dict(errors)}
