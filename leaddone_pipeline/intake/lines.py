"""The rows of one slice as a source names them: each field's text, the first column that is not empty."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from leaddone_pipeline.intake import damage, normalize
from leaddone_pipeline.intake.folding import fold_word, glob
from leaddone_pipeline.intake.mended import files_of
from leaddone_pipeline.intake.normalize import STRING, Convention
from leaddone_pipeline.intake.prices import DIRHAM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from leaddone_pipeline.intake.binding import Bound, Place

__all__ = ["Lines", "says"]


class Lines:
    """Data rows of a file, bound to a source. Series have a range index over the rows.

    Attributes:
        table: the cells by position, with damage.ROW, DAMAGE and LINE.
        bound: the source, tied to the header.
        files: name of the file of each row.
        conventions: how the file's columns of money write numbers, by position, as its first rows show it.
    """

    def __init__(
        self,
        table: pa.Table,
        bound: Bound,
        files: str | pd.Series[Any],
        conventions: Mapping[int, Convention] | None = None,
    ) -> None:
        self.table = table
        self.bound = bound
        self.conventions = conventions or {}
        self.files = files if isinstance(files, pd.Series) else self._named(files)
        self._texts: dict[int, pd.Series[Any]] = {}

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def part(self, start: int, stop: int | None = None) -> Lines:
        """Take some rows."""
        length = None if stop is None else stop - start
        return Lines(
            self.table.slice(start, length),
            self.bound,
            self.files.iloc[start:stop].reset_index(drop=True),
            self.conventions,
        )

    def take(self, rows: NDArray[np.int64]) -> Lines:
        """Take rows in an order of one's own."""
        files = self.files.iloc[rows].reset_index(drop=True)
        return Lines(self.table.take(pa.array(rows)).combine_chunks(), self.bound, files, self.conventions)

    def after(self, earlier: Lines | None) -> Lines:
        """Put rows that were held back in front of these."""
        if earlier is None:
            return self
        files = pd.concat([earlier.files, self.files], ignore_index=True)
        table = pa.concat_tables([earlier.table, self.table]).combine_chunks()
        return Lines(table, self.bound, files, self.conventions)

    def cells(self, position: int) -> pd.Series[Any]:
        """Trimmed text of a column by its position."""
        if position not in self._texts:
            column = self.table[str(position)].cast(pa.large_string())
            self._texts[position] = normalize.text(pd.Series(pd.arrays.ArrowStringArray(column)))
        return self._texts[position]

    def field(self, name: str) -> pd.Series[Any]:
        """Text of a field, or else of a column: of its places the first that is not empty; NA where all are."""
        return self.first_of(self.bound.places(name))

    def first_of(self, places: Sequence[Place]) -> pd.Series[Any]:
        """Text of the first place that is not empty."""
        if not places:
            return self._constant(None)
        result = self.joined(places[0])
        for place in places[1:]:
            if not result.isna().any():
                break
            result = result.fillna(self.joined(place))
        return result

    def joined(self, place: Place) -> pd.Series[Any]:
        """Text of one place, its parts with a space between; NA where all of them are empty."""
        result = self.cells(place[0])
        for position in place[1:]:
            more = self.cells(position)
            both = result + " " + more
            result = both.fillna(result).fillna(more)
        return result

    def money(
        self, places: Sequence[Place], *, above_zero: bool = False, signed: bool = True
    ) -> pd.Series[Any]:
        """Amounts of the first place that is not empty.

        Args:
            places: where they may stand.
            above_zero: whether a zero gives way to the next place, as an empty cell does.
            signed: whether a minus is kept; without, what is taken off may be written either way.
        """
        result: pd.Series[Any] | None = None
        for place in places:
            cells = self.joined(place)
            if not signed:
                cells = cells.str.removeprefix("-").str.removeprefix("\u2212").astype(STRING)
            cells = normalize.price(
                cells, convention=self._convention(place[0], cells), currency=self.currency
            )
            if result is None:
                result = cells
                continue
            gives_way = result.isna() | ((result == "0").fillna(value=False) if above_zero else False)
            result = result.mask(gives_way & cells.notna(), cells)
        return self._constant(None) if result is None else result

    @property
    def currency(self) -> str:
        """The shop's currency, whose words may stand beside an amount."""
        told = self.bound.source.currency
        return told if told not in {None, "any"} else DIRHAM

    def _convention(self, position: int, cells: pd.Series[Any]) -> Convention:
        """The file's convention; where these rows contradict it, none, so that nothing ambiguous is settled."""
        convention = self.conventions.get(position, Convention())
        return Convention() if convention.contradicted(cells) else convention

    def contradictions(self) -> int:
        """Count the amounts that are written otherwise than the file's first rows are."""
        return sum(
            convention.contradicted(self.cells(position)) for position, convention in self.conventions.items()
        )

    def holds(self, condition: Mapping[str, list[str]]) -> NDArray[np.bool_]:
        """Say of each row whether all of a source's conditions hold.

        A column that the file lacks holds nothing; conditions of only `!` hold where it says something else.
        """
        result = np.ones(len(self), dtype=bool)
        for name, patterns in condition.items():
            if not self.bound.places(name):
                return np.zeros(len(self), dtype=bool)
            result &= says(self.field(name), patterns)
            if not result.any():
                break
        return result

    @cached_property
    def rows(self) -> pd.Series[Any]:
        """Row numbers as a spreadsheet shows them."""
        return pd.Series(self.table[damage.ROW].to_numpy()).astype("Int64")

    @cached_property
    def ids(self) -> pd.Series[Any]:
        """Order ids without the source's prefix, as every file of an order writes them."""
        ids = self.field("id")
        if self.bound.id_prefix:
            ids = ids.str.removeprefix(self.bound.id_prefix).astype(STRING)
        return normalize.order_id(ids)

    @cached_property
    def begins_record(self) -> NDArray[np.bool_]:
        """Say of each row whether a record begins there: its items all have its number."""
        numbers = self.table[damage.ROW].to_numpy()
        begins: NDArray[np.bool_] = np.diff(numbers, prepend=-1) != 0
        return begins | (self.files != self.files.shift()).fillna(value=True).to_numpy(dtype=bool)

    @cached_property
    def damages(self) -> dict[int, str]:
        """Position of each damaged row -> code of its damage."""
        column = self.table[damage.DAMAGE]
        if column.null_count == len(column):
            return {}
        return {at: code for at, code in enumerate(column.to_pylist()) if code is not None}

    def _named(self, name: str) -> pd.Series[Any]:
        files = files_of(self.table, name)
        return files if isinstance(files, pd.Series) else self._constant(files)

    def _constant(self, value: str | None) -> pd.Series[Any]:
        return pd.Series([value], dtype=STRING).repeat(len(self)).reset_index(drop=True)


def says(cells: pd.Series[Any], patterns: Sequence[str]) -> NDArray[np.bool_]:
    """Say of each cell whether it fits a condition's patterns (forms.Condition)."""
    if list(patterns) == ["*"]:
        return cells.notna().to_numpy(dtype=bool)
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    barred = [glob(pattern[1:]) for pattern in patterns if pattern.startswith("!")]
    globs = [glob(pattern) for pattern in wanted if pattern]
    codes = pa.array(cells, type=pa.large_string(), from_pandas=True).dictionary_encode()
    codes = codes.combine_chunks() if isinstance(codes, pa.ChunkedArray) else codes
    words = [fold_word(word) for word in codes.dictionary.to_pylist()]
    known = [
        (not wanted or any(one.fullmatch(word) for one in globs))
        and not any(one.fullmatch(word) for one in barred)
        for word in words
    ]
    empty = not wanted or "" in wanted
    fits: NDArray[np.bool_] = np.array([*known, empty], dtype=bool)
    places: NDArray[np.int32] = codes.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)
    return fits[places]
