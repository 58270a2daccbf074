"""SIGKILL in every window of a delivery: real processes, a real server, a real ledger file.

Afterwards no order is missing, none was sent again after a recorded acceptance, and none arrived twice.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from leaddone_pipeline.ledger import Ledger
from leaddone_pipeline.sandbox import BASE_PATH, Platform
from leaddone_pipeline.sandbox.app import serve
from tests.journeys import deliverer
from tests.journeys.gate import Gate
from tests.support import ids, orders_frame

WINDOWS = (
    "before the claim",
    "claimed and unsent",
    "sent and unanswered",
    "answered and unsettled",
    "settled",
)
KILLS_A_WINDOW = 6
fell = Counter()


@pytest.fixture(scope="module")
def house():
    """The sandbox, the gate before it, and the base URL that leads through the gate."""
    platform = Platform(credentials={deliverer.CLIENT_ID: deliverer.SECRET})
    with serve(platform) as running:
        gate = Gate(urlsplit(running.base_url).port)
        yield running, gate, f"http://127.0.0.1:{gate.port}{BASE_PATH}"


def eventually(condition, *, within=30.0):
    """Wait for what another process brings about; the time bounds a failure, never a success."""
    deadline = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.01)
    return found


def control(running, what):
    address = urlsplit(running.base_url)
    httpx.post(f"http://{address.netloc}/sandbox/{what}").raise_for_status()


def held(running):
    address = urlsplit(running.base_url)
    return httpx.get(f"http://{address.netloc}/sandbox/state").json()["held"]


def rows(path, query):
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        return connection.execute(query).fetchall()


def open_claims(path):
    return (
        path.exists()
        and rows(path, "SELECT 1 FROM sqlite_master WHERE name = 'claims'")
        and rows(path, "SELECT * FROM claims")
    )


@contextmanager
def write_lock(path):
    """Hold the ledger's write lock, as a slow neighbour might."""
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.rollback()
        connection.close()


def kill_in(window, *, house, path, guarantee, prefix):
    """Start a deliverer, wait until it stands in the window, kill it, and say where the evidence puts it."""
    running, gate, base_url = house
    Ledger(f"sqlite:///{path}").close()

    def start():
        return deliverer.start(f"sqlite:///{path}", base_url, guarantee, prefix)

    def kill(process):
        process.kill()
        process.join()

    if window == "before the claim":
        with write_lock(path):
            process, _ = start()
            eventually(lambda: process.pid and process.is_alive())
            kill(process)
    elif window == "claimed and unsent":
        gate.shut()
        process, _ = start()
        eventually(lambda: open_claims(path))
        kill(process)
        gate.open()
    elif window == "sent and unanswered":
        control(running, "hold" if guarantee == "at_most_once" else "hold-requests")
        process, _ = start()
        eventually(lambda: held(running))
        kill(process)
    elif window == "answered and unsettled":
        control(running, "hold")
        process, _ = start()
        eventually(lambda: held(running))
        with write_lock(path):
            control(running, "release")
            eventually(lambda: not held(running))
            kill(process)
    else:
        process, said = start()
        eventually(lambda: isinstance(said.get(timeout=30), dict))
        kill(process)
    return observed(running, path, prefix)


def observed(running, path, prefix):
    """Read off the ledger and the server's log in which window the kill fell."""
    claimed = open_claims(path)
    settled = rows(path, "SELECT 1 FROM batches WHERE ending = 'settled'")
    arrived = [r for r in running.platform.requests if any(i.startswith(prefix) for i in r.ids)]
    waiting = [one for one in held(running) if any(i.startswith(prefix) for i in one["ids"])]
    control(running, "release")
    if settled:
        return "settled"
    if not claimed:
        return "before the claim"
    if waiting:
        return "sent and unanswered"
    return "answered and unsettled" if arrived else "claimed and unsent"


@pytest.mark.parametrize("guarantee", ["at_least_once", "at_most_once"])
@pytest.mark.parametrize("window", WINDOWS)
def test_a_kill_loses_no_order_and_sends_none_twice(house, tmp_path, window, guarantee):
    running, _, base_url = house
    for round_ in range(KILLS_A_WINDOW // 2):
        path = tmp_path / f"{round_}.db"
        prefix = f"{window[:3]}-{guarantee[3:8]}-{round_}-".replace(" ", "")
        fell[kill_in(window, house=house, path=path, guarantee=guarantee, prefix=prefix)] += 1
        accepted_before = rows(path, "SELECT order_id FROM records WHERE state = 'accepted'")
        sent_before = Counter(i for r in running.platform.requests for i in r.ids)

        began = time.monotonic()
        with deliverer.delivery(f"sqlite:///{path}", base_url, guarantee) as delivery:
            report = delivery.orders([orders_frame(ids(deliverer.COUNT, prefix))])
            links = delivery.links()
        took = time.monotonic() - began

        assert sorted(links["order_id"]) == sorted(ids(deliverer.COUNT, prefix))
        assert set(links["outcome"]) <= {"accepted", "unconfirmed"}
        assert report.counts["pending"] == 0
        assert open_claims(path) == []
        assert took < deliverer.SHORT_LEASE.duration_seconds + 10
        sent = Counter(i for r in running.platform.requests for i in r.ids)
        assert all(sent[order_id] == sent_before[order_id] for (order_id,) in accepted_before)
        orders = running.platform.orders(deliverer.CLIENT_ID)
        assert max((o["processed"] for i, o in orders.items() if i.startswith(prefix)), default=1) == 1


def test_every_window_was_hit(capsys):
    """Runs after the kills: a window that none fell into would make them a comfort without a cause."""
    with capsys.disabled():
        print("\nkills by window:", dict(fell))
    assert sum(fell.values()) == KILLS_A_WINDOW * len(WINDOWS)
    assert all(fell[window] > 0 for window in WINDOWS)


def test_two_processes_send_the_same_orders_once(house, tmp_path):
    """The first one's answer is withheld until the second was seen to try the same orders (rule 11)."""
    running, _, base_url = house
    url = f"sqlite:///{tmp_path}/ledger.db"
    Ledger(url).close()
    control(running, "hold")
    first, first_said = deliverer.start(url, base_url, "at_least_once", "TWO-")
    eventually(lambda: held(running))
    second, second_said = deliverer.start(url, base_url, "at_least_once", "TWO-")
    eventually(lambda: second_said.get(timeout=30) == "waiting for another run")
    control(running, "release")

    counts = [last_counts(said) for said in (first_said, second_said)]
    for process in (first, second):
        process.kill()
        process.join()

    assert [c["accepted"] for c in counts] == [deliverer.COUNT] * 2
    assert [c["sent"] for c in counts] == [deliverer.COUNT, 0]
    orders = running.platform.orders(deliverer.CLIENT_ID)
    assert {o["processed"] for i, o in orders.items() if i.startswith("TWO-")} == {1}


def last_counts(said):
    while not isinstance(found := said.get(timeout=30), dict):
        pass
    return found
