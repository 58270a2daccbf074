"""How many requests a second, one answer at a time, and how long a try waits (delivery.md, rules 25 and 26)."""

from __future__ import annotations

import pytest

from leaddone_pipeline.delivery.pace import Pace, Signal, backoff_seconds
from leaddone_pipeline.settings import RetrySettings


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


def test_a_rate_that_is_refused_at_once_is_halved():
    pace = paced()
    pace.left(1.0)
    pace.answered(1.0, sent_at=1.0, signal=Signal.BUSY)

    assert interval_after(pace, 2.0) == 2.0


@pytest.mark.parametrize(
    ("tries", "most"), [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (5, 8.0), (6, 8.0), (5000, 8.0)]
)
def test_a_try_waits_a_random_part_of_a_doubling_bound(tries, most):
    """Rule 25: full jitter."""
    retry = RetrySettings(wait_initial_seconds=0.5, wait_max_seconds=8.0)

    assert backoff_seconds(tries, 0.0, retry) == 0.0
    assert backoff_seconds(tries, 0.25, retry) == most / 4
