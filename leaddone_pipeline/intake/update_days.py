"""On which local day each event of a courier file happened, for courier files that are not one a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake import reasons
from leaddone_pipeline.intake.courier_files import CourierFile
from leaddone_pipeline.intake.grouping import Groups
from leaddone_pipeline.intake.lines import Lines
from leaddone_pipeline.intake.order_days import day_of
from leaddone_pipeline.intake.parting import updates_slice
from leaddone_pipeline.intake.slices import SLICE_ROWS
from leaddone_pipeline.intake.times import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    import pandas as pd

    from leaddone_pipeline.intake.forms import Source
    from leaddone_pipeline.intake.seen import Seen
    from leaddone_pipeline.intake.slices import Slice
    from leaddone_pipeline.intake.tracking import Known

__all__ = ["DatedUpdates"]


@dataclass(frozen=True, slots=True)
class DatedUpdates:
    """An open courier file of which each event's time tells the day."""

    file: CourierFile
    clock: Clock
    zone: str
    now: datetime
    known: Known

    @classmethod
    def at(
        cls, place: Path | str, chosen: Source | None, *, zone: str, now: datetime, known: Known
    ) -> DatedUpdates:
        """Open a file.

        Raises:
            IntakeError: it cannot be read, or has no column for the time of an event.
        """
        file = CourierFile.at(place, chosen)
        form = file.bound.source.tracking
        if form is None or not file.bound.fields.get("event_time"):
            raise IntakeError(
                f"the source {file.about.source} finds no column for the time of an event",
                remedy="Export it again with the time, name its column in a source YAML of your own, or write "
                "{date} into the files' names",
                file=file.about.file,
            )
        return cls(file, Clock(zone=form.times.zone, order=form.times.order), zone, now, known)

    @property
    def modified(self) -> datetime:
        return self.file.table.modified

    def parts(self) -> Iterator[tuple[Groups, pd.Series[Any]]]:
        """Yield the file's events, and the day of each; NA where its time is none."""
        for part in self.file.table.slices(SLICE_ROWS):
            lines = Lines(part, self.file.bound, self.file.table.name)
            every = np.arange(len(lines))
            yield Groups(lines, every, np.ones_like(every)), self._days(lines)

    def slice(self, groups: Groups, seen: Seen) -> Slice:
        """Judge events of one day."""
        return updates_slice(self.file.judge(groups.lines, now=self.now, known=self.known), seen)

    def undated(self, groups: Groups, seen: Seen) -> Slice:
        """Refuse events that belong to no day, but for words that say nothing anyway."""
        updates = self.file.judge(groups.lines, now=self.now, known=self.known)
        days = self._days(groups.lines)
        for at in np.flatnonzero(~updates.skipped):
            reason = reasons.NO_DAY if days.isna().iloc[at] else reasons.AFTER_TODAY
            updates.refusals.add(at, reason, self.file.bound.shown("event_time"))
        return updates_slice(updates, seen)

    def warnings(self) -> tuple[str, ...]:
        return self.file.warnings()

    def _days(self, lines: Lines) -> pd.Series[Any]:
        return day_of(lines.field("event_time"), clock=self.clock, zone=self.zone)
