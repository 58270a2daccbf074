"""How many requests a second, one answer at a time, and how long a try waits (delivery.md, rules 25 and 26)."""

from __future__ import annotations

import pytest

from leaddone_pipeline.delivery.pace import Pace, Signal, backoff_seconds
from leaddone_pipeline.settings import RetrySettings
from tests.support import leave_all


def paced(*, connections=8):
    """A pace that was refused at once, at 0, and may send one request a second from 1.0 on."""
    pace = Pace(connections, now=0.0)
    pace.left(0.0)
    pace.answered(0.0, sent_at=0.0, signal=Signal.BUSY)
    assert pace.wait(0.0) == 1.0
    return pace


def interval_after(pace, now):
    pace.left(now)
    return pace.wait(now)


def test_after_the_first_429_the_rate_doubles_with_each_answer_to_a_request_that_it_held_back():
    pace, at, intervals = paced(), 1.0, []
    for _ in range(4):
        interval = interval_after(pace, at)
        intervals.append(interval)
        pace.answered(at + interval / 8, sent_at=at, signal=Signal.OK)
        at += interval

    assert intervals == [1.0, 0.5, 0.25, 0.125]


def test_a_request_that_left_before_the_rate_was_raised_does_not_raise_it_again():
    pace = paced()
    pace.left(1.0)
    pace.left(2.0)
    pace.answered(2.5, sent_at=1.0, signal=Signal.OK)
    pace.answered(2.6, sent_at=2.0, signal=Signal.OK)

    assert interval_after(pace, 3.0) == 0.5


@pytest.mark.parametrize(("late", "interval"), [(0.0, 1.0), (0.125, 0.875), (0.25, 0.75), (5.0, 0.75)])
def test_a_sender_that_woke_late_makes_up_for_a_quarter_of_an_interval_at_most(late, interval):
    pace = paced()
    pace.left(1.0)

    assert interval_after(pace, 2.0 + late) == interval


@pytest.mark.parametrize(("late", "interval"), [(0.125, 0.5), (0.25, 0.5), (0.5, 1.0)])
def test_only_a_request_that_the_rate_held_back_shows_that_the_rate_is_borne(late, interval):
    pace = paced()
    pace.left(1.0 + late)
    pace.answered(1.5 + late, sent_at=1.0 + late, signal=Signal.OK)

    assert interval_after(pace, 10.0) == pytest.approx(interval * 0.75)


def test_where_all_connections_were_busy_there_is_no_lateness_to_make_up_for():
    """Nor did the rate hold that request back: its answer raises nothing."""
    pace = paced(connections=1)
    pace.left(1.0)
    pace.came_back(2.125)
    assert interval_after(pace, 2.125) is None
    pace.answered(2.25, sent_at=2.125, signal=Signal.OK)

    assert pace.wait(2.25) == 2.125 + 1.0 - 2.25
    pace.left(3.125)
    pace.came_back(3.125)
    assert pace.wait(3.125) == 1.0


def test_where_a_connection_was_free_just_in_time_it_was_the_rate_that_held_back():
    pace = paced(connections=1)
    pace.left(1.0)
    pace.came_back(2.0)
    pace.left(2.0)
    pace.answered(2.5, sent_at=2.0, signal=Signal.OK)
    pace.left(3.0)
    pace.came_back(3.0)

    assert pace.wait(3.0) == 0.5


def test_where_a_connection_was_free_a_late_answer_changes_nothing():
    pace = paced(connections=2)
    pace.left(1.0)
    pace.came_back(2.125)
    assert interval_after(pace, 2.125) == 0.875
    pace.answered(2.25, sent_at=2.125, signal=Signal.OK)

    assert interval_after(pace, 3.0) == 0.5


@pytest.mark.parametrize("told_again", [False, True])
def test_what_was_taken_since_the_pause_is_the_rate_after_the_first_429(told_again):
    """Also where the same pause is told again, as the ledger tells it (rule 26)."""
    pace = Pace(8, now=0.0)
    pace.hold_until(10.0)
    for _ in range(4):
        pace.left(10.0)
    for _ in range(4):
        pace.answered(10.5, sent_at=10.0, signal=Signal.OK)
    if told_again:
        pace.hold_until(10.0)
    pace.left(11.0)
    pace.answered(11.0, sent_at=11.0, signal=Signal.BUSY)

    assert interval_after(pace, 12.0) == 1 / 2  # 4 in 1 s, and the second that was saved


def test_what_was_taken_since_the_start_is_the_rate_where_there_was_no_pause():
    pace = Pace(8, now=0.0)
    for _ in range(4):
        pace.left(0.0)
    for _ in range(4):
        pace.answered(0.5, sent_at=0.0, signal=Signal.OK)
    refuse(pace, 1.0)

    assert interval_after(pace, 2.0) == 1 / 2


def test_a_search_that_is_refused_goes_back_by_its_last_step():
    pace = paced()
    pace.left(1.0)
    pace.answered(1.0, sent_at=1.0, signal=Signal.BUSY)

    assert interval_after(pace, 2.0) == 2.0


def found():
    """A pace that may send one request a second from 3.0 on; two a second were refused."""
    pace = paced()
    pace.left(1.0)
    pace.answered(1.5, sent_at=1.0, signal=Signal.OK)
    pace.left(2.0)
    pace.answered(2.0, sent_at=2.0, signal=Signal.BUSY)
    return pace


def refuse(pace, at):
    pace.left(at)
    pace.answered(at, sent_at=at, signal=Signal.BUSY)


