import os

import pytest
from hypothesis import settings

from leaddone_pipeline.testing import LeadDoneSandbox
from tests import databases

# No test depends on speed.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"


def pytest_addoption(parser):
    parser.addoption(
        "--kills", type=int, default=2, help="kills in each window on each database (tests/journeys)"
    )
    parser.addoption("--seeds", type=int, default=2000, help="seeds of the simulation (tests/simulation)")
    parser.addoption(
        "--backfill-days", type=int, default=20, help="days of the one backfill (tests/journeys)"
    )


@pytest.fixture(scope="session")
def cluster():
    made = databases.Cluster(databases.binaries())
    yield made
    made.remove()


@pytest.fixture(params=databases.KINDS)
def place(request, tmp_path):
    """Where a ledger lives, on each kind of database."""
    if request.param == "sqlite":
        yield databases.SQLitePlace(tmp_path)
    else:
        with request.getfixturevalue("cluster").place() as made:
            yield made


@pytest.fixture
def ledger(place):
    with place.open() as opened:
        yield opened


@pytest.fixture
def sandbox():
    return LeadDoneSandbox()


@pytest.fixture(autouse=True)
def coverage_follows_the_command_line_alone(request, monkeypatch):
    """Into its processes, that is: Dagster's, which are many, would take half as long again."""
    if "cli" not in request.path.parts:
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch):
    for name in list(os.environ):
        if name.startswith("LEADDONE_"):
            monkeypatch.delenv(name)
    # The default is LeadDone itself; a test that forgets its sandbox must reach nobody.
    monkeypatch.setenv("LEADDONE_BASE_URL", "http://127.0.0.1:1/no-sandbox")
