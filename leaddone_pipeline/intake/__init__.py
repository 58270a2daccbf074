"""Files in, clean frames out: each row becomes a record, or is refused, skipped or merged with its reason."""

from leaddone_pipeline.intake.read import check_orders, check_tracking, read_orders, read_tracking
from leaddone_pipeline.intake.reasons import Code
from leaddone_pipeline.intake.schemas import (
    ORDERS_SCHEMA,
    QUARANTINE_SCHEMA,
    TRACKING_SCHEMA,
    OrdersTable,
    QuarantineTable,
    TrackingTable,
)
from leaddone_pipeline.intake.slices import RowCounts, Slice
from leaddone_pipeline.intake.sources import Source, load_source, source_names

__all__ = [
    "ORDERS_SCHEMA",
    "QUARANTINE_SCHEMA",
    "TRACKING_SCHEMA",
    "Code",
    "OrdersTable",
    "QuarantineTable",
    "RowCounts",
    "Slice",
    "Source",
    "TrackingTable",
    "check_orders",
    "check_tracking",
    "load_source",
    "read_orders",
    "read_tracking",
    "source_names",
]
