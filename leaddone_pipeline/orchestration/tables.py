"""The stored tables: their columns, how frames are cast to them, and how Dagster's catalog shows them.

Frames are cast on their way in and when read back, since an IO manager may return other dtypes than it was given
(DuckDB: objects for text).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg
import pandas as pd

from leaddone_pipeline.intake import OrdersTable, QuarantineTable, TrackingTable
from leaddone_pipeline.ledger import LINK_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandera.pandas as pa

__all__ = [
    "COURIER_UPDATES",
    "ORDERS",
    "ORDER_LINKS",
    "PARTITION_DATE",
    "QUARANTINE",
    "TRACKING_RESULTS",
    "Table",
]

PARTITION_DATE = "partition_date"
_DAY = "datetime64[us]"
_TEXT = "string[pyarrow]"
_DAY_COLUMN = dg.TableColumn(
    PARTITION_DATE, type=_DAY, description="The day, as its midnight in the shop's time zone, without zone"
)


@dataclass(frozen=True)
class Table:
    """A stored table.

    Attributes:
        dtypes: column -> pandas dtype, in the table's order; the last is the day.
        schema: the same for Dagster's catalog.
    """

    dtypes: Mapping[str, Any]
    schema: dg.TableSchema

    def empty(self) -> pd.DataFrame:
        return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in self.dtypes.items()})

    def cast(self, frame: pd.DataFrame, *, day: str | None = None) -> pd.DataFrame:
        """Bring a frame to these columns and dtypes; with `day`, its rows are of that day."""
        dated = frame if day is None else frame.assign(**{PARTITION_DATE: pd.Timestamp(day)})
        return pd.DataFrame({name: dated[name].astype(dtype) for name, dtype in self.dtypes.items()})

    def join(self, days: Sequence[pd.DataFrame]) -> pd.DataFrame:
        """Make one frame of those of several days."""
        return self.cast(pd.concat([self.empty(), *days], ignore_index=True))


def _of_model(model: type[pa.DataFrameModel]) -> Table:
    """A table that intake checks row by row, with the checks' names as constraints."""
    columns = model.to_schema().columns
    shown = [
        dg.TableColumn(
            name,
            type=str(column.dtype),
            description=column.description,
            constraints=dg.TableColumnConstraints(
                nullable=column.nullable,
                unique=column.unique,
                other=[str(check.error or check.name) for check in column.checks],
            ),
        )
        for name, column in columns.items()
    ]
    dtypes = {name: column.dtype.type for name, column in columns.items()}
    return Table(dtypes | {PARTITION_DATE: _DAY}, dg.TableSchema([*shown, _DAY_COLUMN]))


def _of_words(dtypes: Mapping[str, str], words: Mapping[str, str]) -> Table:
    """A table that is read from the ledger."""
    shown = [
        _DAY_COLUMN
        if name == PARTITION_DATE
        else dg.TableColumn(name, type=dtypes[name], description=words[name])
        for name in dtypes
    ]
    return Table(dtypes, dg.TableSchema(shown))


_WORDS = {
    "shop": "Label of the shop",
    "order_id": "The shop's own order id",
    "internal_id": "LeadDone's id of the order; empty unless accepted",
    "outcome": "accepted, rejected, unconfirmed, pending or skipped; for statuses also superseded, held_back",
    "held": "Whether a person must decide before it is sent again",
    "message": "The server's words, or why it is not sent; personal data is masked",
    "attempts": "How often it was sent",
    "first_sent_at": "When it was first sent (UTC)",
    "answered_at": "When LeadDone's answer came (UTC)",
    "batch_id": "The ledger's number of the batch",
    "content_hash": "Keyed hash of what was sent",
    "source_file": "Name of the file that it stands in",
    "source_row": "Its row there, as a spreadsheet numbers it",
    "tracking_number": "The courier's number of the parcel",
    "status": "State of the parcel in LeadDone's words",
    "event_time": "When it became so, UTC, ISO 8601",
}

ORDERS = _of_model(OrdersTable)
COURIER_UPDATES = _of_model(TrackingTable)
QUARANTINE = _of_model(QuarantineTable)
ORDER_LINKS = _of_words(LINK_COLUMNS, _WORDS)
TRACKING_RESULTS = _of_words(
    {
        "order_id": _TEXT,
        "tracking_number": _TEXT,
        "status": _TEXT,
        "event_time": _TEXT,
        "outcome": _TEXT,
        "message": _TEXT,
        "source_file": _TEXT,
        "source_row": "Int64",
        PARTITION_DATE: _DAY,
    },
    _WORDS,
)
