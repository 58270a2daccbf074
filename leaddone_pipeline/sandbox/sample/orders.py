"""The invented orders of one shop, day by day, before any shop system has written them down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, timezone
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING

from leaddone_pipeline.sandbox.order_book import REFUSED_CITY
from leaddone_pipeline.sandbox.sample.words import ARTICLES, CITIES, PEOPLE, STREETS, Article, City

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MOROCCO", "Damage", "Fate", "Line", "SampleOrder", "Volume", "orders_of"]

MOROCCO = timezone(timedelta(hours=1))
"""Morocco's offset outside Ramadan, which is in no sample's time."""

# Mobile ranges that nobody had been given when this was written: valid in form, and no one's telephone.
_PHONE_PREFIXES = ("683", "685", "686", "791", "793", "795", "797", "799")
_DAMAGED_EVERY = 47
_REFUSED_CITY_EVERY = 3
_CHANGED_EVERY = 30
_CANCELLED, _FULFILLED, _CORRECTED = 0, 10, 20


class Damage(StrEnum):
    """What is wrong on purpose with an order that intake must quarantine."""

    NO_PHONE = "no phone"
    SHORT_PHONE = "phone of 7 digits"
    E_NOTATION_PHONE = "phone in E-notation"
    NEGATIVE_PRICE = "negative price"
    BLANK_PRICE = "no price"
    FRACTIONAL_QUANTITY = "quantity 1.5"
    NO_ARTICLE = "no article"


class Fate(StrEnum):
    """What the shop knows of an order when it writes its export."""

    PENDING = "pending"
    PAID = "paid"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    FULFILLED = "fulfilled"


@dataclass(frozen=True, slots=True)
class Volume:
    """New orders a day of an ordinary week, Monday first, and by how much a day may differ."""

    weekdays: tuple[int, int, int, int, int, int, int]
    spread: int


@dataclass(frozen=True, slots=True)
class Line:
    """So many units of one article; `price` in centimes, per unit."""

    article: Article
    quantity: int


@dataclass(frozen=True, slots=True)
class SampleOrder:
    """One order. `phone` has nine digits, without the leading 0; `shipping` and `discount` are in centimes.

    `fate` holds since `fated_at`; `fate_next_day` is what the export of the next day says, if that holds the
    order too.
    """

    number: int
    created_at: datetime
    lines: tuple[Line, ...]
    receiver: str
    phone: str
    city: City
    address: str
    shipping: int
    discount: int
    fate: Fate
    fated_at: datetime
    fate_next_day: Fate
    damage: Damage | None

    def as_of(self, day: date) -> SampleOrder:
        """The order as an export of that day knows it: mostly, nothing has happened to it since."""
        if day <= self.created_at.date():
            return self
        if self.fate_next_day is not self.fate:
            morning = datetime.combine(day, time(9, self.number % 60), MOROCCO)
            return replace(self, fate=self.fate_next_day, fated_at=morning)
        if self.number % _CHANGED_EVERY == _CORRECTED:
            return replace(self, address=f"{self.address}, 2e étage")
        return self

    def with_fate(self, fate: Fate) -> SampleOrder:
        """The order of a shop whose list knows no other fate."""
        return replace(self, fate=fate, fate_next_day=fate)

    @property
    def travels(self) -> bool:
        """Whether a courier ever gets it."""
        final = self.fate_next_day
        served = self.city.name != REFUSED_CITY
        return self.damage is None and served and final not in {Fate.CANCELLED, Fate.REFUNDED}


def orders_of(
    day: date, *, seed: str, volume: Volume, first_number: int, day_index: int
) -> list[SampleOrder]:
    """The new orders of one day, oldest first; the same for the same arguments, whatever else is written."""
    random = Random(f"{seed} {day.isoformat()}")
    count = volume.weekdays[day.weekday()] + random.randrange(2 * volume.spread + 1) - volume.spread
    midnight = datetime.combine(day, time(), MOROCCO)
    seconds = sorted(_second_of_day(random) for _ in range(count))
    numbers = range(first_number, first_number + count)
    orders = [
        _order(random, number, midnight + timedelta(seconds=second))
        for number, second in zip(numbers, seconds, strict=True)
    ]
    if day_index % _REFUSED_CITY_EVERY == 0:
        place = next(
            i for i, order in enumerate(orders) if order.fate is Fate.PENDING and order.damage is None
        )
        orders[place] = replace(orders[place], city=City(REFUSED_CITY, "99000", "", ""))
    return orders


def _second_of_day(random: Random) -> int:
    """More in the evening than in the night."""
    hour = random.choice((8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 20, 21, 21, 22, 22, 23, 0, 1))
    return hour * 3600 + random.randrange(3600)


def _order(random: Random, number: int, created_at: datetime) -> SampleOrder:
    script = 1 if random.random() < 0.35 else 0  # noqa: PLR2004 - a third writes Arabic
    damage = _damage(number)
    fate = Fate.PENDING if damage else _fate(random)
    lines = tuple(_lines(random, 1 if damage else random.choice((1, 1, 1, 2, 3, 1))))
    total = sum(line.article.price * line.quantity for line in lines)
    return SampleOrder(
        number=number,
        created_at=created_at,
        lines=lines,
        receiver=random.choice(PEOPLE[script]),
        phone=f"{random.choice(_PHONE_PREFIXES)}{random.randrange(1_000_000):06d}",
        city=random.choice(CITIES[script]),
        address=f"{random.randrange(1, 240)} {random.choice(STREETS[script])}",
        shipping=random.choice((0, 0, 3000, 3500)),
        discount=total // 1000 * 100 if random.randrange(10) == 0 else 0,
        fate=fate,
        fated_at=min(created_at + timedelta(minutes=random.randrange(1, 300)), _end_of(created_at)),
        fate_next_day=_fate_next_day(number, fate, damage),
        damage=damage,
    )


def _end_of(moment: datetime) -> datetime:
    return datetime.combine(moment.date(), time(23, 59, 59), MOROCCO)


def _damage(number: int) -> Damage | None:
    kinds = list(Damage)
    return kinds[number // _DAMAGED_EVERY % len(kinds)] if number % _DAMAGED_EVERY == 0 else None


def _fate(random: Random) -> Fate:
    point = random.randrange(100)
    for below, fate in ((12, Fate.PAID), (16, Fate.CANCELLED), (18, Fate.REFUNDED), (21, Fate.FULFILLED)):
        if point < below:
            return fate
    return Fate.PENDING


def _fate_next_day(number: int, fate: Fate, damage: Damage | None) -> Fate:
    if fate is not Fate.PENDING or damage:
        return fate
    return {_CANCELLED: Fate.CANCELLED, _FULFILLED: Fate.FULFILLED}.get(number % _CHANGED_EVERY, fate)


def _lines(random: Random, count: int) -> Iterator[Line]:
    for _ in range(count):
        yield Line(random.choice(ARTICLES), random.choice((1, 1, 1, 1, 2, 3)))
