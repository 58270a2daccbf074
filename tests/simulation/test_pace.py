"""The pace against modelled servers in virtual time (delivery.md, rules 25 to 27). `-s` prints every figure."""

from __future__ import annotations

import random

import pytest

from leaddone_pipeline.delivery.pace import Pace, Signal
from tests.simulation.limits import FixedWindow, Reply, TokenBucket, Workers, deliver

LATENCIES = [0.005, 0.05, 0.5]
SETTLED = 60.0


def buckets():
    """Each rate, burst and latency; with 8 connections, and with enough where 8 cannot reach the limit."""
    for rate, seconds in ((1, 400), (20, 120), (500, 60)):
        for burst in sorted({1, rate}):
            for latency in LATENCIES:
                for connections in {8, max(8, int(rate * latency * 1.6))}:
                    yield rate, burst, latency, connections, seconds


@pytest.mark.parametrize(("rate", "burst", "latency", "connections", "seconds"), list(buckets()))
def test_a_token_bucket_is_used_to_95_percent_with_at_most_5_percent_refused(
    rate, burst, latency, connections, seconds
):
    """Rule 25. From the first request on for the part refused; after a minute of learning for the rate."""
    allowed = min(rate, connections / latency)
    server = TokenBucket(rate, burst=burst, latency=latency, names_wait=True)
    log = deliver(server, Pace(connections, now=0.0), until=SETTLED + seconds)
    cold, settled = log.between(0, SETTLED + seconds), log.between(SETTLED, SETTLED + seconds)
    print(
        f"\nbucket {rate:3}/s burst {burst:3} latency {latency * 1000:3.0f} ms x{connections:3}: allowed "
        f"{allowed:5.1f}/s, achieved {settled.rate / allowed:6.1%}, 429 {settled.busy:5.2%} of "
        f"{settled.answers}; from the start {cold.rate / allowed:6.1%}, 429 {cold.busy:5.2%}"
    )

    assert settled.answers >= 200
    assert settled.rate >= 0.95 * allowed
    assert settled.busy <= 0.05
    assert cold.busy <= 0.05


@pytest.mark.parametrize("latency", LATENCIES)
@pytest.mark.parametrize(("rate", "burst"), [(1, 1), (5, 1), (5, 5), (20, 1), (20, 20), (500, 1), (500, 500)])
def test_what_learning_costs_is_won_back_within_ten_minutes(rate, burst, latency):
    """Rule 25, from the first request on: each 429 that teaches something costs at least the second it names."""
    server = TokenBucket(rate, burst=burst, latency=latency, names_wait=True)
    pace = Pace(max(8, int(rate * latency * 1.6)), now=0.0)
    whole = deliver(server, pace, until=600).between(0, 600)
    print(
        f"\nfrom the start, {rate:3}/s burst {burst:3} latency {latency * 1000:3.0f} ms: "
        f"achieved {whole.rate / rate:.1%}, 429 {whole.busy:.2%} of {whole.answers}"
    )

    assert whole.rate >= 0.95 * rate
    assert whole.busy <= 0.05


@pytest.mark.parametrize(("rate", "burst"), [(1, 1), (20, 1), (20, 20)])
@pytest.mark.parametrize("latency", LATENCIES)
def test_a_limit_that_names_no_wait_is_found_as_well(rate, burst, latency):
    server = TokenBucket(rate, burst=burst, latency=latency, names_wait=False)
    log = deliver(server, Pace(16, now=0.0), until=SETTLED + 240)
    settled = log.between(SETTLED, SETTLED + 240)
    print(
        f"\nno Retry-After, {rate:2}/s burst {burst:2} latency {latency * 1000:3.0f} ms: "
        f"achieved {settled.rate / rate:.1%}, 429 {settled.busy:.2%} of {settled.answers}"
    )

    assert settled.rate >= 0.95 * rate
    assert settled.busy <= 0.05


@pytest.mark.parametrize("latency", LATENCIES)
def test_a_fixed_window_is_used_whole_with_one_refusal_a_window(latency):
    """Rule 27: 60 a minute, as Laravel counts them; the whole window leaves at once when it opens."""
    server = FixedWindow(60, seconds=60, latency=latency)
    log = deliver(server, Pace(8, now=0.0), until=600)
    whole = log.between(0, 600)
    refused = round(whole.busy * whole.answers)
    print(
        f"\nwindow 60/min latency {latency * 1000:3.0f} ms: achieved {whole.rate:.1%}, "
        f"{refused} refused in {server.windows} windows"
    )
    opened_at = next(sent for sent, _, _ in log.answers if sent > 30)
    at_once = sum(opened_at <= sent <= opened_at + 10 * latency for sent, _, _ in log.answers)

    assert server.windows == 10
    assert whole.rate >= 0.95
    assert refused <= server.windows
    assert at_once >= 60


