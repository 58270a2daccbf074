"""A backfill of a year as Dagster's UI asks for it: launchPartitionBackfill over GraphQL, worked off by a daemon.

    python benchmarks/backfill.py               # 365 days in one run, beside 30 days with one run each
    python benchmarks/backfill.py --days 60 --one-by-one 10

Prints runs, seconds, requests and the peak memory of a run's process. Everything lives in a temporary folder, and
LeadDone is a sandbox on this machine.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from leaddone_pipeline.sandbox import Platform
from leaddone_pipeline.sandbox.app import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

CLIENT, SECRET = "year-shop", "whsec_year"
FIRST = date(2025, 11, 1)
ORDERS_A_DAY = 30
BAD_ROWS = 20
_LOCATION, _REPOSITORY = "year", "__repository__"
_POLL_SECONDS = 0.5
"""Dagster and /proc are asked so often: neither calls back."""
_BACKFILL_SECONDS = 7_200
"""Far more than it takes: a machine that others use too may take long."""
_RUN_WORDS = (b"execute_run", b"multiprocessing")
"""Dagster's code server starts a run as a process of its own, by a command or by multiprocessing."""
_STATUS = """
{ partitionBackfillOrError(backfillId: %s) { ... on PartitionBackfill { status error { message } } } }
"""
_LAUNCH = """
mutation ($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
_DEFINITIONS = """
from pathlib import Path
import dagster as dg
from dagster_duckdb_pandas import DuckDBPandasIOManager
from leaddone_pipeline import LeadDoneShopComponent

HERE = Path(__file__).parent
shop = LeadDoneShopComponent(
    shop="atlas", orders_files=str(HERE / "orders-{date}.csv"), source="leaddone", paid="send",
    start_date="%(first)s", days_per_run=%(days_per_run)s,
)

@dg.definitions
def defs():
    own = dg.Definitions(
        resources={"io_manager": DuckDBPandasIOManager(database=str(HERE / "tables.duckdb"))},
        executor=dg.in_process_executor,
    )
    return dg.Definitions.merge(shop.build_defs(None), own)
