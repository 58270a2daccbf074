"""How many requests at once, one answer at a time (delivery.md, rules 25 to 27)."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaddone_pipeline.delivery.pace import Pace, Signal
from tests.support import leave_all


def test_it_starts_with_4_and_doubles_after_each_round_of_8_answers_or_more():
    pace = Pace(100, now=0.0)
    waves = []
    for wave in range(5):
        count = 0
        while pace.wait(float(wave)) == 0:
            pace.left(float(wave))
            count += 1
        for _ in range(count):
            pace.answered(wave + 1.0, sent_at=float(wave), signal=Signal.OK, records=200)
        waves.append(count)

    assert waves == [4, 4, 8, 16, 32]


def fly(pace, now, *, seconds=1.0, records=200):
    """Send whatever may leave now; all of it is answered after so many seconds. How many these were."""
    count = leave_all(pace, now)
    for _ in range(count):
        pace.answered(now + seconds, sent_at=now, signal=Signal.OK, records=records)
    return count


# How many at once.


def test_a_round_is_over_with_its_8th_answer_and_not_before():
    pace = Pace(100, now=0.0)
    for round_at, room in ((0.0, 4), (10.0, 8)):
        for number in range(7):
            pace.left(round_at + number)
            pace.answered(round_at + number + 0.5, sent_at=round_at + number, signal=Signal.OK)
        assert leave_all(pace, round_at + 8) == room
        pace.answered(round_at + 8.5, sent_at=round_at + 8, signal=Signal.OK)
        assert leave_all(pace, round_at + 8.5) == room + 1
        for _ in range(2 * room):
            pace.came_back(round_at + 8.5)


def test_concurrency_that_was_not_used_does_not_grow():
    """Rule 25: only a round that filled it shows that the server bears it."""
    pace = Pace(100, now=0.0)
    for number in range(100):
        pace.left(float(number))
        pace.answered(number + 0.5, sent_at=float(number), signal=Signal.OK)

    assert leave_all(pace, 100.0) == 4


def test_crowding_halves_while_it_doubles_and_takes_a_tenth_off_afterwards():
    """Rule 25. Half of what is left in the end is the look at the calm latency."""
    pace = Pace(100, now=0.0)
    flights = [fly(pace, float(10 * number), seconds=1.0 if number < 5 else 2.0) for number in range(7)]

    assert flights == [4, 4, 8, 16, 32, 64, 32]
    assert leave_all(pace, 100.0) == 28 // 2


def test_after_crowding_and_a_timeout_it_grows_by_one_a_round():
    pace = Pace(100, now=0.0)
    assert [fly(pace, float(number), seconds=0.5 if number < 3 else 0.9) for number in range(4)] == [
        4,
        4,
        8,
        16,
    ]
    pace.left(10.0)
    pace.answered(20.0, sent_at=10.0, signal=Signal.SLOW)

    assert [fly(pace, 30.0 + number, seconds=0.5) for number in range(5)] == [4, 4, 5, 5, 6]


@pytest.mark.parametrize("signal", [Signal.SLOW, Signal.UNREACHED])
def test_a_request_that_got_no_answer_halves_the_concurrency_once_a_flight(signal):
    pace = Pace(100, now=0.0)
    assert leave_all(pace, 0.0) == 4
    for _ in range(4):
        pace.answered(1.0, sent_at=0.0, signal=signal)

    assert leave_all(pace, 1.0) == 2


def test_small_batches_say_nothing_about_the_latency_of_usual_ones():
    plain, mixed = Pace(100, now=0.0), Pace(100, now=0.0)
    usual = [fly(plain, float(10 * number)) for number in range(12)]
    among_small = []
    for number in range(12):
        among_small.append(fly(mixed, float(10 * number)))
        fly(mixed, 10 * number + 5.0, seconds=0.01, records=1)

    assert among_small == usual


def flights(seconds, *, rounds=100, connections=8):
    """How many left at once, flight by flight; `seconds` says how long the answers of each take."""
    pace = Pace(connections, now=0.0)
    return [fly(pace, 100.0 * number, seconds=seconds(number)) for number in range(rounds)]


@pytest.mark.parametrize(
    ("seconds", "looks"),
    [
        # After 5 full rounds, then after 40; half the concurrency takes two flights for a round.
        (lambda _: 1.0, [7, 8, 49, 50, 91, 92]),
        # More than a tenth faster: again after 5.
        (lambda number: 1.0 if number < 7 else 0.89, [7, 8, 14, 15, 56, 57, 98, 99]),
        (lambda number: 10.0 if number < 7 else 9.0, [7, 8, 49, 50, 91, 92]),
    ],
)
def test_the_calm_latency_is_looked_up_at_half_the_concurrency(seconds, looks):
    counts = flights(seconds)

    assert counts[:3] == [4, 4, 8]
    assert [number for number in range(2, 100) if counts[number] == 4] == looks
    assert set(counts) == {4, 8}


def test_half_of_an_odd_concurrency_is_the_smaller_half():
    assert set(flights(lambda _: 1.0, connections=5)) == {4, 5, 2}


@pytest.mark.parametrize(
    ("calm", "seconds", "next_flight"), [(5.0, 6.0, 64), (5.0, 6.25, 16), (0.5, 0.625, 16)]
)
def test_latency_more_than_a_fifth_above_the_calm_one_is_crowding(calm, seconds, next_flight):
    flown = flights(lambda number: calm if number < 4 else seconds, rounds=6, connections=100)

    assert flown[4:] == [32, next_flight]


def test_crowding_takes_one_off_at_least_and_leaves_one():
    """A timeout first, so that it no longer doubles; then each round is more crowded than the last."""
    pace = Pace(8, now=0.0)
    assert leave_all(pace, 0.0) == 4
    pace.answered(1.0, sent_at=0.0, signal=Signal.SLOW)
    for _ in range(3):
        pace.answered(1.0, sent_at=0.0, signal=Signal.OK)
    flown = [fly(pace, 100.0 * number, seconds=1.0 if number < 5 else 9.0) for number in range(1, 30)]

    assert flown == [2] * 4 + [3] * 3 + [2] * 4 + [1] * 18


@pytest.mark.parametrize(("records", "grown"), [(180, 8), (179, 4)])
def test_a_batch_of_nine_tenths_of_the_largest_tells_the_latency(records, grown):
    pace = Pace(8, now=0.0)
    pace.left(0.0)
    pace.answered(1.0, sent_at=0.0, signal=Signal.OK, records=200)
    fly(pace, 10.0, records=records)
    fly(pace, 20.0, records=records)

    assert leave_all(pace, 30.0) == grown


def test_an_answer_that_was_looked_at_late_took_as_long_as_it_says():
    told, seen = Pace(64, now=0.0), Pace(64, now=0.0)
    for number in range(6):
        count = leave_all(told, 100.0 * number)
        for _ in range(count):
            told.answered(
                100.0 * number + 50 * (number % 2) + 1,
                sent_at=100.0 * number,
                signal=Signal.OK,
                seconds=1.0,
                records=200,
            )
        assert fly(seen, 100.0 * number) == count


def test_answers_to_what_left_before_a_round_say_nothing_of_it():
    """A timeout begins a new round; 7 answers of the one before and 7 of its own are not enough to grow."""
    pace = Pace(8, now=0.0)
    for _ in range(4):
        pace.left(0.0)
    pace.answered(1.0, sent_at=0.0, signal=Signal.SLOW)
    for _ in range(3):
        pace.answered(2.0, sent_at=0.0, signal=Signal.OK, records=200)
    for number in range(3):
        assert fly(pace, 10.0 * number + 10) == 2
    assert leave_all(pace, 40.0) == 2
    pace.answered(41.0, sent_at=40.0, signal=Signal.OK, records=200)
    pace.answered(41.0, sent_at=40.0, signal=Signal.OK, records=200)

    assert leave_all(pace, 41.0) == 3


# What is told.


def test_what_was_told_before_a_pause_speaks_of_a_window_that_has_ended():
    """Rule 27."""
    pace = Pace(8, now=0.0)
    pace.left(0.0)
    pace.answered(0.1, sent_at=0.0, signal=Signal.OK, remaining=1)
    pace.hold_until(10.0)
    assert leave_all(pace, 10.0) == 4
    pace.answered(10.1, sent_at=10.0, signal=Signal.OK, remaining=5)
    pace.answered(10.1, sent_at=10.0, signal=Signal.OK, remaining=2)

    assert leave_all(pace, 10.1) == 0
    pace.came_back(10.1)
    assert leave_all(pace, 10.1) == 1


def test_no_more_leave_than_the_window_has_left():
    """Rule 27."""
    pace = Pace(8, now=0.0)
    pace.left(0.0)
    pace.answered(0.1, sent_at=0.0, signal=Signal.OK, remaining=3)

    assert leave_all(pace, 0.1) == 3


def test_an_older_answer_does_not_give_back_what_a_newer_one_took():
    pace = Pace(8, now=0.0)
    pace.left(0.0)
    pace.left(0.1)
    pace.answered(0.2, sent_at=0.1, signal=Signal.OK, remaining=1)
    pace.answered(0.3, sent_at=0.0, signal=Signal.OK, remaining=2)

    assert leave_all(pace, 0.3) == 1


def test_when_nothing_remains_one_request_asks():
    pace = Pace(8, now=0.0)
    pace.left(0.0)
    pace.answered(0.1, sent_at=0.0, signal=Signal.OK, remaining=0)

    assert leave_all(pace, 0.1) == 1


def test_another_runs_wait_is_kept():
    pace = Pace(8, now=0.0)
    pace.hold_until(30.0)
    pace.hold_until(20.0)

    assert pace.wait(10.0) == 20.0
    assert pace.wait(30.0) == 0.0


def test_a_request_that_came_back_leaves_room():
    pace = Pace(1, now=0.0)
    pace.left(0.0)
    assert pace.wait(0.0) is None
    pace.came_back(0.0)

    assert pace.wait(0.0) == 0.0


answers = st.tuples(
    st.sampled_from(Signal),
    st.none() | st.floats(0, 100) | st.just(0.0),
    st.none() | st.integers(0, 70),
    st.integers(1, 200),
)
steps = st.lists(
    st.tuples(
        st.sampled_from(["send", "send", "answer", "pass", "held", "back"]),
        st.floats(0, 20),
        answers,
        st.integers(0, 50),
    ),
    max_size=120,
)


@given(steps=steps, connections=st.integers(1, 12))
def test_whatever_is_answered_waits_are_kept_and_a_run_never_hangs(steps, connections):
    """Rule 26, and: never more in flight than allowed, no negative wait, always a next request, no chance."""
    pace, twin = Pace(connections, now=0.0), Pace(connections, now=0.0)
    now, not_before, flying = 0.0, 0.0, []
    for step, seconds, (signal, wait_seconds, remaining, records), choice in steps:
        wait = pace.wait(now)
        assert wait == twin.wait(now)
        assert wait is None or wait >= 0
        assert flying or (wait is not None and wait <= max(0.0, not_before - now) + 61)
        assert wait is None or wait >= not_before - now
        if step == "send" and wait == 0:
            assert now >= not_before
            assert len(flying) < connections
            pace.left(now)
            twin.left(now)
            flying.append(now)
        elif step == "answer" and flying:
            told = {
                "signal": signal,
                "wait_seconds": wait_seconds,
                "remaining": remaining,
                "records": records,
            }
            sent_at = flying.pop(choice % len(flying))
            pace.answered(now, sent_at=sent_at, **told)
            twin.answered(now, sent_at=sent_at, **told)
            if signal == Signal.BUSY:
                not_before = max(not_before, now + (wait_seconds or 0.0))
        elif step == "back" and flying:
            flying.pop()
            pace.came_back(now)
            twin.came_back(now)
        elif step == "held":
            pace.hold_until(now + seconds)
            twin.hold_until(now + seconds)
            not_before = max(not_before, now + seconds)
        else:
            now += min(seconds, wait) if choice % 2 and wait and wait < math.inf else seconds
