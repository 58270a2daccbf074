"""Times as couriers write them -> ISO 8601 in UTC to the second; what is no time, or an unclear one, stays.

Source: sources.md, sections 2, 4, 6 and 8: ISO with and without offset, `31/12/2023 22:36`, days alone, seconds
since 1970, and the epoch as a filler for "no date".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pandas as pd

from leaddone_pipeline.intake.columns import STRING, matches, rewrite, text, unmarked

__all__ = ["TIME", "WRITTEN", "Clock", "day_alone", "event_time"]

TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"
"""A time as `event_time` writes it."""

_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:?[0-9]{2})$"
WRITTEN = "%Y-%m-%dT%H:%M:%SZ"
_CLOCK = (
    r"(?:[T ]+|\s*,\s*|\s+[àa]\s+)(?P<hour>\d{1,2})[:hH](?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
)
_OFFSET = r"\s*(?P<offset>Z|UTC|[+-]\d{2}(?::?\d{2})?)"
_YEAR_FIRST = re.compile(
    rf"(?P<year>\d{{4}})[-/](?P<first>\d{{1,2}})[-/](?P<second_part>\d{{1,2}})(?:{_CLOCK}(?:{_OFFSET})?)?"
)
_YEAR_LAST = re.compile(
    rf"(?P<first>\d{{1,2}})[-/.](?P<second_part>\d{{1,2}})[-/.](?P<year>\d{{4}}|\d{{2}})(?:{_CLOCK}(?:{_OFFSET})?)?"
)
_SECONDS = re.compile(r"(?P<seconds>[0-9]{10})(?P<millis>[0-9]{3})?(?:\.0)?")
_CENTURY = 2000
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Clock:
    """How a file's times are read.

    Attributes:
        zone: where a time without an offset was read off the clock; None: such a time is refused.
        order: which of `03/04/2026` is the day; None: a number above 12 must tell.
    """

    zone: str | None = None
    order: Literal["day_first", "month_first"] | None = None


def event_time(values: pd.Series[Any], *, clock: Clock = Clock()) -> pd.Series[Any]:
    """Write times in UTC; the epoch, a usual filler, is no date.

    A day alone is written as its last second, since what happened on it happened by then.
    """
    result = rewrite(_iso(text(values)), ready=TIME, by=lambda cell: _time(cell, clock))
    return result.mask(matches(result, r"^(?:1970-01-01T|1969-12-31T|0000-00-00)"))


def _iso(values: pd.Series[Any]) -> pd.Series[Any]:
    """The common form, ISO 8601 with an offset, as a whole column."""
    iso = values.where(matches(values, _ISO))
    if not iso.notna().any():
        return values
    times = pd.to_datetime(iso, format="ISO8601", utc=True, errors="coerce")
    return times.dt.strftime(WRITTEN).astype(STRING).fillna(values)


@lru_cache(maxsize=4096)
def _time(written: str, clock: Clock) -> str:
    bare = unmarked(written).replace("\u00a0", " ").strip()
    if bare.startswith("0000-00-00"):
        return bare
    moment = _moment(bare, clock)
    return written if moment is None else moment.astimezone(UTC).strftime(WRITTEN)


def _moment(bare: str, clock: Clock) -> datetime | None:
    try:
        if found := _SECONDS.fullmatch(bare):
            return datetime.fromtimestamp(int(found["seconds"]), UTC)
        found = _YEAR_FIRST.fullmatch(bare) or _YEAR_LAST.fullmatch(bare)
        if found is None:
            return None
        day = _day(found, clock)
        return None if day is None else _on(day, found, clock)
    except (ValueError, OverflowError):
        return None


def _day(found: re.Match[str], clock: Clock) -> date | None:
    year, first, second = int(found["year"]), int(found["first"]), int(found["second_part"])
    if found.re is _YEAR_FIRST:
        return date(year, first, second)
    year += _CENTURY if len(found["year"]) == 2 else 0  # noqa: PLR2004 - `26` is 2026
    if year == 1970:  # noqa: PLR2004 - the epoch, whichever part is the day
        return date(year, 1, 1)
    order = clock.order
    if order is None and first != second and first <= _MONTHS and second <= _MONTHS:
        return None
    day_first = first > _MONTHS if order is None and first != second else order != "month_first"
    return date(year, second, first) if day_first else date(year, first, second)


def _on(day: date, found: re.Match[str], clock: Clock) -> datetime | None:
    if found["hour"] is None:
        at = time(23, 59, 59)
    else:
        at = time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0))
    naive = datetime.combine(day, at)
    if found["offset"]:
        return naive.replace(tzinfo=UTC) - _offset(found["offset"])
    if day == date(1970, 1, 1):
        return naive.replace(tzinfo=UTC)
    # Of an hour that the clock shows twice the later is taken: by then it has surely happened.
    return None if clock.zone is None else naive.replace(tzinfo=ZoneInfo(clock.zone), fold=1)


def _offset(written: str) -> timedelta:
    if written in {"Z", "UTC"}:
        return timedelta(0)
    hours, minutes = int(written[1:3]), int(written[3:].lstrip(":") or 0)
    return (-1 if written[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes)


def day_alone(values: pd.Series[Any]) -> pd.Series[Any]:
    """Say of each cell as it was written whether it is a day without a time of day."""
    return matches(values, r"^[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}$")
