"""Slices of intake on their way to a delivery: frames out, and beside them what a person must be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from leaddone_pipeline.cli.words import counted, say, say_error
from leaddone_pipeline.contract import SkipReason
from leaddone_pipeline.intake import Code, RowCounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from leaddone_pipeline.cli.quarantine_files import QuarantineFiles
    from leaddone_pipeline.errors import IntakeError
    from leaddone_pipeline.intake import Slice

__all__ = ["Reading"]

_SHOWN_REASONS = 10


@dataclass(slots=True)
class Reading:
    """The files of one call, read once.

    Attributes:
        slices: of all files, one after the other.
        quarantine: where refused rows go.
        files: how many there are.
        rows: what became of the rows read so far.
        broken: why a file could not be read, or not further.
    """

    slices: Iterator[Slice]
    quarantine: QuarantineFiles
    files: int
    rows: RowCounts = field(default_factory=RowCounts)
    broken: list[IntakeError] = field(default_factory=list)
    _orders: int = 0
    _paid: int = 0
    _reasons: list[str] = field(default_factory=list)

    def begin(self) -> bool:
        """Read until something readable comes; say whether any file could be read at all."""
        for part in self.slices:
            if part.broken is None:
                self.slices = chain([part], self.slices)
                return True
            self._note_broken(part.broken)
        return len(self.broken) < self.files

    def frames(self) -> Iterator[pd.DataFrame]:
        """The records, slice by slice, from where the last call stopped."""
        for part in self.slices:
            if part.broken is not None:
                self._note_broken(part.broken)
                continue
            self.rows += part.rows
            self._orders += len(part.frame)
            if "skipped" in part.frame:
                self._paid += int((part.frame["skipped"] == SkipReason.PAID).sum())
            self._note_refused(part.refused)
            for warning in part.warnings:
                say(f"Note: {warning}.")
            yield part.frame

    def finish(self) -> None:
        """Read what is left, so that every row is counted."""
        for _ in self.frames():
            pass

    @property
    def mostly_paid(self) -> bool:
        """Whether most orders were skipped since they are paid already."""
        return self._paid * 2 > self._orders

    def say_refused(self) -> None:
        """Name the first reasons for quarantine, without what the rows hold, and the files with all of them."""
        for reason in self._reasons:
            say(reason)
        if self.rows.quarantined and self.quarantine.paths:
            places = ", ".join(str(path) for path in self.quarantine.paths)
            say(f"Refused: {counted(self.rows.quarantined, 'row')}, with reason and remedy in {places}.")

    def _note_broken(self, error: IntakeError) -> None:
        self.broken.append(error)
        say_error(error)

    def _note_refused(self, refused: pd.DataFrame) -> None:
        self.quarantine.add(refused)
        left = _SHOWN_REASONS - len(self._reasons)
        told = refused[refused["code"] != Code.WITH_ORDER].head(max(left, 0))
        for row in told.to_dict("records"):
            column = row["column"] if isinstance(row["column"], str) else None
            place = f"{row['source_file']}, row {row['source_row']}" + (
                f', column "{column}"' if column else ""
            )
            self._reasons.append(f"{place} [{row['code']}] {row['reason']}. {row['remedy']}.")
