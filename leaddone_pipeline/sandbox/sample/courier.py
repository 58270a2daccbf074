"""What a courier's files say of the orders, each day what it learned that day, and a little of it late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from leaddone_pipeline.contract import TRACKING_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["HEADER", "Event", "events_of", "rows"]

HEADER = (*TRACKING_FIELDS, "event_time")

_LATE_PERCENT = 4
_RETURNED_PERCENT = 22
_ABSENT_PERCENT = 15
_OUT_OF_ORDER_PERCENT = 6


@dataclass(frozen=True, slots=True)
class Event:
    """A status of a parcel; `reported_on` is the day whose file holds it, never before it happened."""

    order_id: str
    tracking_number: str
    status: str
    happened_at: datetime
    reported_on: date


def events_of(order_id: str, *, created_at: datetime, seed: str) -> list[Event]:
    """The whole way of one parcel, oldest first, each step later than the one before."""
    random = Random(f"{seed} {order_id}")
    tracking_number = f"TRK{random.randrange(10**10):010d}"
    events = []
    moment = created_at
    for status, hours in _way(random):
        moment += timedelta(hours=hours, minutes=random.randrange(60), seconds=random.randrange(1, 60))
        late = 1 + random.randrange(2) if random.randrange(100) < _LATE_PERCENT else 0
        reported_on = moment.date() + timedelta(days=late)
        events.append(Event(order_id, tracking_number, status, moment, reported_on))
    return events


def _way(random: Random) -> Iterator[tuple[str, int]]:
    """Statuses with the hours since the one before; a customer who is absent once is tried again."""
    yield "in-progress", random.randrange(1, 4)
    yield "shipped", random.randrange(4, 15)
    yield "out_for_delivery", random.randrange(8, 30)
    if random.randrange(100) < _ABSENT_PERCENT:
        yield "in-progress", random.randrange(1, 6)
        yield "out_for_delivery", random.randrange(12, 24)
    if random.randrange(100) < _RETURNED_PERCENT:
        yield "returned", random.randrange(20, 50)
    else:
        yield "delivered", random.randrange(1, 8)


def rows(events: Iterable[Event], *, day: date, seed: str) -> list[list[str]]:
    """The rows of one day's file: by time, but for a few that stand further down than they should."""
    random = Random(f"{seed} courier {day.isoformat()}")
    reported = sorted(
        (event for event in events if event.reported_on == day),
        key=lambda event: (event.happened_at, event.order_id),
    )
    for place in range(len(reported)):
        if random.randrange(100) < _OUT_OF_ORDER_PERCENT:
            other = random.randrange(place, len(reported))
            reported[place], reported[other] = reported[other], reported[place]
    return [
        [event.order_id, event.tracking_number, event.status, event.happened_at.isoformat()]
        for event in reported
    ]
