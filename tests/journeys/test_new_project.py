"""A new user's way, as README and Dagster's documentation say it: an empty project, the wheel, three lines, links."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from benchmarks.backfill import Webserver
from leaddone_pipeline.sandbox import Platform
from leaddone_pipeline.sandbox.app import serve
from tests.scaleout.programs import LOOPBACK, free_port, started, wait_for

ROOT = Path(__file__).parents[2]
CLIENT, SECRET = "new-shop", "whsec_new"
DAYS = ("2026-11-16", "2026-11-17", "2026-11-18")
ASSETS = (
    "orders",
    "orders_quarantine",
    "order_deliveries",
    "order_links",
    "courier_updates",
    "courier_updates_quarantine",
    "tracking_deliveries",
    "tracking_results",
)
TABLES = """
import dagster as dg
from dagster_duckdb_pandas import DuckDBPandasIOManager


@dg.definitions
def tables() -> dg.Definitions:
    return dg.Definitions(resources={"io_manager": DuckDBPandasIOManager(database="tables.duckdb")})
"""


def run(*command, cwd, environment):
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def environment():
    """A shell that knows nothing of this repository."""
    kept = {
        name: os.environ[name]
        for name in os.environ
        if not name.startswith(("DAGSTER", "LEADDONE", "PYTHON"))
    }
    return {name: value for name, value in kept.items() if name != "VIRTUAL_ENV"} | {
        "DAGSTER_DISABLE_TELEMETRY": "1"
    }


@pytest.fixture(scope="module")
def installed(tmp_path_factory, environment):
    """A fresh environment with the built wheel and what Dagster's documentation has its users install."""
    folder = tmp_path_factory.mktemp("new")
    venv, wheels = folder / "venv", folder / "wheels"
    python, here = venv / "bin" / "python", {"cwd": folder, "environment": environment}
    same = f"=={dg.__version__}"
    wanted = [f"{name}{same}" for name in ("create-dagster", "dagster-dg-cli", "dagster-webserver")]
    run(sys.executable, "-m", "venv", venv, **here)
    run(python, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", wheels, ROOT, **here)
    (wheel,) = wheels.iterdir()
    if uv := shutil.which("uv"):
        install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python]
    else:
        install = [python, "-m", "pip", "install", "--quiet"]
    run(*install, wheel, "dagster-duckdb-pandas", *wanted, **here)
    return folder, install


