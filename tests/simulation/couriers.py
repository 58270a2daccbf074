"""Courier files of a seed, and what must be LeadDone's last word on each order by them (delivery.md E)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from leaddone_pipeline.contract import Kind
from tests.simulation.faults import Row
from tests.simulation.judge import Judge, Violation

if TYPE_CHECKING:
    from random import Random

    from tests.simulation.network import Request

__all__ = ["Event", "Events", "statuses_at_the_end", "write_events"]

_WAYS = (
    ("in-progress", "shipped", "out_for_delivery", "delivered"),
    ("in-progress", "shipped", "out_for_delivery", "in-progress", "out_for_delivery", "returned"),
    ("shipped", "delivered"),
)
_BEGINS = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Event:
    """A row of a courier file. No two events of an order have one time."""

    order_id: str
    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Events:
    """A courier file."""

    name: str
    day: None
    lines: tuple[Event, ...]

    kind = Kind.TRACKING
    skipped = 0

    @property
    def order_ids(self) -> tuple[str, ...]:
        return tuple({event.order_id: None for event in self.lines})

    @property
    def valid(self) -> int:
        return len(self.lines)


def write_events(chance: Random, order_ids: list[str]) -> tuple[Events, Events]:
    """Two files: each has a part of each order's way, in no order; the first may know what the second does not."""
    files: tuple[list[Event], list[Event]] = ([], [])
    for order_id in [*chance.sample(order_ids, 24), "ELSEWHERE-1"]:
        way = chance.choice(_WAYS)[: chance.randint(1, 6)]
        for step, status in enumerate(way):
            at = _BEGINS + timedelta(hours=step, minutes=chance.randint(0, 59))
            late = chance.random() < 0.2
            files[(2 * step >= len(way)) != late].append(Event(order_id, status, at))
    for events in files:
        chance.shuffle(events)
    first, second = (tuple(events) for events in files)
    return Events("courier-1.csv", None, first), Events("courier-2.csv", None, second)


def is_not_older(judge: Judge, request: Request, files: tuple[Events, ...]) -> None:
    """Rules 28 and 30, when statuses leave: forward in event time, and of no order that waits.

    An order that was recorded after the run began does not count: until then nobody knew of it.
    """
    orders = judge.witness.records(Kind.ORDERS, request.ids)
    updates = judge.witness.records(Kind.TRACKING, request.ids)
    for order_id, status in request.statuses.items():
        if order_id in request.run.knew and orders[order_id].state != "accepted":
            raise Violation(
                f"the status of {order_id} is sent, and the order is {orders[order_id].state} (rule 30)"
            )
        newest = max(
            event.at.timestamp()
            for events in files
            for event in events.lines
            if (event.order_id, event.status) == (order_id, status)
        )
        accepted_at = updates[order_id].accepted_event_at
        if accepted_at is not None and newest < accepted_at:
            raise Violation(f"{order_id} is sent as {status}, and something newer was accepted (rule 28)")


def statuses_at_the_end(judge: Judge, files: tuple[Events, ...]) -> None:
    """After runs with nothing wrong, LeadDone shows the newest status of each order that it has."""
    orders = judge.witness.records(Kind.ORDERS)
    updates = judge.witness.records(Kind.TRACKING)
    newest: dict[str, Event] = {}
    for event in (event for events in files for event in events.lines):
        if event.order_id not in newest or event.at > newest[event.order_id].at:
            newest[event.order_id] = event
    for order_id, event in newest.items():
        order, row = orders.get(order_id), updates[order_id]
        if row.forgotten or (row.state == "unconfirmed" and row.held):
            continue
        if order is None:
            if row.state != "rejected":
                raise Violation(f"the status of {order_id}, which nobody has, is {row.state}")
        elif order.state != "accepted":
            continue  # it waits, or was refused or lost when the order was not known yet
        elif row.state == "rejected" and _was_refused_alone(judge, order_id):
            continue
        elif (row.state, row.accepted_status) != ("accepted", event.status):
            raise Violation(
                f"{order_id} is {row.state} as {row.accepted_status}; newest is {event.status} (rule 28)"
            )
        else:
            _is_shown(judge, order_id, event)


def _was_refused_alone(judge: Judge, order_id: str) -> bool:
    sent = judge.earlier(order_id, Kind.TRACKING)
    return any(request.row is Row.WHOLE and request.ids == (order_id,) for request in sent)


def _is_shown(judge: Judge, order_id: str, event: Event) -> None:
    """LeadDone shows it, unless a request whose answer nobody got was processed later still."""
    status, number = judge.model.statuses[order_id][-1]
    brought = next(request for request in judge.requests if request.number == number)
    if status != event.status and brought.recorded_at is not None and brought.told is not None:
        raise Violation(f"LeadDone shows {order_id} as {status}; newest is {event.status} (rule 28)")
