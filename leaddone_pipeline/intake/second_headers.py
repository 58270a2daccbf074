"""A second table below the first whose columns stand in another order: its rows are marked, never misread."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leaddone_pipeline.contract import trim
from leaddone_pipeline.intake import damage
from leaddone_pipeline.intake.binding import lacking_needs
from leaddone_pipeline.intake.folding import fold_name
from leaddone_pipeline.intake.reasons import Code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from leaddone_pipeline.contract import Kind
    from leaddone_pipeline.intake.binding import Bound, Form
    from leaddone_pipeline.intake.readers import TableFile

__all__ = ["marked"]

_DIGIT = r"\p{Nd}"


def marked(table: TableFile, bound: Bound, kind: Kind) -> TableFile:
    """Mark the rows from a header in another order on, until the first header comes again."""
    form = bound.source.form(kind)
    if form is None:
        return table

    def tables() -> Iterator[pa.Table]:
        apart = False
        for part in table.tables():
            where, apart = _below_another(part, bound, form, apart=apart)
            yield _marked(part, bound, where)

    return replace(table, tables=tables)


def _below_another(
    part: pa.Table, bound: Bound, form: Form, *, apart: bool
) -> tuple[NDArray[np.bool_], bool]:
    """Say of each row whether it stands below a header in another order, and of what follows likewise."""
    where = np.full(part.num_rows, apart)
    for at in np.flatnonzero(_may_be_header(part, bound)):
        cells = _row(part, bound, at)
        if not lacking_needs(form, cells):
            apart = [*map(fold_name, cells)] != [*map(fold_name, bound.header)]
            where[at:] = apart
    return where, apart


def _may_be_header(part: pa.Table, bound: Bound) -> NDArray[np.bool_]:
    """Say of each row whether it has words where the phone or the tracking number stands; few others do."""
    ((place, *_), *_) = bound.fields.get("phone") or bound.fields["tracking_number"]
    cells = pc.fill_null(part[str(place)], "")
    words = pc.and_(
        pc.greater(pc.binary_length(cells), 0), pc.invert(pc.match_substring_regex(cells, _DIGIT))
    )
    named = pc.is_in(cells, value_set=pa.array(bound.header, cells.type))
    result: NDArray[np.bool_] = pc.or_(words, named).to_numpy(zero_copy_only=False)
    return result


def _marked(part: pa.Table, bound: Bound, where: NDArray[np.bool_]) -> pa.Table:
    """Mark rows; each is kept as one text, so that nobody reads its cells under the first header's names."""
    if not where.any():
        return part
    texts = ["; ".join(_row(part, bound, at)) if where[at] else None for at in range(len(where))]
    lines = pc.coalesce(part[damage.LINE], pa.array(texts, pa.string()))
    part = part.set_column(part.column_names.index(damage.LINE), damage.LINE, lines)
    return damage.mark(part, where, Code.OTHER_HEADER)


def _row(part: pa.Table, bound: Bound, at: int | np.integer[Any]) -> list[str]:
    return [trim(part[str(place)][int(at)].as_py() or "") for place in range(len(bound.header))]
