"""Parquet -> tables of text: any type as a person would write it, decimals exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake import damage
from leaddone_pipeline.intake.readers import limits
from leaddone_pipeline.intake.readers.float_text import number_text, unambiguous
from leaddone_pipeline.intake.readers.records import as_json
from leaddone_pipeline.intake.readers.table import TableFile, checked_header
from leaddone_pipeline.intake.reasons import Code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leaddone_pipeline.intake.readers.content import Content

__all__ = ["open_parquet"]

_ROWS = 5_000
_BROKEN = (pa.ArrowException, OSError, MemoryError, ValueError)


def open_parquet(content: Content) -> TableFile:
    """Read the columns, and all rows once.

    Raises:
        IntakeError: damaged, locked, or too large.
    """
    rows = _Rows(content)
    try:
        schema = rows.open().schema_arrow
        header = checked_header(_flat(pa.table(schema.empty_table())).column_names, content.name)
    except _BROKEN:
        raise rows.damaged() from None
    for _ in rows.read():
        pass
    return TableFile(name=content.name, header=header, modified=content.modified, tables=rows.read)


@dataclass(frozen=True)
class _Rows:
    content: Content

    def open(self) -> Any:  # noqa: ANN401 - pyarrow has no types
        return pq.ParquetFile(self.content.plain)

    def read(self) -> Iterator[pa.Table]:
        number = 1
        try:
            with self.open() as file:
                self._refuse_too_large(file.metadata)
                for batch in file.iter_batches(batch_size=_ROWS):
                    table = _text(_flat(pa.Table.from_batches([batch])), number)
                    number += batch.num_rows
                    blank = _blank(table)
                    yield damage.marked_nul(
                        table.filter(pc.invert(blank)) if pc.any(blank).as_py() else table
                    )
        except _BROKEN:
            raise self.damaged() from None

    def _refuse_too_large(self, metadata: Any) -> None:  # noqa: ANN401 - pyarrow has no types
        size = sum(metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups))
        if size > limits.MAX_BYTES:
            raise IntakeError(
                f"unpacks to {size >> 20:,} MB", remedy="Split it by day", file=self.content.name
            )

    def damaged(self) -> IntakeError:
        return IntakeError(
            "a damaged or locked Parquet file, or one of unknown types",
            remedy="Export it again",
            file=self.content.name,
        )


def _flat(table: pa.Table) -> pa.Table:
    while any(pa.types.is_struct(kind) for kind in table.schema.types):
        table = table.flatten()
        if table.num_columns > limits.MAX_COLUMNS:
            break
    return table


def _text(table: pa.Table, first: int) -> pa.Table:
    broken = np.zeros(table.num_rows, dtype=bool)
    data: dict[str, Any] = {}
    for at, column in enumerate(table.columns):
        text, bad = _column(column.combine_chunks())
        broken |= bad
        data[str(at)] = pc.fill_null(text, "")
    data[damage.ROW] = pa.array(np.arange(first, first + table.num_rows, dtype=np.int64))
    data[damage.DAMAGE] = pa.nulls(table.num_rows, pa.string())
    data[damage.LINE] = pa.nulls(table.num_rows, pa.string())
    return damage.mark(pa.table(data), broken, Code.NOT_TEXT)


def _column(column: Any) -> tuple[Any, Any]:  # noqa: ANN401 - pyarrow has no types
    kind = column.type
    sound = np.zeros(len(column), dtype=bool)
    if isinstance(column, pa.ChunkedArray):
        column = pa.chunked_array(column).combine_chunks()
    if pa.types.is_dictionary(kind):
        return _column(column.dictionary_decode())
    if pa.types.is_floating(kind):
        values = column.cast(pa.float64()).to_pylist()
        return pa.array([None if v is None or v != v else number_text(v) for v in values], pa.string()), sound  # noqa: PLR0124 - NaN
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or _is_binary(kind):
        return _decoded(column)
    if pa.types.is_temporal(kind):
        return pa.array([_moment(value) for value in column], pa.string()), sound
    if pa.types.is_decimal(kind):
        texts = column.cast(pa.string()).to_pylist()
        return pa.array([None if text is None else unambiguous(text) for text in texts], pa.string()), sound
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return column.cast(pa.string()), sound
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.string()), sound
    return pa.array([_nested(value) for value in column.to_pylist()], pa.string()), sound


def _is_binary(kind: Any) -> bool:  # noqa: ANN401 - pyarrow has no types
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_string_view(kind)
    )


def _decoded(column: Any) -> tuple[Any, Any]:  # noqa: ANN401 - pyarrow has no types
    """Text of bytes; a string of a damaged file may hold anything, so it is looked at too."""
    sound = np.zeros(len(column), dtype=bool)
    if pa.types.is_fixed_size_binary(column.type):
        column = column.cast(pa.binary())
    try:
        text = column.cast(pa.large_binary()).cast(pa.string())
        text.validate(full=True)
    except pa.ArrowInvalid:
        values = column.cast(pa.large_binary()).to_pylist()
        texts = [None if value is None else value.decode("utf-8", "replace") for value in values]
        bad = [text is not None and text.encode() != value for text, value in zip(texts, values, strict=True)]
        return pa.array(texts, pa.string()), np.array(bad, dtype=bool)
    return text, sound


def _moment(value: Any) -> str | None:  # noqa: ANN401 - pyarrow has no types
    if not value.is_valid:
        return None
    try:
        known = value.as_py()
    except (ValueError, OverflowError):
        return str(value.cast(pa.int64()).as_py())
    return known.isoformat() if hasattr(known, "isoformat") else str(known)


def _nested(value: Any) -> str | None:  # noqa: ANN401 - pyarrow has no types
    if value is None or value == []:
        return None
    if isinstance(value, list) and not any(isinstance(inner, dict | list | tuple) for inner in value):
        return ", ".join("" if inner is None else str(inner) for inner in value)
    return as_json(value)


def _blank(table: pa.Table) -> Any:  # noqa: ANN401 - pyarrow has no types
    blank = pa.array(np.ones(table.num_rows, dtype=bool))
    for at in range(table.num_columns - len(damage.BESIDE)):
        blank = pc.and_(blank, pc.equal(pc.binary_length(table[str(at)]), 0))
    return blank
