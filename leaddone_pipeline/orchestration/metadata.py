"""Counts and small tables for Dagster's pages, without personal data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import dagster as dg

from leaddone_pipeline.webhook.masking import mask_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from leaddone_pipeline.orchestration.tables import Table

__all__ = ["AS_OF", "PARTITION_ROWS", "masked", "masked_ids", "of_rows", "of_table", "preview"]

AS_OF = "as_of"
"""Of links and deliveries: the moment of which they tell, by the ledger's clock."""

PARTITION_ROWS = "dagster/partition_row_count"
_COLUMNS = "dagster/column_schema"
_PREVIEW_ROWS = 10
_SHOWN = ("id", "order_id", "outcome", "internal_id", "skipped", "status", "source_row")
"""The columns that may be shown: none of them holds personal data, but for ids that are a customer's phone."""
_IDS = ("id", "order_id")
_REFUSED_SHOWN = ("source_file", "source_row", "column", "code")
"""Those of refused rows: where an id should stand, anything may, as in a row that is shifted by a column."""
_BETWEEN = r"[ ./()_-]{0,3}"
_PHONE = (
    rf"(?:^|[^0-9])(?:0|(?:\+|00)?212{_BETWEEN}0?){_BETWEEN}[5-8](?:{_BETWEEN}[0-9]){{8}}(?:[^0-9]|$)"
    rf"|\+(?:{_BETWEEN}[0-9]){{7,15}}|^00{_BETWEEN}[1-9](?:{_BETWEEN}[0-9]){{9,14}}"
)
"""What in an id is surely a phone: some shops use it as the order's id. Other long numbers are ids, zeros before them
included."""
_QUIET = ("accepted", "skipped", "superseded")


def of_table(table: Table, shop: str) -> dict[str, Any]:
    """What an asset's definition says of its table: the columns, and where IO managers find a day's rows.

    The database's schema is named, since the `schema` of an IO manager would come before the shop in the asset's
    key: all shops of a project would then share one table.
    """
    return {_COLUMNS: table.schema, "schema": shop, "partition_expr": "partition_date"}


def of_rows(frame: pd.DataFrame, **counts: int) -> dict[str, Any]:
    """What a materialization says of a day's rows."""
    return {PARTITION_ROWS: len(frame), **counts, "preview": preview(frame)}


def preview(frame: pd.DataFrame) -> dg.MarkdownMetadataValue:
    """Show a day's first rows as a small Markdown table; those that went wrong come first."""
    columns = [name for name in (_REFUSED_SHOWN if "code" in frame else _SHOWN) if name in frame]
    if "outcome" in columns:
        frame = frame.sort_values("outcome", key=lambda outcomes: outcomes.isin(_QUIET), kind="stable")
    rows = _shown(frame.head(_PREVIEW_ROWS), columns).itertuples(index=False)
    lines = [columns, ["---"] * len(columns), *([_cell(value) for value in row] for row in rows)]
    return dg.MetadataValue.md("\n".join(_line(line) for line in lines) if len(frame) else "no rows")


def masked(text: str) -> str:
    """Text that names order ids, without what looks like a phone."""
    return mask_all(text, ())


def masked_ids(ids: Iterable[str]) -> list[str]:
    """Order ids, without those that hold a phone."""
    return ["***" if re.search(_PHONE, order_id) else order_id for order_id in ids]


def _shown(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    shown = frame[list(columns)].astype("string").fillna("")
    for name in [name for name in _IDS if name in shown]:
        shown[name] = masked_ids(shown[name])
        if "phone" in frame:
            shown[name] = shown[name].mask(_number(frame[name]) == _number(frame["phone"]), "***")
    return shown


def _number(cells: pd.Series[Any]) -> pd.Series[Any]:
    """The digits of a phone without what may stand before them, Morocco's country code or a zero."""
    digits = cells.astype("string").str.replace(r"\D", "", regex=True)
    return digits.str.replace(r"^(?:00)?(?:212)?0?", "", regex=True)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("`", "\\`").replace("<", "&lt;")
