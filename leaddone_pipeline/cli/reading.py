"""Slices of intake on their way to a delivery: frames out, and beside them what a person must be told."""

from __future__ import annotations

from collections import Counter
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
    from leaddone_pipeline.intake import About, Slice

__all__ = ["FileRead", "Reading", "by_reason"]

_SHOWN_REASONS = 10
_SHOWN_EXAMPLES = 3


def by_reason(skipped: Counter[str]) -> str:
    """`cancelled (2), paid (1)`, the most frequent first."""
    return ", ".join(f"{reason} ({count:,})" for reason, count in skipped.most_common())


@dataclass(slots=True)
class FileRead:
    """One file as far as it was read: how, what became of its rows, how many orders, why some are skipped."""

    about: About
    rows: RowCounts = field(default_factory=RowCounts)
    orders: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    rewritten: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, part: Slice) -> None:
        self.rows += part.rows
        self.orders += len(part.frame)
        if "skipped" in part.frame:
            self.skipped.update(part.frame["skipped"][part.frame["skipped"] != ""])
        self.rewritten += part.rewritten
        self.examples = [*self.examples, *part.examples][:_SHOWN_EXAMPLES]


@dataclass(slots=True)
class Reading:
    """The files of one call, read once.

    Attributes:
        slices: of all files, one after the other.
        quarantine: where refused rows go.
        files: how many there are.
        rows: what became of the rows read so far.
        broken: why a file could not be read, or not further.
        each: the files that could be read, one by one.
    """

    slices: Iterator[Slice]
    quarantine: QuarantineFiles
    files: int
    rows: RowCounts = field(default_factory=RowCounts)
    broken: list[IntakeError] = field(default_factory=list)
    each: list[FileRead] = field(default_factory=list)
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
            if part.about is not None:
                self.each.append(FileRead(part.about))
            self.each[-1].add(part)
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
        """Whether most orders of all files together were skipped since they are paid already."""
        paid = sum(one.skipped[SkipReason.PAID] for one in self.each)
        return paid * 2 > sum(one.orders for one in self.each)

    def say_skipped(self, *, recorded: bool) -> None:
        """Say how many orders were skipped and why, and where each stands once the ledger has it."""
        skipped = sum((one.skipped for one in self.each), Counter[str]())
        if skipped:
            place = "; `leaddone links --output PATH` names each with its reason" if recorded else ""
            say(f"Orders skipped: {by_reason(skipped)}{place}.")

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
