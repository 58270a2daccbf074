"""Text as people and programs write it -> text as LeadDone reads it: pure functions over whole columns.

Each takes and gives a Series of `string[pyarrow]` with the same index. What has one meaning is rewritten;
what has none or two is left as it stands, for `schemas.py` to refuse and `cell_reasons.py` to explain. So each
function is idempotent, never changes the digits of a valid phone, and never changes the value of money.
Empty and blank become NA. Source: sources.md, sections 6 and 7.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from leaddone_pipeline.intake.columns import STRING, arrow, matches, rewrite, series, text, unmarked
from leaddone_pipeline.intake.phones import is_phone, phone
from leaddone_pipeline.intake.prices import Convention, amount_text, is_amount, price
from leaddone_pipeline.intake.spreadsheet_errors import IN_ID
from leaddone_pipeline.intake.times import event_time

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "STRING",
    "Convention",
    "amount_text",
    "event_time",
    "is_amount",
    "is_id",
    "is_phone",
    "matches",
    "order_id",
    "phone",
    "price",
    "qte",
    "text",
]

ID = r"^[^\x00-\x1F\x7F]{1,255}$"
_ID_POWER_OF_TEN = r"^[+-]?[0-9]+([.,][0-9]+[eE][+-]?|[eE][+-])[0-9]+$"
QTE = r"^[1-9][0-9]{0,8}$"

_ASCII = r"^[\x00-\x7f]*$"
_ZEROS_BEFORE_AND_AFTER = re.compile(r"0*([0-9]+?)(?:[.,\u066b]0+)?")


def order_id(values: pd.Series[Any]) -> pd.Series[Any]:
    """Write an id as every file of its order has it: text, always.

    Taken away are invisible marks and exactly the `.0` of a whole number that a spreadsheet made a float; digits
    of other scripts become ASCII.
    """
    written = text(rewrite(text(values), ready=_ASCII, by=unmarked))
    bare = pc.replace_substring_regex(arrow(written), r'^="([^"]*)"$', r"\1")
    return series(pc.replace_substring_regex(bare, r"^([0-9]+)\.0$", r"\1"), values)


def is_id(values: pd.Series[Any]) -> pd.Series[Any]:
    """Say of each text whether it can be an id: one line, at most 255 characters, no power of ten, no error."""
    return matches(values, ID) & ~matches(values, _ID_POWER_OF_TEN) & ~matches(values, IN_ID)


def qte(values: pd.Series[Any]) -> pd.Series[Any]:
    """Write a quantity as a whole number; a fraction stays and is refused, never cut."""
    return rewrite(text(values), ready=QTE, by=_qte)


def _qte(written: str) -> str:
    found = _ZEROS_BEFORE_AND_AFTER.fullmatch(unmarked(written).strip())
    return found[1] if found else written
