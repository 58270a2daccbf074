"""What the shops of `defs/` share: where their tables are stored, and how their runs are executed.

A shop is a folder in `defs/` with a `defs.yaml`; no line of Python is needed for it.
"""

import os
from pathlib import Path

import dagster as dg
from dagster_duckdb_pandas import DuckDBPandasIOManager

ROOT = Path(__file__).parent.parent


@dg.definitions
def defs() -> dg.Definitions:
    """Load the shops, and give them their IO manager and executor."""
    # DuckDB stores a range of days at once, so that a backfill of a year is one run. Any IO manager will do.
    tables = Path(os.environ.get("LEADDONE_TABLES") or ROOT / ".leaddone" / "tables.duckdb")
    tables.parent.mkdir(parents=True, exist_ok=True)
    return dg.Definitions.merge(
        dg.load_from_defs_folder(path_within_project=Path(__file__).parent),
        dg.Definitions(
            resources={"io_manager": DuckDBPandasIOManager(database=str(tables))},
            # A delivery works with threads inside one step: a process for each step would only cost seconds.
            executor=dg.in_process_executor,
        ),
    )
