"""A model of LeadDone: what it makes of a body, whatever then happens to its answer. Seeded, without clock or wire.

It knows the truth that the invariants are measured against: which order was processed when, under which ids.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from leaddone_pipeline.contract import Kind

if TYPE_CHECKING:
    from random import Random

__all__ = ["INVALID_ARTICLE", "REFUSED_CITY", "Character", "Habits", "Model", "Page", "Taken"]

INVALID_ARTICLE = "Interdit"
"""An order with this article fails LeadDone's validation: its whole request is refused."""

REFUSED_CITY = "Zone non desservie"
"""An order to this city is refused by itself, inside a 200."""

_TAKEN = "The id has already been taken."


class Character(StrEnum):
    """What LeadDone does with an order that it gets twice; the documentation does not say (rule 17)."""

    RECOGNISES = "recognises repeats"
    SECOND_ORDERS = "makes second orders"
    REFUSES = "refuses repeats"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How this LeadDone behaves when nothing is wrong.

    Attributes:
        names_index: a refused request says which record is to blame (422 with Laravel's indexes).
        taken_by_index: a repeat that it refuses fails the validation of the whole request.
        numbers: ids of digits come back as JSON numbers; so do internal ids.
        shuffles: results stand in another order.
        largest: records that a request may have; more are answered 413.
    """

    character: Character
    names_index: bool
    taken_by_index: bool
    numbers: bool
    shuffles: bool
    largest: int


@dataclass(frozen=True, slots=True)
class Page:
    """An answer as LeadDone writes it.

    Attributes:
        row: the row of delivery.md's table that it belongs to.
        tells: internal ids by order id, where it says clearly that an order was taken.
        refuses: order ids, where it says clearly that an order was not taken.
    """

    status: int
    body: bytes
    row: str
    headers: dict[str, str] = field(default_factory=dict)
    tells: dict[str, str] = field(default_factory=dict)
    refuses: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Taken:
    """One processing of an order or a status.

    Attributes:
        request: number of the request that brought it.
        internal_id: under which it stands; a repeat that is recognised has the first one's.
    """

    order_id: str
    request: int
    at: float
    internal_id: str


class Model:
    """One LeadDone.

    Attributes:
        taken: every processing of each order, in the order of processing.
        statuses: every status that each order was given, and by which request.
    """

    def __init__(self, habits: Habits, chance: Random) -> None:
        self.habits = habits
        self.taken: dict[str, list[Taken]] = {}
        self.statuses: dict[str, list[tuple[str, int]]] = {}
        self.refused_alone: set[str] = set()
        self._chance = chance
        self._next_id = 7001

    def objection(self, kind: Kind, body: bytes) -> Page | None:
        """Why the request is refused as a whole, before any of its records is looked at further."""
        records = read(body)
        if len(records) > self.habits.largest:
            return Page(413, b"<html>413 Request Entity Too Large</html>", "400, 413, 422 otherwise")
        if kind is Kind.TRACKING:
            return None
        errors = {}
        for index, record in enumerate(records):
            if record["article"] == INVALID_ARTICLE:
                errors[f"{index}.article"] = ["The article is not allowed."]
            elif self.habits.taken_by_index and self._refuses_repeat(record["id"]):
                errors[f"{index}.id"] = [_TAKEN]
        if not errors:
            return None
        if len(records) == 1:
            self.refused_alone.add(records[0]["id"])
        if self.habits.names_index:
            errors["account"] = ["This key has no index."]
            document = {"message": "The given data was invalid.", "errors": errors}
            return Page(422, json.dumps(document).encode(), "422 by index")
        document = {"message": next(iter(errors.values()))[0]}
        return Page(self._chance.choice([400, 422]), json.dumps(document).encode(), "400, 413, 422 otherwise")

    def process(
        self, kind: Kind, body: bytes, *, request: int, at: float, first: int | None = None
    ) -> list[dict[str, Any]]:
        """Take the records (the first so many alone) and give their results, in their order."""
        records = read(body)[:first]
        if kind is Kind.TRACKING:
            return [self._update(record, request) for record in records]
        return [self._take(record, request, at) for record in records]

    def shown(self, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The results as this LeadDone writes them: perhaps shuffled, perhaps with numbers for ids."""
        written = [dict(result) for result in results]
        if self.habits.shuffles:
            self._chance.shuffle(written)
        if self.habits.numbers:
            for result in written:
                for name in ("order_id", "internal_id"):
                    if result[name] is not None and result[name].isdigit():
                        result[name] = int(result[name])
        return written

    def _refuses_repeat(self, order_id: str) -> bool:
        return self.habits.character is Character.REFUSES and order_id in self.taken

    def _take(self, record: dict[str, Any], request: int, at: float) -> dict[str, Any]:
        order_id = record["id"]
        if record.get("city") == REFUSED_CITY:
            return _result(order_id, "City not served", None)
        if self._refuses_repeat(order_id):
            return _result(order_id, _TAKEN, None)
        before = self.taken.setdefault(order_id, [])
        if before and self.habits.character is Character.RECOGNISES:
            internal_id = before[0].internal_id
        else:
            self._next_id += 1
            internal_id = str(self._next_id)
        before.append(Taken(order_id, request, at, internal_id))
        return _result(order_id, "Order received successfully", internal_id)

    def _update(self, record: dict[str, Any], request: int) -> dict[str, Any]:
        order_id = record["id"]
        if order_id not in self.taken:
            return _result(order_id, "Order not found", None)
        self.statuses.setdefault(order_id, []).append((record["status"], request))
        return _result(order_id, "Order updated successfully", self.taken[order_id][0].internal_id)


def read(body: bytes) -> list[dict[str, Any]]:
    """The body's records, read as strictly as any JSON parser does."""
    records: list[dict[str, Any]] = json.loads(body, parse_float=Decimal)
    return records


def _result(order_id: str, message: str, internal_id: str | None) -> dict[str, Any]:
    return {
        "success": internal_id is not None,
        "message": message,
        "order_id": order_id,
        "internal_id": internal_id,
    }
