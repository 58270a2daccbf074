"""What the caller and the engine of a run say to each other, beside batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leaddone_pipeline.delivery.decide import Health
    from leaddone_pipeline.delivery.prepare import Item
    from leaddone_pipeline.delivery.probe import Finding
    from leaddone_pipeline.errors import LeadDoneError
    from leaddone_pipeline.ledger.probing import ProbeClaim

__all__ = ["CLOSE", "Drain", "News", "Stop"]


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
