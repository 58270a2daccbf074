"""Pure: which status of an order is the newest, and whether it must be sent (delivery.md, rules 28 and 29)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leaddone_pipeline.contract import STATUS_RANK, TERMINAL_STATUSES

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Folded", "Place", "Update", "fold"]


@dataclass(frozen=True, slots=True)
class Update:
    """A status of an order's parcel.

    Attributes:
        event_at: when it happened, UTC seconds.
        timed: whether that time is the event's own; else it is the file's.
    """

    tracking_number: str
    status: str
    event_at: float
    timed: bool

    def says_the_same(self, other: Update) -> bool:
        return (self.tracking_number, self.status) == (other.tracking_number, other.status)

    def is_newer_than(self, other: Update) -> bool:
        """Forward in event time; at equal times by progress, then by the order of the rows (rule 28)."""
        rank, other_rank = STATUS_RANK.get(self.status, 0), STATUS_RANK.get(other.status, 0)
        if not self.timed:
            leaves = other.status in TERMINAL_STATUSES and self.status != other.status
            return self.event_at >= other.event_at and rank >= other_rank and not leaves
        return (self.event_at, rank) >= (other.event_at, other_rank)


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of an order's statuses.

    Attributes:
        accepted: the last accepted.
        waiting: the one that is still to be accepted.
        doubtful: the waiting one was sent, and LeadDone may show it: only a newer acceptance makes it needless.
    """

    accepted: Update | None = None
    waiting: Update | None = None
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Folded:
    """An order's statuses after those of a file.

    Attributes:
        place: as it is now.
        unchanged: updates that say what LeadDone knows already.
        superseded: updates that an other, newer one makes needless.
        waits: the waiting update is one of these, or says the same as one of these.
    """

    place: Place
    unchanged: int = 0
    superseded: int = 0
    waits: bool = False


def fold(place: Place, updates: Sequence[Update], *, waits: bool = False) -> Folded:
    """Take in updates in the order of their rows; each is counted once: unchanged, superseded, or waiting.

    With `waits`, the place's waiting update came from the same files, and is counted when a newer one takes over.
    """
    state = Folded(place, waits=waits)
    for update in updates:
        state = _take(state, update)
    return state


def _take(state: Folded, update: Update) -> Folded:
    accepted, waiting = state.place.accepted, state.place.waiting
    unchanged, superseded = state.unchanged, state.superseded
    if accepted and not update.is_newer_than(accepted):
        if update.says_the_same(accepted):
            return Folded(state.place, unchanged + 1, superseded, state.waits)
        return Folded(state.place, unchanged, superseded + 1, state.waits)
    if waiting and not update.is_newer_than(waiting):
        if update.says_the_same(waiting) and not state.waits:
            return Folded(state.place, unchanged, superseded, waits=True)
        return Folded(state.place, unchanged, superseded + 1, state.waits)
    superseded += state.waits
    doubtful = state.place.doubtful
    if accepted and update.says_the_same(accepted) and not (waiting and doubtful):
        # A file's time says when a status was still true, not when it came about.
        kept = update if update.timed or not accepted.timed else accepted
        return Folded(Place(kept, None), unchanged + 1, superseded, waits=False)
    if waiting and update.says_the_same(waiting) and waiting.timed and not update.timed:
        return Folded(state.place, unchanged, superseded, waits=True)
    return Folded(Place(accepted, update, doubtful), unchanged, superseded, waits=True)
