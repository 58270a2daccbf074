"""How a delimited text is written: what parts its cells, and where its column names end."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leaddone_pipeline.contract import trim
from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake.readers import limits
from leaddone_pipeline.intake.readers.surroundings import find_header, is_units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Dialect", "dialect_of"]

_DELIMITERS = ",;\t|"
_SEP_LINE = re.compile(r'"?sep=(.)"?(?:\r\n|\r|\n)', re.IGNORECASE)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_TITLED = 0.3
_EXPECT = "Export it as CSV: comma, semicolon, tab or | between cells, the column names in one row"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What was seen in a text's beginning.

    Attributes:
        delimiter: between cells.
        header: the column names as they stand.
        row: number of the header's row, or of the row of units below it, as a spreadsheet counts.
        ends: characters up to the first data row.
    """

    delimiter: str
    header: tuple[str, ...]
    row: int
    ends: int


def dialect_of(
    beginning: str, *, whole: bool, file: str, fits: Callable[[Sequence[str]], bool] | None
) -> Dialect:
    """Read a text's first rows with each delimiter, and take the one that makes them a table.

    Args:
        beginning: the text, or its first part.
        whole: whether that is all of it.
        file: for messages.
        fits: whether a row is the header of a known source.

    Raises:
        IntakeError: empty, or no table by any of them.
    """
    if not trim(beginning):
        raise IntakeError("empty", remedy="Export it again", file=file)
    told = _SEP_LINE.match(beginning)
    begins = told.end() if told else 0
    delimiters = told.group(1) if told and told.group(1) not in '"\r\n\x00' else _DELIMITERS
    rated = [
        rated
        for delimiter in delimiters
        if (rated := _rated(list(_records(beginning, begins, delimiter, whole=whole)), delimiter, fits))
    ]
    if not rated:
        raise IntakeError("not a table: its first row has no columns", remedy=_EXPECT, file=file)
    return max(rated, key=lambda one: one[0])[1]


def _rated(
    records: list[tuple[list[str], int]], delimiter: str, fits: Callable[[Sequence[str]], bool] | None
) -> tuple[tuple[float, ...], Dialect] | None:
    """Rate a delimiter: it finds a source's header; many rows are as wide as it, the first row among them."""
    rows = [row for row, _ in records[: limits.HEADER_ROWS]]
    at = find_header(rows, fits)
    if at is None or len(rows[at]) < 2:  # noqa: PLR2004 - one column is no table of ours
        return None
    header = rows[at]
    widths = Counter(len(row) for row, _ in records if any(row))
    first = next(row for row in rows if any(row))
    known = fits is not None and fits([trim(cell) for cell in header])
    share = widths[len(header)] / widths.total()
    units = at + 1 < len(records) and is_units(records[at + 1][0])
    last = at + 1 if units else at
    dialect = Dialect(delimiter, tuple(header), last + 1, records[last][1])
    score = share * (len(header) - 1) * (1 if len(first) == len(header) else _TITLED)
    return (known, score, -_DELIMITERS.find(delimiter)), dialect


def _records(text: str, begins: int, delimiter: str, *, whole: bool) -> Iterator[tuple[list[str], int]]:
    """Rows of the beginning, each with where it ends; blank ones too. What is cut off at the end is none."""
    ends = [begins]

    def lines() -> Iterator[str]:
        while ends[-1] < len(text):
            found = _LINE.match(text, ends[-1])
            assert found is not None  # noqa: S101 - the pattern matches anywhere
            ends.append(found.end())
            yield found.group()

    reader = csv.reader(lines(), delimiter=delimiter)
    read = 0
    while read < 4 * limits.HEADER_ROWS:
        try:
            row = next(reader)
        except (StopIteration, csv.Error):
            return
        if ends[-1] >= len(text) and not whole:
            return
        yield row, ends[-1]
        read += 1
