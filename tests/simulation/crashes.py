"""Where a process may crash, and the plans after which it does."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.simulation.runtime import Process

__all__ = ["Crashes", "Plan", "Site"]


class Site(StrEnum):
    """A place in a run where its process may end: after each kind of commit, and around a request."""

    START = "after the run was entered"
    RECORD = "after a slice was recorded"
    CLAIM = "after a claim"
    SETTLE = "after an answer was settled"
    AGAIN = "after an answer was settled and its rest claimed again"
    RENEW = "after the lease was renewed"
    TAKE_OVER = "after a dead run's claims were taken over"
    GIVE_BACK = "after a claim was given back"
    PROBE = "after the probe was claimed"
    PROBE_FIRST = "after the probe's first answer was noted"
    PROBE_END = "after the probe was concluded"
    END = "after the run was ended"
    OTHER = "after another commit"
    BEFORE_SEND = "before a request"
    IN_FLIGHT = "request on its way"
    PROCESSED = "processed, answer on its way"
    READ = "answer read, not settled"


@dataclass(slots=True)
class Plan:
    """Crash the process that comes to this site as the nth; without a site, to any. Once."""

    site: Site | None
    nth: int
    done: bool = False


class Crashes:
    """The crashes of one seed.

    Attributes:
        active: crashes happen; off while the world is healed.
        happened: how often, by site.
    """

    def __init__(self, plans: Sequence[Plan], *, tell: Callable[[str], None]) -> None:
        self.plans = list(plans)
        self.active = True
        self._tell = tell
        self.happened: Counter[Site] = Counter()

    def at(self, site: Site, process: Process) -> None:
        """A process has come to this site. Does not return to a process that crashes here."""
        if not self.active or not process.alive:
            return
        for plan in self.plans:
            if plan.done or plan.site not in {None, site}:
                continue
            plan.nth -= 1
            if plan.nth <= 0:
                plan.done = True
                self.happened[site] += 1
                self._tell(f"{process.name} crashes {site}")
                process.crash()
                return
