"""A seed -> a story: files, LeadDone's habits, runs, faults and crashes. All of it is decided here, before it plays."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from leaddone_pipeline.contract import Kind, SkipReason
from leaddone_pipeline.settings import DeliverySettings, Guarantee
from tests.simulation.couriers import Events, write_events
from tests.simulation.crashes import Plan, Site
from tests.simulation.faults import Fault
from tests.simulation.leaddone import INVALID_ARTICLE, REFUSED_CITY, Character, Habits
from tests.simulation.limits import FixedWindow, TokenBucket
from tests.simulation.network import Nap

if TYPE_CHECKING:
    from tests.simulation.limits import Server

__all__ = ["Export", "Launch", "Line", "Scenario", "write"]


@dataclass(frozen=True, slots=True)
class Line:
    """An order as one file has it."""

    order_id: str
    article: str = "Lampe"
    city: str = "Rabat"
    price: str = "199"
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class Export:
    """A file of orders, each once; `day` is the one whose export it is, if any."""

    name: str
    day: str | None
    lines: tuple[Line, ...]

    kind = Kind.ORDERS

    @property
    def order_ids(self) -> tuple[str, ...]:
        return tuple(line.order_id for line in self.lines)

    @property
    def skipped(self) -> int:
        return sum(bool(line.skipped) for line in self.lines)

    @property
    def valid(self) -> int:
        return len(self.lines) - self.skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A run to be started.

    Attributes:
        file: what it reads, orders or statuses.
        after: seconds to wait before it is started.
        waits: it is started only when the runs before it have ended or crashed.
        slices: in how many frames it reads its file.
        nap: when its machine falls asleep; None: never.
    """

    file: Export | Events
    settings: DeliverySettings
    after: float
    waits: bool
    slices: int
    nap: Nap | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One seed's story."""

    seed: int
    habits: Habits
    limiter: Server | None
    latency: float
    storm: tuple[float, Fault]
    couriers: tuple[Events, ...]
    troubled: tuple[Launch, ...]
    healing: tuple[Launch, ...]
    crashes: tuple[Plan, ...]
    forgotten: tuple[str, ...]
    person_looks: bool


_DAYS = ("2026-11-16", "2026-11-17")
_ORDERS = 62
_SITES = tuple(site for site in Site if site is not Site.OTHER)
_PROBE_SITES = frozenset({Site.PROBE, Site.PROBE_FIRST, Site.PROBE_END})
_ONCE_A_RUN = _PROBE_SITES | {Site.START, Site.END, Site.RECORD, Site.TAKE_OVER, Site.GIVE_BACK}
_RARE_SITES = (*sorted(_PROBE_SITES), Site.RENEW, Site.AGAIN, Site.GIVE_BACK, Site.TAKE_OVER)
_UNKNOWN_FATES = (
    Fault.LOST_REQUEST,
    Fault.LOST_ANSWER,
    Fault.LATE,
    Fault.PARTLY_TOLD,
    Fault.PAGE,
    Fault.FAILED,
)
_LEADS_TO = {
    Site.AGAIN: (Fault.BUSY, Fault.DOWN, Fault.REFUSED),
    Site.GIVE_BACK: (Fault.CREDENTIALS, Fault.ADDRESS, Fault.BUSY),
    **dict.fromkeys(_PROBE_SITES, _UNKNOWN_FATES),
}
"""Faults after which a run comes to a site that it would seldom see."""


def write(seed: int) -> Scenario:
    """Write the story of a seed; the same seed, the same story."""
    chance = Random(seed)
    ids = _order_ids(chance)
    plans = _plans(chance)
    guarantees = _guarantees(chance, probes=plans[0].site in _PROBE_SITES)
    favourites = _LEADS_TO.get(plans[0].site, tuple(Fault))
    exports = _exports(chance, ids)
    couriers = write_events(chance, ids) if chance.random() < 0.4 else ()
    return Scenario(
        seed=seed,
        habits=Habits(
            character=chance.choice(list(Character)),
            names_index=chance.random() < 0.7,
            taken_by_index=chance.random() < 0.5,
            numbers=chance.random() < 0.5,
            shuffles=chance.random() < 0.5,
            largest=chance.choice([10, 10, 10, 6, 3]),
        ),
        limiter=_limiter(chance),
        latency=chance.choice([0.005, 0.05, 0.5, 2.0]),
        storm=(chance.choice([0.1, 0.25, 0.5]), chance.choice(favourites)),
        couriers=couriers,
        troubled=_troubled(chance, guarantees, exports, couriers),
        healing=_healing(chance, guarantees, exports, couriers),
        crashes=plans,
        forgotten=tuple(chance.sample(ids, 2)) if chance.random() < 0.3 else (),
        person_looks=chance.random() < 0.3,
    )


