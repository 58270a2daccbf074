"""What a spreadsheet shows where a value should be: `#N/A`, `#REF!`, or a formula that was never computed."""

from __future__ import annotations

import re

__all__ = ["IN_ID", "IN_TEXT", "shows_error"]

_NAMES = (
    r"(?:N/A|N/D|REF!|VALUE!|VALEUR!|NAME\?|NOM\?|DIV/0!|NULL!|NUL!|NUM!|NOMBRE!|ERROR!|SPILL!|CALC!|FIELD!|BLOCKED!"
    r"|FORMULA!)"  # sheet_child.py's own, for a formula without a value
)
IN_TEXT = rf"(?i)(?:^|\s)#{_NAMES}(?:\s|$)"
"""Joined columns may hold it among words."""
IN_ID = rf"(?i)^#?{_NAMES}$"
"""Where a source takes a `#` from the ids, it takes the error's too."""

_ALONE = re.compile(IN_ID)
_AMONG_WORDS = re.compile(IN_TEXT)


def shows_error(field: str, value: str) -> bool:
    """Say of a cell whether a spreadsheet's error stands there."""
    return (_ALONE if field in {"id", "tracking_number"} else _AMONG_WORDS).search(value) is not None
