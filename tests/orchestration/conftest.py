import csv
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from dagster_duckdb_pandas import DuckDBPandasIOManager

from leaddone_pipeline import LeadDoneShopComponent
from leaddone_pipeline.contract import Kind
from leaddone_pipeline.ledger import Ledger, reading
from leaddone_pipeline.sandbox import Platform
from leaddone_pipeline.sandbox.app import serve
from leaddone_pipeline.settings import Account

os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"

CLIENT = "atlas-client"
SECRET = "whsec_0a1b2c3d"
PHONE = "0685123456"
ADDRESS = "12 rue des Oliviers"
NOWHERE = "http://127.0.0.1:1/api/webhook"
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


@pytest.fixture
def project(tmp_path, monkeypatch):
    with ExitStack() as stack:
        yield Project(tmp_path / "project", monkeypatch, stack)


@pytest.fixture(scope="module")
def shared_project(tmp_path_factory):
    """One project for tests that only look at what a run left."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        yield Project(tmp_path_factory.mktemp("shared") / "project", patch, stack)


@pytest.fixture
def make_project(tmp_path, monkeypatch):
    """Several projects, each with a LeadDone, a ledger and tables of its own."""
    with ExitStack() as stack:
        yield lambda name: Project(tmp_path / name, monkeypatch, stack)


def order(order_id, **fields):
    given = {"id": order_id, "article": "Sac en cuir", "price": "199.90", "qte": "1", "receiver": "Amal"}
    return {**given, "phone": PHONE, "city": "Casablanca", "address": ADDRESS, **fields}


def update(order_id, status="shipped", at="2026-11-16T10:00:00+01:00", number=None):
    return {
        "id": order_id,
        "tracking_number": number or f"TRK-{order_id}",
        "status": status,
        "event_time": at,
    }


@dataclass
class Project:
    """A user's project: a folder with files, a ledger, tables in DuckDB, and Dagster."""

    root: Path
    monkeypatch: pytest.MonkeyPatch
    stack: ExitStack

    def __post_init__(self):
        (self.root / ".leaddone").mkdir(parents=True)
        self.enter()

    def enter(self):
        """Make it the surroundings of what follows."""
        self.monkeypatch.chdir(self.root)
        for name in ("LEADDONE_LEDGER_URL", "DAGSTER_HOME"):
            self.monkeypatch.delenv(name, raising=False)
        # Without a sandbox nothing may leave this machine: unset, the variable means LeadDone itself.
        self.monkeypatch.setenv("LEADDONE_BASE_URL", NOWHERE)
        self.monkeypatch.setenv("LEADDONE_CLIENT_ID", CLIENT)
        self.monkeypatch.setenv("LEADDONE_WEBHOOK_SECRET", SECRET)

    @cached_property
    def running(self):
        """Its LeadDone over real HTTP, started when first asked for."""
        return self.stack.enter_context(serve(Platform(credentials={CLIENT: SECRET})))

    @cached_property
    def instance(self):
        return self.stack.enter_context(dg.DagsterInstance.ephemeral())

    @property
    def platform(self):
        return self.running.platform

    def connect(self):
        """Let what follows find its LeadDone."""
        self.monkeypatch.setenv("LEADDONE_BASE_URL", self.running.base_url)

    def write(self, name, rows):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    def orders(self, day, *rows):
        self.write(f"orders-{day}.csv", rows)

    def courier(self, day, *rows):
        self.write(f"tracking-{day}.csv", rows)

    def defs(self, **attributes):
        given = {
            "shop": "atlas",
            "orders_files": "orders-{date}.csv",
            "courier_files": "tracking-{date}.csv",
            "start_date": "2026-11-16",
        }
        return LeadDoneShopComponent(**{**given, **attributes}).build_defs(None)

    @property
    def tables(self):
        return DuckDBPandasIOManager(database=str(self.root / "tables.duckdb"))

    def unreachable(self):
        """Let what follows find nothing where its LeadDone was."""
        self.monkeypatch.setenv("LEADDONE_BASE_URL", NOWHERE)

    @property
    def files(self):
        """Dagster's own IO manager, which stores a day at a time."""
        return dg.FilesystemIOManager(base_dir=str(self.root / "stored"))

    def run(self, first, last=None, *, io_manager=None, only=None, tags=None, connect=True, **attributes):
        """Materialize a day, or a range of days in one run."""
        self.enter()
        if connect:
            self.connect()
        defs = self.defs(**attributes)
        days = {} if last is None else {RANGE_START: first, RANGE_END: last}
        return dg.materialize(
            list(defs.assets),
            instance=self.instance,
            resources={**defs.resources, "io_manager": io_manager or self.tables},
            selection=only and [dg.AssetKey(["atlas", name]) for name in only],
            raise_on_error=False,
            partition_key=first if last is None else None,
            tags=days | (tags or {}),
        )

    def deliver(self, store, *days, **how):
        """Materialize days that follow each other as a backfill would: in one run, or in one run a day."""
        if store == "duckdb":
            return [self.run(days[0], days[-1] if len(days) > 1 else None, **how)]
        how = {"io_manager": self.files, "days_per_run": 1, **how}
        return [self.run(day, **how) for day in days]

    def type(self, *words):
        """Type a `leaddone` command."""
        command = [sys.executable, "-m", "leaddone_pipeline.cli", *words]
        return subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)

    def stored(self, store, name):
        """All rows of a stored table, by day."""
        if store == "duckdb":
            return self.table(name).sort_values("partition_date", kind="stable").reset_index(drop=True)
        parts = sorted((self.root / "stored" / "atlas" / name).iterdir())
        return pd.concat([pd.read_pickle(part) for part in parts], ignore_index=True)

    def table(self, name, shop="atlas"):
        import duckdb  # noqa: PLC0415 - only these tests look into the tables

        with duckdb.connect(str(self.root / "tables.duckdb"), read_only=True) as connection:
            return connection.execute(f"select * from {shop}.{name}").fetchdf()

    def materializations(self, name, shop="atlas"):
        """The materializations of each day: their metadata, newest first."""
        found = {}
        for record in self.instance.fetch_materializations(dg.AssetKey([shop, name]), limit=100).records:
            event = record.asset_materialization
            told = {key: getattr(value, "value", value) for key, value in event.metadata.items()}
            found.setdefault(event.partition, []).append(told)
        return found

    def observations(self, name, shop="atlas"):
        """The observations of each day: their metadata, newest first."""
        found = {}
        for record in self.instance.fetch_observations(dg.AssetKey([shop, name]), limit=100).records:
            event = record.asset_observation
            told = {key: getattr(value, "value", value) for key, value in event.metadata.items()}
            found.setdefault(event.partition, []).append(told)
        return found

    def ledger(self, kind=Kind.ORDERS, client_id=CLIENT, base_url=None):
        """The ledger's rows, but for what differs between two ledgers that tell the same."""
        with Ledger(f"sqlite:///{self.root / '.leaddone' / 'ledger.db'}") as ledger:
            account = Account(base_url or self.running.base_url, client_id)
            number = ledger.read(lambda c: reading.find_account(c, account))
            rows = ledger.read(lambda c: reading.links(c, ledger.now(), account_id=number, kind=kind))
        volatile = ["internal_id", "first_sent_at", "answered_at", "batch_id", "content_hash"]
        return rows.drop(columns=volatile).sort_values("order_id").reset_index(drop=True)

    def verdicts(self, result):
        """(asset, check, day) -> passed, as the run left it in Dagster's storage."""
        logs = self.instance.all_logs(result.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
        told = [entry.dagster_event.event_specific_data for entry in logs]
        return {(one.asset_key.path[-1], one.check_name, one.partition): one.passed for one in told}

    def links(self):
        """Order id -> internal id, of the stored table."""
        links = self.table("order_links").dropna(subset=["internal_id"])
        return dict(zip(links["order_id"], links["internal_id"], strict=True))

    def taken(self):
        """Order id -> internal id, at LeadDone."""
        return {name: one["internal_id"] for name, one in self.platform.orders(CLIENT).items()}


@pytest.fixture(params=["duckdb", "files"])
def store(request):
    """Tables in DuckDB with all days in one run; or Dagster's own IO manager and `days_per_run: 1`."""
    return request.param


@pytest.fixture(scope="session")
def make_order():
    return order


@pytest.fixture(scope="session")
def make_update():
    return update


@pytest.fixture
def failures():
    """Why the steps of a run failed."""

    def read(result):
        return [event.step_failure_data.user_failure_data for event in result.get_step_failure_events()]

    return read


@pytest.fixture
def same_rows():
    def check(one, other):
        pd.testing.assert_frame_equal(one, other)

    return check


@pytest.fixture
def tick(project, monkeypatch):
    """The first and last day that each run of the next tick of `atlas_files` is asked for, so many seconds after the
    last one; the cursor goes on.
    """
    kept = {"cursor": None, "ahead": 0.0}
    clock = time.time

    def run(*, later=0.0, **attributes):
        kept["ahead"] += later
        monkeypatch.setattr(time, "time", lambda: clock() + kept["ahead"])
        stores = dg.Definitions(resources={"io_manager": project.tables})
        defs = dg.Definitions.merge(project.defs(**attributes), stores)
        sensor = next(one for one in defs.sensors if one.name == "atlas_files")
        context = dg.build_sensor_context(
            instance=project.instance, cursor=kept["cursor"], repository_def=defs.get_repository_def()
        )
        result = sensor.evaluate_tick(context)
        kept["cursor"] = result.cursor
        run.keys = [request.run_key for request in result.run_requests]
        return [
            (one.partition_key or one.tags[RANGE_START], one.partition_key or one.tags[RANGE_END])
            for one in result.run_requests
        ]

    run.reset = lambda: kept.update(cursor=None)
    return run
