"""What can go wrong with a request and its answer: each row of delivery.md's table, in several ways."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tests.simulation.leaddone import Model, Page, read

if TYPE_CHECKING:
    from random import Random

    from leaddone_pipeline.contract import Kind

__all__ = ["SPELLS", "Arrived", "Fault", "Row", "Storm", "busy", "strike"]


class Row(StrEnum):
    """The rows of delivery.md's table of answers."""

    RESULT = "2xx, array, a result for the id"
    NO_CLEAR_RESULT = "2xx, array without the id, twice with different results, success without internal id"
    NO_ARRAY = "2xx with anything else"
    BY_INDEX = "422 by index"
    WHOLE = "400, 413, 422 otherwise"
    CREDENTIALS = "401, 403"
    ADDRESS = "404, 405, 410, any 3xx"
    BUSY = "429, 503 with Retry-After"
    UNREACHED = "connect, DNS or TLS failure"
    UNKNOWN = "5xx, timeout, reset, 408, 409, 425, anything else"


class Fault(StrEnum):
    """What happens to one request. Those of SPELLS last for a while, the others strike once."""

    LOST_REQUEST = "request lost"
    LOST_ANSWER = "answer lost"
    LATE = "processed after the client gave up"
    CUT_HALFWAY = "connection cut when half was processed"
    PARTLY_TOLD = "all processed, some results missing"
    PARTLY_DONE = "some processed, the others missing"
    EMPTY = "[] for a body that was not read"
    TWICE_ALIKE = "a result twice"
    TWICE_DIFFERENT = "two different results for an order"
    WITHOUT_ID = "success without internal id"
    STRANGER = "a result for an id that was not sent"
    PAGE = "200 with HTML"
    TRUNCATED = "200 cut in the middle of its JSON"
    NO_ARRAY = "200 with an object"
    TOO_LARGE = "200 that was not read to its end"
    REFUSED = "refused as a whole, no order named"
    CREDENTIALS = "401 or 403"
    ADDRESS = "404, 405, 410 or a redirect"
    BUSY = "429 or 503 with Retry-After"
    DOWN = "no connection"
    FAILED = "5xx and the like, processed or not"


SPELLS = (Fault.REFUSED, Fault.CREDENTIALS, Fault.ADDRESS, Fault.BUSY, Fault.DOWN)

_LONGEST_SPELL = 12.0
_LONGEST_CALM = 3
_SELDOM = frozenset({Fault.CREDENTIALS, Fault.ADDRESS, Fault.REFUSED, Fault.DOWN})
_OFTEN = frozenset({Fault.LOST_REQUEST, Fault.LOST_ANSWER, Fault.LATE, Fault.FAILED, Fault.PARTLY_TOLD})
_WEIGHTS = [1 if fault in _SELDOM else 4 if fault in _OFTEN else 2 for fault in Fault]
_FAILURES = (500, 502, 503, 504, 408, 409, 425, 418)


