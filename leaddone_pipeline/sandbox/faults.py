"""What can go wrong between a shop and LeadDone, each fault by a name that can be switched on."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from leaddone_pipeline.errors import SettingsError
from leaddone_pipeline.sandbox.exchange import Response, html, json_response

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Fault", "PlannedFault", "alter_results", "refuse", "replace_answer"]

RATE_LIMITED_EVERY = 3
LARGEST_BATCH = 20


class Fault(StrEnum):
    """A fault by its name on the command line; `description` says what happens, on one line."""

    description: str

    def __new__(cls, name: str, description: str) -> Self:
        fault = str.__new__(cls, name)
        fault._value_ = name
        fault.description = description
        return fault

    RATE_LIMIT = "rate_limit", "every third request is answered 429 with Retry-After: 1"
    LOST_ANSWER = "lost_answer", "the request is processed, then the connection is cut"
    LOST_REQUEST = "lost_request", "the connection is cut before anything is processed"
    HTML_ERROR = "html_error", "the request is processed, then answered 500 with an HTML page"
    TRUNCATED = "truncated", "the request is processed, then answered 200 with half of the JSON"
    REDIRECT = "redirect", "302 to the site's root; nothing is processed"
    MAINTENANCE = "maintenance", "503 with Retry-After: 1; nothing is processed"
    UNAVAILABLE = "unavailable", "503 without Retry-After; nothing is processed"
    UNAUTHORIZED = "unauthorized", "401 although the signature is right; nothing is processed"
    TOO_LARGE = "too_large", f"413 for more than {LARGEST_BATCH} records; nothing is processed"
    ECHO = "echo", "422 that refuses each order by its index and repeats its phone; nothing is processed"
    PARTLY = "partly", "all records are processed, every second result is left out"
    REVERSED = "reversed", "the results stand in reversed order"
    NUMBER_IDS = "number_ids", "ids that consist of digits come back as JSON numbers"


class PlannedFault:
    """A fault that is switched on, for good or for the first so many requests."""

    def __init__(self, fault: Fault, count: int | None = None) -> None:
        self.fault = fault
        self.left = count
        self.seen = 0

    @classmethod
    def parse(cls, text: str) -> PlannedFault:
        """Read `name` or `name:COUNT`.

        Raises:
            SettingsError: there is no such fault, or the count is no number from 1 up.
        """
        name, colon, count = text.partition(":")
        if name not in {fault.value for fault in Fault}:
            names = ", ".join(Fault)
            raise SettingsError(f'there is no fault "{name}"', remedy=f"Take one of {names}", setting="fault")
        if colon and not (count.isascii() and count.isdigit() and int(count) > 0):
            raise SettingsError(
                f'"{text}" does not say for how many requests',
                remedy=f"Write {name}, or {name}:3 for the first 3 requests",
                setting="fault",
            )
        fault = next(each for each in Fault if each.value == name)
        return cls(fault, int(count) if colon else None)

    def strikes(self) -> bool:
        """Count one more request, and say whether the fault happens to it."""
        if self.left == 0:
            return False
        self.seen += 1
        if self.left is not None:
            self.left -= 1
        return self.fault is not Fault.RATE_LIMIT or self.seen % RATE_LIMITED_EVERY == 0

    def __str__(self) -> str:
        return self.fault.value if self.left is None else f"{self.fault.value}:{self.left}"


def refuse(fault: Fault, *, records: int, wants_json: bool) -> Response | None:
    """The answer of a fault that keeps the request from being processed; None for any other fault."""
    refused: Response | None = None
    match fault:
        case Fault.LOST_REQUEST:
            refused = Response(0, {}, b"", unread=True)
        case Fault.RATE_LIMIT:
            limits = {"retry_after": "1", "x_ratelimit_limit": "60", "x_ratelimit_remaining": "0"}
            refused = error(429, "Too Many Attempts.", wants_json=wants_json, **limits)
        case Fault.REDIRECT:
            refused = html(302, "Redirecting", location="/")
        case Fault.MAINTENANCE:
            refused = error(503, "Service Unavailable", wants_json=wants_json, retry_after="1")
        case Fault.UNAVAILABLE:
            refused = error(503, "Service Unavailable", wants_json=wants_json)
        case Fault.UNAUTHORIZED:
            refused = json_response(401, {"message": "Invalid signature."})
        case Fault.TOO_LARGE if records > LARGEST_BATCH:
            # nginx answers this before PHP sees anything, and knows nothing of JSON.
            refused = html(413, "413 Request Entity Too Large")
    return refused


def error(status: int, message: str, *, wants_json: bool, **headers: str) -> Response:
    """Laravel's answer to a failure: JSON for who asked for it, else a page."""
    if wants_json:
        return json_response(status, {"message": message}, **headers)
    return html(status, message, **headers)


def alter_results(fault: Fault, results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a fault makes of the results of processed records."""
    match fault:
        case Fault.PARTLY:
            return list(results[::2])
        case Fault.REVERSED:
            return list(reversed(results))
        case Fault.NUMBER_IDS:
            return [{**result, "order_id": _as_number(result["order_id"])} for result in results]
        case _:
            return list(results)


def _as_number(order_id: str) -> int | str:
    return int(order_id) if order_id.isascii() and order_id.isdigit() else order_id


def replace_answer(fault: Fault, response: Response) -> Response:
    """What a fault makes of the whole answer to a request that was processed."""
    match fault:
        case Fault.LOST_ANSWER:
            return dataclasses.replace(response, lost=True)
        case Fault.HTML_ERROR:
            return html(500, "Server Error")
        case Fault.TRUNCATED:
            return dataclasses.replace(response, body=response.body[: len(response.body) // 2])
        case _:
            return response
