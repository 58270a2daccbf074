"""What intake hands on: a slice of clean records with those refused beside it, and the counts of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from leaddone_pipeline.errors import IntakeError

__all__ = ["RowCounts", "Slice"]


@dataclass(frozen=True, slots=True)
class RowCounts:
    """What became of data rows: read = quarantined + skipped + merged + valid, always."""

    read: int = 0
    quarantined: int = 0
    skipped: int = 0
    merged: int = 0
    valid: int = 0

    def __add__(self, other: RowCounts) -> RowCounts:
        return RowCounts(
            read=self.read + other.read,
            quarantined=self.quarantined + other.quarantined,
            skipped=self.skipped + other.skipped,
            merged=self.merged + other.merged,
            valid=self.valid + other.valid,
        )


@dataclass(frozen=True, slots=True)
class Slice:
    """A bounded part of one file.

    Attributes:
        frame: as OrdersTable (skipped orders included) or TrackingTable says.
        refused: as QuarantineTable says; every row of a refused order.
        rows: what became of the rows that the slice was made from.
        warnings: sentences about the file, with counts and without personal data; on its last slice.
        broken: why the file could not be read, or not further; then both frames are empty.
    """

    frame: pd.DataFrame
    refused: pd.DataFrame
    rows: RowCounts
    warnings: tuple[str, ...] = ()
    broken: IntakeError | None = None
