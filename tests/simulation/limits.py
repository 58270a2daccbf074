"""Modelled servers with limits, and a sender in virtual time: what a `Pace` makes of them, in numbers."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from leaddone_pipeline.delivery.pace import Pace, Signal

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH = 200
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server says to one request, and when.

    Attributes:
        at: when the answer is there, virtual seconds.
        wait_seconds: its Retry-After.
        remaining: its X-RateLimit-Remaining.
    """

    at: float
    signal: Signal = Signal.OK
    wait_seconds: float | None = None
    remaining: int | None = None


class Server(Protocol):
    """Takes requests in the order in which they arrive."""

    def reply(self, now: float) -> Reply: ...


class TokenBucket:
    """`rate` requests a second, `burst` of them at once; a refusal may name whole seconds, rounded up."""

    def __init__(self, rate: float, *, burst: float, latency: float, names_wait: bool) -> None:
        self.rate = rate
        self.burst = burst
        self.latency = latency
        self.names_wait = names_wait
        self._tokens = burst
        self._at = 0.0

    def reply(self, now: float) -> Reply:
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens >= 1 - _ROUNDING:
            self._tokens -= 1
            return Reply(now + self.latency)
        wait = math.ceil((1 - self._tokens) / self.rate) if self.names_wait else None
        return Reply(now + self.latency, Signal.BUSY, wait)


class FixedWindow:
    """Laravel's limiter: a window opens with the first request after the last has ended (rule 27)."""

    def __init__(self, limit: int, *, seconds: float, latency: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self.latency = latency
        self._ends = 0.0
        self._used = 0
        self.windows = 0

    def reply(self, now: float) -> Reply:
        if now >= self._ends - _ROUNDING:
            self._ends, self._used = now + self.seconds, 0
            self.windows += 1
        if self._used < self.limit:
            self._used += 1
            return Reply(now + self.latency, remaining=self.limit - self._used)
        return Reply(now + self.latency, Signal.BUSY, math.ceil(self._ends - now - _ROUNDING), remaining=0)


class Workers:
    """No limit but `count` workers, each busy with a request for `latency`; the others queue: a knee."""

    def __init__(self, count: int, *, latency: float) -> None:
        self.latency = latency
        self._free_at = [0.0] * count

    def reply(self, now: float) -> Reply:
        done = max(now, heapq.heappop(self._free_at)) + self.latency
        heapq.heappush(self._free_at, done)
        return Reply(done)


@dataclass(slots=True)
class Log:
    """What came back: one entry an answer, in the order of the answers."""

    answers: list[tuple[float, float, Signal]] = field(default_factory=list)
    most_in_flight: int = 0

    def between(self, start: float, end: float) -> Share:
        kept = [(sent, at, signal) for sent, at, signal in self.answers if start <= at < end]
        fine = [at - sent for sent, at, signal in kept if signal == Signal.OK]
        busy = sum(signal == Signal.BUSY for _, _, signal in kept)
        return Share(
            len(fine) / (end - start), busy / max(1, len(kept)), sum(fine) / max(1, len(fine)), len(kept)
        )


@dataclass(frozen=True, slots=True)
class Share:
    """Accepted requests a second, the part answered 429, the mean latency of the accepted, all answers."""

    rate: float
    busy: float
    latency: float
    answers: int


def deliver(
    server: Server,
    pace: Pace,
    *,
    until: float,
    late: Callable[[], float] = lambda: 0.0,
    events: dict[float, Callable[[], None]] | None = None,
) -> Log:
    """Send without end whatever the pace lets leave, until `until` virtual seconds.

    Args:
        late: how much later than asked the sender wakes.
        events: what happens to the server at which time.
    """
    log = Log()
    due: list[tuple[float, int, float, Reply | Callable[[], None]]] = []
    for number, (at, event) in enumerate((events or {}).items()):
        heapq.heappush(due, (at, number - 1_000, at, event))
    now, number, in_flight = 0.0, 0, 0
    while now < until:
        wait = pace.wait(now)
        if wait == 0:
            pace.left(now)
            number, in_flight = number + 1, in_flight + 1
            log.most_in_flight = max(log.most_in_flight, in_flight)
            reply = server.reply(now)
            heapq.heappush(due, (reply.at, number, now, reply))
            continue
        wake = math.inf if wait is None else now + wait + late()
        if not due or wake < due[0][0]:
            now = max(wake, math.nextafter(now, math.inf))
            continue
        now, _, sent_at, what = heapq.heappop(due)
        if not isinstance(what, Reply):
            what()
            continue
        in_flight -= 1
        log.answers.append((sent_at, now, what.signal))
        pace.answered(
            now,
            sent_at=sent_at,
            signal=what.signal,
            wait_seconds=what.wait_seconds,
            remaining=what.remaining,
            records=BATCH,
        )
    return log
