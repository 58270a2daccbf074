"""SIGKILL in every window of a delivery: real processes, a real server, real ledgers on both databases.

Some orders of the file were accepted before. Afterwards no order is missing, none was sent again after a recorded
acceptance, and under at_most_once none arrived twice. Where a kill fell is read off the ledger and the server's log.
`--kills 40` makes as many in each window on each database.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from leaddone_pipeline.sandbox import BASE_PATH, Platform
from leaddone_pipeline.sandbox.app import serve
from tests import databases
from tests.journeys import deliverer
from tests.journeys.gate import Gate
from tests.support import ids, orders_frame

WINDOWS = (
    "claimed and unsent",
    "read and unanswered",
    "answered and unsettled",
    "split and not sent again",
)
BEFORE = 6
FIRST_RUN = 1
"""The run that delivers so many orders of the file before the one that is killed."""
fell = Counter()


@pytest.fixture(scope="module")
def house():
    """The sandbox, the gate before it, and the base URL that leads through the gate."""
    platform = Platform(credentials={deliverer.CLIENT_ID: deliverer.SECRET})
    with serve(platform) as running:
        gate = Gate(urlsplit(running.base_url).port)
        yield running, gate, f"http://127.0.0.1:{gate.port}{BASE_PATH}"
    print()
    for (kind, guarantee, window), count in sorted(fell.items()):
        print(f"{count:4} kills: {window:24} {guarantee:14} {kind}")


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


def evidence(place):
    """What the ledger says: open claims, batches of a second attempt, settled batches since the first run."""
    claims, parts, settled = place.rows(
        "SELECT (SELECT count(*) FROM claims), (SELECT count(*) FROM batches WHERE attempt = 2 AND ending IS NULL),"
        f" (SELECT count(*) FROM batches WHERE ending = 'settled' AND run_id > {FIRST_RUN})"
    )[0]
    return claims, parts, settled


def wait_a_minute(place):
    """What another run leaves behind that was told to wait (rule 26): nothing leaves for a while."""
    place.change(f"UPDATE accounts SET wait_until = {time.time() + 60}")


def kill_in(window, *, house, place, guarantee, prefix):
    """Start a deliverer, wait until it stands in the window, kill it, and say where the evidence puts it."""
    running, gate, base_url = house
    with deliverer.delivery(place.url, base_url, guarantee) as first:
        first.orders([orders_frame(file_of(prefix)[:BEFORE])])

    def start():
        names = file_of(prefix)
        return deliverer.start(place.url, base_url, guarantee, names, lease=deliverer.SHORT_LEASE)

    def kill(process):
        process.kill()
        process.join()

    if window == "claimed and unsent":
        gate.shut()
        process, _said = start()
        eventually(lambda: evidence(place)[0])
        kill(process)
        gate.open()
    elif window == "read and unanswered":
        control(running, "hold" if guarantee == "at_most_once" else "hold-requests")
        process, _said = start()
        eventually(lambda: held(running))
        kill(process)
    elif window == "answered and unsettled":
        control(running, "hold")
        process, _said = start()
        eventually(lambda: held(running))
        with place.batches_locked():
            control(running, "release")
            eventually(lambda: not held(running))
            kill(process)
    else:
        running.platform.set_faults(["too_large"])
        control(running, "hold")
        process, _said = start()
        eventually(lambda: held(running))
        wait_a_minute(place)
        control(running, "release")
        eventually(lambda: evidence(place)[1] == 2)
        kill(process)
        running.platform.set_faults([])
        place.change("UPDATE accounts SET wait_until = NULL")
    return observed(running, place, prefix)


def file_of(prefix):
    return [*ids(BEFORE, f"before-{prefix}"), *ids(deliverer.COUNT, prefix)]


def observed(running, place, prefix):
    """Read off the ledger and the server's log in which window the kill fell."""
    claims, parts, settled = evidence(place)
    arrived = [r for r in running.platform.requests if any(i.startswith(prefix) for i in r.ids)]
    waiting = [one for one in held(running) if any(i.startswith(prefix) for i in one["ids"])]
    control(running, "release")
    if settled:
        return "split and not sent again" if parts == 2 and len(arrived) == 1 else "settled"
    if not claims:
        return "before the claim"
    if waiting:
        return "read and unanswered"
    return "answered and unsettled" if arrived else "claimed and unsent"


