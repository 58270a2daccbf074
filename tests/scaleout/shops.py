"""The project that the scale-out test deploys: both sample shops, their tables in a folder that all workers reach."""

import os
from pathlib import Path

import dagster as dg

from leaddone_pipeline import LeadDoneShopComponent
from leaddone_pipeline.sandbox.sample import SHOPS, START


@dg.definitions
def shops() -> dg.Definitions:
    files, tables = Path(os.environ["SHOPS_FILES"]), os.environ["SHOPS_TABLES"]
    built = [
        LeadDoneShopComponent(
            shop=shop.name,
            orders_files=str(files / shop.exports),
            source=shop.source,
            start_date=START.isoformat(),
            time_zone=shop.time_zone,
            batch_size=1,
            days_per_run=1,
        ).build_defs(None)
        for shop in SHOPS
    ]
    shared = dg.Definitions(
        resources={"io_manager": dg.FilesystemIOManager(base_dir=tables)}, executor=dg.in_process_executor
    )
    return dg.Definitions.merge(*built, shared)
