"""The real command in a process of its own, against the sandbox on loopback."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from leaddone_pipeline.sandbox import Platform
from leaddone_pipeline.sandbox.app import serve

CLIENT = "cli-shop"
SECRET = "whsec_cli_3c1a"
COLUMNS = ("id", "article", "price", "phone", "qte", "receiver", "city", "address")


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture(scope="session")
def own_environment():
    """This process's environment without anything that is LeadDone's or Dagster's."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LEADDONE_", "DAGSTER_", "PYTHONWARNINGS"))
    }


@pytest.fixture(scope="session")
def served():
    with serve(Platform(credentials={CLIENT: SECRET})) as running:
        yield running


@pytest.fixture
def platform(served):
    """The served LeadDone, without orders and faults."""
    served.platform.restore(Platform(credentials={}).snapshot())
    served.platform.set_faults([])
    return served.platform


@pytest.fixture
def project(tmp_path):
    """A project's root: the ledger has its place in it."""
    (tmp_path / ".leaddone").mkdir()
    return tmp_path


@pytest.fixture
def account(platform, served, own_environment):
    """Environment variables of the served account, beside this process's own."""
    return {
        **own_environment,
        "LEADDONE_CLIENT_ID": CLIENT,
        "LEADDONE_WEBHOOK_SECRET": SECRET,
        "LEADDONE_BASE_URL": served.base_url,
    }


@pytest.fixture
def leaddone(project, account):
    """Run `leaddone` in the project; `env` changes the environment, None takes a variable out."""

    def run(*arguments, env=None, cwd=project, stdin=None):
        environment = {name: value for name, value in {**account, **(env or {})}.items() if value is not None}
        done = subprocess.run(
            [sys.executable, "-m", "leaddone_pipeline.cli", *map(str, arguments)],
            env=environment,
            cwd=cwd,
            input=stdin,
            capture_output=True,
            timeout=120,
            check=False,
        )
        ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in ran.err
        assert SECRET not in ran.out + ran.err
        return ran

    return run


@pytest.fixture
def write(project):
    """Write orders (dicts that change a good one) as a CSV file in the project."""

    def write(*orders, name="orders.csv", columns=COLUMNS):
        good = {"article": "Tapis", "price": "199.90", "phone": "0791000001", "qte": "1", "city": "Fès"}
        path = project / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows({**good, **order} for order in orders)
        return path

    return write


@pytest.fixture
def write_statuses(project):
    def write(*rows, name="courier.csv"):
        path = project / name
        lines = ["id,tracking_number,status,event_time", *(",".join(row) for row in rows)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def read_csv():
    def read(path: Path):
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return read


@pytest.fixture
def client_id():
    return CLIENT


@pytest.fixture
def secret():
    return SECRET