"""


def days_from(first: date, count: int) -> list[str]:
    """So many days, ISO."""
    return [(first + timedelta(days=number)).isoformat() for number in range(count)]


@dataclass(frozen=True, slots=True)
class Webserver:
    """Dagster's webserver on this machine, asked as its pages ask it."""

    port: int

    def ask(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask GraphQL."""
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own webserver
            told = json.load(answer)
        if "errors" in told:
            raise RuntimeError(told["errors"])
        return dict(told["data"])

    def answers(self) -> bool:
        """Say whether it is there, with its code loaded."""
        try:
            locations = self.ask(
                "{ workspaceOrError { ... on Workspace { locationEntries { loadStatus } } } }"
            )
        except OSError:
            return False
        entries = locations["workspaceOrError"].get("locationEntries", [])
        return bool(entries) and all(entry["loadStatus"] == "LOADED" for entry in entries)

    def backfill(self, days: Sequence[str], assets: Sequence[Sequence[str]]) -> str:
        """Ask for days as the UI does, and wait for the end; gives the backfill's status.

        Args:
            days: ISO.
            assets: key of each, as a path.

        Raises:
            RuntimeError: Dagster could not go on with it.
        """
        params = {
            "partitionNames": list(days),
            "assetSelection": [{"path": list(path)} for path in assets],
            "tags": [],
        }
        answer = self.ask(_LAUNCH, {"params": params})["launchPartitionBackfill"]
        identity = json.dumps(answer["backfillId"])
        ended: list[str] = []

        def has_ended() -> bool:
            told = self.ask(_STATUS % identity)["partitionBackfillOrError"]
            if told["status"] == "FAILED":
                raise RuntimeError(told["error"])
            if told["status"].startswith("COMPLETED"):
                ended.append(told["status"])
            return bool(ended)

        wait_for(has_ended, within=_BACKFILL_SECONDS)
        return ended[0]


@dataclass
class Year:
    """A shop with a file a day, its Dagster (webserver and daemon), and its LeadDone.

    Attributes:
        folder: where it lives.
        days: ISO, oldest first.
        days_per_run: as the component takes it.
        orders_a_day: rows of each file.
    """

    folder: Path
    days: Sequence[str]
    days_per_run: int | None = None
    orders_a_day: int = ORDERS_A_DAY
    platform: Platform = field(default_factory=lambda: Platform(credentials={CLIENT: SECRET}))
    peak_kb: int = 0
    base_url: str = ""

    def write_day(self, day: str, *, bad_rows: int = 0) -> None:
        """Write a day's file; from 16 bad rows of 30 the guard holds it."""
        with (self.folder / f"orders-{day}.csv").open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["id", "article", "price", "qte", "receiver", "phone", "city", "address"])
            for number in range(self.orders_a_day):
                phone = "12" if number < bad_rows else f"061{number:07}"
                rows.writerow(
                    [f"{day}-{number}", "Lampe", "199.90", 1, "Essai", phone, "Fès", "1 rue des Essais"]
                )

    @contextmanager
    def running(self) -> Iterator[Year]:
        """Serve LeadDone and Dagster until the block ends."""
        (self.folder / ".leaddone").mkdir()
        (self.home).mkdir()
        (self.home / "dagster.yaml").write_text(
            "telemetry: {enabled: false}\nconcurrency: {runs: {max_concurrent_runs: 2}}\n"
        )
        told = {"first": self.days[0], "days_per_run": self.days_per_run}
        (self.folder / "year.py").write_text(_DEFINITIONS % told)
        with serve(self.platform) as running:
            self.base_url = running.base_url
            self._environment = os.environ | {
                "DAGSTER_HOME": str(self.home),
                "LEADDONE_BASE_URL": running.base_url,
                "LEADDONE_CLIENT_ID": CLIENT,
                "LEADDONE_WEBHOOK_SECRET": SECRET,
            }
            self._dagster = Webserver(free_port())
            process = self._start()
            watch = threading.Thread(target=self._watch_memory, args=[process], daemon=True)
            watch.start()
            try:
                wait_for(self._dagster.answers, within=600)
                yield self
            finally:
                process.terminate()
                process.wait(60)

    def backfill(
        self,
        days: Sequence[str],
        assets: Sequence[str] = ("orders", "orders_quarantine", "order_deliveries", "order_links"),
    ) -> str:
        """Ask for these days as the UI does, and wait for the end; gives the backfill's status."""
        return self._dagster.backfill(days, [["atlas", name] for name in assets])

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """Dagster's memory, to read from."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            yield instance

    def runs(self) -> int:
        with self.instance() as instance:
            return instance.get_runs_count()

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def _start(self) -> subprocess.Popen[bytes]:
        program = Path(sys.executable).with_name("dagster")
        command = [program, "dev", "-f", "year.py", "-h", "127.0.0.1", "-p", str(self._dagster.port)]
        # A background job may have SIGINT ignored, and Dagster's processes then end on no signal at all.
        restore = ["env", "--default-signal=INT"]
        with (self.folder / "dagster.log").open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - our own words
                [*restore, *command], cwd=self.folder, env=self._environment, stdout=log, stderr=log
            )

    def _watch_memory(self, process: subprocess.Popen[bytes]) -> None:
        mark = f"DAGSTER_HOME={self.home}".encode()
        while process.poll() is None:
            for place in Path("/proc").glob("[0-9]*"):
                try:
                    command = (place / "cmdline").read_bytes()
                    is_run = any(word in command for word in _RUN_WORDS)
                    if is_run and mark in (place / "environ").read_bytes():
                        status = (place / "status").read_text()
                        peak = int(status.split("VmHWM:")[1].split()[0])
                        self.peak_kb = max(self.peak_kb, peak)
                except (OSError, IndexError):
                    continue  # it has ended meanwhile
            time.sleep(_POLL_SECONDS)


def free_port() -> int:
    """A port below those of outgoing connections."""
    for port in range(20_000, 21_000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise RuntimeError("no free port from 20000 to 20999")


def wait_for(condition: Callable[[], bool], *, within: float) -> None:
    """Wait for what another process brings about."""
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"it did not happen within {within:.0f} s")
        time.sleep(_POLL_SECONDS)


def measure(count: int, days_per_run: int | None) -> None:
    """Print what a backfill of so many days costs."""
    with tempfile.TemporaryDirectory() as folder:
        year = Year(Path(folder), days_from(FIRST, count), days_per_run)
        for day in year.days:
            year.write_day(day)
        with year.running():
            begun = time.monotonic()
            status = year.backfill(year.days)
            seconds = time.monotonic() - begun
            orders = len(year.platform.orders(CLIENT))
            print(
                f"{count} days, {days_per_run or 'all'} a run: {status}, {year.runs()} runs, {seconds:.0f} s, "
                f"{orders:,} orders at LeadDone in {len(year.platform.requests):,} requests, "
                f"peak {year.peak_kb / 1024:.0f} MB a run"
            )


def main() -> None:
    """Measure both ways."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, default=365, help="days of the backfill in one run")
    parser.add_argument("--one-by-one", type=int, default=30, help="days of the one with a run a day")
    asked = parser.parse_args()
    measure(asked.days, None)
    measure(asked.one_by_one, 1)


if __name__ == "__main__":
    main()
