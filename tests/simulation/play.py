"""Plays one seed: its processes, its LeadDone, its crashes, then healthy runs over the same files, then the verdict."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.delivery import Delivery
from leaddone_pipeline.ledger import Ledger, State, person, recording
from leaddone_pipeline.settings import Account, Guarantee, RetrySettings
from tests.simulation import couriers, invariants, scenario
from tests.simulation.couriers import Event
from tests.simulation.crashes import Crashes, Plan, Site
from tests.simulation.faults import Fault, Storm
from tests.simulation.judge import Judge, Violation
from tests.simulation.leaddone import Model
from tests.simulation.ledgers import SimLedger, watched
from tests.simulation.network import Network, Run, SimClient
from tests.simulation.runtime import Process, Scheduler, SimClock, SimWorkers, Task
from tests.simulation.witness import Witness
from tests.support import orders_frame, updates_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from tests.simulation.couriers import Events
    from tests.simulation.network import Request
    from tests.simulation.scenario import Export, Launch, Line, Scenario

__all__ = ["Played", "play"]

_ACCOUNT = Account("https://leaddone.test/api/webhook", "shop-1")
_RETRY = RetrySettings(longest_wait_seconds=60.0)
_LONGEST_SEED = 4 * 3600.0
_UNTIL_ALL_IS_QUIET = 120.0
_A_LOOK = 0.5
_MORE_ROUNDS = 5


@dataclass(slots=True)
class Played:
    """What happened in one seed, or in many."""

    seeds: int = 0
    requests: int = 0
    rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: Counter[Fault] = field(default_factory=Counter)
    crashes: Counter[Site] = field(default_factory=Counter)

    def add(self, other: Played) -> None:
        self.seeds += other.seeds
        self.requests += other.requests
        self.rows += other.rows
        self.faults += other.faults
        self.crashes += other.crashes


def play(seed: int, *, tell: Callable[[str], None] = lambda _: None) -> Played:
    """Play a seed.

    Args:
        seed: any number.
        tell: is told what happens, line by line.

    Raises:
        Violation: a rule was broken.
        Stuck: a run does not end.
        Exception: whatever the code under test raised and nobody caught.
    """
    file = _fresh_ledger()
    with watched(), closing(Witness(file)) as witness:
        return _World(scenario.write(seed), file, witness, tell=tell).play()


class _World:
    def __init__(self, story: Scenario, file: Path, witness: Witness, *, tell: Callable[[str], None]) -> None:
        chance = Random(story.seed + 1)
        self.story = story
        self.scheduler = Scheduler(chance)
        self.model = Model(story.habits, chance)
        self.witness = witness
        self.judge = Judge(self.scheduler, self.model, self.witness, tell=tell)
        self.crashes = Crashes(story.crashes, tell=self.judge.tell)
        self.storm = Storm(chance, share=story.storm[0], favourite=story.storm[1])
        self.network = Network(
            self.scheduler,
            self.model,
            self.storm,
            crashes=self.crashes,
            judge=self.judge,
            limiter=story.limiter,
            latency=story.latency,
        )
        self._url = f"sqlite:///{file}"
        if story.couriers:
            self.judge.looks.append(self._look_at_statuses)
        self._runs = 0
        self._underway: list[Task] = []

    def play(self) -> Played:
        director = Process(self.scheduler, "director")
        director.start(self._direct, "main")
        self.scheduler.run(until=self.scheduler.now + _LONGEST_SEED)
        invariants.at_the_end(self.judge)
        if self.story.couriers:
            couriers.statuses_at_the_end(self.judge, self.story.couriers)
        return Played(1, len(self.judge.requests), self.judge.rows, self.judge.faults, self.crashes.happened)

    def _direct(self) -> None:
        story = self.story
        for number, launch in enumerate(story.troubled, 1):
            if number == len(story.troubled):
                self._crash_by_now()
            self._launch(launch)
        self._wait()
        while not (self.crashes.happened and self.storm.struck):
            self._crash_by_now()
            self._launch(story.troubled[0])
            self._wait()
        self.judge.tell("from here on nothing goes wrong")
        self.storm.end()
        self.crashes.active = False
        self._sleep(_UNTIL_ALL_IS_QUIET)
        invariants.at_rest(self.judge)
        half = len(story.healing) // 2
        self._heal(story.healing[:half])
        self._let_a_person_speak()
        self._heal(story.healing[half:])
        for _ in range(_MORE_ROUNDS):
            if self._some_were_never_tried():
                self._heal(story.healing[half:])

    def _look_at_statuses(self, request: Request) -> None:
        if request.kind is Kind.TRACKING:
            couriers.is_not_older(self.judge, request, self.story.couriers)

    def _crash_by_now(self) -> None:
        """A seed without a crash proves too little."""
        if not self.crashes.happened:
            self.crashes.plans.append(Plan(None, self.scheduler.chance.randint(1, 20)))

    def _heal(self, launches: tuple[Launch, ...]) -> None:
        for launch in launches:
            self._launch(launch)
            self._wait()

    def _some_were_never_tried(self) -> bool:
        """Each run in which nothing is accepted leaves two refused orders pending, and may leave others (rule 19)."""
        return any(
            row.state == "pending"
            and not (row.has_words or row.forgotten or row.order_id in self.judge.by_hand)
            for row in self.witness.records(Kind.ORDERS).values()
        )

    def _launch(self, launch: Launch) -> None:
        if launch.waits:
            self._wait()
        self._sleep(launch.after)
        self._runs += 1
        process = Process(self.scheduler, f"run-{self._runs}")
        self.judge.tell(f"{process.name} starts: {launch}")
        run = Run(process, SimClock(self.scheduler), launch.settings.guarantee, nap=launch.nap)
        self._underway.append(process.start(lambda: self._deliver(run, launch), "main"))

    def _deliver(self, run: Run, launch: Launch) -> None:
        file = launch.file
        run.knew = frozenset(self.witness.records(Kind.ORDERS))
        ledger = self._open_ledger(run)
        delivery = Delivery(
            ledger,
            SimClient(self.network, run, self.crashes),
            _ACCOUNT,
            settings=launch.settings,
            clock=run.clock,
            retry=_RETRY,
            workers=SimWorkers(run.process),
            chance=self.scheduler.chance.random,
        )
        deliver = delivery.orders if file.kind is Kind.ORDERS else delivery.tracking
        report = deliver(self._frames(run, file, launch.slices), day=file.day)
        self.judge.tell(
            f"{run.process.name} ends: {dict(report.counts)} {report.stopped or ''} {report.notes}"
        )
        report = report.with_rows(read=len(file.lines), quarantined=0, skipped=file.skipped, merged=0)
        invariants.after_a_run(self.judge, report, file)

    def _open_ledger(self, run: Run) -> SimLedger:
        return SimLedger(self._url, run=run, crashes=self.crashes, judge=self.judge)

    def _frames(self, run: Run, file: Export | Events, slices: int) -> Iterator[pd.DataFrame]:
        """The file, read while earlier slices are on their way."""
        size = -(-len(file.lines) // slices)
        for start in range(0, len(file.lines), size):
            run.clock.sleep(self.scheduler.chance.uniform(0.0, 0.5))
            yield _frame(file.name, file.lines[start : start + size])

    def _let_a_person_speak(self) -> None:
        """Someone looks into LeadDone and settles what is unconfirmed (rule 24); someone else is forgotten (rule 7)."""
        story, orders = self.story, self.witness.records(Kind.ORDERS)
        forgotten = [order_id for order_id in story.forgotten if order_id in orders]
        unconfirmed = [row.order_id for row in orders.values() if row.state == State.UNCONFIRMED]
        at_a_desk = Run(self.scheduler.current.process, SimClock(self.scheduler), Guarantee.AT_LEAST_ONCE)
        ledger = self._open_ledger(at_a_desk)
        account = ledger.write(lambda connection: recording.open_account(connection, _ACCOUNT))
        refused = ledger.write(
            lambda c: person.forget(c, ledger.now(), account_id=account, order_ids=forgotten)
        )
        if refused:
            raise Violation(f"nobody holds these, and they are not forgotten: {refused}")
        for order_id in unconfirmed if story.person_looks else ():
            if order_id not in forgotten:
                self._resolve(ledger, account, order_id)
        self.judge.forgotten.update(forgotten)

    def _resolve(self, ledger: Ledger, account: int, order_id: str) -> None:
        taken = self.model.taken.get(order_id)
        to = State.ACCEPTED if taken else self.scheduler.chance.choice([State.PENDING, State.REJECTED])
        refused = ledger.write(
            lambda connection: person.resolve(
                connection,
                ledger.now(),
                account_id=account,
                order_ids=[order_id],
                to=to,
                internal_id=taken[0].internal_id if taken else None,
                reason="it is not in LeadDone" if to == State.REJECTED else "",
            )
        )
        if refused:
            raise Violation(f"nobody holds it, and it is not resolved: {refused}")
        self.judge.by_hand.add(order_id)

    def _wait(self) -> None:
        while any(task.process.alive and not task.done for task in self._underway):
            self._sleep(_A_LOOK)

    def _sleep(self, seconds: float) -> None:
        self.scheduler.pause(self.scheduler.now + seconds)


@lru_cache(maxsize=64)
def _frame(name: str, lines: tuple[Line, ...] | tuple[Event, ...]) -> pd.DataFrame:
    if isinstance(lines[0], Event):
        return updates_frame([(event.order_id, event.status, event.at.isoformat()) for event in lines])
    return orders_frame(
        [line.order_id for line in lines],
        source_file=name,
        article=[line.article for line in lines],
        city=[line.city for line in lines],
        price=[line.price for line in lines],
        skipped=[line.skipped for line in lines],
    )


def _fresh_ledger() -> Path:
    """A new ledger, always in the same place. It is migrated once: a migration is slow, and not what is simulated."""
    folder = _folder()
    template, file = folder / "template.db", folder / "ledger.db"
    if not template.exists():
        Ledger(f"sqlite:///{template}").close()
    for left in (Path(f"{file}-wal"), Path(f"{file}-shm")):
        left.unlink(missing_ok=True)
    shutil.copyfile(template, file)  # into the same file: the ledger would notice another one
    return file


@cache
def _folder() -> Path:
    """In memory, where the system has such a place: nothing here is about the disk."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="leaddone-simulation-", dir=memory if memory.is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
