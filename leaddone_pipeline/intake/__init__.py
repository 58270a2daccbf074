"""Files in, clean frames out: each row becomes a record, or is refused, skipped or merged with its reason."""

from leaddone_pipeline.intake.by_day import (
    FileByDay,
    Span,
    dated_orders,
    dated_updates,
    day_digests,
    files_by_day,
)
from leaddone_pipeline.intake.forms import Source, SourceSettings
from leaddone_pipeline.intake.mended import laid_out
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
from leaddone_pipeline.intake.slices import About, RowCounts, Slice
from leaddone_pipeline.intake.sources import load_source, source_names
from leaddone_pipeline.intake.tracking import NOTHING_KNOWN, Known

__all__ = [
    "NOTHING_KNOWN",
    "ORDERS_SCHEMA",
    "QUARANTINE_SCHEMA",
    "TRACKING_SCHEMA",
    "About",
    "Code",
    "FileByDay",
    "Known",
    "OrdersTable",
    "QuarantineTable",
    "RowCounts",
    "Slice",
    "Source",
    "SourceSettings",
    "Span",
    "TrackingTable",
    "check_orders",
    "check_tracking",
    "dated_orders",
    "dated_updates",
    "day_digests",
    "files_by_day",
    "laid_out",
    "load_source",
    "read_orders",
    "read_tracking",
    "source_names",
]
