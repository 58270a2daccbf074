"""Refused rows: which, why, and how they stood. pandera's errors, which hold whole frames, end here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from leaddone_pipeline.intake import damage
from leaddone_pipeline.intake.cell_reasons import explain
from leaddone_pipeline.intake.normalize import STRING
from leaddone_pipeline.intake.reasons import (
    BROKEN_RECORD,
    CELL_TOO_LONG,
    NOT_TEXT,
    NUL,
    OTHER_HEADER,
    RAGGED,
    UNCLOSED_QUOTE,
    WITH_ORDER,
    Code,
    Reason,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from leaddone_pipeline.intake.lines import Lines

__all__ = ["Refusals", "empty", "failures", "refused_rows"]

_DAMAGE = {
    reason.code: reason
    for reason in (RAGGED, UNCLOSED_QUOTE, OTHER_HEADER, NUL, NOT_TEXT, CELL_TOO_LONG, BROKEN_RECORD)
}


class Refusals:
    """Records that are refused, by position; the first reason found stands."""

    def __init__(self) -> None:
        self._reasons: dict[int, tuple[str | None, Reason]] = {}

    def add(self, position: int | np.integer[Any], reason: Reason, column: str | None = None) -> None:
        self._reasons.setdefault(int(position), (column, reason))

    def add_damage(self, position: int, code: str) -> None:
        self.add(position, _DAMAGE[Code(code)])

    def __len__(self) -> int:
        return len(self._reasons)

    def mask(self, length: int) -> pd.Series[Any]:
        """Say of each record whether it is refused."""
        result = pd.Series(np.zeros(length, dtype=bool))
        result.iloc[sorted(self._reasons)] = True
        return result

    def items(self) -> list[tuple[int, str | None, Reason]]:
        return [(at, column, reason) for at, (column, reason) in sorted(self._reasons.items())]

    def check(
        self,
        frame: pd.DataFrame,
        model: type[pa.DataFrameModel],
        columns: Mapping[str, str],
        *,
        explain: Callable[[str, str | None], Reason] = explain,
    ) -> None:
        """Refuse the rows of a frame that a schema refuses; its index holds the records' positions."""
        for position, field in failures(frame, model):
            value = frame[field][position]
            reason = explain(field, None if value is pd.NA else str(value))
            self.add(position, reason, columns.get(field, field))


def failures(frame: pd.DataFrame, model: type[pa.DataFrameModel]) -> list[tuple[int, str]]:
    """Index label and column of each cell that a schema refuses, in the order of the schema's columns."""
    if frame.empty:
        return []  # pandera takes 30 ms to say so
    try:
        model.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases[["index", "column", "check"]]
    else:
        return []
    if cases["index"].isna().any():
        # A wrong dtype or a missing column is our own mistake, never a row's; and no value may be shown.
        raise TypeError(f"{model.__name__}: {cases['check'].iloc[0]}")
    order = {column: at for at, column in enumerate(frame.columns)}
    found = {(int(index), str(column)) for index, column in zip(cases["index"], cases["column"], strict=True)}
    return sorted(found, key=lambda cell: (cell[0], order[cell[1]]))


def refused_rows(
    lines: Lines,
    refusals: Refusals,
    *,
    first: Sequence[int] | NDArray[np.int64],
    count: Sequence[int] | NDArray[np.int64],
    ids: pd.Series[Any],
) -> pd.DataFrame:
    """Make the quarantine of a slice: every row of each refused record, the reason on its first.

    `attrs["header"]` has the file's column names, which the text of a torn row does not tell.
    """
    if not refusals:
        return empty()
    names = _unique(lines.bound.header)
    rows: list[dict[str, Any]] = []
    for position, column, reason in refusals.items():
        for at in range(int(first[position]), int(first[position]) + int(count[position])):
            told = reason if at == first[position] else WITH_ORDER
            rows.append(
                {
                    "source_file": lines.files.iloc[at],
                    "source_row": lines.rows.iloc[at],
                    "order_id": ids.iloc[position],
                    "column": column if told is reason else None,
                    "code": told.code.value,
                    "reason": told.problem,
                    "remedy": told.remedy,
                    "raw": _raw(lines, names, at),
                }
            )
    refused = _typed(pd.DataFrame(rows, columns=list(empty().columns)))
    refused.attrs["header"] = names
    return refused


def empty() -> pd.DataFrame:
    """A quarantine without rows."""
    names = ("source_file", "source_row", "order_id", "column", "code", "reason", "remedy", "raw")
    return _typed(pd.DataFrame({name: pd.Series(dtype=object) for name in names}))


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype({name: "Int64" if name == "source_row" else STRING for name in frame.columns})


def _raw(lines: Lines, names: Sequence[str], at: int) -> str:
    line = lines.table[damage.LINE][at].as_py()
    cells = {name: lines.table[str(place)][at].as_py() or "" for place, name in enumerate(names)}
    return json.dumps(cells if line is None else {"row": line}, ensure_ascii=False)


def _unique(header: Sequence[str]) -> list[str]:
    names: list[str] = []
    for at, name in enumerate(header):
        shown = name or f"column {at + 1}"
        names.append(shown if shown not in names else f"{shown} ({at + 1})")
    return names
