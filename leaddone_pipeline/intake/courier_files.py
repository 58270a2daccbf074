"""One courier file -> its tracking updates in slices: the source, the columns, and what was said beside them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.intake import second_headers, tracking
from leaddone_pipeline.intake.binding import bind
from leaddone_pipeline.intake.lines import Lines
from leaddone_pipeline.intake.mended import whole
from leaddone_pipeline.intake.readers import open_table
from leaddone_pipeline.intake.recognition import known_header, recognise
from leaddone_pipeline.intake.slices import About

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from leaddone_pipeline.intake.binding import Bound
    from leaddone_pipeline.intake.forms import Source
    from leaddone_pipeline.intake.readers import TableFile
    from leaddone_pipeline.intake.tracking import JudgedTracking, Known

__all__ = ["CourierFile"]

_SHOWN_WORDS = 6


@dataclass
class CourierFile:
    """An open courier file, tied to its source.

    Attributes:
        about: how it is read.
        words: words that were skipped so far, and how often.
    """

    table: TableFile
    bound: Bound
    about: About
    words: Counter[str] = field(default_factory=Counter)

    @classmethod
    def at(cls, place: Path | str, chosen: Source | None) -> CourierFile:
        """Open a file; find its source, where none is chosen, and its columns.

        Raises:
            IntakeError: it cannot be read, no source fits, or it lacks a column.
        """
        table = whole(open_table(place, fits=partial(known_header, Kind.TRACKING)))
        source, why = (
            (chosen, "it was named") if chosen else recognise(Kind.TRACKING, table.header, table.name)
        )
        bound = bind(source, Kind.TRACKING, table.header, table.name)
        table = second_headers.marked(table, bound, Kind.TRACKING)
        return cls(table, bound, About(table.name, source.name, why, bound.mapping()))

    def judged(
        self, slice_rows: int, take: Callable[[int], int], *, now: datetime, known: Known
    ) -> Iterator[tuple[JudgedTracking, bool]]:
        """Yield the file's updates, slice by slice, and whether the file ends there.

        Args:
            slice_rows: rows in memory at once, about.
            take: says how many of so many rows are still wanted; fewer end it.
            now: the time against which updates lie ahead.
            known: what others know of parcels.
        """
        for part, following in pairwise(chain(self.table.slices(slice_rows), [None])):
            lines = Lines(part, self.bound, self.table.name)
            taken = take(len(lines))
            if not taken:
                return
            kept = lines if taken == len(lines) else lines.part(0, taken)
            done = following is None or taken < len(lines)
            yield self.judge(kept, now=now, known=known), done
            if done:
                return

    def judge(self, lines: Lines, *, now: datetime, known: Known) -> JudgedTracking:
        """Judge rows of the file, and keep their words in mind."""
        updates = tracking.judge(lines, modified=self.table.modified, now=now, known=known)
        self.words += updates.words
        return updates

    def warnings(self) -> tuple[str, ...]:
        """Sentences about the whole file, once it is read; skipped words are the source's own, never a customer's."""
        if not self.words:
            return tuple(self.table.notes)
        named = ", ".join(f"{word} ({count})" for word, count in self.words.most_common(_SHOWN_WORDS))
        what = f"{self.words.total():,} rows" if self.words.total() > 1 else "1 row"
        skipped = f"{what} skipped, whose status says nothing of a parcel on its way: {named}"
        return (*self.table.notes, skipped)
