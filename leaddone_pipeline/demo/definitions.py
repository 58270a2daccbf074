"""The demo's code location: both sample shops by the component that any project uses, tables in DuckDB."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from leaddone_pipeline import LeadDoneShopComponent
from leaddone_pipeline.demo.home import DemoHome
from leaddone_pipeline.errors import SettingsError
from leaddone_pipeline.sandbox.sample import SHOPS, START

try:
    from dagster_duckdb_pandas import DuckDBPandasIOManager
except ImportError as missing:
    raise SettingsError(
        "what the demo stores its tables with is not installed",
        remedy="Install it: pip install 'leaddone-pipeline[demo]'",
        setting="demo",
    ) from missing

__all__ = ["build", "definitions"]


def build(home: DemoHome) -> dg.Definitions:
    """Both shops, over the data of this demo."""
    shops = [
        LeadDoneShopComponent(
            shop=shop.name,
            orders_files=str(home.data / shop.exports),
            courier_files=str(home.data / shop.courier_files),
            source=shop.source,
            courier_source=shop.courier_source,
            time_zone=shop.time_zone,
            start_date=START.isoformat(),
        ).build_defs(None)
        for shop in SHOPS
    ]
    shared = dg.Definitions(
        resources={"io_manager": DuckDBPandasIOManager(database=str(home.tables))},
        executor=dg.in_process_executor,
    )
    return dg.Definitions.merge(*shops, shared)


@dg.definitions
def definitions() -> dg.Definitions:
    """The demo of the project around the working directory, for `dagster dev`."""
    return build(DemoHome.around(Path.cwd()))
