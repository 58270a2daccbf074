"""One order file -> its orders in slices: the source, the columns, rows that belong together."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake import orders, second_headers
from leaddone_pipeline.intake.binding import bind
from leaddone_pipeline.intake.grouping import ScatteredIds, group, starts
from leaddone_pipeline.intake.judged import Paid
from leaddone_pipeline.intake.lines import Lines
from leaddone_pipeline.intake.mended import whole
from leaddone_pipeline.intake.oddities import Oddities
from leaddone_pipeline.intake.phones import MOROCCO
from leaddone_pipeline.intake.prices import Convention
from leaddone_pipeline.intake.readers import open_table
from leaddone_pipeline.intake.recognition import known_header, recognise
from leaddone_pipeline.intake.slices import About

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pyarrow as pa

    from leaddone_pipeline.intake.binding import Bound
    from leaddone_pipeline.intake.forms import Source, SourceSettings
    from leaddone_pipeline.intake.grouping import Groups
    from leaddone_pipeline.intake.judged import JudgedOrders
    from leaddone_pipeline.intake.readers import TableFile

__all__ = ["OrderFile"]

_SAMPLE_ROWS = 5_000
"""So many of a file's first rows decide how its columns of money are written, whatever the size of a slice."""

_SLICE_CELLS = 250_000
"""A slice has fewer rows where rows have many cells, so that its memory is bounded (measured: Shopify's exports)."""

_SCATTERED_SLICES = 8
"""Rows of orders that do not stand together are held in memory; so many slices of them, at most."""

_REFUSED = "those that could be read in two ways are refused"

_MONEY = ("price", "bare_price", "line_total", "line_discount", "owed", "items", "discount")


@dataclass
class OrderFile:
    """An open order file, tied to its source.

    Attributes:
        about: how it is read.
        oddities: what is odd about the orders that are sent, so far.
        paid: orders skipped as paid so far.
        contradictions: amounts so far that are written otherwise than the file's first rows are.
    """

    table: TableFile
    bound: Bound
    about: About
    conventions: dict[int, Convention]
    oddities: Oddities
    paid: Paid = field(default_factory=Paid)
    contradictions: int = 0

    @classmethod
    def at(cls, place: Path | str, chosen: Source | None, settings: SourceSettings | None) -> OrderFile:
        """Open a file; find its source, where none is chosen, and its columns.

        Raises:
            IntakeError: it cannot be read, no source fits, or it lacks a column.
        """
        table = whole(open_table(place, fits=partial(known_header, Kind.ORDERS)))
        source, why = (chosen, "it was named") if chosen else recognise(Kind.ORDERS, table.header, table.name)
        source = source.with_settings(settings) if settings else source
        bound = bind(source, Kind.ORDERS, table.header, table.name)
        table = second_headers.marked(table, bound, Kind.ORDERS)
        about = About(table.name, source.name, why, bound.mapping())
        oddities = Oddities(source.region or MOROCCO)
        return cls(table, bound, about, _conventions(table, bound), oddities)

    def judged(self, slice_rows: int, take: Callable[[int], int]) -> Iterator[tuple[JudgedOrders, bool]]:
        """Yield the file's orders, slice by slice, and whether the file ends there.

        Args:
            slice_rows: rows in memory at once, about; fewer of a wide file.
            take: says how many of so many orders are still wanted; fewer end it.
        """
        for groups, is_last in self.groups(slice_rows):
            wanted = len(groups.first)
            taken = take(wanted)
            if not taken:
                return
            done = is_last or taken < wanted
            yield self.judge(groups.part(taken)), done
            if done:
                return

    def judge(self, groups: Groups) -> JudgedOrders:
        """Judge orders of the file, and keep in mind what is odd about them."""
        judged = orders.judge(groups)
        self.paid.add(judged)
        sent = judged.open()
        self.oddities.add(judged.frame[sent], judged.heads(judged.lines.field("phone"))[sent])
        self.contradictions += judged.lines.contradictions()
        return judged

    def warnings(self) -> tuple[str, ...]:
        """Sentences about the whole file, once it is read."""
        found = (
            *self.table.notes,
            *self.paid.warnings(self.bound.source),
            *self.bound.blind_spots(),
            *self.oddities.warnings(),
        )
        if not self.contradictions:
            return found
        return (
            *found,
            f"{self.contradictions:,} amounts have another decimal mark than the file's first rows; {_REFUSED}",
        )

    def groups(self, slice_rows: int) -> Iterator[tuple[Groups, bool]]:
        """Yield the file's rows, those of each order together, and whether no more follow."""
        slice_rows = min(slice_rows, max(_SLICE_CELLS // len(self.table.header), 1))
        held: Lines | None = None
        scattered: ScatteredIds | None = None
        aside: Lines | None = None
        for part, is_last in _with_last(self.table.slices(slice_rows)):
            lines = self._lines(part).after(held)
            if scattered is None and not is_last and self.bound.joins_lines:
                scattered = self._scattered(slice_rows)
            whole, held = (lines, None) if is_last else self._cut(lines)
            if scattered is not None and whole is not None:
                apart = scattered.of(whole)
                if apart.any():
                    aside = whole.take(np.flatnonzero(apart)).after(aside)
                    whole = whole.take(np.flatnonzero(~apart))
            if is_last and aside is not None:
                whole = aside if whole is None else aside.after(whole)
            if whole is not None and len(whole):
                yield group(whole), is_last

    def _cut(self, lines: Lines) -> tuple[Lines | None, Lines | None]:
        """Part the last order, which may go on in the next slice, from those before it."""
        if not self.bound.joins_lines:
            return lines, None
        last = int(np.flatnonzero(starts(lines))[-1])
        return (lines.part(0, last) if last else None), lines.part(last)

    def _scattered(self, slice_rows: int) -> ScatteredIds:
        found = ScatteredIds(self._lines(part) for part in self.table.slices(slice_rows))
        if found.rows > _SCATTERED_SLICES * slice_rows:
            raise IntakeError(
                f"the rows of one order do not stand together, {found.rows:,} rows in all",
                remedy="Sort the file by order, or export it again",
                file=self.table.name,
                column=self.bound.shown("id"),
            )
        return found

    def _lines(self, part: pa.Table) -> Lines:
        return Lines(part, self.bound, self.table.name, self.conventions)


def _conventions(table: TableFile, bound: Bound) -> dict[int, Convention]:
    part = next(iter(table.slices(_SAMPLE_ROWS)), None)
    if part is None:
        return {}
    lines = Lines(part, bound, table.name)
    places = [place for name in _MONEY for place in bound.fields.get(name, ())]
    places += [place for fields in bound.groups for name in _MONEY for place in fields.get(name, ())]
    return {place[0]: Convention.of(lines.cells(place[0])) for place in places}


def _with_last(parts: Iterator[Any]) -> Iterator[tuple[Any, bool]]:
    ahead = next(parts, None)
    while ahead is not None:
        part, ahead = ahead, next(parts, None)
        yield part, ahead is None
