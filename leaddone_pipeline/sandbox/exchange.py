"""What goes in and out of the platform: a request and its answer, as plain values."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Request", "Response", "html", "json_response"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it reached the server.

    Attributes:
        method: in capitals.
        path: without query string, such as `/api/webhook/orders`.
        headers: names in lower case.
        body: exactly the bytes that were sent.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """The platform's answer, or the way in which none arrives.

    Attributes:
        lost: the request was processed, then the connection is cut instead of answered.
        unread: the connection is cut before anything is processed.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    lost: bool = False
    unread: bool = False


def json_response(status: int, value: Any, **headers: str) -> Response:  # noqa: ANN401 - any JSON value
    """Answer as PHP's `json_encode` writes it; `retry_after="1"` becomes the header `retry-after: 1`."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(status, {"content-type": "application/json", **named}, _php_json(value))


def html(status: int, title: str, **headers: str) -> Response:
    """Answer with a page for people, as Laravel does where the client did not ask for JSON."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    page = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    return Response(status, {"content-type": "text/html; charset=UTF-8", **named}, page.encode())


def _php_json(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode("ascii")
