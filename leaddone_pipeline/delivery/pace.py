"""Pure: when a request may leave (delivery.md, D).

Two limits are learnt side by side, since servers limit in two ways. The concurrency answers crowding: what
waits in a queue comes back later. The rate answers 429: a counted limit is the same however fast a server is.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leaddone_pipeline.settings import RetrySettings

__all__ = ["Pace", "Signal", "backoff_seconds"]

FIRST_CONCURRENCY = 4
ROUND_ANSWERS = 8
"""A mean over fewer latencies says too little; a round is never shorter than the concurrency either."""
CROWDED = 1.2
"""Beyond this many times the calm latency requests queue. Ordinary jitter stays below it in the mean of a round."""
CALM_EVERY = 40
"""Full rounds between two looks at the calm latency: half the concurrency for one round costs 2 % at most."""
CALM_SOON = 5
"""The same, after a look that found the server a tenth faster: it may still have been crowded then."""

SHORTEST_PAUSE = 1.0
"""Seconds after any 429, also if it names none or 0. A bucket of one second's worth is then full again."""
FIRST_RATE = 1.0
"""Requests a second, at least, when the first 429 comes: a single answer is soon there and doubles it."""
SLOWEST = 1 / 60
"""Requests a second: once a minute, Laravel's usual window, it is asked again in any case."""
BACK = 0.975
CREEP = 0.0002
"""Relative growth a second near the limit. From 0.975 of it to the next 429 takes 80 s, so that a pause of 2 s
(half a second of latency) and the mean distance from the limit cost 4 % together, and 5 % may be lost."""
CLIMB = 0.3
NEAR = 0.985
"""Farther below the refused rate it grows by 0.3 of the way to 0.985 of it a second: 9 tenths of it in 8 s."""
BEYOND = 1.002
"""So far above the rate that was refused last, the limit itself must have risen."""
AT_ONCE = 1.0
"""Seconds. A bucket that saved up a second's worth hides twice the limit for so long."""
SOON = 8.0
"""Seconds. It hides 9/8 of the limit for so long."""
SLACK = 0.25
"""How much of an interval a sender that woke late may make up for."""


def backoff_seconds(tries: int, chance: float, retry: RetrySettings) -> float:
    """How long to wait before the next try of a batch: full jitter below a doubling bound (rule 25).

    Args:
        tries: how many tries the batch has behind it, from 1.
        chance: a random number in [0, 1).
        retry: the bounds.
    """
    return chance * min(retry.wait_max_seconds, retry.wait_initial_seconds * 2.0 ** min(tries - 1, 30))


class Signal(StrEnum):
    """What an attempt says about the pace."""

    OK = "ok"
    """Any usable answer."""
    BUSY = "busy"
    """429, or 503 with Retry-After."""
    SLOW = "slow"
    """Timeout, 5xx, or anything of unknown fate."""
    UNREACHED = "unreached"


