"""What many tests need: frames of invented orders, a delivery against a sandbox, a clock that nobody waits for."""

from __future__ import annotations

import json
import math
from random import Random
from typing import TYPE_CHECKING, Any

import httpx
import pandas as pd

from leaddone_pipeline.delivery import Clock, Delivery
from leaddone_pipeline.delivery.workers import Threads
from leaddone_pipeline.settings import Account, Credentials, DeliverySettings
from leaddone_pipeline.testing import LeadDoneSandbox
from leaddone_pipeline.webhook import LeadDoneClient
from tests.simulation.runtime import Process, Scheduler, SimWorkers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from leaddone_pipeline.delivery import DeliveryReport
    from leaddone_pipeline.delivery.pace import Pace
    from leaddone_pipeline.delivery.workers import Workers
    from leaddone_pipeline.ledger import Ledger

TEXT = "string[pyarrow]"


def orders_frame(ids: Sequence[str], *, source_file: str = "orders.csv", **columns: Any) -> pd.DataFrame:
    """Invented orders, one row an id; a keyword changes a column."""
    rows = {
        "id": list(ids),
        "article": "Lampe",
        "price": "199.5",
        "phone": "0612345678",
        "qte": "1",
        "receiver": "Amina Essai",
        "city": "Fès",
        "address": "12 rue des Essais",
        "skipped": "",
        "source_file": source_file,
    } | columns
    frame = pd.DataFrame(rows).astype(TEXT)
    return frame.assign(source_row=pd.Series(range(2, len(frame) + 2), dtype="Int64"))


def updates_frame(rows: Sequence[tuple[str, str, str]], *, timed: bool = True) -> pd.DataFrame:
    """Statuses as (order id, status, time); the tracking number follows from the order id."""
    frame = pd.DataFrame(
        {
            "id": [row[0] for row in rows],
            "tracking_number": [f"TRK-{row[0]}" for row in rows],
            "status": [row[1] for row in rows],
            "event_time": [row[2] for row in rows],
            "source_file": "tracking.csv",
        }
    ).astype(TEXT)
    return frame.assign(timed=timed, source_row=pd.Series(range(2, len(frame) + 2), dtype="Int64"))


def ids(count: int, prefix: str = "A") -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


class PassingClock(Clock):
    """A clock on which sleeping costs nothing but moves the time; `run` lets a delivery's threads live on it."""

    def __init__(self) -> None:
        self._time = 1_000_000.0
        self._scheduler: Scheduler | None = None

    @property
    def time(self) -> float:
        return self._time if self._scheduler is None else self._scheduler.now

    def elapsed(self) -> float:
        return self.time

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        if self._scheduler is None:
            self._time += seconds
        else:
            self._scheduler.pause(self._scheduler.now + seconds)

    def run(self, work: Callable[[Workers], Any]) -> Any:
        """Run `work` with threads on virtual time, and give back what it gives back or raises."""
        scheduler = Scheduler(Random(0))
        scheduler.now = self._time
        self._scheduler = scheduler
        process = Process(scheduler, "test")
        ends: list[Any] = []

        def task() -> None:
            try:
                ends.append((work(SimWorkers(process)), None))
            except Exception as error:
                ends.append((None, error))

        process.start(task, "caller")
        try:
            scheduler.run(until=math.inf)
        finally:
            self._time, self._scheduler = scheduler.now, None
        (result, error) = ends[0]
        if error is not None:
            raise error
        return result


class TimelessDelivery:
    """A delivery whose waits pass at once."""

    def __init__(self, clock: PassingClock, make: Callable[[Workers], Delivery]) -> None:
        self._clock = clock
        self._make = make

    def orders(self, frames: Any, **named: Any) -> DeliveryReport:
        return self._clock.run(lambda workers: self._make(workers).orders(frames, **named))

    def tracking(self, frames: Any, **named: Any) -> DeliveryReport:
        return self._clock.run(lambda workers: self._make(workers).tracking(frames, **named))

    def links(self, **named: Any) -> pd.DataFrame:
        return self._make(Threads()).links(**named)


def delivery_to(
    sandbox: LeadDoneSandbox, ledger: Ledger, *, clock: PassingClock | None = None, **settings: Any
) -> Delivery | TimelessDelivery:
    """A delivery to a sandbox, in batches of ten by one worker unless `settings` says otherwise."""
    shop = settings.pop("shop", "default")
    base_url = settings.pop("base_url", sandbox.base_url)
    progress = {"progress": settings.pop("progress")} if "progress" in settings else {}
    client = LeadDoneClient(
        Credentials(sandbox.client_id, sandbox.webhook_secret),
        base_url=base_url,
        transport=sandbox.transport,
    )

    def make(workers: Workers) -> Delivery:
        return Delivery(
            ledger,
            client,
            Account(base_url, sandbox.client_id),
            shop=shop,
            settings=DeliverySettings(**{"batch_size": 10, "max_concurrency": 1} | settings),
            clock=clock,
            workers=workers,
            **progress,
        )

    return make(Threads()) if clock is None else TimelessDelivery(clock, make)


class ScriptedServer(LeadDoneSandbox):
    """A sandbox whose answer a function may replace: it gets the records, and returns None to let it answer."""

    def __init__(self, script: Callable[[list[dict[str, Any]]], httpx.Response | None]) -> None:
        super().__init__()
        honest = self.transport
        self.bodies: list[list[str]] = []

        def handle(request: httpx.Request) -> httpx.Response:
            records = json.loads(request.content)
            self.bodies.append([record["id"] for record in records])
            answer = script(records)
            return answer if answer is not None else honest.handle_request(request)

        self.transport = httpx.MockTransport(handle)


def leave_all(pace: Pace, now: float) -> int:
    """Let go whatever may leave now; how many these were."""
    count = 0
    while pace.wait(now) == 0:
        pace.left(now)
        count += 1
    return count
