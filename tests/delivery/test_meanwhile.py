"""What becomes of an order while its next request waits (delivery.md, rules 20 and 22)."""

import math
from threading import Event, Thread

import httpx
import pytest

from tests.delivery.test_again import Repeating, known
from tests.support import PassingClock, ScriptedServer, delivery_to, ids, orders_frame


@pytest.fixture
def told(place, ledger):
    """A late answer to another run, taken in beside this one: LeadDone has these orders."""
    del ledger

    def take_in(*order_ids):
        for order_id in order_ids:
            place.change(
                f"UPDATE records SET state = 'accepted', internal_id = 'PLT-{order_id}', held = false "
                f"WHERE order_id = '{order_id}'"
            )

    return take_in


def busy_at_first(server_of, meanwhile):
    """A server that says 429 to the first request; meanwhile something happens."""

    def script(_records):
        if len(server_of().bodies) == 1:
            meanwhile()
            return httpx.Response(429, headers={"Retry-After": "5"})
        return None

    return script


@pytest.mark.parametrize(
    ("accepted", "left"), [(["A1"], [["A0", "A2"]]), (["A0", "A1", "A2"], [])], ids=["one", "all"]
)
def test_an_order_that_was_accepted_while_its_batch_waits_is_left_out(ledger, told, accepted, left):
    server = ScriptedServer(busy_at_first(lambda: server, lambda: told(*accepted)))
    report = delivery_to(server, ledger, clock=PassingClock()).orders([orders_frame(ids(3))])

    assert server.bodies[1:] == left
    assert report.counts["accepted"] == 3
    assert set(report.links.query("order_id in @accepted")["internal_id"]) == {f"PLT-{i}" for i in accepted}


def test_an_order_that_was_accepted_while_its_half_waits_is_left_out(ledger, told):
    def script(records):
        if len(records) == 4:
            return httpx.Response(413)
        told("A3")
        return None

    server = ScriptedServer(script)
    report = delivery_to(server, ledger).orders([orders_frame(ids(4))])

    assert server.bodies[1:] == [["A0", "A1"], ["A2"]]
    assert report.counts["accepted"] == 4


class Alarm(PassingClock):
    """Something happens beside, at the first look at the clock after `at`."""

    at = math.inf

    def elapsed(self):
        if self.time > self.at:
            self.at = math.inf
            self.work()
        return super().elapsed()


def test_a_probe_whose_order_was_accepted_while_it_waits_makes_way_for_another(ledger, told):
    clock, server = Alarm(), Repeating("recognises repeats")
    clock.work = lambda: told("A0")

    def soon():
        clock.at = clock.time + 0.5  # Retry-After: 0 is a pause of a second
        return "429"

    server.script = ["lost before", soon]
    report = delivery_to(server, ledger, clock=clock).orders([orders_frame(ids(10))])

    assert [body for body in server.bodies if "A0" in body][1:] == [["A0"]]
    assert known(ledger).repeats == "recognises repeats"
    assert report.counts["accepted"] == 10


@pytest.mark.parametrize("answer", [429, 413])
def test_an_order_that_was_cancelled_while_its_next_request_waits_is_left_out(ledger, answer):
    """A later day's run reads the cancellation meanwhile."""

    def script(_records):
        if len(server.bodies) > 1:
            return None
        delivery.orders([orders_frame(["A1"], skipped="cancelled")], day="2026-11-17")
        return httpx.Response(answer, headers={"Retry-After": "1"})

    server = ScriptedServer(script)
    delivery = delivery_to(server, ledger)
    report = delivery.orders([orders_frame(["A0", "A1"])], day="2026-11-16")

    assert server.bodies == [["A0", "A1"], ["A0"]]
    assert (report.counts["accepted"], report.counts["pending"]) == (1, 1)
    delivery.orders([orders_frame(["A0", "A1"])], day="2026-11-16")
    assert delivery.links().set_index("order_id")["outcome"].to_dict() == {"A0": "accepted", "A1": "skipped"}


def test_a_run_waits_for_an_order_of_unknown_fate_that_another_sends_again(place):
    """Rule 11."""
    waits = Event()

    def script(_records):
        if len(server.bodies) == 1:
            return httpx.Response(500)
        if len(server.bodies) == 2:
            other.start()
            assert waits.wait(60)
        return None

    def second():
        with place.open() as ledger:
            delivery = delivery_to(
                server, ledger, progress=lambda stage, _: stage.startswith("wait") and waits.set()
            )
            reports.append(delivery.orders([orders_frame(["A"])]))

    server, reports = ScriptedServer(script), []
    other = Thread(target=second)
    with place.open() as ledger:
        delivery_to(server, ledger).orders([orders_frame(["A"])])
    other.join()

    assert (reports[0].counts["accepted"], reports[0].requests) == (1, 0)


def test_an_order_that_was_cancelled_while_of_unknown_fate_is_left_to_a_person(ledger):
    """Not even the export of the day before, read again, has it sent; a newer one that has it again does."""
    server = ScriptedServer(lambda _: answers.pop(0) if answers else None)
    answers = [httpx.Response(500), httpx.Response(401)]
    delivery = delivery_to(server, ledger)
    delivery.orders([orders_frame(["A"])], day="2026-11-16")
    delivery.orders([orders_frame(["A"], skipped="cancelled")], day="2026-11-17")
    report = delivery.orders([orders_frame(["A"])], day="2026-11-16")

    assert (report.counts["unconfirmed"], report.requests) == (1, 0)
    assert report.links["held"].tolist() == [True]


def test_an_order_that_was_cancelled_while_in_flight_is_not_sent_again(ledger):
    """A later day's run reads the cancellation while an attempt is under way whose answer never comes."""

    def script(_records):
        if len(server.bodies) > 1:
            return None
        delivery.orders([orders_frame(["A"], skipped="cancelled")], day="2026-11-17")
        return httpx.Response(500)

    server = ScriptedServer(script)
    delivery = delivery_to(server, ledger)
    report = delivery.orders([orders_frame(["A"])], day="2026-11-16")

    assert (report.counts["unconfirmed"], report.requests) == (1, 1)
    assert delivery.orders([orders_frame(["A"])], day="2026-11-16").requests == 0
    assert delivery.orders([orders_frame(["A"])], day="2026-11-18").requests == 0, "a person looks first"