class Newcomer:
    """Someone with an empty project, a day's files, and a LeadDone."""

    def __init__(self, name, installed, environment, running):
        folder, install = installed
        self.bin = folder / "venv" / "bin"
        self.root = folder / name
        self.environment = environment | {
            "PATH": f"{self.bin}:{environment['PATH']}",
            "DAGSTER_HOME": str(folder / f"{name}-home"),
        }
        self.home = Path(self.environment["DAGSTER_HOME"])
        self.home.mkdir()
        run(
            self.bin / "create-dagster",
            "project",
            name,
            "--no-uv-sync",
            cwd=folder,
            environment=self.environment,
        )
        run(*install, "--no-deps", "--editable", self.root, cwd=folder, environment=self.environment)
        (self.root / ".env").write_text(
            f"LEADDONE_CLIENT_ID={CLIENT}\nLEADDONE_WEBHOOK_SECRET={SECRET}\nLEADDONE_BASE_URL={running.base_url}\n"
        )
        self.write_files()

    @property
    def package(self):
        return self.root / "src" / self.root.name.replace("-", "_")

    def write_files(self):
        for kind, header in (
            ("orders", ["id", "article", "price", "phone"]),
            ("tracking", ["id", "tracking_number", "status"]),
        ):
            (self.root / "exports").mkdir(exist_ok=True)
            for day in DAYS:
                with (self.root / "exports" / f"{kind}-{day}.csv").open("w", newline="") as file:
                    rows = csv.writer(file)
                    rows.writerow(header)
                    for number in range(3):
                        order = [f"{day}-{number}", "Lampe", "199.90", "0612345678"]
                        update = [f"{day}-{number}", f"TRK-{day}-{number}", "shipped"]
                        rows.writerow(order if kind == "orders" else update)

    def type(self, *words):
        return run(self.bin / words[0], *words[1:], cwd=self.root, environment=self.environment)

    def scaffold(self):
        self.type(
            "dg",
            "scaffold",
            "defs",
            "leaddone_pipeline.LeadDoneShopComponent",
            "atlas",
            "--start-date",
            DAYS[0],
        )
        return self.package / "defs" / "atlas" / "defs.yaml"

    def fill_in(self, file):
        """The three lines that are marked."""
        filled = {
            "orders_files:": "orders_files: exports/orders-{date}.csv",
            "courier_files:": "courier_files: exports/tracking-{date}.csv",
            "paid:": "paid: skip",
        }
        lines = file.read_text().splitlines()
        marked = [number for number, line in enumerate(lines) if "# <--" in line]
        assert len(marked) == 3
        for number in marked:
            lines[number] = f"  {filled[lines[number].split()[0]]}"
        file.write_text("\n".join(lines) + "\n")

    def backfill(self):
        """Three days from Dagster's UI, which asks its webserver for them: the backfill's runs."""
        port = free_port()
        command = [str(self.bin / "dg"), "dev", "--host", LOOPBACK, "--port", str(port)]
        with started(command, log=self.home / "dg-dev.log", env=self.environment, cwd=self.root):
            webserver = Webserver(port)
            wait_for(webserver.answers, what="Dagster's UI", within=600)
            status = webserver.backfill(DAYS, [["atlas", name] for name in ASSETS])
        assert status == "COMPLETED_SUCCESS"
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            runs = [run for run in instance.get_runs() if "dagster/backfill" in run.tags]
            assert instance.get_materialized_partitions(dg.AssetKey(["atlas", "order_links"])) == set(DAYS)
        return runs

    def links(self):
        """Order id -> internal id, as the command line gives them."""
        self.type("leaddone", "links", "--output", "links.csv")
        with (self.root / "links.csv").open() as file:
            return {row["order_id"]: row["internal_id"] for row in csv.DictReader(file)}


@pytest.fixture
def running():
    with serve(Platform(credentials={CLIENT: SECRET})) as sandbox:
        yield sandbox


def taken(running):
    return {name: one["internal_id"] for name, one in running.platform.orders(CLIENT).items()}


def test_with_dagsters_own_io_manager_a_day_is_a_run(installed, environment, running):
    newcomer = Newcomer("first-shop", installed, environment, running)
    file = newcomer.scaffold()
    unfilled = subprocess.run(
        [newcomer.bin / "dg", "check", "defs"],
        cwd=newcomer.root,
        env=newcomer.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert unfilled.returncode != 0
    assert "orders_files" in unfilled.stdout + unfilled.stderr
    assert "days_per_run: 1\n" in file.read_text()
    newcomer.fill_in(file)
    newcomer.type("dg", "check", "defs")
    assert len(newcomer.backfill()) == len(DAYS)
    stored = newcomer.home / "storage" / "atlas" / "order_links"
    assert {part.name for part in stored.iterdir()} == set(DAYS)
    assert newcomer.links() == taken(running)
    assert len(taken(running)) == 9


def test_with_duckdb_a_backfill_is_one_run(installed, environment, running):
    newcomer = Newcomer("second-shop", installed, environment, running)
    (newcomer.package / "defs" / "tables.py").write_text(TABLES)
    file = newcomer.scaffold()
    assert "days_per_run: null\n" in file.read_text()
    newcomer.fill_in(file)
    newcomer.type("dg", "check", "defs")
    assert len(newcomer.backfill()) == 1
    assert newcomer.links() == taken(running)
    assert len(taken(running)) == 9
    assert {one["status"] for one in running.platform.orders(CLIENT).values()} == {"shipped"}
