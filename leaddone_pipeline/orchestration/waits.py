"""Pure: when a day that is still open is asked for again, with growing waits."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Container

__all__ = ["REFUSED_WAIT_SECONDS", "Waits"]

_FIRST_WAIT_SECONDS = 5 * 60.0
_LONGEST_WAIT_SECONDS = 2 * 60 * 60.0
REFUSED_WAIT_SECONDS = 24 * 60 * 60.0
"""A wrong secret or address is mended by a person, not by asking."""


@dataclass(slots=True)
class Waits:
    """What was asked for how often: the cursor of `<shop>_open_days`, and a part of that of `<shop>_files`.

    Attributes:
        asked: what -> how often it was asked for since it is open, and when last (UTC seconds).
        linked: outcomes that changed until then stand in their links (UTC seconds).
    """

    asked: dict[str, tuple[int, float]] = field(default_factory=dict)
    linked: float = 0.0

    @classmethod
    def read(cls, cursor: str | None) -> Waits:
        told: dict[str, Any] = json.loads(cursor) if cursor else {"asked": {}, "linked": 0.0}
        return cls(
            {what: (int(tries), float(at)) for what, (tries, at) in told["asked"].items()}, told["linked"]
        )

    def write(self) -> str:
        return json.dumps({"asked": self.asked, "linked": self.linked}, separators=(",", ":"))

    def tries(self, what: str) -> int:
        return self.asked.get(what, (0, 0.0))[0]

    def is_due(self, what: str, now: float) -> bool:
        """Whether it may be asked for: at once the first time, then after 5, 10, 20 minutes, up to 2 hours."""
        tries, at = self.asked.get(what, (0, 0.0))
        return not tries or now >= at + min(_FIRST_WAIT_SECONDS * 2 ** (tries - 1), _LONGEST_WAIT_SECONDS)

    def ask(self, what: str, now: float) -> None:
        self.asked[what] = (self.tries(what) + 1, now)

    def forget_all_but(self, still_open: Container[str]) -> None:
        """Begin anew with what is not open any more."""
        self.asked = {what: entry for what, entry in self.asked.items() if what in still_open}
