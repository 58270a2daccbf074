"""What a Dagster user types on `dagster_project`, as processes of their own against a sandbox over HTTP."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from queue import Queue

import duckdb
import httpx
import pytest

from leaddone_pipeline.ledger import Ledger, reading
from leaddone_pipeline.sandbox import Platform
from leaddone_pipeline.sandbox.app import serve
from leaddone_pipeline.settings import Account
from tests.scaleout.programs import wait_for

ROOT = Path(__file__).parents[2]
CLIENT, SECRET = "launch-shop", "whsec_launch"
DAYS = ("2026-11-16", "2026-11-17", "2026-11-18")
VOLATILE = ["internal_id", "first_sent_at", "answered_at", "batch_id", "content_hash"]


@pytest.fixture
def running():
    with serve(Platform(credentials={CLIENT: SECRET})) as sandbox:
        yield sandbox


class Desk:
    """A shell of its own: a Dagster home, a ledger and tables."""

    def __init__(self, folder, running, ledger="ledger.db"):
        folder.mkdir(exist_ok=True)
        (folder / "home").mkdir(exist_ok=True)
        (folder / "home" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        self.ledger_url = f"sqlite:///{folder.parent / ledger}"
        self.tables = folder / "tables.duckdb"
        self.account = Account(running.base_url, CLIENT)
        self.environment = os.environ | {
            "DAGSTER_HOME": str(folder / "home"),
            "LEADDONE_TABLES": str(self.tables),
            "LEADDONE_LEDGER_URL": self.ledger_url,
            "LEADDONE_BASE_URL": running.base_url,
            "LEADDONE_CLIENT_ID": CLIENT,
            "LEADDONE_WEBHOOK_SECRET": SECRET,
        }

    def start(self, *command):
        program = Path(sys.executable).with_name(command[0])
        return subprocess.Popen(
            [program, *command[1:]],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def type(self, *command):
        with self.start(*command) as process:
            said = process.communicate()[0]
        assert process.returncode == 0, said
        return said

    def launch(self, *how, shop="atlas"):
        return self.type("dg", "launch", "--assets", f'key:"{shop}/*"', *how)

    def rows(self):
        with Ledger(self.ledger_url) as ledger:
            number = ledger.read(lambda c: reading.find_account(c, self.account))
            links = ledger.read(lambda c: reading.links(c, ledger.now(), account_id=number))
        return links.drop(columns=VOLATILE).sort_values("order_id").reset_index(drop=True)

    def links(self):
        with duckdb.connect(str(self.tables), read_only=True) as connection:
            found = connection.execute(
                "select order_id, internal_id from atlas.order_links where outcome = 'accepted'"
            ).fetchall()
        return dict(found)


def taken(running):
    return {order_id: one["internal_id"] for order_id, one in running.platform.orders(CLIENT).items()}


def test_the_definitions_are_listed_and_valid(tmp_path, running):
    desk = Desk(tmp_path / "desk", running)
    listed = desk.type("dg", "list", "defs", "--json")
    desk.type("dagster", "definitions", "validate", "-w", "workspace.yaml")

    assert all(name in listed for name in ("order_links", "tracking_results", "leaddone_atlas", "rows_law"))


def test_a_range_and_one_run_a_day_leave_equal_ledgers_and_links(tmp_path, running):
    """Rule 14: days of a range run are delivered oldest first, one after the other."""
    with serve(Platform(credentials={CLIENT: SECRET})) as other:
        by_range = Desk(tmp_path / "range", running, "range.db")
        by_day = Desk(tmp_path / "day", other, "day.db")
        by_range.launch("--partition-range", f"{DAYS[0]}...{DAYS[-1]}")
        for day in DAYS:
            by_day.launch("--partition", day)

        assert by_range.rows().equals(by_day.rows())
        assert by_range.links() == taken(running)
        assert by_day.links() == taken(other)
        assert set(by_range.links()) == set(by_day.links())

    sent = len(running.platform.requests)
    by_range.launch("--partition-range", f"{DAYS[0]}...{DAYS[-1]}")
    assert len(running.platform.requests) == sent


def test_two_launches_of_one_partition_send_each_order_once(tmp_path, running):
    """The first one's answer is withheld until the second was seen to wait for the same orders (rule 11)."""
    sandbox = running.base_url.replace("/api/webhook", "/sandbox")
    httpx.post(f"{sandbox}/hold").raise_for_status()
    launch = ("dg", "launch", "--assets", 'key:"atlas/*"', "--partition", DAYS[0])
    first = Desk(tmp_path / "first", running).start(*launch)
    wait_for(lambda: httpx.get(f"{sandbox}/state").json()["held"], what="the first one's request")
    second_desk = Desk(tmp_path / "second", running)
    second = second_desk.start(*launch)
    lines = read_lines(second)
    wait_for(lambda: "waiting for another run" in (lines.get(timeout=60) or ""), what="the second one waits")
    httpx.post(f"{sandbox}/release").raise_for_status()
    said = first.communicate()[0]
    second.wait()

    assert (first.returncode, second.returncode) == (0, 0), said
    assert {one["processed"] for one in running.platform.orders(CLIENT).values()} == {1}
    assert second_desk.links() == taken(running)


def read_lines(process):
    lines = Queue()

    def read():
        with process.stdout as said:
            for line in said:
                lines.put(line)

    threading.Thread(target=read, daemon=True).start()
    return lines
