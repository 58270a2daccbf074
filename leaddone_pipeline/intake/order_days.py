"""On which local day each order of a file was made, for exports that are not one file a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake import normalize, reasons
from leaddone_pipeline.intake.columns import STRING, matches, unmarked
from leaddone_pipeline.intake.grouping import starts
from leaddone_pipeline.intake.lines import Lines
from leaddone_pipeline.intake.order_files import OrderFile
from leaddone_pipeline.intake.parting import orders_slice
from leaddone_pipeline.intake.slices import SLICE_ROWS
from leaddone_pipeline.intake.times import TIME, Clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path
    from typing import Literal

    from leaddone_pipeline.intake.forms import Dates, Source, SourceSettings
    from leaddone_pipeline.intake.grouping import Groups
    from leaddone_pipeline.intake.seen import Seen
    from leaddone_pipeline.intake.slices import Slice

__all__ = ["DatedOrders", "day_of"]

_DAY_OR_MONTH = r"^\s*([0-9]{1,2})[-/.]([0-9]{1,2})[-/.](?:[0-9]{4}|[0-9]{2})(?:[^0-9].*)?$"
_MONTHS = 12
_FILLERS = "2262"
"""From this year on, a time stands for none; as text, since times in UTC have one order as text and as times."""


def day_of(values: pd.Series[Any], *, clock: Clock, zone: str) -> pd.Series[Any]:
    """Write times as the day (YYYY-MM-DD) that the zone's calendar showed; NA where there is none to read.

    Args:
        values: times as a file has them, text.
        clock: how they are read.
        zone: where the shop's days begin and end, such as Africa/Casablanca.
    """
    times = normalize.event_time(values, clock=clock)
    # A usual filler, 9999-12-31, is no day; pandas 2 could not hold it either.
    are_times = matches(times, TIME) & (times < _FILLERS).fillna(value=False)
    known = pd.to_datetime(times.where(are_times), format="ISO8601", utc=True, errors="coerce")
    # By ZoneInfo: pandas 2 resolves a name by pytz, whose data may be another year's (measured for Casablanca).
    local = known.dt.tz_convert(ZoneInfo(zone)).dt.tz_localize(None).to_numpy("datetime64[D]")
    # Not by strftime, which is fifty times as slow.
    days = pd.Series(np.datetime_as_string(local).astype(object), index=values.index).mask(
        known.isna(), pd.NA
    )
    return days.astype(STRING)


@dataclass(frozen=True, slots=True)
class DatedOrders:
    """An open order file of which each order's date tells the day."""

    file: OrderFile
    clock: Clock
    zone: str

    @classmethod
    def at(
        cls, place: Path | str, chosen: Source | None, settings: SourceSettings | None, *, zone: str
    ) -> DatedOrders:
        """Open a file and find out how its dates are written.

        Raises:
            IntakeError: it cannot be read, has no column for dates, or does not show which number is the day.
        """
        file = OrderFile.at(place, chosen, settings)
        if not file.bound.fields.get("date"):
            raise IntakeError(
                f"the source {file.about.source} finds no column for the date of an order",
                remedy="Export it again with the date, name its column in a source YAML of your own, or write "
                "{date} into the files' names",
                file=file.about.file,
            )
        dates, column = file.bound.orders.dates, file.bound.shown("date")
        order = _day_or_month(_dates(file), file=file.about.file, column=column, dates=dates)
        return cls(file, Clock(zone="UTC" if dates.without_offset == "utc" else zone, order=order), zone)

    @property
    def modified(self) -> datetime:
        return self.file.table.modified

    def parts(self) -> Iterator[tuple[Groups, pd.Series[Any]]]:
        """Yield the file's orders, and the day of each; NA where its date is none."""
        for groups, _ in self.file.groups(SLICE_ROWS):
            yield groups, self._days(groups)

    def slice(self, groups: Groups, seen: Seen) -> Slice:
        """Judge orders of one day."""
        return orders_slice(self.file.judge(groups), seen)

    def undated(self, groups: Groups, seen: Seen) -> Slice:
        """Refuse orders that belong to no day."""
        judged, days = self.file.judge(groups), self._days(groups)
        for at, is_date in enumerate(days.notna()):
            reason = reasons.AFTER_TODAY if is_date else reasons.NO_DAY
            judged.refusals.add(at, reason, self.file.bound.shown("date"))
        return orders_slice(judged, seen)

    def warnings(self) -> tuple[str, ...]:
        return self.file.warnings()

    def _days(self, groups: Groups) -> pd.Series[Any]:
        written = groups.lines.field("date").iloc[groups.first].reset_index(drop=True)
        return day_of(written, clock=self.clock, zone=self.zone)


def _dates(file: OrderFile) -> Iterator[pd.Series[Any]]:
    for part in file.table.slices(SLICE_ROWS):
        lines = Lines(part, file.bound, file.about.file)
        yield lines.field("date").iloc[np.flatnonzero(starts(lines))]


def _day_or_month(
    columns: Iterable[pd.Series[Any]], *, file: str, column: str, dates: Dates
) -> Literal["day_first", "month_first"] | None:
    """Find out from a whole file which of `03/04/2026` is the day: a value above 12 tells; None: no such dates.

    Raises:
        IntakeError: no value tells, or values tell both.
    """
    if dates.order != "by_file":
        return dates.order
    day_first = month_first = doubtful = False
    for values in columns:
        for cell in values[matches(values, _DAY_OR_MONTH)].unique():
            first, second = (int(number) for number in _numbers(cell))
            day_first |= first > _MONTHS
            month_first |= second > _MONTHS
            doubtful |= first != second
    if day_first != month_first:
        return "day_first" if day_first else "month_first"
    if not doubtful:
        return None
    problem = (
        "some dates have the day first, others the month"
        if day_first
        else "no date shows which number is the day"
    )
    raise IntakeError(
        problem,
        remedy="Set orders: {dates: {order: day_first}} or month_first in a source YAML of your own",
        file=file,
        column=column,
    )


def _numbers(cell: str) -> list[str]:
    return unmarked(cell).replace("-", "/").replace(".", "/").strip().split("/")[:2]
