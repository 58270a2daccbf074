"""An open table, whatever its format: its header, and its rows of text in slices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from leaddone_pipeline.contract import trim
from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake import damage
from leaddone_pipeline.intake.readers import limits, surroundings
from leaddone_pipeline.intake.reasons import Code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

__all__ = ["TableFile", "checked_header", "of_rows"]


@dataclass(frozen=True, slots=True)
class TableFile:
    """An open file.

    Attributes:
        name: without folders; with `#`, the table within an archive or the sheet of a workbook.
        header: the column names, trimmed.
        modified: the time of the file's last change.
        tables: read the data rows from the beginning, in tables of any size, shaped as `slices` says.
        notes: sentences about what was decided or left out, complete once the slices are read.
    """

    name: str
    header: tuple[str, ...]
    modified: datetime
    tables: Callable[[], Iterator[pa.Table]]
    notes: list[str] = field(default_factory=list)

    def slices(self, rows: int) -> Iterator[pa.Table]:
        """Yield the data rows, at most so many at a time; blank rows are no rows.

        Each table has one text column a header cell, named by position, and damage.ROW, DAMAGE, LINE.

        Raises:
            IntakeError: the file breaks off, or changed since it was opened.
        """
        kept: pa.Table | None = None
        for table in surroundings.without_summary(_sound(self.tables()), self._left_out):
            kept = table if kept is None else pa.concat_tables([kept, table])
            while kept.num_rows > rows:
                yield kept.slice(0, rows).combine_chunks()
                kept = kept.slice(rows)
        if kept is not None and kept.num_rows:
            yield kept.combine_chunks()

    def _left_out(self, first: int, last: int) -> None:
        note = f"{self.name}: the total at its end is no order and was left out (row {first}"
        note += f" to {last})" if last > first else ")"
        if note not in self.notes:
            self.notes.append(note)


def checked_header(cells: Sequence[str], file: str) -> tuple[str, ...]:
    """Trim the column names.

    Raises:
        IntakeError: one column or none, which is no table of ours, or too many.
    """
    header = tuple(trim(_whole(cell)) for cell in cells)
    if len(header) < 2:  # noqa: PLR2004 - one column is no table of ours
        raise IntakeError(
            "not a table: its first row has no columns",
            remedy="Export it as a table: the column names in one row, the orders below it",
            file=file,
        )
    if len(header) > limits.MAX_COLUMNS:
        raise IntakeError(
            f"{len(header):,} columns, more than {limits.MAX_COLUMNS:,}",
            remedy="Leave out the columns that are not needed",
            file=file,
        )
    return header


def of_rows(rows: Iterable[tuple[int, Sequence[str], Code | None]], width: int, size: int) -> Iterator[Any]:
    """Make tables of (row number, cells, damage); a row's missing cells are empty, blank rows are left out.

    Half a character cannot be text; it becomes U+FFFD and its row is marked.
    """
    batch: list[tuple[int, Sequence[str], Code | None]] = []
    for number, cells, code in rows:
        if code is None and not any(cells):
            continue
        batch.append((number, cells, code))
        if len(batch) >= size:
            yield _table(batch, width)
            batch = []
    if batch:
        yield _table(batch, width)


def _table(batch: list[tuple[int, Sequence[str], Code | None]], width: int) -> pa.Table:
    columns: list[list[str]] = [[] for _ in range(width)]
    codes: list[str | None] = []
    for _, cells, code in batch:
        whole = [_whole(cell) for cell in cells]
        codes.append(code if code is not None or whole == list(cells) else Code.NOT_TEXT)
        for at, column in enumerate(columns):
            column.append(whole[at] if at < len(whole) else "")
    data = {str(at): pa.array(column, pa.string()) for at, column in enumerate(columns)}
    data[damage.ROW] = pa.array([number for number, _, _ in batch], pa.int64())
    data[damage.DAMAGE] = pa.array(codes, pa.string())
    data[damage.LINE] = pa.nulls(len(batch), pa.string())
    return damage.marked_nul(pa.table(data))


def _whole(cell: str) -> str:
    if cell.isascii():
        return cell
    return cell.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _sound(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Mark the rows with a cell that is too long; the cell itself is cut, since it serves nobody."""
    for table in tables:
        marked = table
        for name in table.column_names:
            if name in damage.BESIDE:
                continue
            column = marked[name]
            if (pc.max(pc.binary_length(column)).as_py() or 0) <= limits.MAX_CELL:
                continue
            long = pc.greater(pc.utf8_length(column), limits.MAX_CELL).to_numpy(zero_copy_only=False)
            marked = damage.mark(marked, long, Code.TOO_LONG)
            cut = pc.utf8_slice_codeunits(column, 0, limits.MAX_CELL)
            marked = marked.set_column(marked.column_names.index(name), name, cut)
        yield marked
