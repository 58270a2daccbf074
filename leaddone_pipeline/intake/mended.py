"""Quarantine files: refused rows laid out for a person to mend, and read again as the rows that they were.

What was refused comes first, then the file's own columns, as they stood. A cell that a spreadsheet would run as a
formula gets an apostrophe in front, which is taken off again when the file is read.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leaddone_pipeline.intake import damage
from leaddone_pipeline.intake.columns import STRING
from leaddone_pipeline.intake.reasons import Code

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leaddone_pipeline.intake.readers import TableFile

__all__ = ["OWN_COLUMNS", "files_of", "laid_out", "whole"]

OWN_COLUMNS = ("source_file", "source_row", "order_id", "column", "code", "reason", "remedy", "row")
"""What a quarantine file has before the columns of the refused file. `row` is the text of a row whose cells could
not be told apart: who mends it puts its cells into the columns."""

_FILE = "file"
_FORMULA = r"[=+\-@\t\r\n\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]"
"""What a cell begins with that a spreadsheet runs, full-width signs included."""
_BEGINS = r"(^|[;\t])"
"""Where a cell may begin: a spreadsheet of a French system parts what is not quoted at its semicolons."""
_NUMBERED = re.compile(r"(.*) \(([0-9]+)\)", re.DOTALL)


def laid_out(refused: pd.DataFrame) -> pd.DataFrame:
    """Lay out the refused rows of one file, as QuarantineTable says, for a person: text columns, no formulas."""
    rows = [json.loads(raw) if raw else {} for raw in refused["raw"]]
    torn = [list(row) == ["row"] for row in rows]
    own = refused[list(OWN_COLUMNS[:-1])].astype(STRING)
    own["row"] = [row["row"] if is_torn else pd.NA for row, is_torn in zip(rows, torn, strict=True)]
    told = (row for row, is_torn in zip(rows, torn, strict=True) if not is_torn)
    names = dict.fromkeys((*refused.attrs.get("header", ()), *(name for row in told for name in row)))
    cells = {
        _apart(name, at): pd.Series([row.get(name) for row in rows], index=own.index, dtype=STRING)
        for at, name in enumerate(names)
    }
    table = pd.concat([own, pd.DataFrame(cells, index=own.index)], axis="columns")
    return table.apply(lambda column: _rewritten(column, rf"{_BEGINS}('*{_FORMULA})", r"\1'\2"))


def whole(table: TableFile) -> TableFile:
    """Take a quarantine file for the rows that stand in it, any other file for itself.

    Its rows have the numbers that they had in the file that they come from, and its header is that file's.
    """
    own = len(OWN_COLUMNS)
    if tuple(table.header[:own]) != OWN_COLUMNS:
        return table
    header = tuple(_original(table.header[own:]))

    def tables() -> Iterator[pa.Table]:
        return (_restored(part, len(header), table.name) for part in table.tables())

    return replace(table, header=header, tables=tables)


def files_of(part: pa.Table, name: str) -> str | pd.Series[Any]:
    """Name of the file that each row of a slice comes from, or of all of them."""
    if _FILE not in part.column_names:
        return name
    return pd.Series(pd.arrays.ArrowStringArray(part[_FILE].cast(pa.large_string())))


def _restored(part: pa.Table, width: int, name: str) -> pa.Table:
    own = {column: _bare(part[str(at)]) for at, column in enumerate(OWN_COLUMNS)}
    cells = [_bare(part[str(len(OWN_COLUMNS) + at)]) for at in range(width)]
    numbers = pd.to_numeric(
        pd.Series(own["source_row"].to_pylist(), dtype=object), errors="coerce"
    ).to_numpy()
    here = part[damage.ROW].to_numpy()
    told = ~np.isnan(numbers.astype(float))
    known = [
        bool(file) and bool(is_told)
        for file, is_told in zip(own["source_file"].to_pylist(), told, strict=True)
    ]
    empty = np.ones(part.num_rows, dtype=bool)
    for column in cells:
        empty &= pc.equal(pc.binary_length(column), 0).to_numpy(zero_copy_only=False)
    torn = empty & pc.greater(pc.binary_length(own["row"]), 0).to_numpy(zero_copy_only=False)
    return pa.table(
        {
            **{str(at): column for at, column in enumerate(cells)},
            # Among the cells, so that no refused row is taken for a total that sums up the others.
            _FILE: pc.if_else(pa.array(known), own["source_file"], name),
            damage.ROW: pa.array(
                np.where(known, np.nan_to_num(numbers.astype(float)), here).astype(np.int64)
            ),
            damage.DAMAGE: pc.if_else(pa.array(torn), Code.RAGGED.value, part[damage.DAMAGE]),
            damage.LINE: pc.if_else(pa.array(torn), own["row"], part[damage.LINE]),
        }
    ).combine_chunks()


def _bare(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.replace_substring_regex(pc.fill_null(cells, ""), rf"{_BEGINS}'('*{_FORMULA})", r"\1\2")


def _rewritten(column: pd.Series[Any], pattern: str, by: str) -> pd.Series[Any]:
    cells = pa.array(column.astype(STRING), type=pa.large_string(), from_pandas=True)
    return pd.Series(
        pd.arrays.ArrowStringArray(pc.replace_substring_regex(cells, pattern, by)), index=column.index
    )


def _apart(name: str, at: int) -> str:
    """Number a column that is named as one of ours, as quarantine.py numbers one that stands there twice."""
    return f"{name} ({at + 1})" if name in OWN_COLUMNS else name


def _original(names: Sequence[str]) -> list[str]:
    """The header as it stood, before columns that stand there twice or have no name were numbered."""
    header: list[str] = []
    for at, name in enumerate(names, 1):
        numbered = _NUMBERED.fullmatch(name)
        if name == f"column {at}":
            header.append("")
        elif numbered and int(numbered[2]) == at and numbered[1] in (*header, *OWN_COLUMNS):
            header.append(numbered[1])
        else:
            header.append(name)
    return header
