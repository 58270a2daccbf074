"""Files of many days -> the records of each day: what a day's own file would have held, and what belongs to none."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake import damage
from leaddone_pipeline.intake.order_days import DatedOrders
from leaddone_pipeline.intake.readers import expand
from leaddone_pipeline.intake.seen import Seen
from leaddone_pipeline.intake.sources import load_source
from leaddone_pipeline.intake.tracking import NOTHING_KNOWN
from leaddone_pipeline.intake.update_days import DatedUpdates

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from leaddone_pipeline.intake.forms import SourceSettings
    from leaddone_pipeline.intake.grouping import Groups
    from leaddone_pipeline.intake.slices import Slice
    from leaddone_pipeline.intake.tracking import Known

    Dated = DatedOrders | DatedUpdates
    Openers = Iterable[Callable[[], Dated]]

__all__ = ["FileByDay", "Span", "dated_orders", "dated_updates", "day_digests", "files_by_day"]

_NO_DAY = ""


@dataclass(frozen=True, slots=True)
class Span:
    """The days that a shop has so far: from the first to today, ISO, both included."""

    first: str
    today: str
    zone: str


@dataclass(frozen=True, slots=True)
class FileByDay:
    """What a file holds of some days.

    Attributes:
        slices: day -> its records; a day of which it has none is missing.
        undated: records without a day up to today, nothing of which may be sent; None without any.
        newest: the last day of the span of which it has a record; empty without any.
        until: the last day of which nothing more is to come: the newest, or the one before it was last changed.
        early: how many records are older than the span, and belong to nobody.
        warnings: sentences about the file, without personal data.
        broken: why it could not be read; then it may hold anything.
    """

    slices: Mapping[str, Slice] = field(default_factory=dict)
    undated: Slice | None = None
    newest: str = ""
    until: str = ""
    early: int = 0
    warnings: tuple[str, ...] = ()
    broken: IntakeError | None = None


def dated_orders(
    files: Iterable[Path | str], *, source: str | Path | None, settings: SourceSettings | None, zone: str
) -> Openers:
    """Order files of many days, to be opened one by one.

    Raises:
        IntakeError: the source cannot be used.
    """
    chosen = None if source is None else load_source(source)
    return [partial(DatedOrders.at, file, chosen, settings, zone=zone) for file in expand(files)]


def dated_updates(
    files: Iterable[Path | str], *, source: str | Path | None, zone: str, known: Known = NOTHING_KNOWN
) -> Openers:
    """Courier files of many days, to be opened one by one.

    Raises:
        IntakeError: the source cannot be used.
    """
    chosen = None if source is None else load_source(source)
    open_at = partial(DatedUpdates.at, zone=zone, now=datetime.now(UTC), known=known)
    return [partial(open_at, file, chosen) for file in expand(files)]


def files_by_day(files: Openers, days: Collection[str], span: Span) -> Iterator[FileByDay]:
    """Read files once, for some of their days; an id is good once a day among them (delivery.md, rule 14)."""
    seen: dict[str, Seen] = defaultdict(Seen)
    for opened in files:
        try:
            yield _read(opened(), days, span, seen)
        except IntakeError as error:
            yield FileByDay(broken=error)


def day_digests(
    files: Openers, span: Span, *, seconds: float, clock: Callable[[], float] = time.monotonic
) -> Mapping[str, str] | None:
    """What the rows of each day look like, wherever they stand in the files; None if there was no time to tell.

    Rows of no day count for the newest day that the files have, or else today, as they are shown there.

    Raises:
        IntakeError: a file cannot be read.
    """
    end, sums = clock() + seconds, defaultdict[str, int](int)
    for opened in files:
        for day, groups, mine in _parts(opened(), span):
            if clock() > end:
                return None
            if day is None or day >= span.first:
                sums[day or _NO_DAY] += _sum(groups.only(mine).lines.table)
    undated = sums.pop(_NO_DAY, 0)
    if undated:
        sums[max(sums, default=span.today)] += undated
    return {day: hashlib.blake2b(str(told).encode(), digest_size=8).hexdigest() for day, told in sums.items()}


def _read(file: Dated, days: Collection[str], span: Span, seen: Mapping[str, Seen]) -> FileByDay:
    of_days: dict[str, Groups] = {}
    undated: Groups | None = None
    newest, early = "", 0
    for day, groups, mine in _parts(file, span):
        if day is None:
            undated = groups.only(mine).after(undated)
        elif day < span.first:
            early += int(mine.sum())
        else:
            newest = max(newest, day)
            if day in days:
                of_days[day] = groups.only(mine).after(of_days.get(day))
    changed = file.modified.astimezone(ZoneInfo(span.zone)).date()
    slices = {day: file.slice(of_days.pop(day), seen[day]) for day in sorted(of_days)}
    return FileByDay(
        slices=slices,
        undated=None if undated is None else file.undated(undated, Seen()),
        newest=newest,
        until=max(newest, f"{changed - timedelta(days=1)}"),
        early=early,
        warnings=file.warnings(),
    )


def _parts(file: Dated, span: Span) -> Iterator[tuple[str | None, Groups, NDArray[np.bool_]]]:
    """Yield each day of each part of a file with its orders; None for those without a day up to today."""
    for groups, days in file.parts():
        codes, names = pd.factorize(days)
        undated = codes == -1
        for code, day in enumerate(map(str, names)):
            mine = codes == code
            if day <= span.today:
                yield day, groups, mine
            else:
                undated |= mine
        if undated.any():
            yield None, groups, undated


def _sum(table: pa.Table) -> int:
    """Add up the hashes of rows: the same in any order, and wherever the rows stand."""
    cells: list[Any] = [
        pc.fill_null(table[name].cast(pa.large_string()), "")
        for name in table.column_names
        if name != damage.ROW
    ]
    rows = pc.binary_join_element_wise(*cells, pa.scalar("\x1f", pa.large_string()))
    hashes = pd.util.hash_array(rows.to_numpy(zero_copy_only=False).astype(object), categorize=False)
    return int(hashes.sum(dtype=np.uint64))
