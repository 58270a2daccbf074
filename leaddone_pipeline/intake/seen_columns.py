"""Which of a file's column names a message may show: a first row that is no header is somebody's data."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from leaddone_pipeline.intake.folding import fold_name
from leaddone_pipeline.intake.sources import built_in, source_names

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["seen_columns"]

_SHOWN_COLUMNS = 12
_FEW_DIGITS = 4


def seen_columns(header: Sequence[str]) -> str:
    """List the column names, or say how many there are where no source knows one, or some are numbers."""
    if not _looks_like_header(header):
        return f"{len(header)}, not shown, since the first row seems to be no header"
    more = f" and {len(header) - _SHOWN_COLUMNS} more" if len(header) > _SHOWN_COLUMNS else ""
    return ", ".join(name or "(empty)" for name in header[:_SHOWN_COLUMNS]) + more


def _looks_like_header(header: Sequence[str]) -> bool:
    numbers = any(name.isdecimal() or sum(map(str.isdigit, name)) > _FEW_DIGITS for name in header)
    return not numbers and any(fold_name(name) in _known() for name in header)


@cache
def _known() -> frozenset[str]:
    """Folded names of all columns of all built-in sources."""
    names: set[str] = set()
    for source in map(built_in, source_names()):
        for form in (source.orders, source.tracking):
            if form is not None:
                names.update(form.recognised_by.of if form.recognised_by else ())
                names.update(part for columns in form.columns.model_dump().values() for part in columns)
    return frozenset(fold_name(part) for name in names for part in name.split(" + ") if fold_name(part))
