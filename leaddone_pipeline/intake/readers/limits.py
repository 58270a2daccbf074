"""What a file may be at most, each limit with its reason."""

from __future__ import annotations

__all__ = [
    "BLOCK_BYTES",
    "CHILD_BYTES",
    "CHILD_SECONDS",
    "HEADER_BYTES",
    "HEADER_ROWS",
    "MAX_BYTES",
    "MAX_CELL",
    "MAX_COLUMNS",
    "MAX_RATIO",
    "MAX_RECORD_BYTES",
    "MAX_TABLES",
    "OLD_BYTES",
    "OLD_RATIO",
    "RATIO_FROM_BYTES",
    "WORKBOOK_BYTES",
]

MAX_BYTES = 4 << 30
"""Bytes that a packed or a distant file may have unpacked: some 40 million orders, and a disk survives it."""
MAX_RATIO = 200
"""Bytes out of one packed byte: exports come to 5 to 30, a zip bomb to 1,000."""
RATIO_FROM_BYTES = 64 << 20
"""Below this an unlikely ratio does no harm."""
WORKBOOK_BYTES = 1 << 30
"""Bytes of a workbook's parts unpacked: a full sheet of 1,048,576 rows and 20 columns is about half of it."""
CHILD_BYTES = 3 << 30
"""Memory of the process that holds a workbook, which can only be read whole."""
OLD_BYTES = 256 << 20
OLD_RATIO = 64
"""Memory for an .xls, and for each of its bytes, which are not packed: 32 MB took less than 500 MB (measured). In a
damaged one a chain of sectors may run in a circle, and would fill whatever there is."""
CHILD_SECONDS = 600
"""Time of that process: a full sheet takes less than one minute."""
MAX_CELL = 32_767
"""Characters of a cell, as in Excel; no field of LeadDone is near it."""
MAX_COLUMNS = 2_000
"""Columns of a table: ten times the widest export seen, repeated column groups included."""
HEADER_ROWS = 50
"""Rows that may stand above the header."""
HEADER_BYTES = 1 << 20
"""Bytes that the header and what stands above it may have."""
BLOCK_BYTES = 1 << 19
"""Bytes parsed at once; a longer row is no row but a quote that never closed. The C library keeps what larger
blocks leave behind: 4 MB cost 320 MB more (measured)."""
MAX_RECORD_BYTES = 16 << 20
"""Bytes of one JSON record; an order with a thousand lines has less than one million."""
MAX_TABLES = 1_000
"""Tables in an archive."""
