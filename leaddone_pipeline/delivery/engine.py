"""The engine of a run: one thread that claims, hands over, settles and keeps the lease; nobody else writes outcomes.

It lives on messages: batches from the caller, answers from the carriers. A batch is claimed when it can leave, not
earlier (rule 9), so that a wait that another run was told is seen before the first byte (rule 26). What an answer
means is decided in decide.py and probe.py, when a request may leave in pace.py.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from leaddone_pipeline.delivery.carriers import Errand, Landed
from leaddone_pipeline.delivery.claim import Claimer
from leaddone_pipeline.delivery.jobs import Batch, Family, Job, Jobs
from leaddone_pipeline.delivery.news import CLOSE, Drain, News, Notes, Stop
from leaddone_pipeline.delivery.pace import Pace
from leaddone_pipeline.delivery.settle import Settler
from leaddone_pipeline.delivery.stops import broken, long_wait, taken_over
from leaddone_pipeline.errors import LeadDoneError
from leaddone_pipeline.ledger import claiming
from leaddone_pipeline.webhook import body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from leaddone_pipeline.contract import Kind
    from leaddone_pipeline.delivery.carriers import Carriers
    from leaddone_pipeline.delivery.lease import Clock, Lease
    from leaddone_pipeline.delivery.workers import Inbox
    from leaddone_pipeline.ledger import Ledger
    from leaddone_pipeline.settings import RetrySettings

__all__ = ["Engine"]


class Engine:
    """One run's engine; `run` is its thread's work.

    Args:
        inbox: what it lives on.
        reports: where its news goes.
        max_concurrency: requests under way, at most; one more batch may wait, claimed (rule 9).
        hold_unknown: leave records of unknown fate to a person at once (rules 16 and 17).
        chance: random numbers in [0, 1) for the jitter.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        lease: Lease,
        carriers: Carriers,
        inbox: Inbox,
        reports: Inbox,
        account_id: int,
        kind: Kind,
        retry: RetrySettings,
        max_concurrency: int,
        hold_unknown: bool,
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._lease = lease
        self._carriers = carriers
        self._inbox = inbox
        self._reports = reports
        self._account_id = account_id
        self._kind = kind
        self._retry = retry
        self._max_families = max_concurrency + 1
        self._clock = clock
        self._pace = Pace(max_concurrency, now=clock.elapsed())
        self._claimer = Claimer(ledger, lease.run_id, account_id, kind, clock)
        self._settler = Settler(
            ledger,
            run_id=lease.run_id,
            account_id=account_id,
            retry=retry,
            hold_unknown=hold_unknown,
            clock=clock,
            chance=chance,
        )
        self._jobs = Jobs()
        self._handed_over: set[int] = set()
        self._notes = Notes()
        self._stopped: LeadDoneError | None = None
        self._error: BaseException | None = None
        self._draining = False
        self._closing = False

    def run(self) -> None:
        """Work until the caller closes and nothing is under way; then end the run in the ledger."""
        try:
            while not (self._closing and not self._jobs):
                message = self._inbox.get(timeout=self._idle_seconds())
                self._guard(partial(self._take, message))
                self._guard(self._keep_alive)
                self._guard(self._send_what_may_leave)
                if self._stopped:
                    self._drop_what_waits()
                self._guard(self._claimer.give_back)
                self._tell()
            self._carriers.close()
            self._guard(self._settler.write_what_failed)
            self._guard(self._claimer.give_back)
            self._guard(self._end)
        finally:
            self._reports.put(self._news(drained=True))

    def _end(self) -> None:
        if self._error is not None:
            give_back = partial(claiming.give_back_unsent, run_id=self._lease.run_id, sent=self._handed_over)
            self._ledger.write(partial(give_back, now=self._ledger.now()))
        self._lease.end(stopped=str(self._stopped) if self._stopped else None)

    def _guard(self, work: Callable[[], None]) -> None:
        """Whatever fails stops the run, and is raised in the caller's thread; answers under way are still read."""
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - this thread has nobody to raise it to
            self._error = self._error or error
            self._stop(error if isinstance(error, LeadDoneError) else broken(error))

    def _take(self, message: object) -> None:
        match message:
            case Batch():
                self._jobs.fresh.append(message)
            case Landed():
                self._land(message)
            case Stop():
                self._stop(message.reason)
            case Drain():
                self._draining = True
            case _ if message is CLOSE:
                self._closing = True

    def _stop(self, reason: LeadDoneError) -> None:
        self._stopped = self._stopped or reason

    def _keep_alive(self) -> None:
        if self._clock.elapsed() >= self._lease.due_at:
            self._lease.renew()
        if self._lease.lost and not self._stopped:
            self._stop(taken_over())

    def _idle_seconds(self) -> float:
        """How long nothing happens without a message: until the lease is due or something may leave."""
        now = self._clock.elapsed()
        times = [self._lease.due_at]
        pause = self._pace.wait(now)
        if pause is not None and not self._stopped:
            next_at = self._jobs.next_at()
            if next_at is not None:
                times.append(max(next_at, now + pause))
            if self._jobs.fresh and self._jobs.families < self._max_families:
                times.append(now + pause)
        return max(0.0, min(times) - now)

    def _send_what_may_leave(self) -> None:
        while not self._stopped and self._pace.wait(self._clock.elapsed()) == 0:
            family = self._next_family()
            if family is None:
                return
            self._hand_over(family)

    def _next_family(self) -> Family | None:
        """What was tried before goes first; else a fresh batch is claimed, and may leave if LeadDone lets it."""
        now = self._clock.elapsed()
        family = self._jobs.next_waiting(now)
        while family is not None and not self._is_still_due(family, now):
            family = self._jobs.next_waiting(now)
        while family is None and self._jobs.fresh and self._jobs.families < self._max_families:
            family = self._opened(self._jobs.fresh.popleft())
        if family is not None and (self._stopped or self._pace.wait(self._clock.elapsed()) != 0):
            self._jobs.wait(family)
            return None
        return family

    def _is_still_due(self, family: Family, now: float) -> bool:
        """Look again at what has waited: LeadDone may have named a time, or told another run of an acceptance."""
        if family.claimed_at < now:
            with self._kept(family):
                self._obey(self._claimer.look_again(family))
        return bool(family.jobs)

    @contextmanager
    def _kept(self, family: Family) -> Iterator[None]:
        """Whatever fails, the claims of what was not sent stay in hand, and can be given back (rule 13)."""
        try:
            yield
        except BaseException:
            self._jobs.wait(family)
            raise

    def _opened(self, batch: Batch) -> Family | None:
        opened = self._claimer.open(batch)
        self._notes.room += 1
        self._notes.busy += opened.busy
        self._notes.unknown += opened.unknown
        self._notes.probe = opened.probe or self._notes.probe
        self._obey(opened.wait_seconds)
        return opened.family

    def _obey(self, seconds: float) -> None:
        """Let nothing leave before the time that LeadDone has named to any run of the account (rule 26)."""
        if seconds > self._retry.longest_wait_seconds:
            self._stop(long_wait(seconds))
        elif seconds > 0:
            self._notes.wait(self._clock.elapsed(), seconds)
            self._pace.hold_until(self._clock.elapsed() + seconds)

    def _hand_over(self, family: Family) -> None:
        job = family.jobs[-1]
        with self._kept(family):
            may_send = self._lease.may_send(job.claim)
        if not may_send:
            family.jobs.clear()
            self._stop(taken_over())  # its records are another run's now (rule 12)
            return
        with self._kept(family):
            self._carry(job)
        family.jobs.pop()
        self._notes.requests += 1
        self._jobs.under_way[job.claim.batch_id] = (family, job)

    def _carry(self, job: Job) -> None:
        self._pace.left(self._clock.elapsed())
        errand = Errand(
            job.claim.batch_id, self._kind, body([item.body for item in job.items]), self._lease.fresh_until
        )
        self._handed_over.add(job.claim.batch_id)
        self._carriers.carry(errand, under_way=len(self._jobs.under_way))

    def _land(self, landed: Landed) -> None:
        family, job = self._jobs.under_way.pop(landed.batch_id)
        try:
            self._take_in(landed, family, job)
        finally:
            if family.jobs:
                self._jobs.wait(family)

    def _take_in(self, landed: Landed, family: Family, job: Job) -> None:
        now = self._clock.elapsed()
        if landed.error is not None:
            raise landed.error
        if landed.answer is None:
            self._come_back(family, job, now)
            return
        if landed.answer.reached:
            self._notes.sent += sum(not item.again for item in job.items)
        settled = self._settler.settle(family, job, landed.answer, stopped=self._stopped is not None)
        self._handed_over.remove(job.claim.batch_id)
        self._pace.answered(
            now,
            sent_at=landed.left_at,
            seconds=landed.came_at - landed.left_at,
            signal=settled.signal,
            wait_seconds=settled.wait_seconds,
            remaining=settled.remaining,
            records=len(job.items),
        )
        if settled.stop is not None:
            self._stop(settled.stop)
        elif settled.wait_seconds:
            self._notes.wait(self._clock.elapsed(), settled.wait_seconds)
        self._notes.unknown += settled.unknown
        self._notes.probe = settled.finding or self._notes.probe
        family.jobs += reversed(settled.jobs)
        family.not_before = now + settled.backoff_seconds

    def _come_back(self, family: Family, job: Job, now: float) -> None:
        """Nothing was sent, since the lease had grown stale: it is renewed before the next try (rule 10)."""
        self._notes.requests -= 1
        self._handed_over.remove(job.claim.batch_id)
        self._pace.came_back(now)
        family.jobs.append(job)

    def _drop_what_waits(self) -> None:
        """After a stop, what was claimed and not handed over is pending again (rule 13)."""
        self._notes.room += len(self._jobs.fresh)
        self._claimer.unneeded += [job.claim for job in self._jobs.drop_waiting()]

    def _tell(self) -> None:
        """Send news when the caller waits for some: for room in the queue, or for the end of all work."""
        drained = self._draining and not self._jobs
        if self._notes.room or drained:
            self._reports.put(self._news(drained=drained))
        if drained:
            self._draining = False

    def _news(self, *, drained: bool) -> News:
        return self._notes.news(self._settler, stopped=self._stopped, error=self._error, drained=drained)
