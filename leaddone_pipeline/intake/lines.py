"""The rows of one slice as a source names them: each field's text, the first column that is not empty."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from leaddone_pipeline.intake import damage, normalize
from leaddone_pipeline.intake.binding import fits
from leaddone_pipeline.intake.normalize import STRING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leaddone_pipeline.intake.binding import Bound

__all__ = ["Lines"]


class Lines:
    """Data rows of a file, bound to a source. Series have a range index over the rows.

    Attributes:
        table: the cells by position, with damage.ROW, DAMAGE and LINE.
        bound: the source, tied to the header.
        files: name of the file of each row.
    """

    def __init__(self, table: pa.Table, bound: Bound, files: str | pd.Series[Any]) -> None:
        self.table = table
        self.bound = bound
        self.files = files if isinstance(files, pd.Series) else self._constant(files)
        self._texts: dict[int, pd.Series[Any]] = {}

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def part(self, start: int, stop: int | None = None) -> Lines:
        """Take some rows."""
        length = None if stop is None else stop - start
        return Lines(
            self.table.slice(start, length), self.bound, self.files.iloc[start:stop].reset_index(drop=True)
        )

    def after(self, earlier: Lines | None) -> Lines:
        """Put rows that were held back in front of these."""
        if earlier is None:
            return self
        files = pd.concat([earlier.files, self.files], ignore_index=True)
        return Lines(pa.concat_tables([earlier.table, self.table]).combine_chunks(), self.bound, files)

    def cells(self, position: int) -> pd.Series[Any]:
        """Trimmed text of a column by its position."""
        if position not in self._texts:
            column = self.table[str(position)].cast(pa.large_string())
            self._texts[position] = normalize.text(pd.Series(pd.arrays.ArrowStringArray(column)))
        return self._texts[position]

    def field(self, name: str) -> pd.Series[Any]:
        """Text of a field: of its columns the first that is not empty; NA where all are."""
        positions = self.bound.fields.get(name, ())
        if not positions:
            return self._constant(None)
        result = self.cells(positions[0])
        for position in positions[1:]:
            if not result.isna().any():
                break
            result = result.fillna(self.cells(position))
        return result

    def holds(self, condition: Mapping[str, list[str]]) -> pd.Series[Any]:
        """Say of each row whether all of a source's conditions hold; a missing column holds nothing."""
        result = pd.Series(np.ones(len(self), dtype=bool))
        for column, patterns in condition.items():
            position = self.bound.position(column)
            if position is None:
                return pd.Series(np.zeros(len(self), dtype=bool))
            cells = self.cells(position)
            alternatives = "|".join(f"(?:{fits(pattern)})" for pattern in patterns)
            result &= normalize.matches(cells, alternatives)
        return result

    @cached_property
    def rows(self) -> pd.Series[Any]:
        """Row numbers as a spreadsheet shows them."""
        return pd.Series(self.table[damage.ROW].to_numpy()).astype("Int64")

    @cached_property
    def damages(self) -> dict[int, str]:
        """Position of each damaged row -> code of its damage."""
        column = self.table[damage.DAMAGE]
        if column.null_count == len(column):
            return {}
        return {at: code for at, code in enumerate(column.to_pylist()) if code is not None}

    def _constant(self, value: str | None) -> pd.Series[Any]:
        return pd.Series([value], dtype=STRING).repeat(len(self)).reset_index(drop=True)
