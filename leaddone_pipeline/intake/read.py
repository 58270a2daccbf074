"""The way in: files or frames -> slices of clean records, the refused rows and the counts beside them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leaddone_pipeline.contract import ORDER_FIELDS, Kind
from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake import orders, tracking
from leaddone_pipeline.intake.binding import bind
from leaddone_pipeline.intake.courier_files import CourierFile
from leaddone_pipeline.intake.frames import as_table
from leaddone_pipeline.intake.grouping import group
from leaddone_pipeline.intake.lines import Lines
from leaddone_pipeline.intake.mended import whole
from leaddone_pipeline.intake.order_files import OrderFile
from leaddone_pipeline.intake.quarantine import Refusals, empty, refused_rows
from leaddone_pipeline.intake.readers import expand, open_table
from leaddone_pipeline.intake.reasons import DIFFERS
from leaddone_pipeline.intake.recognition import known_header
from leaddone_pipeline.intake.schemas import OrdersTable, TrackingTable
from leaddone_pipeline.intake.seen import DIFFERS as DIFFERS_VERDICT
from leaddone_pipeline.intake.seen import REPEAT, Seen
from leaddone_pipeline.intake.slices import RowCounts, Slice
from leaddone_pipeline.intake.sources import load_source
from leaddone_pipeline.intake.tracking import NOTHING_KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from leaddone_pipeline.intake.forms import Source, SourceSettings
    from leaddone_pipeline.intake.orders import JudgedOrders
    from leaddone_pipeline.intake.slices import About
    from leaddone_pipeline.intake.tracking import JudgedTracking, Known

__all__ = ["check_orders", "check_tracking", "read_orders", "read_tracking"]

SLICE_ROWS = 50_000


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
    return _orders_slice(
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
    return _updates_slice(tracking.judge(lines, modified=at, now=at, known=known), Seen())


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
    table = open_table(file, fits=partial(known_header, Kind.ORDERS))
    opened = OrderFile.open(whole(table), how.source, how.settings)
    about: About | None = opened.about
    for judged, done in opened.judged(slice_rows, day.take):
        done = done or day.left == 0  # noqa: PLW2901 - the limit ends a file too
        yield _orders_slice(judged, day.seen, opened.warnings() if done else (), about)
        about = None
        if done:
            return
    if about is not None:
        yield Slice(_NO_ORDERS.copy(), empty(), RowCounts(), opened.warnings(), about=about)


def _updates_of(
    file: Path | str, day: _Day, chosen: Source | None, *, now: datetime, slice_rows: int, known: Known
) -> Iterator[Slice]:
    if day.left == 0:
        return
    table = open_table(file, fits=partial(known_header, Kind.TRACKING))
    opened = CourierFile.open(whole(table), chosen)
    about: About | None = opened.about
    for updates, ends in opened.judged(slice_rows, day.take, now=now, known=known):
        done = ends or day.left == 0
        yield _updates_slice(updates, day.seen, opened.warnings() if done else (), about)
        about = None
        if done:
            return


def _orders_slice(
    judged: JudgedOrders, seen: Seen, warnings: tuple[str, ...] = (), about: About | None = None
) -> Slice:
    """Settle what repeats, count the rows, and part the good from the refused."""
    frame, refusals, count = judged.frame, judged.refusals, judged.count
    contents = [*ORDER_FIELDS[1:], "skipped"]
    repeats = _settle_repeats(frame, refusals, seen, contents, judged.lines.bound.shown("id"))
    refused = refusals.mask(len(frame)).to_numpy()
    skipped = (frame["skipped"] != "").to_numpy(dtype=bool) & ~refused & ~repeats
    sent = ~refused & ~repeats & ~skipped
    return Slice(
        frame=frame[sent | skipped].reset_index(drop=True),
        refused=refused_rows(judged.lines, refusals, first=judged.first, count=count, ids=frame["id"]),
        rows=RowCounts(
            read=int(count.sum()),
            quarantined=int(count[refused].sum()),
            skipped=int(count[skipped].sum()),
            merged=int(count[repeats].sum() + (count[sent] - 1).sum()),
            valid=int(sent.sum()),
        ),
        warnings=warnings,
        about=about,
        rewritten=judged.rewritten,
        examples=tuple(judged.examples),
    )


def _updates_slice(
    updates: JudgedTracking, seen: Seen, warnings: tuple[str, ...] = (), about: About | None = None
) -> Slice:
    frame, refusals = updates.frame, updates.refusals
    # Each event is a record of its own, so its whole content is its key.
    keys = ["id", "tracking_number", "status", "event_time"]
    skipped = updates.skipped
    repeats = _settle_repeats(frame, refusals, seen, keys, None, apart=skipped)
    refused = refusals.mask(len(frame)).to_numpy()
    good = ~refused & ~repeats & ~skipped
    every = np.arange(len(frame))
    return Slice(
        frame=frame[good].reset_index(drop=True),
        refused=refused_rows(
            updates.lines, refusals, first=every, count=np.ones_like(every), ids=frame["id"]
        ),
        rows=RowCounts(
            read=len(frame),
            quarantined=int(refused.sum()),
            skipped=int(skipped.sum()),
            merged=int(repeats.sum()),
            valid=int(good.sum()),
        ),
        warnings=warnings,
        about=about,
    )


def _settle_repeats(
    frame: pd.DataFrame,
    refusals: Refusals,
    seen: Seen,
    contents: list[str],
    id_column: str | None,
    *,
    apart: np.ndarray[Any, np.dtype[np.bool_]] | None = None,
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Say which records repeat an earlier one exactly; refuse those that only share its id."""
    left_out = refusals.mask(len(frame)).to_numpy()
    standing = np.flatnonzero(~left_out if apart is None else ~(left_out | apart))
    records = frame.iloc[standing]
    keys = ["id"] if id_column is not None else contents
    verdict = seen.judge([records[name] for name in keys], [records[name] for name in contents])
    for at in standing[verdict == DIFFERS_VERDICT]:
        refusals.add(at, DIFFERS, id_column)
    repeats = np.zeros(len(frame), dtype=bool)
    repeats[standing[verdict == REPEAT]] = True
    return repeats


def _files(lines: Lines, name: str) -> pd.Series[Any]:
    at = lines.bound.position("source_file")
    return lines.files if at is None else lines.cells(at).fillna(name)


def _nothing(model: type[OrdersTable | TrackingTable]) -> pd.DataFrame:
    return pd.DataFrame(
        {name: pd.Series(dtype=column.dtype.type) for name, column in model.to_schema().columns.items()}
    )


_NO_ORDERS = _nothing(OrdersTable)
_NO_UPDATES = _nothing(TrackingTable)