class Pace:
    """How many requests may be in flight, and when the next may leave. All times are monotonic seconds.

    Concurrency (rule 25) starts at 4 and doubles with each round of answers until the first sign of crowding;
    then it grows by one a round. Either only if the round filled it. A timeout or a failed connection halves it.
    A round whose mean latency is a fifth above the calm one takes a tenth off, at least one (half, while it
    doubles). Calm is the latency at half the concurrency; it is looked up now and then, since the sender may
    have met the server crowded already.

    Rate (rule 25) is unlimited until the first 429, which pauses everything for as long as it says. Then it is
    what the server took in the seconds before, and doubles with each answer until the next 429. From there it
    climbs quickly towards the rate that was refused and creeps when near it. The search goes back by its last
    step. A refused rate that lasted was nearly right, and 2.5 % are taken off. One that was refused soon may have
    fed on what the server had saved up: half way back to what was taken since the pause, the second that was
    saved counted in. One that was refused at once was far off: a quarter of it.

    A counted window (rule 27) is known by `remaining`: no more in flight than that, and its 429 changes neither
    rate nor concurrency, so that the next window is used at once. When nothing remains, a single request asks.
    """

    def __init__(self, max_concurrency: int, *, now: float) -> None:
        self._max_concurrency = max_concurrency
        self._in_flight = 0
        self._held_until = now
        # When the request left that knows most of its window, and minus what remained of it then.
        self._told = (-math.inf, 0.0)

        self._concurrency = min(FIRST_CONCURRENCY, max_concurrency)
        self._doubling = True
        self._narrowed_at = now
        self._calm_seconds = math.inf
        self._calm_in = CALM_SOON
        self._most_records = 0
        self._filled: bool
        self._begin_round(now)

        self._rate = math.inf
        self._refused_rate = math.inf
        self._searching = True
        self._raised_at = now
        self._taken = 0  # accepted of those that left after the last pause
        self._next_at = now
        self._was_full = False
        self._paced = False  # the rate, and nothing else, decided when the last request left

    def wait(self, now: float) -> float | None:
        """Seconds until one more request may leave, 0.0 for now; None: only after an answer came."""
        if self._in_flight >= self._room():
            return None
        return max(0.0, self._held_until - now, self._next_at - now)

    def left(self, now: float) -> None:
        """A request leaves."""
        self._in_flight += 1
        self._filled = self._filled or self._in_flight >= self._concurrency
        interval = 1 / self._rate
        due = max(self._next_at, self._held_until)
        self._paced = not self._was_full and now - due <= SLACK * interval
        self._was_full = False
        self._next_at = max(due, now - SLACK * interval) + interval

    def came_back(self, now: float) -> None:
        """A request that was counted by `left` did not leave after all."""
        if self._in_flight >= self._room() and self._next_at < now:
            self._was_full = True
            self._next_at = now  # nothing could leave before: no lateness to make up for
        self._in_flight -= 1

    def answered(
        self,
        now: float,
        *,
        sent_at: float,
        signal: Signal,
        seconds: float | None = None,
        wait_seconds: float | None = None,
        remaining: int | None = None,
        records: int = 1,
    ) -> None:
        """A request ended: when it left, how it went, its Retry-After and X-RateLimit-Remaining if told, its size.

        `seconds` is how long its answer took, where it was not looked at at once.
        Batches much smaller than the others are fast, and say nothing about crowding.
        """
        self.came_back(now)
        if remaining is not None:
            self._told = max(self._told, (sent_at, -remaining))
        match signal:
            case Signal.OK:
                if sent_at >= self._held_until:
                    self._taken += 1
                    self._faster(now, sent_at)
                self._measure(now, sent_at, now - sent_at if seconds is None else seconds, records)
            case Signal.BUSY:
                counted = remaining is not None and wait_seconds
                if not counted and sent_at >= self._held_until:
                    self._slower(sent_at)
                self.hold_until(now + max(wait_seconds or 0.0, SHORTEST_PAUSE))
            case Signal.SLOW | Signal.UNREACHED:
                if sent_at >= self._narrowed_at:  # the others of that flight say the same thing again
                    self._narrow(now, 0.5)

    def hold_until(self, at: float) -> None:
        """Let nothing leave before `at`: a Retry-After, also one that another run was told (rule 26)."""
        if at > self._held_until:
            self._held_until = at
            self._taken = 0

    def _room(self) -> float:
        """How many may be in flight. What was told before a pause speaks of a window that has ended."""
        told_at, minus_remaining = self._told
        remaining = max(1, -minus_remaining) if told_at >= self._held_until else math.inf
        calm = 2 if self._calm_in == 0 else 1
        return min(max(1, self._concurrency // calm), remaining)

    def _slower(self, sent_at: float) -> None:
        """The first 429 after a pause; those in flight with it are no news."""
        spell = sent_at - self._held_until
        taken_rate = self._taken / (spell + SHORTEST_PAUSE)
        if self._rate == math.inf:
            self._rate = max(taken_rate, FIRST_RATE)
            return
        self._refused_rate = self._rate
        if self._searching:
            self._rate /= 2
        elif spell < AT_ONCE:
            self._rate /= 4
        elif spell < SOON:
            self._rate = (taken_rate + BACK * self._rate) / 2
        else:
            self._rate *= BACK
        self._rate = max(self._rate, SLOWEST)
        self._searching = False

    def _faster(self, now: float, sent_at: float) -> None:
        """One more was taken. Only a rate that held requests back has shown that it is not too high."""
        if not self._paced:
            return
        if self._searching:
            if sent_at >= self._raised_at:
                self._rate *= 2
                self._raised_at = now
            return
        # One answer stands for 1/rate seconds, so what is added here is the relative growth a second.
        self._rate += CREEP + CLIMB * max(0.0, NEAR - self._rate / self._refused_rate)
        self._searching = self._rate > BEYOND * self._refused_rate

    def _measure(self, now: float, sent_at: float, seconds: float, records: int) -> None:
        """One more latency. Only requests that left in this round count, and only batches of the usual size."""
        self._most_records = max(self._most_records, records)
        if sent_at < self._round_at or records < 0.9 * self._most_records:
            return
        self._answers += 1
        self._seconds += seconds
        if self._answers >= max(ROUND_ANSWERS, self._concurrency):
            self._end_round(now, self._seconds / self._answers)

    def _end_round(self, now: float, mean_seconds: float) -> None:
        if self._calm_in == 0 or self._calm_seconds == math.inf:
            self._calm_in = CALM_SOON if mean_seconds < 0.9 * self._calm_seconds else CALM_EVERY
            self._calm_seconds = mean_seconds
        else:
            self._calm_in -= self._filled
        if mean_seconds > CROWDED * self._calm_seconds:
            self._narrow(now, 0.5 if self._doubling else 0.9)
        elif self._filled:
            more = self._concurrency if self._doubling else 1
            self._concurrency = min(self._max_concurrency, self._concurrency + more)
        self._begin_round(now)

    def _narrow(self, now: float, factor: float) -> None:
        self._concurrency = max(1, int(self._concurrency * factor))  # one at least is taken off
        self._doubling = False
        self._narrowed_at = now
        self._begin_round(now)

    def _begin_round(self, now: float) -> None:
        self._round_at, self._answers, self._seconds, self._filled = now, 0, 0.0, False