def rate_at(pace, now):
    """The rate that holds when all is quiet: what one request more puts off the next by."""
    pace.hold_until(now)
    pace.left(now)
    interval = pace.wait(now)
    pace.came_back(now)
    return 1 / interval


@pytest.mark.parametrize(
    ("seconds", "rate"),
    [
        (0.0, 1 / 4),
        (0.99, 1 / 4),
        # At once no longer: half way to what was taken, and the second that was saved counted in.
        (1.0, (0 / 2 + 0.975) / 2),
        (7.75, (0 / 8.75 + 0.975) / 2),
        # Soon no longer.
        (8.0, 0.975),
        (500.0, 0.975),
    ],
)
def test_the_longer_a_rate_was_borne_the_less_is_taken_off_when_it_is_refused(seconds, rate):
    pace = found()
    refuse(pace, 3.0 + seconds)

    assert rate_at(pace, 600.0) == pytest.approx(rate)


def test_each_late_refusal_takes_a_fortieth_off():
    pace = found()
    refuse(pace, 11.0)
    refuse(pace, 20.0)

    assert rate_at(pace, 60.0) == pytest.approx(0.975**2)


def test_of_a_rate_that_is_refused_soon_what_was_taken_since_the_pause_counts_half():
    pace = found()
    for at in (3.0, 4.0, 5.0):
        pace.left(at)
    pace.left(6.5)  # late: what is answered now raises nothing
    for at in (3.0, 4.0, 5.0):
        pace.answered(6.5, sent_at=at, signal=Signal.OK)
    pace.answered(6.5, sent_at=6.5, signal=Signal.BUSY)

    assert rate_at(pace, 60.0) == pytest.approx((3 / 4.5 + 0.975) / 2)


def test_what_left_before_the_pause_counts_neither_as_taken_nor_as_refused():
    pace = found()
    for at in (3.0, 4.0, 5.0, 6.0):
        pace.left(at)
    for at in (3.0, 4.0, 5.0):
        pace.answered(6.0, sent_at=at, signal=Signal.BUSY)  # one quarter, not one sixty-fourth
    pace.answered(6.5, sent_at=6.0, signal=Signal.OK)
    refuse(pace, 9.0)

    assert rate_at(pace, 60.0) == pytest.approx((0 / 3 + 0.975 / 4) / 2)


def test_a_server_that_refuses_everything_is_asked_once_a_minute():
    pace = found()
    for number in range(1, 20):
        refuse(pace, 100.0 * number)
        pace.hold_until(100.0 * number + 100)

    assert rate_at(pace, 5000.0) == pytest.approx(1 / 60)


def rates(pace, at, count):
    """The rate that holds for each of so many requests, all held back by it and answered before the next."""
    found = []
    for _ in range(count):
        pace.left(at)
        interval = pace.wait(at)
        pace.answered(at + interval, sent_at=at, signal=Signal.OK)
        at += interval
        found.append(1 / interval)
    return found


def test_far_below_the_refused_rate_it_climbs_by_three_tenths_of_the_way_a_second():
    """To 0.985 of it; 1 a second is half of it."""
    assert rates(found(), 3.0, 3) == pytest.approx([1.0, 1.1457, 1.1457 + 0.3 * (0.985 - 0.57285) + 0.0002])


def test_near_the_refused_rate_it_creeps_and_beyond_it_it_searches_again():
    pace = found()
    refuse(pace, 11.0)  # 1 a second was refused, late
    seen = rates(pace, 12.0, 120)
    beyond = next(number for number, rate in enumerate(seen) if rate > 1.002)
    creeping = [rate for rate in seen[: beyond + 1] if rate > 0.99]

    assert seen[0] == pytest.approx(0.975)
    assert creeping == pytest.approx([creeping[0] + 0.0002 * number for number in range(len(creeping))])
    assert seen[beyond] < 1.0023
    assert seen[beyond : beyond + 4] == pytest.approx([seen[beyond] * 2**step for step in range(4)])


@pytest.mark.parametrize(
    ("wait_seconds", "remaining", "at_once"),
    [(60.0, 0, 4), (60.0, None, 1), (None, 0, 1), (0.0, 0, 1), (None, None, 1)],
)
def test_the_429_of_a_counted_window_changes_no_rate(wait_seconds, remaining, at_once):
    """Rule 27: the next window is used at once. Without a time to wait it is no window."""
    pace = Pace(8, now=0.0)
    pace.left(0.0)
    pace.answered(0.5, sent_at=0.0, signal=Signal.BUSY, wait_seconds=wait_seconds, remaining=remaining)

    assert pace.wait(0.5) == max(1.0, wait_seconds or 0.0)
    assert leave_all(pace, 60.5) == at_once


@pytest.mark.parametrize(("told", "waits"), [(None, 1.0), (0.0, 1.0), (0.5, 1.0), (1.5, 1.5), (30.0, 30.0)])
def test_a_429_is_waited_for_as_told_and_for_a_second_at_least(told, waits):
    """Rule 26."""
    pace = Pace(8, now=0.0)
    pace.left(0.0)
    pace.answered(0.5, sent_at=0.0, signal=Signal.BUSY, wait_seconds=told)

    assert pace.wait(0.5) == waits


@pytest.mark.parametrize(
    ("tries", "most"), [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (5, 8.0), (6, 8.0), (5000, 8.0)]
)
def test_a_try_waits_a_random_part_of_a_doubling_bound(tries, most):
    """Rule 25: full jitter."""
    retry = RetrySettings(wait_initial_seconds=0.5, wait_max_seconds=8.0)

    assert backoff_seconds(tries, 0.0, retry) == 0.0
    assert backoff_seconds(tries, 0.25, retry) == most / 4
