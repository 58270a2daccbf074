import csv
import os
from dataclasses import dataclass, field
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
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


@pytest.fixture
def sandbox():
    """A LeadDone over real HTTP."""
    with serve(Platform(credentials={CLIENT: SECRET})) as running:
        yield running


@pytest.fixture
def project(tmp_path, sandbox, monkeypatch):
    return Project(tmp_path / "project", sandbox, monkeypatch)


@pytest.fixture(scope="module")
def shared_project(tmp_path_factory):
    """One project for tests that only look at what a run left."""
    with serve(Platform(credentials={CLIENT: SECRET})) as running, pytest.MonkeyPatch.context() as patch:
        yield Project(tmp_path_factory.mktemp("shared") / "project", running, patch)


@pytest.fixture
def make_project(tmp_path, sandbox, monkeypatch):
    """Several projects, each with a ledger and tables of its own, at one LeadDone or another."""

    def make(name, running=sandbox):
        return Project(tmp_path / name, running, monkeypatch)

    return make


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
    running: object
    monkeypatch: pytest.MonkeyPatch
    instance: dg.DagsterInstance = field(default_factory=dg.DagsterInstance.ephemeral)

    def __post_init__(self):
        (self.root / ".leaddone").mkdir(parents=True)
        self.enter()

    def enter(self):
        self.monkeypatch.chdir(self.root)
        for name in ("LEADDONE_LEDGER_URL", "DAGSTER_HOME"):
            self.monkeypatch.delenv(name, raising=False)
        self.monkeypatch.setenv("LEADDONE_CLIENT_ID", CLIENT)
        self.monkeypatch.setenv("LEADDONE_WEBHOOK_SECRET", SECRET)
        self.monkeypatch.setenv("LEADDONE_BASE_URL", self.running.base_url)

    @property
    def platform(self):
        return self.running.platform

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

    def run(self, first, last=None, *, io_manager=None, only=None, **attributes):
        """Materialize a day, or a range of days in one run."""
        self.enter()
        defs = self.defs(**attributes)
        days = {"partition_key": first} if last is None else {"tags": {RANGE_START: first, RANGE_END: last}}
        return dg.materialize(
            list(defs.assets),
            instance=self.instance,
            resources={**defs.resources, "io_manager": io_manager or self.tables},
            selection=only and [dg.AssetKey(["atlas", name]) for name in only],
            raise_on_error=False,
            **days,
        )

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

    def ledger(self, kind=Kind.ORDERS, client_id=CLIENT):
        """The ledger's rows, but for what differs between two ledgers that tell the same."""
        with Ledger(f"sqlite:///{self.root / '.leaddone' / 'ledger.db'}") as ledger:
            address = Account(self.running.base_url, client_id).base_url
            account = ledger.read(lambda c: reading.find_account(c, base_url=address, client_id=client_id))
            rows = ledger.read(lambda c: reading.links(c, ledger.now(), account_id=account, kind=kind))
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
