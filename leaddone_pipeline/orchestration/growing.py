"""Files of many days that go on growing: which of their days are new or changed since a run was asked for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.orchestration.automation import days_between

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from leaddone_pipeline.intake import Span
    from leaddone_pipeline.orchestration.exports import Files

__all__ = ["Growing"]

_LOOK_SECONDS = 10.0


@dataclass(slots=True)
class Growing:
    """What the sensor knows of such files, as a part of its cursor.

    Attributes:
        last: what the files looked like in the last tick.
        asked: what they looked like when all days that had changed had been asked for.
        days: day -> what its rows looked like when a run was asked for.
        until: the day on which all days that had changed had been asked for; before the first time empty.
    """

    last: str = ""
    asked: str = ""
    days: dict[str, str] = field(default_factory=dict)
    until: str = ""

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Growing:
        return cls(told["last"], told["asked"], dict(told["days"]), told.get("until", ""))

    def write(self) -> dict[str, Any]:
        return {"last": self.last, "asked": self.asked, "days": self.days, "until": self.until}

    def look(self, files: Files, span: Span, *, lookback_days: int) -> Mapping[str, str]:
        """Find the days whose rows changed, once the files lie still; a tick without a change reads no file.

        Where the files are too large for a tick, or cannot be read, it is the days that the schedule runs, and those
        since all had been asked for last: they may have rows that came while nobody looked.

        Returns:
            Day -> what its rows look like.
        """
        found = files.fingerprint("")
        # With today, since a row of tomorrow has its day from then on.
        now = hashlib.blake2b(f"{found} {span.today}".encode(), digest_size=8).hexdigest() if found else ""
        lies_still, self.last = now == self.last, now
        if not now or not lies_still or now == self.asked:
            return {}
        try:
            told = files.digests(span, seconds=_LOOK_SECONDS)
        except IntakeError:
            told = None
        if told is None:
            told = dict.fromkeys(_recent(span, lookback_days, since=self.until), now)
        changed = {day: digest for day, digest in told.items() if self.days.get(day) != digest}
        if not changed:
            self._done(span)
        return changed

    def ask(self, changed: Mapping[str, str], days: Collection[str], span: Span) -> None:
        """Note that a run was asked for, for these of the days that changed."""
        self.days |= {day: digest for day, digest in changed.items() if day in days}
        if changed and set(changed) <= set(days):
            self._done(span)

    def _done(self, span: Span) -> None:
        self.asked, self.until = self.last, span.today


def _recent(span: Span, lookback_days: int, *, since: str) -> list[str]:
    first = (date.fromisoformat(span.today) - timedelta(days=lookback_days)).isoformat()
    return days_between(max(min(first, since or first), span.first), span.today)
