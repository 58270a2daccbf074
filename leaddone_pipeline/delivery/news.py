"""What the caller and the engine of a run say to each other, beside batches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leaddone_pipeline.delivery.decide import Health
    from leaddone_pipeline.delivery.prepare import Item
    from leaddone_pipeline.delivery.probe import Finding
    from leaddone_pipeline.delivery.settle import Settler
    from leaddone_pipeline.errors import LeadDoneError
    from leaddone_pipeline.ledger.probing import ProbeClaim

__all__ = ["CLOSE", "Drain", "News", "Notes", "Stop"]


@dataclass(frozen=True, slots=True)
class Stop:
    """Let requests under way end, and send nothing more; the first reason stands."""

    reason: LeadDoneError


@dataclass(frozen=True, slots=True)
class Drain:
    """Say when all batches handed over so far are settled, or stopped."""


CLOSE = object()
"""End when nothing is under way any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """How the run stands, as the engine tells its caller.

    Attributes:
        requests: that have left.
        sent: records that have left for the first time in this run.
        waited_seconds: for which LeadDone let nothing leave (rule 26).
        strangers: ids in answers that were not sent (rule 21).
        stopped: why the run sends nothing more.
        room: batches taken out of the queue since the last news.
        drained: the answer to `Drain` or `CLOSE`; what follows is filled only then.
        busy: records that another claim holds; nothing was done about them (rule 11).
        unknown: records of unknown fate that may be sent again (rule 17).
        probe: how the asked-for probe ended.
        error: what made the engine give up.
    """

    requests: int
    sent: int
    waited_seconds: float
    strangers: int
    health: Health
    last_words: str
    stopped: LeadDoneError | None
    room: int
    drained: bool
    busy: tuple[Item, ...] = ()
    unknown: tuple[Item, ...] = ()
    probe: ProbeClaim | Finding | None = None
    error: BaseException | None = None


@dataclass(slots=True)
class Notes:
    """What an engine keeps for its next news; its fields are those of `News`."""

    requests: int = 0
    sent: int = 0
    waited_seconds: float = 0.0
    room: int = 0
    busy: list[Item] = field(default_factory=list)
    unknown: list[Item] = field(default_factory=list)
    probe: ProbeClaim | Finding | None = None
    _waits_until: float = 0.0

    def wait(self, now: float, seconds: float) -> None:
        """Count a wait that begins now; what two of them have in common counts once."""
        self.waited_seconds += max(0.0, now + seconds - max(now, self._waits_until))
        self._waits_until = max(self._waits_until, now + seconds)

    def news(
        self, settler: Settler, *, stopped: LeadDoneError | None, error: BaseException | None, drained: bool
    ) -> News:
        """Make the next news; what they tell once is forgotten here."""
        news = News(
            requests=self.requests,
            sent=self.sent,
            waited_seconds=self.waited_seconds,
            strangers=settler.strangers,
            health=settler.health,
            last_words=settler.last_words,
            stopped=stopped,
            room=self.room,
            drained=drained,
            busy=tuple(self.busy) if drained else (),
            unknown=tuple(self.unknown) if drained else (),
            probe=self.probe if drained else None,
            error=error,
        )
        self.room = 0
        if drained:
            self.busy, self.unknown, self.probe = [], [], None
        return news
