"""The real command in a process of its own, against the sandbox on loopback."""

# An interpreter that imports pandas anew for each command would cost two seconds a command. So most commands run in
# a process forked from one that has the imports behind it (`leaddone`); where the start of a process, its signals or
# its pipes are the subject, an interpreter is started (`leaddone_process`).

import csv
import json
import multiprocessing
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


@pytest.fixture
def served():
    with serve(Platform(credentials={CLIENT: SECRET})) as running:
        yield running


@pytest.fixture
def platform(served):
    return served.platform


@pytest.fixture
def project(tmp_path):
    """A project's root: the ledger has its place in it."""
    (tmp_path / ".leaddone").mkdir()
    return tmp_path


@pytest.fixture
def account(served, own_environment):
    """Environment variables of the served account, beside this process's own."""
    return {
        **own_environment,
        "LEADDONE_CLIENT_ID": CLIENT,
        "LEADDONE_WEBHOOK_SECRET": SECRET,
        "LEADDONE_BASE_URL": served.base_url,
    }


_IN_THE_CHILD = """
import os, sys
for descriptor, path in ((1, out), (2, err)):
    os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), descriptor)
os.environ.clear()
os.environ.update(environment)
os.chdir(cwd)
sys.argv = ["leaddone", *arguments]
try:
    from leaddone_pipeline.cli import main
    main()
finally:
    # The child ends without Python's own end, at which coverage would write down what it saw.
    measured = sys.modules["coverage"].Coverage.current() if "coverage" in sys.modules else None
    if measured:
        measured.save()
"""


@pytest.fixture(scope="session")
def forking():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        [
            "pytest",
            "leaddone_pipeline.cli.delivering",
            "leaddone_pipeline.cli.dry_running",
            "alembic.command",
            "pandera.backends.pandas.builtin_checks",
            "psycopg",
        ]
    )
    return context


@pytest.fixture
def leaddone(project, account, forking, tmp_path_factory):
    """Run `leaddone` in the project; `env` changes the environment, None takes a variable out."""

    def run(*arguments, env=None, cwd=project):
        streams = tmp_path_factory.mktemp("streams")
        given = {
            "arguments": [str(one) for one in arguments],
            "environment": _changed(account, env),
            "cwd": str(cwd),
            "out": str(streams / "out"),
            "err": str(streams / "err"),
        }
        child = forking.Process(target=exec, args=(_IN_THE_CHILD, given))
        child.start()
        child.join(120)
        return _checked(
            Ran(
                child.exitcode,
                (streams / "out").read_text(encoding="utf-8"),
                (streams / "err").read_text(encoding="utf-8"),
            )
        )

    return run


@pytest.fixture
def leaddone_process(project, account):
    """Run `leaddone` in an interpreter of its own."""

    def run(*arguments, env=None, stdin=None):
        done = subprocess.run(
            [sys.executable, "-m", "leaddone_pipeline.cli", *map(str, arguments)],
            env=_changed(account, env),
            cwd=project,
            input=stdin,
            capture_output=True,
            timeout=180,
            check=False,
        )
        return _checked(Ran(done.returncode, done.stdout.decode(), done.stderr.decode()))

    return run


def _changed(environment, changes):
    return {name: value for name, value in {**environment, **(changes or {})}.items() if value is not None}


def _checked(ran):
    assert "Traceback" not in ran.err, ran.err
    assert SECRET not in ran.out + ran.err
    return ran


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
