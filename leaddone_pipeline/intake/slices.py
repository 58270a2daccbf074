"""What intake hands on: a slice of clean records with those refused beside it, and the counts of its rows."""

# ruff: noqa: RUF002 - the sign stands in the article, as people read it

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from leaddone_pipeline.errors import IntakeError

__all__ = ["SLICE_ROWS", "About", "RowCounts", "Slice"]

SLICE_ROWS = 50_000
"""Rows in memory at once, about."""


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
class About:
    """How a file is read.

    Attributes:
        file: its name without folders.
        source: name of the source taken.
        why: why this one.
        mapping: field and the file's columns that it is read from.
    """

    file: str
    source: str
    why: str
    mapping: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """A bounded part of one file.

    Attributes:
        frame: as OrdersTable (skipped orders included) or TrackingTable says.
        refused: as QuarantineTable says; every row of a refused order.
        rows: what became of the rows that the slice was made from.
        warnings: sentences about the file, with counts and without personal data; on its last slice.
        broken: why the file could not be read, or not further; then both frames are empty.
        about: how the file is read; None for a frame, and where it could not be found out.
        rewritten: how many orders have their quantities in the article, so that the amount is right.
        examples: some of those, as `amount 320 sent as "3 × A", qte 1`.
    """

    frame: pd.DataFrame
    refused: pd.DataFrame
    rows: RowCounts
    warnings: tuple[str, ...] = ()
    broken: IntakeError | None = None
    about: About | None = None
    rewritten: int = 0
    examples: tuple[str, ...] = ()
