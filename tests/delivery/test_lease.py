"""A run that slept while another one took it over (delivery.md, rules 10 and 12)."""

import httpx
import pytest

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.delivery.lease import Lease
from leaddone_pipeline.errors import LeadDoneUnavailable
from leaddone_pipeline.ledger import claiming, leasing, recording
from leaddone_pipeline.settings import Account, LeaseSettings
from tests.support import PassingClock, ScriptedServer, delivery_to, ids, orders_frame


class Sleeper:
    """A lease, the time of its ledger and of its process, and a claim of one order."""

    def __init__(self, place):
        self.clock = PassingClock()
        self.place = place
        self.ledger = place.open_frozen()
        self.account = self.write(recording.open_account, Account("https://a.test", "c"))
        row = {"account_id": self.account, "kind": Kind.ORDERS, "shop": "s", "state": "pending"}
        self.write(recording.add, [row | {"order_id": name, "content_hash": b"h"} for name in "AB"])
        self.lease = Lease(
            self.ledger,
            account_id=self.account,
            kind=Kind.ORDERS,
            shop="s",
            settings=LeaseSettings(),
            clock=self.clock,
        )
        self.held = self.claim(1)

    def write(self, work, *arguments, **named):
        return self.ledger.write(lambda connection: work(connection, *arguments, **named))

    def claim(self, number):
        named = {"run_id": self.lease.run_id, "wanted": [(number, b"h")], "states": {"pending"}}
        return self.write(claiming.claim, self.ledger.now(), **named).claim

    def sleep(self):
        self.clock.sleep(60)
        self.place.pass_time(60)

    def sleep_and_be_taken_over(self):
        self.sleep()
        self.write(
            leasing.take_over,
            self.ledger.now(),
            account_id=self.account,
            kind=Kind.ORDERS,
            hold=True,
            enough=5,
        )


@pytest.fixture
def sleeper(place):
    made = Sleeper(place)
    yield made
    made.lease.end(stopped=None)
    made.ledger.close()


def test_it_sends_nothing_of_what_was_taken_over(sleeper):
    sleeper.sleep_and_be_taken_over()

    assert not sleeper.lease.may_send(sleeper.held)
    assert sleeper.lease.lost


def test_no_other_claim_makes_an_old_one_fresh_again(sleeper):
    sleeper.sleep_and_be_taken_over()
    other = sleeper.claim(2)

    assert not sleeper.lease.may_send(other)
    assert not sleeper.lease.may_send(sleeper.held)


def test_a_renewal_that_comes_too_late_does_not_bring_the_run_back(sleeper):
    sleeper.sleep_and_be_taken_over()
    sleeper.lease.renew()

    assert sleeper.lease.lost
    assert not sleeper.lease.may_send(sleeper.held)


def test_a_lapsed_lease_that_nobody_took_over_is_simply_renewed(sleeper):
    sleeper.sleep()

    assert sleeper.lease.may_send(sleeper.held)


def test_a_wait_that_is_too_long_stops_the_next_run_too(ledger):
    """Rule 26: it does not sleep a day away."""
    clock = PassingClock()
    server = ScriptedServer(lambda _: httpx.Response(429, headers={"retry-after": "86400"}))
    delivery_to(server, ledger, clock=clock).orders([orders_frame(ids(5))])
    began = clock.time
    report = delivery_to(server, ledger, clock=clock).orders([orders_frame(ids(5))])

    assert isinstance(report.stopped, LeadDoneUnavailable)
    assert (report.counts["pending"], report.requests) == (5, 0)
    assert clock.time - began < 1


def test_a_retry_after_of_zero_is_no_flood(ledger):
    clock = PassingClock()
    server = ScriptedServer(lambda _: httpx.Response(429, headers={"retry-after": "0"}))
    report = delivery_to(server, ledger, clock=clock).orders([orders_frame(ids(5))])

    assert isinstance(report.stopped, LeadDoneUnavailable)
    assert report.requests < 2000
