"""Columns of text: to Arrow and back, trimmed, searched, and rewritten once for each different cell.

Everything here takes and gives a Series of `string[pyarrow]` with the same index.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leaddone_pipeline.contract import trim

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MARKS", "STRING", "arrow", "matches", "rewrite", "series", "text", "unmarked"]

STRING = pd.StringDtype("pyarrow")
"""What every text column of intake is."""

MARKS = "\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
"""Invisible letters that come with text copied from messengers, for a class of a regular expression."""

_ROWS_OF_DIGITS = ("٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19")
_DIGITS = {ord(digit): str(n) for row in _ROWS_OF_DIGITS for n, digit in enumerate(row)}
_MARKS = re.compile(f"[{MARKS}]")

_PLAIN_ENDS = r"^[!-~](?s:.*[!-~])?$"


def unmarked(cell: str) -> str:
    """A cell without invisible letters, its digits (Arabic-Indic, Persian, full-width) in ASCII."""
    return _MARKS.sub("", cell).translate(_DIGITS)


def text(values: pd.Series[Any]) -> pd.Series[Any]:
    """Trim as every Laravel would (contract.trim), compose accents (NFC), make empty text NA."""
    cells = arrow(values)
    plain = pc.fill_null(pc.match_substring_regex(cells, _PLAIN_ENDS), fill_value=True)
    if not pc.all(plain).as_py():
        cells = pc.if_else(plain, cells, pc.utf8_trim(cells, characters=_trimmed_characters()))
        cells = pc.if_else(pc.equal(cells, ""), pa.scalar(None, cells.type), cells)
    # Not pyarrow's utf8_normalize, which before version 26 takes accents apart where it should compose them.
    return rewrite(series(cells, values), ready=r"^[\x00-\x7f]*$", by=partial(unicodedata.normalize, "NFC"))


def matches(values: pd.Series[Any], pattern: str) -> pd.Series[Any]:
    """Say for each cell whether RE2 finds the pattern; NA finds nothing."""
    found = pc.fill_null(pc.match_substring_regex(arrow(values), pattern), fill_value=False)
    return pd.Series(found.to_numpy(zero_copy_only=False), index=values.index, name=values.name)


def rewrite(values: pd.Series[Any], *, ready: str, by: Callable[[str], str]) -> pd.Series[Any]:
    """Apply a rewriting once to each different text that is not in its final form yet."""
    cells = arrow(values)
    done = pc.fill_null(pc.match_substring_regex(cells, ready), fill_value=True)
    if pc.all(done).as_py():
        return values
    codes = cells.filter(pc.invert(done)).dictionary_encode()
    rewritten = pa.array([by(cell) for cell in codes.dictionary.to_pylist()], cells.type)
    return series(pc.replace_with_mask(cells, pc.invert(done), rewritten.take(codes.indices)), values)


def arrow(values: pd.Series[Any]) -> pa.Array:
    """The column as one Arrow array."""
    cells = pa.array(values, type=pa.large_string(), from_pandas=True)
    return cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells


def series(cells: pa.Array, like: pd.Series[Any]) -> pd.Series[Any]:
    """An Arrow array as a column, with another's index and name."""
    return pd.Series(pd.arrays.ArrowStringArray(cells), index=like.index, name=like.name)


@cache
def _trimmed_characters() -> str:
    candidates = (*range(0x3200), 0xFEFF, 0xFFA0, 0x1D159, *range(0x1D173, 0x1D17B), 0xE0020)
    return "".join(chr(point) for point in candidates if not trim(chr(point)))
