"""A day's files: where they lie, and what intake makes of them."""

from __future__ import annotations

import glob
import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from leaddone_pipeline.contract import Kind, SkipReason
from leaddone_pipeline.intake import (
    NOTHING_KNOWN,
    Known,
    RowCounts,
    Slice,
    SourceSettings,
    Span,
    dated_orders,
    dated_updates,
    day_digests,
    files_by_day,
    load_source,
    read_orders,
    read_tracking,
    source_names,
)
from leaddone_pipeline.orchestration.tables import COURIER_UPDATES, ORDERS, QUARANTINE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from leaddone_pipeline.errors import IntakeError
    from leaddone_pipeline.intake.by_day import Openers

__all__ = ["DATE", "UNREADABLE", "ExportDay", "Files"]

DATE = "{date}"
_LOOKED_THROUGH = 20_000_000
"""Files of more bytes in all are not looked through within a tick of a sensor."""
UNREADABLE = "unreadable_file"
"""The quarantine's code for a file that could not be read, or not to its end."""

_TABLES = {Kind.ORDERS: ORDERS, Kind.TRACKING: COURIER_UPDATES}


@dataclass(frozen=True, kw_only=True)
class Files:
    """The files of one kind that a shop leaves day by day, or that go on growing.

    Attributes:
        pattern: path with `*`, `?`, `[...]` as the shell knows them. `{date}` stands for the day; without it each
            record's own date tells the day, and the path may be a folder.
        root: where a relative pattern, or the relative path of a source, begins.
        source: name of a built-in source or path of a YAML; without it, recognised from each file.
        settings: over what the source says; of no use to courier files.
    """

    kind: Kind
    pattern: str
    root: Path
    source: str | None = None
    settings: SourceSettings = field(default_factory=SourceSettings)

    def check_source(self) -> None:
        """Refuse a source that cannot be used, before anything runs.

        Raises:
            IntakeError: there is none of this name, or its YAML is wrong.
        """
        if self.source is not None:
            load_source(self._source or "")

    @property
    def tell_days(self) -> bool:
        """Whether the files' names or their source, where it is named, can tell the day of a record."""
        if self.are_dated or self.source is None:
            return True
        source = load_source(self._source or "")
        if self.kind is Kind.ORDERS:
            return source.orders is None or bool(source.orders.columns.date)
        return source.tracking is None or bool(source.tracking.columns.event_time)

    @property
    def paid_is_settled(self) -> bool:
        """Whether the shop has said what is to be done with orders paid by card."""
        if self.settings.paid is not None:
            return True
        return self.source is not None and load_source(self._source or "").paid is not None

    @property
    def are_dated(self) -> bool:
        """Whether the files' names tell the day, and not each record's date."""
        return DATE in self.pattern

    def of(self, day: str) -> list[Path]:
        """The day's files, by name; of any day the same, where their names do not tell it."""
        pattern = self.pattern.replace(DATE, day)
        if not Path(pattern).is_absolute():
            pattern = str(Path(glob.escape(str(self.root)), pattern))
        found = map(Path, sorted(glob.glob(pattern)))  # noqa: PTH207 - absolute patterns too
        return [path for path in found if path.is_file() or (not self.are_dated and any(_single([path])))]

    def fingerprint(self, day: str) -> str:
        """A hash over the day's files, their sizes and times of change; empty without files."""
        told = []
        for path in _single(self.of(day)):
            state = path.stat()
            told.append(f"{path}\0{state.st_size}\0{state.st_mtime_ns}")
        return hashlib.blake2b("\n".join(told).encode(), digest_size=8).hexdigest() if told else ""

    def digests(self, span: Span, *, seconds: float) -> Mapping[str, str] | None:
        """What the records of each day look like, in files without the day in their names; None: no time to tell.

        Raises:
            IntakeError: a file cannot be read.
        """
        if sum(path.stat().st_size for path in _single(self.of(""))) > _LOOKED_THROUGH:
            return None
        return day_digests(self._openers(span), span, seconds=seconds)

    def read(self, days: Collection[str], span: Span, known: Known = NOTHING_KNOWN) -> dict[str, ExportDay]:
        """Read the files of days; a file that cannot be read stands in the quarantine."""
        if not self.are_dated:
            return self._read_by_date(days, span, known)
        found = {}
        for day in days:
            files = self.of(day)
            found[day] = self._export(day, self._slices(files, known), files=len(files))
        return found

    def _read_by_date(self, days: Collection[str], span: Span, known: Known) -> dict[str, ExportDay]:
        """Read files of many days once.

        What belongs to no day stands with the newest day that the files have, up to today, or else with today: in
        one place, and where it is looked at. A file that cannot be read may hold any day, and stands with each.
        """
        files = list(files_by_day(self._openers(span, known), days, span))
        newest = max((one.newest for one in files), default="") or span.today
        undated = [one.undated for one in files if one.undated is not None]
        found = {}
        for day in days:
            slices = [one.slices[day] for one in files if day in one.slices]
            slices += undated if day == newest else []
            export = self._export(
                day,
                slices,
                files=sum(one.broken is not None or one.until >= day for one in files),
                unread=[one.broken for one in files if one.broken is not None],
            )
            if day == newest:
                refused, early = sum(one.rows.quarantined for one in undated), sum(one.early for one in files)
                export = replace(export, beside={"undated": refused, "early": early})
            told = tuple(warning for one in files for warning in one.warnings)
            found[day] = replace(export, warnings=told) if day == max(days) else export
        return found

    def _export(
        self, day: str, parts: Iterable[Slice], *, files: int, unread: Iterable[IntakeError] = ()
    ) -> ExportDay:
        slices = list(parts)
        broken = [*(one.broken for one in slices if one.broken is not None), *unread]
        return ExportDay(
            frame=_TABLES[self.kind].join(
                [_TABLES[self.kind].cast(one.frame, day=day) for one in slices if one.broken is None]
            ),
            refused=QUARANTINE.join(
                [
                    QUARANTINE.cast(frame, day=day)
                    for frame in [*(s.refused for s in slices), _unreadable(broken)]
                ]
            ),
            rows=sum((one.rows for one in slices), RowCounts()),
            warnings=tuple(warning for one in slices for warning in one.warnings),
            files=files,
            broken=tuple(broken),
        )

    @property
    def _source(self) -> str | None:
        if self.source is None or self.source in source_names():
            return self.source
        return str(self.root / self.source)

    def _openers(self, span: Span, known: Known = NOTHING_KNOWN) -> Openers:
        files, source = self.of(""), self._source
        if self.kind is Kind.ORDERS:
            return dated_orders(files, source=source, settings=self.settings, zone=span.zone)
        return dated_updates(files, source=source, zone=span.zone, known=known)

    def _slices(self, files: list[Path], known: Known) -> Iterator[Slice]:
        if self.kind is Kind.ORDERS:
            return read_orders(files, source=self._source, settings=self.settings)
        return read_tracking(files, source=self._source, known=known)


