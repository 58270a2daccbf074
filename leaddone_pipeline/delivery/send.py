"""Claimed batches on their way: a thread pool in which each batch is sent until its records are settled.

What an answer means is decided in decide.py; here are the threads, the requests and the waits.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.delivery.decide import End, Halving, Health, Sent, Step, after_answer
from leaddone_pipeline.delivery.pace import backoff_seconds
from leaddone_pipeline.delivery.stops import long_wait, stop_reason, taken_over
from leaddone_pipeline.errors import LeadDoneError
from leaddone_pipeline.ledger import Claim, Ledger, claiming, settling
from leaddone_pipeline.webhook import Answer, body, read_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor, Future

    from sqlalchemy import Connection

    from leaddone_pipeline.delivery.lease import Clock, Lease
    from leaddone_pipeline.delivery.prepare import Item
    from leaddone_pipeline.settings import RetrySettings

__all__ = ["Client", "Sender"]

_NAP_SECONDS = 0.25


class Client(Protocol):
    """What a delivery needs of a `LeadDoneClient`: one attempt a call."""

    def send(self, kind: Kind, body: bytes) -> Answer: ...


@dataclass(slots=True)
class _Family:
    """An original batch and all its parts; they are sent one after the other by one worker."""

    halving: Halving = field(default_factory=Halving)
    unreached_since: float | None = None
    busy_since: float | None = None


@dataclass(frozen=True, slots=True)
class _Job:
    """One request to come."""

    claim: Claim
    items: tuple[Item, ...]
    family: _Family
    refusals: int = 0
    tries: int = 0
    not_before: float = 0.0


class Sender:
    """Sends batches of one run, at most `max_concurrency` at once, and writes down what came of them.

    Args:
        executor: runs the workers; its threads are the requests at once.
        slots: batches claimed ahead, at most (rule 9).
        chance: random numbers in [0, 1) for the jitter.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        client: Client,
        lease: Lease,
        account_id: int,
        kind: Kind,
        retry: RetrySettings,
        executor: Executor,
        slots: int,
        clock: Clock,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._ledger = ledger
        self._client = client
        self._lease = lease
        self._account_id = account_id
        self._kind = kind
        self._retry = retry
        self._executor = executor
        self._slots = threading.Semaphore(slots)
        self._clock = clock
        self._chance = chance
        self._not_before = 0.0
        self.began = clock.elapsed()
        self.run_id = lease.run_id
        self._lock = threading.Lock()
        self._underway: set[Future[None]] = set()
        self.health = Health()
        self.requests = 0
        self.sent = 0
        self.stopped: LeadDoneError | None = None
        self.last_words = ""
        self.strangers = 0

    def submit(self, items: Sequence[Item]) -> list[Item]:
        """Claim a batch and send it, waiting for a free slot first.

        Returns:
            The records that another claim holds; nothing was done about them (rule 11).
        """
        self._slots.acquire()
        try:
            job, busy = self._claim(items)
        except BaseException:
            self._slots.release()
            raise
        if job is None:
            self._slots.release()
            return busy
        future = self._executor.submit(self._work, job)
        self._underway.add(future)
        future.add_done_callback(lambda _: self._slots.release())
        self._reap(wait=False)
        return busy

    def drain(self) -> None:
        """Wait until every batch under way is settled; raises what a worker raised."""
        self._reap(wait=True)

    def stop(self, reason: LeadDoneError) -> None:
        """Let requests in flight end, and send nothing more; the first reason stands."""
        with self._lock:
            self.stopped = self.stopped or reason

    def _reap(self, *, wait: bool) -> None:
        for future in list(self._underway):
            if wait or future.done():
                self._underway.discard(future)
                future.result()

    def _claim(self, items: Sequence[Item]) -> tuple[_Job | None, list[Item]]:
        if self.stopped:
            return None, []
        claimed = self._ledger.write(
            lambda connection: claiming.claim(
                connection,
                self._ledger.now(),
                run_id=self.run_id,
                wanted=[(item.number, item.content_hash) for item in items],
                as_recorded=self._kind == Kind.TRACKING,
            )
        )
        wait = 0.0 if claimed.wait_until is None else claimed.wait_until - self._clock.now()
        if wait > self._retry.longest_wait_seconds:
            self.stop(long_wait(wait))
        self._hold_off(wait)
        busy = [item for item in items if item.number in claimed.busy]
        if claimed.claim is None:
            return None, busy
        chosen = set(claimed.claim.numbers)
        return _Job(claimed.claim, tuple(i for i in items if i.number in chosen), _Family()), busy

    def _work(self, job: _Job) -> None:
        """Send a batch and then its parts, the first half first, until all are settled."""
        try:
            stack = [job]
            while stack:
                stack.extend(reversed(self._attempt(stack.pop())))
        except LeadDoneError as error:
            self.stop(error)
            raise

    def _attempt(self, job: _Job) -> list[_Job]:
        if not self._wait_for_turn(job):
            self._ledger.write(lambda c: claiming.give_back(c, self._ledger.now(), job.claim))
            return []
        if not self._lease.may_send(job.claim):
            self.stop(taken_over())  # its records are another run's now (rule 12)
            return []
        with self._lock:
            self.requests += 1
            if job.claim.attempt == 1:
                self.sent += sum(not item.again for item in job.items)
        answer = self._client.send(self._kind, body([item.body for item in job.items]))
        verdict = read_answer(answer, [item.id for item in job.items])
        with self._lock:
            self.strangers += len(verdict.strangers)
        step = after_answer(
            verdict,
            [Sent(item.number, item.record, item.unknown_attempts) for item in job.items],
            kind=self._kind,
            refusals=job.refusals,
            max_refusals=self._retry.refusals_by_index,
        )
        return self._settle(job, self._judge(job, step, answer))

    def _judge(self, job: _Job, step: Step, answer: Answer) -> Step:
        """Take note of what the answer says of LeadDone as a whole; where the run stops, nothing is sent again."""
        with self._lock:
            self.health = self.health.after(step)
            self.last_words = f"{answer.status or answer.detail} {step.words}".strip()
            if step.lone and job.claim.attempt > 1:
                job.family.halving = job.family.halving.after(job.items[0].number, step.words)
                if job.family.halving.is_blanket(accepted=self.health.accepted):
                    step = replace(step, outcomes=(), blanket=True)
            now = self._clock.elapsed()
            gave_up = False
            if step.end == End.UNREACHED:
                job.family.unreached_since = job.family.unreached_since or now
                gave_up = now - job.family.unreached_since >= self._retry.give_up_seconds
                self.health = self.health.gave_up() if gave_up else self.health
            if step.end == End.BUSY:
                job.family.busy_since = job.family.busy_since or now
            reason = stop_reason(
                step,
                answer,
                self.health,
                self._retry,
                busy_seconds=now - (job.family.busy_since or now),
            )
            self.stopped = self.stopped or reason
        return replace(step, again=()) if gave_up or reason else step

    def _settle(self, job: _Job, step: Step) -> list[_Job]:
        parts = [tuple(job.items[index] for index in part) for part in step.again]
        claims = self._ledger.write(lambda connection: self._record(connection, job, step, parts))
        if claims is None:
            return []
        tries = job.tries + 1 if step.end in {End.BUSY, End.UNREACHED} else 0
        wait = 0.0
        if step.end == End.BUSY and step.wait_seconds:
            self._hold_off(step.wait_seconds)
        elif tries:  # also where LeadDone says 0: at once, for ever, would be a flood
            wait = backoff_seconds(tries, self._chance(), self._retry)
        not_before = self._clock.elapsed() + wait
        return [
            _Job(claim, part, job.family, step.refusals, tries, not_before)
            for claim, part in zip(claims, parts, strict=True)
        ]

    def _record(
        self, connection: Connection, job: _Job, step: Step, parts: Sequence[Sequence[Item]]
    ) -> list[Claim] | None:
        """The answer's transaction: what is settled, what is claimed again, how long to wait (rules 13, 26)."""
        now = self._ledger.now()
        if step.blanket:
            settling.unreject(connection, [number for number, _ in job.family.halving.lone])
        if step.end == End.BUSY and step.wait_seconds is not None:
            until = self._clock.now() + step.wait_seconds
            claiming.wait_until(connection, self._account_id, until=until)
        return settling.settle(
            connection,
            now,
            run_id=self.run_id,
            held=job.claim,
            outcomes=step.outcomes,
            again=[[item.number for item in part] for part in parts],
        )

    def _hold_off(self, seconds: float) -> None:
        with self._lock:
            self._not_before = max(self._not_before, self._clock.elapsed() + seconds)

    def _wait_for_turn(self, job: _Job) -> bool:
        while not self.stopped:
            remaining = max(job.not_before, self._not_before) - self._clock.elapsed()
            if remaining <= 0:
                return True
            self._clock.sleep(min(remaining, _NAP_SECONDS))
        return False
