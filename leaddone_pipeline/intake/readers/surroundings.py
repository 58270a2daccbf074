"""What stands around a table in a sheet and is no order: titles, units, a total and the notes under it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa

from leaddone_pipeline.contract import trim
from leaddone_pipeline.intake import damage
from leaddone_pipeline.intake.readers import limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = ["find_header", "is_summary", "is_units", "without_summary"]

_TOTAL = re.compile(
    r"(?:grand |sous[- ]?|sub[- ]?)?tota(?:l|ux|ls)(?: g[eé]n[eé]ral| \w+)?|somme|sum|nombre(?: \w+)*|count"
    r"|(?:ال)?مجموع(?: \w+)?|(?:ال)?[إا]جمالي(?: \w+)?|عدد(?: \w+)?",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    r"[-+]?[\d\s.,'\u00a0\u202f\u0660-\u0669]*(?:dhs?|mad|da|eur|€|\$|%|د\.?م\.?|درهم)?", re.IGNORECASE
)
_PHONE = re.compile(r"[+'0]*\d{9,15}")
_UNITS = re.compile(
    r"\(?(?:dhs?|mad|eur|€|\$|usd|د\.?م\.?|درهم|pcs|pi[eè]ces?|unit[eé]s?|units?|qt[eé]|nb|kg|g|%|n°|texte|text|"
    r"jj/mm/aaaa|dd/mm/yyyy|yyyy-mm-dd|aaaa-mm-jj)\)?",
    re.IGNORECASE,
)
_HELD = 100


def find_header(
    rows: Sequence[Sequence[str]], fits: Callable[[Sequence[str]], bool] | None = None
) -> int | None:
    """Say which of a file's first rows holds the column names: one that fits a source, else one filled as most are.

    Titles fill a cell or two. Further lines of an order fill less than the header, which is found before them.
    """
    if fits is not None:
        for at, row in enumerate(rows):
            if sum(map(bool, row)) > 1 and fits([trim(cell) for cell in row]):
                return at
    filled = [sum(bool(trim(cell)) for cell in row) for row in rows]
    several = sorted(count for count in filled if count > 1)
    if not several:
        return next((at for at, count in enumerate(filled) if count), None)
    usual = several[len(several) // 2]
    return next(at for at, count in enumerate(filled) if count >= usual)


def is_units(row: Sequence[str]) -> bool:
    """Whether a row below the header only names units, as in `, , DH, pcs`."""
    cells = [cell for cell in map(trim, row) if cell]
    return 0 < len(cells) < len(row) and all(_UNITS.fullmatch(cell) for cell in cells)


def is_summary(row: Sequence[str]) -> bool:
    """Whether a row sums up the rows above: a word for total first, amounts beside it, not all cells filled."""
    cells = [trim(cell) for cell in row]
    filled = [cell for cell in cells if cell]
    if not filled or len(filled) == len(cells) or not _TOTAL.fullmatch(filled[0].rstrip(" :")):
        return False
    return all(
        (_AMOUNT.fullmatch(cell) and not _PHONE.fullmatch(cell)) or _TOTAL.fullmatch(cell.rstrip(" :"))
        for cell in filled[1:]
    )


def without_summary(tables: Iterable[pa.Table], left_out: Callable[[int, int], None]) -> Iterator[pa.Table]:
    """Leave out a total that ends the file, with the notes under it; the same words above other rows stay.

    Rows that may be the end are held back until another row or the end of the file follows them.
    """
    held: pa.Table | None = None
    for table in tables:
        whole = table if held is None else pa.concat_tables([held, table])
        begins = _ending(whole)
        if whole.num_rows - begins > _HELD:
            begins = whole.num_rows
        held = whole.slice(begins) if begins < whole.num_rows else None
        if begins:
            yield whole.slice(0, begins)
    if held is not None:
        left_out(int(held[damage.ROW][0].as_py()), int(held[damage.ROW][-1].as_py()))


def _ending(table: pa.Table) -> int:
    """Where the total begins that ends this table; its length if none does."""
    begins = int(table.num_rows)
    for at in range(table.num_rows - 1, -1, -1):
        row = _row(table, at)
        if is_summary(row):
            begins = at
        elif not _is_note(row):
            break
    return begins


def _is_note(row: Sequence[str]) -> bool:
    filled = [cell for cell in map(trim, row) if cell]
    return len(filled) == 1 and not filled[0][:1].isdigit()


def _row(table: pa.Table, at: int) -> list[str]:
    width = table.num_columns - len(damage.BESIDE)
    return [table.column(place)[at].as_py() or "" for place in range(min(width, limits.MAX_COLUMNS))]