@dataclass(frozen=True, kw_only=True)
class ExportDay:
    """What a day's files hold.

    Attributes:
        frame: as ORDERS or COURIER_UPDATES says.
        refused: as QUARANTINE says; one row more for each file that could not be read.
        rows: intake's counts.
        warnings: sentences about the files, without personal data.
        files: how many there were; of those of many days, how many reach the day: they have a record of it or of a
            later one, or were changed after it.
        broken: why files could not be read.
        beside: of files of many days, and with the newest of them: `undated`, the refused rows that stand here for
            want of a day, and `early`, the records older than the shop's first day, which are left out.
    """

    frame: pd.DataFrame
    refused: pd.DataFrame
    rows: RowCounts
    warnings: tuple[str, ...]
    files: int
    broken: tuple[IntakeError, ...]
    beside: Mapping[str, int] = field(default_factory=dict)

    @property
    def skipped(self) -> int:
        """Records of the frame that are not to be sent."""
        return int((self.frame["skipped"] != "").sum()) if "skipped" in self.frame else 0

    @property
    def skipped_as_paid(self) -> int:
        return int((self.frame["skipped"] == SkipReason.PAID).sum()) if "skipped" in self.frame else 0


def _single(places: Iterable[Path]) -> Iterator[Path]:
    """The single files of places, of which a folder has those that lie in it."""
    for place in places:
        yield from (path for path in sorted(place.iterdir()) if path.is_file()) if place.is_dir() else [place]


def _unreadable(broken: list[IntakeError]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "source_file": [error.file for error in broken],
            "source_row": [error.row for error in broken],
            "order_id": None,
            "column": [error.column for error in broken],
            "code": UNREADABLE,
            "reason": [error.problem for error in broken],
            "remedy": [error.remedy for error in broken],
            "raw": "",
        }
    )
