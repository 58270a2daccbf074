"""Requests on their way between processes and LeadDone, and all that happens to them there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.delivery.pace import Signal
from leaddone_pipeline.webhook import Answer, Failure
from tests.simulation.crashes import Site
from tests.simulation.faults import Arrived, Fault, Row, busy, strike
from tests.simulation.leaddone import read
from tests.simulation.runtime import Process, SimClock, SimInbox

if TYPE_CHECKING:
    from leaddone_pipeline.settings import Guarantee
    from tests.simulation.crashes import Crashes
    from tests.simulation.faults import Storm
    from tests.simulation.judge import Judge
    from tests.simulation.leaddone import Model, Page
    from tests.simulation.limits import Server
    from tests.simulation.runtime import Scheduler

__all__ = ["Nap", "Network", "Request", "Run", "SimClient"]

READ_TIMEOUT = 20.0
_LATEST = 45.0


@dataclass(frozen=True, slots=True)
class Nap:
    """A run's machine falls asleep for so many seconds, after so many commits or with so many requests sent.

    Never between a carrier's last look at the lease and its request: that much the lease leaves open (rule 10).
    """

    seconds: float
    commits: int | None = None
    arrivals: int | None = None


@dataclass(slots=True)
class Run:
    """A simulated process that delivers.

    Attributes:
        nap: when its machine falls asleep; None: never.
        commits, arrivals: so many it has made, and so many of its requests have come to LeadDone.
        knew: the orders that stood in the ledger when it began.
        ledger_ids: of its runs in the ledger.
    """

    process: Process
    clock: SimClock
    guarantee: Guarantee
    nap: Nap | None = None
    commits: int = 0
    arrivals: int = 0
    knew: frozenset[str] = frozenset()
    ledger_ids: set[int] = field(default_factory=set)

    def committed(self) -> None:
        self.commits += 1
        if self.nap is not None and self.nap.commits == self.commits:
            self.process.suspend(self.nap.seconds)

    def arrived(self) -> None:
        self.arrivals += 1
        if self.nap is not None and self.nap.arrivals == self.arrivals:
            self.process.suspend(self.nap.seconds)


@dataclass(slots=True, eq=False)
class Request:
    """One request, and what is known of it so far.

    Attributes:
        statuses: of a request for tracking, by order id.
        page: what LeadDone answered, whether or not it arrived.
        row: of the answer as its sender got it; None as long as it has none.
        told: the page, once its sender has it.
        recorded_at: when the sender's ledger took the answer in.
    """

    number: int
    run: Run
    kind: Kind
    body: bytes
    ids: tuple[str, ...]
    statuses: dict[str, str]
    page: Page | None = None
    row: Row | None = None
    told: Page | None = None
    recorded_at: float | None = None


class Network:
    """What lies between the processes and LeadDone."""

    def __init__(
        self,
        scheduler: Scheduler,
        model: Model,
        storm: Storm,
        *,
        crashes: Crashes,
        judge: Judge,
        limiter: Server | None,
        latency: float,
    ) -> None:
        self._scheduler = scheduler
        self._chance = scheduler.chance
        self._model = model
        self._storm = storm
        self._crashes = crashes
        self._judge = judge
        self._limiter = limiter
        self._latency = latency
        self._leaddone = Process(scheduler, "leaddone")
        self._numbers = 0

    def carry(self, run: Run, kind: Kind, body: bytes) -> Answer:
        """Send a request for a process, and give it what comes back."""
        self._numbers += 1
        records = read(body)
        ids = tuple(record["id"] for record in records)
        statuses = {record["id"]: record["status"] for record in records if kind is Kind.TRACKING}
        request = Request(self._numbers, run, kind, body, ids, statuses)
        self._judge.leaves(request)
        fault = self._storm.next(self._scheduler.now)
        answers = SimInbox(self._scheduler)
        if fault is Fault.DOWN:
            self._pause()
            answer = Answer(None, failure=Failure.UNREACHED, complete=False, detail="ConnectError")
        else:
            self._leaddone.start(lambda: self._serve(request, fault, answers), f"request-{request.number}")
            answer = answers.get(timeout=READ_TIMEOUT) or _cut("ReadTimeout")
        run.process.check()
        self._arrive(request, answer, fault)
        self._crashes.at(Site.READ, run.process)
        return answer

    def _arrive(self, request: Request, answer: Answer, fault: Fault | None) -> None:
        if answer.failure is Failure.UNREACHED:
            request.row = Row.UNREACHED
        elif answer.status is None or request.page is None:
            request.row = Row.UNKNOWN
        else:
            request.told = request.page
            request.row = Row(request.page.row)
        self._judge.answered(request, fault)

    def _serve(self, request: Request, fault: Fault | None, answers: SimInbox) -> None:
        self._pause()
        if fault is Fault.LOST_REQUEST:
            if self._chance.random() < 0.5:
                answers.put(_cut("ReadError"))
            return
        if fault is Fault.LATE:
            self._pause(READ_TIMEOUT + self._chance.uniform(0.0, _LATEST))
        request.run.arrived()
        self._crashes.at(Site.IN_FLIGHT, request.run.process)
        request.page = self._page(request, fault)
        self._judge.processed(request)
        self._crashes.at(Site.PROCESSED, request.run.process)
        self._pause()
        if request.page is not None:
            answers.put(_answer(request.page))
        elif self._chance.random() < 0.5:
            answers.put(_cut("RemoteProtocolError"))

    def _page(self, request: Request, fault: Fault | None) -> Page | None:
        remaining = None
        if self._limiter is not None:
            reply = self._limiter.reply(self._scheduler.now)
            if reply.signal is Signal.BUSY:
                return busy(429, reply.wait_seconds, self._chance)
            remaining = reply.remaining
        arrived = Arrived(request.kind, request.body, request.number, self._scheduler.now)
        page = strike(fault, self._model, arrived, self._chance)
        if page is not None and remaining is not None:
            page.headers["x-ratelimit-remaining"] = str(remaining)
        return page

    def _pause(self, seconds: float | None = None) -> None:
        wait = self._chance.expovariate(1 / self._latency) if seconds is None else seconds
        self._scheduler.pause(self._scheduler.now + wait)


def _cut(detail: str) -> Answer:
    return Answer(None, failure=Failure.BROKEN, complete=False, detail=detail)


def _answer(page: Page) -> Answer:
    if page.status == 200 and not page.body:
        return Answer(200, failure=Failure.BROKEN, complete=False, detail="AnswerTooLarge")
    return Answer(page.status, page.headers, page.body)


class SimClient:
    """`Client` of one process."""

    def __init__(self, network: Network, run: Run, crashes: Crashes) -> None:
        self._network = network
        self._run = run
        self._crashes = crashes

    def send(self, kind: Kind, body: bytes) -> Answer:
        self._run.process.check()
        self._crashes.at(Site.BEFORE_SEND, self._run.process)
        return self._network.carry(self._run, kind, body)
