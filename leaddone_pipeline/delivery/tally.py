"""Which records a run's files hold; how they stand is read from the ledger when the run has ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leaddone_pipeline.delivery.record import Recorded

__all__ = ["Tally"]


@dataclass(slots=True)
class Tally:
    """What a run's files hold.

    Attributes:
        numbers: of the valid records, in the ledger; a dict because it keeps their order.
        cancelled: numbers of orders that the shop cancelled after they may have been sent.
        found: what was known when they were recorded: changed, unchanged, superseded.
        left: updates that could not be recorded, since their order has one in flight (rule 29).
        waits_for: the order of an interrupted probe that the orders of unknown fate wait for (rule 17).
    """

    numbers: dict[int, None] = field(default_factory=dict)
    cancelled: list[int] = field(default_factory=list)
    found: Counter[str] = field(default_factory=Counter)
    left: int = 0
    waits_for: str | None = None

    def add(self, recorded: Recorded) -> None:
        self.numbers.update(dict.fromkeys(recorded.numbers))
        for number in recorded.gone:
            self.numbers.pop(number, None)
        self.cancelled.extend(recorded.cancelled)
        self.found.update(
            changed=recorded.changed,
            unchanged=recorded.unchanged,
            superseded=recorded.superseded,
            accepted=recorded.accepted_before,
        )