class Storm:
    """Which fault strikes a request that leaves now.

    Attributes:
        struck: how many it has struck; the third request at the latest.

    Args:
        chance: seeded.
        share: of the requests, that a fault strikes.
        favourite: a fault that strikes as often as all others together.
    """

    def __init__(self, chance: Random, *, share: float, favourite: Fault) -> None:
        self._chance = chance
        self._share = share
        self._favourite = favourite
        self._spell: tuple[Fault, float] | None = None
        self._calm = 0
        self.struck = 0

    def next(self, now: float) -> Fault | None:
        fault = self._next(now)
        self.struck += fault is not None
        return fault

    def _next(self, now: float) -> Fault | None:
        if self._spell is not None and now < self._spell[1]:
            return self._spell[0]
        self._spell = None
        self._calm += 1
        due = self._share and not self.struck and self._calm >= _LONGEST_CALM
        if not due and self._chance.random() >= self._share:
            return None
        fault = self._favourite if self._chance.random() < 0.5 else self._any()
        if fault in SPELLS:
            self._spell = (fault, now + self._chance.uniform(0.0, _LONGEST_SPELL))
        return fault

    def _any(self) -> Fault:
        return self._chance.choices(list(Fault), _WEIGHTS)[0]

    def end(self) -> None:
        """The sky is clear from now on."""
        self._share, self._spell = 0.0, None


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request as it stands before LeadDone."""

    kind: Kind
    body: bytes
    number: int
    at: float


def strike(fault: Fault | None, model: Model, request: Arrived, chance: Random) -> Page | None:
    """Process a request as far as the fault lets it; None where its answer is cut off."""
    refusal = _at_the_door(fault, chance)
    if refusal is not None:
        return refusal
    objection = model.objection(request.kind, request.body)
    if objection is not None and fault not in {Fault.LOST_ANSWER, Fault.LATE, Fault.FAILED}:
        return objection
    count = len(read(request.body))
    first = (
        {
            Fault.CUT_HALFWAY: count // 2,
            Fault.PARTLY_DONE: count // 2,
            Fault.EMPTY: 0,
            Fault.FAILED: chance.choice([0, count // 2, count]),
        }.get(fault, count)
        if objection is None
        else 0
    )
    results = model.process(request.kind, request.body, request=request.number, at=request.at, first=first)
    missing = {record["id"] for record in read(request.body)[first:]}
    if fault in {Fault.LOST_ANSWER, Fault.LATE, Fault.CUT_HALFWAY}:
        return None
    if fault is Fault.FAILED:
        return Page(chance.choice(_FAILURES), b"<html>Server Error</html>", Row.UNKNOWN)
    page = _answer(fault, model, results, chance)
    return replace(page, row=Row.NO_CLEAR_RESULT) if missing and page.row == Row.RESULT else page


def _at_the_door(fault: Fault | None, chance: Random) -> Page | None:
    """Answers that say that nothing was processed."""
    match fault:
        case Fault.REFUSED:
            said = {"message": "Bad batch", "errors": {"account": ["no index"], "999.id": ["beyond"]}}
            return Page(chance.choice([400, 413, 422]), json.dumps(said).encode(), Row.WHOLE)
        case Fault.CREDENTIALS:
            return Page(chance.choice([401, 403]), b'{"message":"Invalid signature."}', Row.CREDENTIALS)
        case Fault.ADDRESS:
            return Page(chance.choice([404, 405, 410, 301, 302, 307]), b"<html></html>", Row.ADDRESS)
        case Fault.BUSY:
            if chance.random() < 0.2:
                return busy(429, None, chance)
            return busy(chance.choice([429, 503]), chance.choice([0, 1, 2, 5, 15, 100]), chance)
        case _:
            return None


def busy(status: int, seconds: float | None, chance: Random) -> Page:
    """Turned away; the wait in seconds or as a date."""
    headers = {} if seconds is None else {"retry-after": str(seconds)}
    if seconds is not None and chance.random() < 0.3:
        now = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)  # a server's clock may say what it likes
        later = format_datetime(now + timedelta(seconds=seconds), usegmt=True)
        headers = {"date": format_datetime(now, usegmt=True), "retry-after": later}
    return Page(status, b'{"message":"Too Many Attempts."}', Row.BUSY, headers)


def _answer(fault: Fault | None, model: Model, results: list[dict[str, Any]], chance: Random) -> Page:
    match fault:
        case Fault.PAGE:
            return Page(200, b"<html>Maintenance</html>", Row.NO_ARRAY)
        case Fault.TRUNCATED:
            body = json.dumps(results).encode()
            return Page(200, body[: len(body) // 2], Row.NO_ARRAY)
        case Fault.NO_ARRAY:
            return Page(200, json.dumps({"data": results}).encode(), Row.NO_ARRAY)
        case Fault.TOO_LARGE:
            return Page(200, b"", Row.NO_ARRAY)
    told, unclear = _mangled(fault, results, chance)
    tells = {
        result["order_id"]: result["internal_id"]
        for result in told
        if result["success"] and result["internal_id"] is not None and result["order_id"] not in unclear
    }
    refuses = frozenset(result["order_id"] for result in told if not result["success"]) - unclear
    row = Row.NO_CLEAR_RESULT if unclear else Row.RESULT
    body = json.dumps(model.shown(told)).encode()
    return Page(chance.choice([200, 200, 201, 207]), body, row, tells=tells, refuses=refuses)


def _mangled(
    fault: Fault | None, results: list[dict[str, Any]], chance: Random
) -> tuple[list[dict[str, Any]], set[str]]:
    """The results as a fault tells them, and the ids of which they say nothing clear."""
    some = chance.choice(results) if results else None
    match fault:
        case Fault.PARTLY_TOLD:
            odd = chance.randrange(2)
            dropped = {result["order_id"] for index, result in enumerate(results) if index % 2 == odd}
            return [result for result in results if result["order_id"] not in dropped], dropped
        case Fault.TWICE_ALIKE if some:
            return [*results, some], set()
        case Fault.TWICE_DIFFERENT if some:
            other = {"success": not some["success"], "internal_id": None if some["success"] else "9"}
            return [*results, {**some, **other}], {some["order_id"]}
        case Fault.WITHOUT_ID if some and some["success"]:
            told = [{**result, "internal_id": None} if result is some else result for result in results]
            return told, {some["order_id"]}
        case Fault.STRANGER:
            stranger = {"order_id": "elsewhere", "success": True, "internal_id": "1", "message": ""}
            return [stranger, *results], set()
        case _:
            return results, set()
