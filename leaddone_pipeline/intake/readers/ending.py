"""Whether a delimited text ends within a row: cut off on its way, so that nobody knows what is missing."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from leaddone_pipeline.intake.readers.surroundings import is_summary

if TYPE_CHECKING:
    from leaddone_pipeline.intake.damage import Look

__all__ = ["ends_within_a_row"]

_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
_OPEN = "unexpected end of data"
"""Source: what Python's csv says of a quoted cell that is not closed."""
_LAST_LINES = 50
"""A last row that stands in more lines than these is taken for whole."""


def ends_within_a_row(look: Look, width: int, delimiter: str) -> bool:
    """Say whether no line end follows the last row, and it lacks cells or the end of its quotes.

    Not so where it is a note under a total, or where its quote has swallowed whole rows: that one is a stray one.
    """
    if not look.tail or look.tail.endswith((b"\r", b"\n")):
        return False
    lines = _LINES.findall(look.tail.decode("utf-8", "replace"))[-_LAST_LINES - 1 : -1]
    row = ""
    for at in range(len(lines) - 1, -1, -1):
        row = lines[at] + row
        # From the beginning of a row on, quotes are even or odd as in the whole text.
        if row.count('"') % 2 == look.quotes % 2:
            break
    else:
        return False
    try:
        cells = next(csv.reader(io.StringIO(row, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        swallowed = any(line.count(delimiter) >= width - 1 for line in lines[at + 1 :])
        return _OPEN in str(error) and not swallowed
    if not row.strip(f' \t\x1a"{delimiter}'):
        return False
    return len(cells) < width and not any(_sums_up(line, width, delimiter) for line in lines)


def _sums_up(line: str, width: int, delimiter: str) -> bool:
    cells = next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter), [])
    return is_summary(cells + [""] * (width - len(cells)))