@pytest.mark.parametrize("latency", LATENCIES)
@pytest.mark.parametrize(
    ("rate", "burst"), [(20, 1), (20, 20), (33, 1), (33, 33), (130, 1), (500, 1), (500, 500)]
)
def test_a_fall_to_a_tenth_is_followed_in_10_seconds(rate, burst, latency):
    server = TokenBucket(rate, burst=burst, latency=latency, names_wait=True)

    def fall():
        server.rate, server.burst = rate / 10, max(1, burst / 10)

    pace = Pace(max(8, int(rate * latency * 1.6)), now=0.0)
    log = deliver(server, pace, until=250, events={50.0: fall})
    after = log.between(60, 250)
    print(
        f"\nfall {rate:3}/s to {rate / 10:2.0f}/s burst {burst:3} latency {latency * 1000:3.0f} ms: after 10 s "
        f"achieved {after.rate * 10 / rate:6.1%}, 429 {after.busy:.2%} of {after.answers}"
    )

    assert after.answers >= 200
    assert after.rate >= 0.95 * rate / 10
    assert after.busy <= 0.05


@pytest.mark.parametrize("latency", LATENCIES)
def test_a_rise_is_found_within_two_minutes(latency):
    server = TokenBucket(5, burst=5, latency=latency, names_wait=True)

    def rise():
        server.rate, server.burst = 50, 50

    log = deliver(server, Pace(64, now=0.0), until=300, events={100.0: rise})
    found = next(at for at in range(100, 300) if log.between(at, at + 1).rate >= 45)
    print(f"\nrise 5/s to 50/s latency {latency * 1000:3.0f} ms: found after {found - 100} s")

    assert found <= 220
    assert log.between(220, 300).rate >= 0.95 * 50
    assert log.between(100, 300).busy <= 0.05


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 6, 8, 16])
def test_a_knee_in_latency_is_found(workers):
    """Rule 25: all workers busy, and hardly anything waiting for them."""
    log = deliver(Workers(workers, latency=0.05), Pace(4 * workers + 4, now=0.0), until=60)
    settled = log.between(20, 60)
    print(
        f"\n{workers:2} workers: achieved {settled.rate * 0.05 / workers:.1%}, latency "
        f"{settled.latency / 0.05:.2f} times the base"
    )

    assert settled.rate >= 0.95 * workers / 0.05
    assert settled.latency <= 1.5 * 0.05


@pytest.mark.parametrize("seed", range(4))
def test_latency_that_varies_by_half_is_not_taken_for_crowding(seed):
    class Unsteady:
        chance = random.Random(seed)

        def reply(self, now):
            return Reply(now + 0.05 * self.chance.uniform(0.5, 1.5))

    settled = deliver(Unsteady(), Pace(8, now=0.0), until=60).between(10, 60)
    print(f"\nunsteady latency: {settled.rate * 0.05 / 8:.1%} of what 8 connections carry")

    assert settled.rate >= 0.9 * 8 / 0.05


def test_a_sender_that_wakes_a_little_late_loses_nothing():
    chance = random.Random(1)
    server = TokenBucket(500, burst=500, latency=0.005, names_wait=True)
    log = deliver(server, Pace(8, now=0.0), until=60, late=lambda: chance.uniform(0.0001, 0.0004))

    assert log.between(30, 60).rate >= 0.95 * 500


@pytest.mark.parametrize("remaining", [None, 0])
@pytest.mark.parametrize("wait_seconds", [None, 0.0])
def test_a_429_without_a_wait_is_no_invitation_to_a_flood(wait_seconds, remaining):
    """Rule 26: a server that refuses everything is asked a handful of times in its first minute."""

    class Closed:
        def reply(self, now):
            return Reply(now + 0.005, Signal.BUSY, wait_seconds, remaining=remaining)

    log = deliver(Closed(), Pace(8, now=0.0), until=3600)

    assert log.between(0, 60).answers <= 15
    assert log.between(600, 3600).answers <= 60
    assert log.between(600, 3600).answers >= 40
