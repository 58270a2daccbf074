"""Someone's own DataFrame -> a table of text, as if it had been read from a file.

Numbers are written as a file's numbers are (readers/float_text.py): a float of 1001.0 is 1001, and one whose last
digits are gone is refused.
"""

from __future__ import annotations

import math
import numbers
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake import damage, normalize
from leaddone_pipeline.intake.readers.float_text import number_text, unambiguous
from leaddone_pipeline.intake.reasons import Code

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["as_table"]


def as_table(frame: pd.DataFrame, *, name: str) -> tuple[pa.Table, tuple[str, ...]]:
    """Write every cell as text; returns the table, columns by position, and the header.

    Raises:
        IntakeError: a column name stands there twice.
    """
    header = tuple(str(column) for column in frame.columns)
    twice = next((column for column, times in Counter(header).items() if times > 1), None)
    if twice is not None:
        raise IntakeError("the column appears twice", remedy="Rename one of them", file=name, column=twice)
    texts = [_texts(frame.iloc[:, at]) for at in range(len(header))]
    torn = np.zeros(len(frame), dtype=bool)
    columns: dict[str, pa.Array] = {}
    for at, cells in enumerate(texts):
        columns[str(at)], broken = _array(cells)
        torn |= broken
    columns[damage.ROW] = pa.array(_rows(frame))
    columns[damage.DAMAGE] = pa.array(
        [Code.NOT_TEXT.value if is_torn else None for is_torn in torn], pa.string()
    )
    columns[damage.LINE] = pa.nulls(len(frame), pa.string())
    return damage.marked_nul(pa.table(columns)), header


def _rows(frame: pd.DataFrame) -> Any:  # noqa: ANN401 - numpy's types say nothing here
    positions = pd.Series(np.arange(1, len(frame) + 1))
    if "source_row" not in frame.columns:
        return positions.to_numpy()
    given = pd.to_numeric(frame["source_row"].reset_index(drop=True), errors="coerce")
    return given.fillna(positions).astype("int64").to_numpy()


def _texts(column: pd.Series[Any]) -> pd.Series[Any] | list[str | None]:
    if isinstance(column.dtype, pd.StringDtype) and column.dtype.storage == "pyarrow":
        return column
    if pd.api.types.is_integer_dtype(column.dtype):
        return column.astype(normalize.STRING)
    return [_cell(cell) for cell in column]


def _cell(cell: Any) -> str | None:  # noqa: ANN401 - a frame's cell may be anything
    if isinstance(cell, str):
        return cell
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return None
    if isinstance(cell, Decimal):
        return _decimal(cell)
    if isinstance(cell, numbers.Real) and not isinstance(cell, numbers.Rational | bool | np.bool_):
        number = float(cell)
        return None if math.isnan(number) else number_text(number)
    return cell.isoformat() if isinstance(cell, date | datetime) else str(cell)


def _decimal(amount: Decimal) -> str | None:
    if amount.is_nan():
        return None
    if not amount.is_finite():
        return str(amount)
    whole = amount.to_integral_value()
    return f"{whole:f}" if amount == whole else unambiguous(f"{amount:f}")


def _array(cells: pd.Series[Any] | Sequence[str | None]) -> tuple[pa.Array, np.ndarray[Any, Any]]:
    """Make a text column; lone surrogates, which no UTF-8 can hold, are replaced and their rows told."""
    broken = np.zeros(len(cells), dtype=bool)
    try:
        array = pa.array(cells, pa.string(), from_pandas=True)
    except UnicodeEncodeError:
        whole = [None if cell is None else cell.encode("utf-8", "replace").decode() for cell in cells]
        broken = np.array([cell != mended for cell, mended in zip(cells, whole, strict=True)], dtype=bool)
        array = pa.array(whole, pa.string())
    return (array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array), broken
