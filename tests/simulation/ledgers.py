"""The real ledger in a simulated process: it crashes after commits, and a crashed process writes no more.

What a transaction did is known from the ledger's own functions that it called, watched while the simulation runs.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from leaddone_pipeline.ledger import (
    Ledger,
    claiming,
    concluding,
    database,
    leasing,
    probing,
    recording,
    settling,
)
from tests.simulation.crashes import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from tests.simulation.crashes import Crashes
    from tests.simulation.judge import Judge
    from tests.simulation.network import Run

__all__ = ["SimLedger", "watched"]

T = TypeVar("T")

_LONGEST_TRANSACTION = 0.004


@dataclass(frozen=True, slots=True)
class _Call:
    """One of the ledger's functions was called in the transaction under way, and returned."""

    name: str
    result: Any
    arguments: dict[str, Any]


_calls: list[_Call] = []

_WATCHED: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (recording, ("find", "add")),
    (leasing, ("start_run", "end_run", "renew", "take_over")),
    (claiming, ("claim", "give_back")),
    (settling, ("settle",)),
    (probing, ("claim_probe",)),
    (concluding, ("go_on", "conclude")),
)


@contextmanager
def watched() -> Iterator[None]:
    """Watch the ledger's functions, as they are now, and let all ledgers share their engines, until the end."""
    shipped = [(module, name, getattr(module, name)) for module, names in _WATCHED for name in names]
    for module, name, function in shipped:
        setattr(module, name, _watching(name, function))
    shipped.append((database, "SQLite", database.SQLite))
    database.SQLite = _shared(database.SQLite)
    try:
        yield
    finally:
        for module, name, function in shipped:
            setattr(module, name, function)
        for one in _databases.values():
            one.engine.dispose()


_databases: dict[str, Any] = {}
_clock: list[Callable[[], float]] = []


def _now() -> float:
    """The clock of the seed that plays; connections outlive a seed's own clock."""
    return _clock[0]()


def _shared(sqlite: Callable[..., Any]) -> Callable[..., Any]:
    """One engine for one file, for good: SQLAlchemy compiles each statement once an engine, and that takes longer
    than anything else here. What a transaction does, and when, stays the ledger's own."""

    def open_or_share(url: Any, **how: Any) -> Any:
        if str(url) not in _databases:
            _databases[str(url)] = sqlite(url, **{**how, "clock": _now})
        return _databases[str(url)]

    return open_or_share


def _watching(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def watching(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        _calls.append(_Call(name, result, kwargs))
        return result

    return watching


def _site(calls: dict[str, _Call]) -> Site:
    """The kind of a commit; where a transaction did several things, the one that matters most."""
    settled = calls.get("settle")
    claimed, probed, taken = (calls.get(name) for name in ("claim", "claim_probe", "take_over"))
    sites = (
        ("conclude" in calls, Site.PROBE_END),
        ("go_on" in calls, Site.PROBE_FIRST),
        (settled and settled.result, Site.AGAIN),
        (settled, Site.SETTLE),
        (probed and probed.result.claim, Site.PROBE),
        (claimed and claimed.result.claim, Site.CLAIM),
        (taken and taken.result, Site.TAKE_OVER),
        ("add" in calls, Site.RECORD),
        ("give_back" in calls, Site.GIVE_BACK),
        ("renew" in calls, Site.RENEW),
        ("start_run" in calls, Site.START),
        ("end_run" in calls, Site.END),
    )
    return next((site for happened, site in sites if happened), Site.OTHER)


class SimLedger(Ledger):
    """A ledger opened by a simulated process."""

    def __init__(self, url: str, *, run: Run, crashes: Crashes, judge: Judge) -> None:
        self._run_of = run
        self._crashes = crashes
        self._judge = judge
        _clock[:] = [run.clock.now]
        super().__init__(url, clock=run.clock.now)

    def close(self) -> None:
        """Leave the connections to the other simulated processes."""

    def read(self, work: Callable[[Connection], T]) -> T:
        self._take_time()
        return super().read(work)

    def write(self, work: Callable[[Connection], T]) -> T:
        self._take_time()
        _calls.clear()
        result = super().write(work)
        calls = {call.name: call for call in _calls}
        if "start_run" in calls:
            self._run_of.ledger_ids.add(calls["start_run"].result)
        if "settle" in calls:
            self._judge.settled(self._run_of, calls["settle"].arguments["held"].numbers)
        self._crashes.at(_site(calls), self._run_of.process)
        self._run_of.committed()
        return result

    def _take_time(self) -> None:
        """Other threads and processes may come before any transaction, never into one."""
        scheduler = self._run_of.process.scheduler
        scheduler.pause(scheduler.now + scheduler.chance.uniform(0.0, _LONGEST_TRANSACTION))
