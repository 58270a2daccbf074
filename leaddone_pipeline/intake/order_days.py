"""On which local day each order of a file was made, for exports that are not one file a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake import normalize
from leaddone_pipeline.intake.columns import DIGITS, STRING, matches
from leaddone_pipeline.intake.grouping import starts
from leaddone_pipeline.intake.lines import Lines
from leaddone_pipeline.intake.order_files import OrderFile
from leaddone_pipeline.intake.times import TIME, Clock

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Literal

    from leaddone_pipeline.intake.forms import Dates

__all__ = ["day_or_month", "order_day", "order_days"]

_DAY_OR_MONTH = r"^\s*([0-9]{1,2})[-/.]([0-9]{1,2})[-/.](?:[0-9]{4}|[0-9]{2})(?:[^0-9].*)?$"
_MONTHS = 12
_SLICE_ROWS = 50_000
_NO_ROWS = pd.Series(dtype="Int64")
_NO_CELLS = pd.Series(dtype=STRING)


def order_day(
    values: pd.Series[Any], *, zone: str, dates: Dates, order: Literal["day_first", "month_first"] | None
) -> pd.Series[Any]:
    """Write dates as the day (YYYY-MM-DD) that the zone's calendar showed; NA where there is none to read.

    Args:
        values: dates as the file has them, text.
        zone: where the shop's days begin and end, such as Africa/Casablanca.
        dates: how the source's dates are read.
        order: which of `03/04/2026` is the day, as `day_or_month` found it.
    """
    clock = Clock(zone="UTC" if dates.without_offset == "utc" else zone, order=order)
    times = normalize.event_time(values, clock=clock)
    known = pd.to_datetime(times.where(matches(times, TIME)), format="ISO8601", utc=True)
    # By ZoneInfo: pandas 2 resolves a name by pytz, whose data may be another year's (measured for Casablanca).
    return known.dt.tz_convert(ZoneInfo(zone)).dt.strftime("%Y-%m-%d").astype(STRING)


def order_days(file: Path | str, *, source: str | Path | None = None, zone: str) -> pd.DataFrame:
    """Say of each order of a file, by the row where its lines begin, on which day it was made.

    Returns:
        source_row (Int64, as in OrdersTable; some rows more, where lines of one order stand apart) and day (text
        YYYY-MM-DD, NA where the cell is empty or no date).

    Raises:
        IntakeError: the file cannot be read, has no column for dates, or does not show which number is the day.
    """
    opened = OrderFile.at(file, source)
    places = opened.bound.fields.get("date")
    if not places:
        raise IntakeError(
            f"the source {opened.about.source} finds no column for the date of an order",
            remedy="Export the file again with the date, or name its column in a source YAML of your own",
            file=opened.about.file,
        )
    rows, cells = [_NO_ROWS], [_NO_CELLS]
    for part in opened.table.slices(_SLICE_ROWS):
        lines = Lines(part, opened.bound, opened.about.file)
        # A row that goes on with the order above the slice stands here too; no order has its number.
        begins = np.flatnonzero(starts(lines))
        rows.append(lines.rows.iloc[begins])
        cells.append(lines.field("date").iloc[begins])
    written = pd.concat(cells, ignore_index=True)
    dates = opened.bound.orders.dates
    order = day_or_month([written], file=opened.about.file, column=opened.bound.shown("date"), dates=dates)
    days = order_day(written, zone=zone, dates=dates, order=order)
    return pd.DataFrame({"source_row": pd.concat(rows, ignore_index=True), "day": days})


def day_or_month(
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
    return cell.translate(DIGITS).replace("-", "/").replace(".", "/").strip().split("/")[:2]