@contextmanager
def places(kind, request, folder):
    """Give a ledger's place of this kind, as often as asked."""
    if kind == "sqlite":
        folder.mkdir()
        yield databases.SQLitePlace(folder)
    else:
        with request.getfixturevalue("cluster").place() as place:
            yield place


@pytest.mark.parametrize("kind", databases.KINDS)
@pytest.mark.parametrize("guarantee", ["at_least_once", "at_most_once"])
@pytest.mark.parametrize("window", WINDOWS)
def test_a_kill_loses_no_order_and_sends_none_twice(house, tmp_path, request, window, guarantee, kind):
    for round_ in range(request.config.getoption("kills") // 2):
        prefix = f"{kind[0]}{WINDOWS.index(window)}{guarantee[3:8]}{round_}-"
        with places(kind, request, tmp_path / prefix) as place:
            found = kill_in(window, house=house, place=place, guarantee=guarantee, prefix=prefix)
            assert found == window
            fell[kind, guarantee, found] += 1
            nothing_is_lost_or_repeated(house, place, guarantee, prefix)


def nothing_is_lost_or_repeated(house, place, guarantee, prefix):
    running, _, base_url = house
    accepted_before = place.rows("SELECT order_id FROM records WHERE state = 'accepted'")
    assert len(accepted_before) == BEFORE
    sent_before = Counter(i for r in running.platform.requests for i in r.ids)
    began = time.monotonic()
    with deliverer.delivery(place.url, base_url, guarantee, lease=deliverer.SHORT_LEASE) as delivery:
        report = delivery.orders([orders_frame(file_of(prefix))])
        links = delivery.links()
    took = time.monotonic() - began

    assert sorted(links["order_id"]) == sorted(file_of(prefix))
    assert report.counts["pending"] == 0
    assert evidence(place)[0] == 0
    assert took < deliverer.SHORT_LEASE.duration_seconds + 30
    sent = Counter(i for r in running.platform.requests for i in r.ids)
    assert all(sent[order_id] == sent_before[order_id] for (order_id,) in accepted_before)
    orders = running.platform.orders(deliverer.CLIENT_ID)
    mine = {order_id: orders[order_id] for order_id in file_of(prefix) if order_id in orders}
    linked = links[links["outcome"] == "accepted"].set_index("order_id")["internal_id"].to_dict()
    assert linked.items() <= {order_id: order["internal_id"] for order_id, order in mine.items()}.items()
    if guarantee == "at_most_once":
        assert set(links["outcome"]) <= {"accepted", "unconfirmed"}
        assert max((order["processed"] for order in mine.values()), default=1) == 1
    else:
        assert set(links["outcome"]) == {
            "accepted"
        }  # this LeadDone recognises repeats, and the probe finds it out


def test_two_processes_send_the_same_orders_once(house, place):
    """The first one's answer is withheld until the second was seen to try the same orders (rule 11)."""
    running, _, base_url = house
    url, prefix = place.url, f"TWO{place.kind[0]}-"
    place.open().close()
    control(running, "hold")
    first, first_said = deliverer.start(url, base_url, "at_least_once", ids(deliverer.COUNT, prefix))
    eventually(lambda: held(running))
    second, second_said = deliverer.start(url, base_url, "at_least_once", ids(deliverer.COUNT, prefix))
    eventually(lambda: second_said.get(timeout=30) == "waiting for another run")
    control(running, "release")

    counts = [last_counts(said) for said in (first_said, second_said)]
    for process in (first, second):
        process.kill()
        process.join()

    assert [c["accepted"] for c in counts] == [deliverer.COUNT] * 2
    assert [c["sent"] for c in counts] == [deliverer.COUNT, 0]
    orders = running.platform.orders(deliverer.CLIENT_ID)
    assert {o["processed"] for i, o in orders.items() if i.startswith(prefix)} == {1}


def last_counts(said):
    while not isinstance(found := said.get(timeout=30), dict):
        pass
    return found
