"""What a tick of the schedule costs when nothing is new: today and yesterday, all orders delivered already.

    python benchmarks/tick.py --orders 1000

Prints the seconds of the run in its process (Dagster adds the start of one, 3 to 6 s), its requests and its events.
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
import time
from pathlib import Path

import dagster as dg
from backfill import CLIENT, FIRST, SECRET, Year, days_from
from dagster_duckdb_pandas import DuckDBPandasIOManager

from leaddone_pipeline import LeadDoneShopComponent
from leaddone_pipeline.sandbox.app import serve

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def main() -> None:
    """Deliver two days, then deliver them again."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--orders", type=int, default=1_000, help="orders of a day")
    asked = parser.parse_args()
    logging.disable()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        year = Year(folder, days_from(FIRST, 2), orders_a_day=asked.orders)
        for day in year.days:
            year.write_day(day)
        (folder / ".leaddone").mkdir()
        os.chdir(folder)
        with serve(year.platform) as running, dg.DagsterInstance.local_temp(str(folder)) as instance:
            os.environ |= {
                "LEADDONE_BASE_URL": running.base_url,
                "LEADDONE_CLIENT_ID": CLIENT,
                "LEADDONE_WEBHOOK_SECRET": SECRET,
            }
            shop = LeadDoneShopComponent(
                shop="atlas",
                orders_files=str(folder / "orders-{date}.csv"),
                source="leaddone",
                paid="send",
                start_date=year.days[0],
            ).build_defs(None)
            tables = DuckDBPandasIOManager(database=str(folder / "tables.duckdb"))
            job = dg.Definitions.merge(
                shop, dg.Definitions(resources={"io_manager": tables})
            ).resolve_job_def("atlas_deliver")
            tags = {
                "dagster/asset_partition_range_start": year.days[0],
                "dagster/asset_partition_range_end": year.days[-1],
            }
            for what in ("first", "nothing new", "nothing new"):
                before, begun, cpu = len(year.platform.requests), time.monotonic(), time.process_time()
                result = job.execute_in_process(instance=instance, tags=tags, run_config=QUIET)
                seconds, cpu = time.monotonic() - begun, time.process_time() - cpu
                events = len(instance.all_logs(result.run_id))
                requests = len(year.platform.requests) - before
                print(
                    f"2 days of {asked.orders:,} orders, {what}: {seconds:.2f} s ({cpu:.2f} s of processor), "
                    f"{requests} requests, {events} events"
                )


if __name__ == "__main__":
    main()