def _order_ids(chance: Random) -> list[str]:
    """Numbers, numbers with leading zeros (some of them twins), and words."""
    numbers = [str(number) for number in chance.sample(range(1, 900), 30)]
    twins = [f"00{number}" for number in chance.sample(numbers, 8)]
    words = [f"MA-{number}" for number in range(_ORDERS - len(numbers) - len(twins))]
    ids = [*numbers, *twins, *words]
    chance.shuffle(ids)
    return ids


def _exports(chance: Random, ids: list[str]) -> tuple[Export, ...]:
    days = chance.choice([_DAYS, (_DAYS[0], _DAYS[0]), (None, None)])
    bad = chance.choice([0.0, 0.04, 0.1])
    first = {order_id: _line(chance, order_id, bad) for order_id in ids[:42]}
    second = {order_id: _line(chance, order_id, bad) for order_id in ids[24:]}
    for order_id, line in first.items():
        if order_id in second:
            second[order_id] = _later(chance, line)
    return (
        Export("orders-1.csv", days[0], tuple(first.values())),
        Export("orders-2.csv", days[1], tuple(second.values())),
    )


def _line(chance: Random, order_id: str, bad: float) -> Line:
    what = chance.random()
    if what < bad:
        return Line(order_id, article=INVALID_ARTICLE)
    if what < 2 * bad:
        return Line(order_id, city=REFUSED_CITY)
    return Line(order_id, skipped=SkipReason.PAID if what > 0.98 else "")


def _later(chance: Random, line: Line) -> Line:
    """The order as a later file has it: mostly as it was."""
    what = chance.random()
    if what < 0.1:
        return Line(line.order_id, skipped=SkipReason.CANCELLED)
    if what < 0.2:
        return Line(line.order_id, price="250.5")
    return line


def _limiter(chance: Random) -> Server | None:
    what = chance.random()
    if what < 0.1:
        return TokenBucket(chance.choice([1.0, 20.0]), burst=3, latency=0.0, names_wait=chance.random() < 0.5)
    if what < 0.2:
        return FixedWindow(chance.choice([5, 20]), seconds=10.0, latency=0.0)
    return None


def _settings(chance: Random, guarantee: Guarantee) -> DeliverySettings:
    return DeliverySettings(
        guarantee=guarantee, batch_size=chance.randint(4, 10), max_concurrency=chance.choice([2, 3, 4])
    )


def _troubled(
    chance: Random, guarantees: list[Guarantee], exports: tuple[Export, ...], couriers: tuple[Events, ...]
) -> tuple[Launch, ...]:
    together = chance.random() < 0.6
    files: list[Export | Events] = [exports[0]]
    files += [chance.choice(exports) for _ in range(chance.choice([1, 2, 2, 3] if not couriers else [1]))]
    files += [chance.choice(couriers) for _ in range(2 if couriers else 0)]
    return tuple(
        Launch(
            file=file,
            settings=_settings(chance, chance.choice(guarantees)),
            after=chance.choice([0.0, 0.1, 2.0, 8.0, 20.0]),
            waits=not together,
            slices=chance.randint(1, 3),
            nap=_nap(chance) if chance.random() < 0.4 else None,
        )
        for file in files
    )


def _nap(chance: Random) -> Nap:
    seconds = chance.uniform(10.0, 60.0)
    if chance.random() < 0.5:
        return Nap(seconds, commits=chance.randint(1, 25))
    return Nap(seconds, arrivals=chance.randint(1, 8))


def _healing(
    chance: Random, guarantees: list[Guarantee], exports: tuple[Export, ...], couriers: tuple[Events, ...]
) -> tuple[Launch, ...]:
    """All files, and all once more."""
    return tuple(
        Launch(
            file=file,
            settings=_settings(chance, guarantees[-1]),
            after=chance.choice([0.0, 30.0]),
            waits=True,
            slices=1,
        )
        for file in (*exports, *couriers) * 2
    )


def _plans(chance: Random) -> tuple[Plan, ...]:
    """One to three crashes; play.py adds one where none of them has come about."""
    plans = []
    for _ in range(chance.randint(1, 3)):
        site = chance.choice(_RARE_SITES if chance.random() < 0.4 else _SITES)
        plans.append(Plan(site, 1 if site in _ONCE_A_RUN else chance.randint(1, 6)))
    return tuple(plans)


def _guarantees(chance: Random, *, probes: bool) -> list[Guarantee]:
    """Of the runs, and last of all of those that heal."""
    once, most = Guarantee.AT_LEAST_ONCE, Guarantee.AT_MOST_ONCE
    return [once] if probes else chance.choice([[once], [most], [most], [once, most], [most, once]])
