"""What an engine has in hand: batches not yet claimed, and those on their way with all their parts."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from leaddone_pipeline.delivery.decide import End, Halving
from leaddone_pipeline.ledger import State

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from leaddone_pipeline.delivery.prepare import Item
    from leaddone_pipeline.ledger import Claim

__all__ = ["Batch", "Family", "Job", "Jobs"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Records to be claimed as one, and sent.

    Attributes:
        states: in which they may be claimed (rule 17).
        probe: one of these orders is to be the account's probe.
    """

    items: tuple[Item, ...]
    states: frozenset[State] = frozenset({State.PENDING})
    probe: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One request to come; `probe`: it is one of the account's probe (rule 17)."""

    claim: Claim
    items: tuple[Item, ...]
    refusals: int = 0
    tries: int = 0
    probe: bool = False

    def without(self, numbers: Container[int]) -> Job:
        """The same job, these records left out of it; its claim is as it was."""
        return replace(self, items=tuple(item for item in self.items if item.number not in numbers))


@dataclass(slots=True)
class Family:
    """A batch and all its parts, sent one after the other: the last of `jobs` is the next.

    Attributes:
        unreached_since: when the first of the failed connections was, while none has succeeded.
        busy_since: when LeadDone first named a wait, while it has said nothing else.
    """

    jobs: list[Job]
    not_before: float
    claimed_at: float
    halving: Halving = field(default_factory=Halving)
    unreached_since: float | None = None
    busy_since: float | None = None

    def note(self, end: End, now: float) -> None:
        """Take note of how an attempt has ended."""
        if end == End.UNREACHED:
            self.unreached_since = self.unreached_since or now
            return
        self.unreached_since = None
        self.busy_since = (self.busy_since or now) if end == End.BUSY else None


class Jobs:
    """The work of one run, in the order in which it may leave: what was tried before goes first."""

    def __init__(self) -> None:
        self.fresh: deque[Batch] = deque()
        self.under_way: dict[int, tuple[Family, Job]] = {}
        self._waiting: list[tuple[float, int, Family]] = []
        self._count = 0

    def __bool__(self) -> bool:
        return bool(self.fresh or self._waiting or self.under_way)

    @property
    def families(self) -> int:
        """How many batches have open claims."""
        return len(self._waiting) + len(self.under_way)

    def wait(self, family: Family) -> None:
        self._count += 1
        heapq.heappush(self._waiting, (family.not_before, self._count, family))

    def next_at(self) -> float | None:
        """When the first of the waiting families may leave."""
        return self._waiting[0][0] if self._waiting else None

    def next_waiting(self, now: float) -> Family | None:
        if self._waiting and self._waiting[0][0] <= now:
            return heapq.heappop(self._waiting)[2]
        return None

    def drop_waiting(self) -> Iterator[Job]:
        """Forget what is not under way; the jobs whose claims must be given back come out."""
        self.fresh.clear()
        families = [family for _, _, family in self._waiting]
        self._waiting.clear()
        for family in families:
            yield from family.jobs
            family.jobs.clear()
