"""The way in: files or frames -> slices of clean records, the refused rows and the counts beside them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

import pandas as pd

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake import orders, tracking
from leaddone_pipeline.intake.binding import bind
from leaddone_pipeline.intake.courier_files import CourierFile
from leaddone_pipeline.intake.frames import as_table
from leaddone_pipeline.intake.grouping import group
from leaddone_pipeline.intake.lines import Lines
from leaddone_pipeline.intake.order_files import OrderFile
from leaddone_pipeline.intake.parting import orders_slice, updates_slice
from leaddone_pipeline.intake.quarantine import empty
from leaddone_pipeline.intake.readers import expand
from leaddone_pipeline.intake.schemas import OrdersTable, TrackingTable
from leaddone_pipeline.intake.seen import Seen
from leaddone_pipeline.intake.slices import SLICE_ROWS, RowCounts, Slice
from leaddone_pipeline.intake.sources import load_source
from leaddone_pipeline.intake.tracking import NOTHING_KNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from leaddone_pipeline.intake.forms import Source, SourceSettings
    from leaddone_pipeline.intake.slices import About
    from leaddone_pipeline.intake.tracking import Known

__all__ = ["check_orders", "check_tracking", "read_orders", "read_tracking"]


def read_orders(
    files: Sequence[Path | str],
    *,
    source: str | Path | None = None,
    settings: SourceSettings | None = None,
    limit: int | None = None,
    slice_rows: int = SLICE_ROWS,
) -> Iterator[Slice]:
    """Read the order files of one day; an id is good once among them (delivery.md, rule 14).

    Args:
        files: tables of any format, folders, globs, archives, URLs. One that cannot be read yields a Slice with
            `broken`; the next follows.
        source: name of a built-in source or path of a YAML; without it, recognised from each file's header.
        settings: the shop's own decisions, over what the source says.
        limit: take so many orders, whatever becomes of them, and stop.
        slice_rows: rows in memory at once, about; an order whose rows straddle two slices stays one.

    Raises:
        IntakeError: the source cannot be used (at once, not at the first slice).
    """
    chosen = None if source is None else load_source(source)
    day = _Day(Seen(), limit)
    how = _How(chosen, settings)
    of_files = (_orders_of(file, day, how, slice_rows) for file in expand(files))
    return chain.from_iterable(_whole_or_broken(slices, _NO_ORDERS) for slices in of_files)


def read_tracking(
    files: Sequence[Path | str],
    *,
    source: str | Path | None = None,
    limit: int | None = None,
    slice_rows: int = SLICE_ROWS,
    now: datetime | None = None,
    known: Known = NOTHING_KNOWN,
) -> Iterator[Slice]:
    """Read courier files; exact repeats among them are merged, other events of an order stay rows.

    Args:
        files: as in read_orders; a row without a time of its own has its file's time of last change.
        source: as in read_orders.
        limit: take so many rows and stop.
        slice_rows: rows in memory at once, about.
        now: the time against which updates lie ahead; the clock's without it.
        known: what the ledger knows of parcels, for rows without an order id and for words like `Refusé`.

    Raises:
        IntakeError: the source cannot be used.
    """
    chosen = None if source is None else load_source(source)
    day = _Day(Seen(), limit)
    at = now or datetime.now(UTC)
    of_files = (
        _updates_of(file, day, chosen, now=at, slice_rows=slice_rows, known=known) for file in expand(files)
    )
    return chain.from_iterable(_whole_or_broken(slices, _NO_UPDATES) for slices in of_files)


def check_orders(frame: pd.DataFrame, *, name: str = "frame") -> Slice:
    """Check a frame with LeadDone's field names; id, article, price, phone are required, of any dtype.

    `skipped`, `source_file` and `source_row` are taken over where they are there; other columns are ignored.

    Raises:
        IntakeError: a required column is missing.
    """
    table, header = as_table(frame, name=name)
    bound = bind(load_source("leaddone"), Kind.ORDERS, header, name)
    lines = Lines(table, bound, _files(Lines(table, bound, name), name))
    at = bound.position("skipped")
    return orders_slice(
        orders.judge(group(lines), None if at is None else lines.cells(at).fillna("")), Seen()
    )


def check_tracking(
    frame: pd.DataFrame, *, name: str = "frame", now: datetime | None = None, known: Known = NOTHING_KNOWN
) -> Slice:
    """Check a frame of tracking updates; id, tracking_number and status are required.

    An update without an `event_time` has now's, and counts as untimed.

    Raises:
        IntakeError: a required column is missing.
    """
    table, header = as_table(frame, name=name)
    bound = bind(load_source("leaddone"), Kind.TRACKING, header, name)
    lines = Lines(table, bound, _files(Lines(table, bound, name), name))
    at = now or datetime.now(UTC)
    return updates_slice(tracking.judge(lines, modified=at, now=at, known=known), Seen())


@dataclass(slots=True)
class _Day:
    """What the files of one call share."""

    seen: Seen
    left: int | None

    def take(self, wanted: int) -> int:
        """Take so many records from what the limit leaves."""
        if self.left is None:
            return wanted
        taken = min(wanted, self.left)
        self.left -= taken
        return taken


@dataclass(frozen=True, slots=True)
class _How:
    """The source that is named, and the settings of the shop."""

    source: Source | None
    settings: SourceSettings | None


def _whole_or_broken(slices: Iterator[Slice], nothing: pd.DataFrame) -> Iterator[Slice]:
    try:
        yield from slices
    except IntakeError as error:
        yield Slice(frame=nothing.copy(), refused=empty(), rows=RowCounts(), broken=error)


def _orders_of(file: Path | str, day: _Day, how: _How, slice_rows: int) -> Iterator[Slice]:
    if day.left == 0:
        return
    opened = OrderFile.at(file, how.source, how.settings)
    yield from _slices(opened, opened.judged(slice_rows, day.take), orders_slice, _NO_ORDERS, day)


def _updates_of(
    file: Path | str, day: _Day, chosen: Source | None, *, now: datetime, slice_rows: int, known: Known
) -> Iterator[Slice]:
    if day.left == 0:
        return
    opened = CourierFile.at(file, chosen)
    judged = opened.judged(slice_rows, day.take, now=now, known=known)
    yield from _slices(opened, judged, updates_slice, _NO_UPDATES, day)


def _slices(
    opened: OrderFile | CourierFile,
    judged: Iterator[tuple[Any, bool]],
    to_slice: Callable[..., Slice],
    nothing: pd.DataFrame,
    day: _Day,
) -> Iterator[Slice]:
    """Make a file's slices: how it is read stands on the first, what is to be said of the whole file on the last."""
    about: About | None = opened.about
    for records, ends in judged:
        done = ends or day.left == 0
        yield to_slice(records, day.seen, opened.warnings() if done else (), about)
        about = None
        if done:
            return
    if about is not None:
        yield Slice(nothing.copy(), empty(), RowCounts(), opened.warnings(), about=about)


def _files(lines: Lines, name: str) -> pd.Series[Any]:
    at = lines.bound.position("source_file")
    return lines.files if at is None else lines.cells(at).fillna(name)


def _nothing(model: type[OrdersTable | TrackingTable]) -> pd.DataFrame:
    return pd.DataFrame(
        {name: pd.Series(dtype=column.dtype.type) for name, column in model.to_schema().columns.items()}
    )


_NO_ORDERS = _nothing(OrdersTable)
_NO_UPDATES = _nothing(TrackingTable)
