"""A day's files: where they lie, and what intake makes of them."""

from __future__ import annotations

import glob
import hashlib
from dataclasses import dataclass, field
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
    load_source,
    read_orders,
    read_tracking,
    source_names,
)
from leaddone_pipeline.orchestration.tables import COURIER_UPDATES, ORDERS, QUARANTINE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leaddone_pipeline.errors import IntakeError

__all__ = ["DATE", "UNREADABLE", "ExportDay", "Files"]

DATE = "{date}"
UNREADABLE = "unreadable_file"
"""The quarantine's code for a file that could not be read, or not to its end."""

_TABLES = {Kind.ORDERS: ORDERS, Kind.TRACKING: COURIER_UPDATES}


@dataclass(frozen=True, kw_only=True)
class Files:
    """The files of one kind that a shop leaves day by day.

    Attributes:
        pattern: path with `{date}` for the day, and `*`, `?`, `[...]` as the shell knows them.
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
    def paid_is_settled(self) -> bool:
        """Whether the shop has said what is to be done with orders paid by card."""
        if self.settings.paid is not None:
            return True
        return self.source is not None and load_source(self._source or "").paid is not None

    def of(self, day: str) -> list[Path]:
        """The day's files, by name."""
        pattern = self.pattern.replace(DATE, day)
        if not Path(pattern).is_absolute():
            pattern = str(Path(glob.escape(str(self.root)), pattern))
        return [path for path in map(Path, sorted(glob.glob(pattern))) if path.is_file()]  # noqa: PTH207 - absolute patterns too

    def fingerprint(self, day: str) -> str:
        """A hash over the day's files, their sizes and times of change; empty without files."""
        told = []
        for path in self.of(day):
            state = path.stat()
            told.append(f"{path}\0{state.st_size}\0{state.st_mtime_ns}")
        return hashlib.blake2b("\n".join(told).encode(), digest_size=8).hexdigest() if told else ""

    def read(self, day: str, known: Known = NOTHING_KNOWN) -> ExportDay:
        """Read the day's files into one frame; a file that cannot be read stands in the quarantine."""
        files = self.of(day)
        slices = list(self._slices(files, known))
        broken = [one.broken for one in slices if one.broken is not None]
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
            files=len(files),
            broken=tuple(broken),
        )

    @property
    def _source(self) -> str | None:
        if self.source is None or self.source in source_names():
            return self.source
        return str(self.root / self.source)

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
        files: how many there were.
        broken: why files could not be read.
    """

    frame: pd.DataFrame
    refused: pd.DataFrame
    rows: RowCounts
    warnings: tuple[str, ...]
    files: int
    broken: tuple[IntakeError, ...]

    @property
    def skipped(self) -> int:
        """Records of the frame that are not to be sent."""
        return int((self.frame["skipped"] != "").sum()) if "skipped" in self.frame else 0

    @property
    def skipped_as_paid(self) -> int:
        return int((self.frame["skipped"] == SkipReason.PAID).sum()) if "skipped" in self.frame else 0


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
