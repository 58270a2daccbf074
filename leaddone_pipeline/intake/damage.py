"""Rows that are damaged in themselves, found and kept in their places: ragged, an open quote, a NUL byte."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leaddone_pipeline.contract import trim
from leaddone_pipeline.intake.reasons import Code

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BESIDE", "DAMAGE", "LINE", "ROW", "Look", "mark", "mark_cut_off", "marked", "marked_nul", "place"]

ROW = "row"
"""Number of the row, as a spreadsheet shows it."""
DAMAGE = "damage"
"""Code of the row's damage, null if it has none."""
LINE = "line"
"""The row's own text where its cells could not be told apart, else null."""

BESIDE = (ROW, DAMAGE, LINE)
_TAIL = 1 << 16
_OPENS = re.compile(rb'(?:^|[,;\t|]) ?"')
"""A quote within a cell, as in `5" pipe`, opens nothing."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look through the bytes of a file told: what need not be searched for row by row."""

    size: int = 0
    quotes: int = 0
    nul: bool = False
    tail: bytes = b""

    def then(self, chunk: bytes) -> Look:
        """Go on with the file's next bytes."""
        return Look(
            size=self.size + len(chunk),
            quotes=self.quotes + chunk.count(b'"'),
            nul=self.nul or b"\x00" in chunk,
            tail=(self.tail + chunk)[-_TAIL:],
        )

    def below(self, head: bytes) -> Look:
        """Leave out the file's first bytes."""
        left = self.size - len(head)
        return Look(left, self.quotes - head.count(b'"'), self.nul, self.tail[-left:] if left else b"")


def place(good: pa.Table, first: int, ragged: list[tuple[int, str]], delimiter: str) -> pa.Table:
    """Number the rows from `first` on and put the ragged ones where they stood; those placed leave the list.

    Source: pyarrow numbers its invalid rows from 1, the header and blank rows included (measured).
    """
    here = 0
    while here < len(ragged) and ragged[here][0] - first - here <= good.num_rows:
        here += 1
    numbers = np.arange(first, first + good.num_rows + here, dtype=np.int64)
    taken, ragged[:here] = ragged[:here], []
    torn = np.isin(numbers, [number for number, _ in taken])
    nothing = pa.nulls(good.num_rows, pa.string())
    table = good.append_column(ROW, pa.array(numbers[~torn]))
    table = table.append_column(DAMAGE, nothing).append_column(LINE, nothing)
    if not taken:
        return table
    table = pa.concat_tables([table, _torn(taken, good.num_columns, delimiter, table.schema)])
    return table.take(pc.sort_indices(table[ROW]))


def _torn(taken: list[tuple[int, str]], width: int, delimiter: str, schema: pa.Schema) -> pa.Table:
    rows = [[*_cells(line, width, delimiter), number, Code.RAGGED.value, line] for number, line in taken]
    return pa.table(
        [pa.array(column, kind.type) for column, kind in zip(zip(*rows, strict=True), schema, strict=True)],
        schema=schema,
    )


def _cells(line: str, width: int, delimiter: str) -> list[str]:
    try:
        cells = next(csv.reader(io.StringIO(line, newline=""), delimiter=delimiter), [])
    except csv.Error:
        cells = []
    return (cells + [""] * width)[:width]


def marked(table: pa.Table, *, delimiter: str, look: Look) -> pa.Table:
    """Drop blank rows, which are no rows, and mark those with a NUL byte or a quote that swallowed a row.

    A cell that holds a line end and as many delimiters as a whole row has swallowed what follows it.
    """
    table = table.filter(pc.invert(_blank(table, delimiter)))
    table = mark(table, _any(table, "\x00"), Code.NUL) if look.nul else table
    if not look.quotes:
        return table
    swallowed = np.zeros(table.num_rows, dtype=bool)
    delimiters = table.num_columns - len(BESIDE) - 1
    for cells in _columns(table):
        for at in np.flatnonzero(pc.match_substring_regex(cells, "[\r\n]").to_numpy(zero_copy_only=False)):
            swallowed[at] |= cells[at].as_py().count(delimiter) >= delimiters
    return mark(table, swallowed, Code.UNCLOSED_QUOTE)


def mark_cut_off(table: pa.Table, look: Look) -> pa.Table:
    """Mark the last row of a file if its last quote is never closed: cut off, or a stray quote."""
    if look.quotes % 2 == 0:
        return table
    last = table.slice(table.num_rows - 1)
    lines = look.tail.splitlines()
    opened_there = bool(lines) and lines[-1].count(b'"') % 2 == 1 and _OPENS.search(lines[-1]) is not None
    opened_before = bool(_any(last, "\n")[0] or _any(last, "\r")[0]) and not look.tail.rstrip().endswith(b'"')
    if not (opened_there or opened_before):
        return table
    cut = np.arange(table.num_rows) == table.num_rows - 1
    return mark(table, cut, Code.UNCLOSED_QUOTE)


def mark(table: pa.Table, where: np.ndarray, code: Code) -> pa.Table:
    """Mark some rows that are not marked yet."""
    if not where.any():
        return table
    whole = pc.is_null(table[DAMAGE]).to_numpy(zero_copy_only=False)
    codes = pc.if_else(pa.array(where & whole), code.value, table[DAMAGE])
    return table.set_column(table.column_names.index(DAMAGE), DAMAGE, codes)


def _columns(table: pa.Table) -> Iterator[pa.ChunkedArray]:
    return (table[name] for name in table.column_names if name not in BESIDE)


def _any(table: pa.Table, text: str) -> np.ndarray:
    found = np.zeros(table.num_rows, dtype=bool)
    for cells in _columns(table):
        found |= pc.fill_null(pc.match_substring(cells, text), fill_value=False).to_numpy(
            zero_copy_only=False
        )
    return found


def _blank(table: pa.Table, delimiter: str) -> pa.Array:
    blank = pa.array(np.ones(table.num_rows, dtype=bool))
    for cells in _columns(table):
        blank = pc.and_(blank, pc.equal(pc.binary_length(cells), 0))
        if not pc.any(blank).as_py():
            return blank
    lines = table[LINE].to_pylist()
    return pa.array(
        [
            bool(is_blank) and (line is None or not trim(line.replace(delimiter, "").replace('"', "")))
            for is_blank, line in zip(blank.to_pylist(), lines, strict=True)
        ],
        pa.bool_(),
    )


def marked_nul(table: pa.Table) -> pa.Table:
    """Mark the rows with a NUL byte."""
    return mark(table, _any(table, "\x00"), Code.NUL)
