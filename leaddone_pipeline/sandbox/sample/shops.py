"""The two sample shops, and the files that a run of days leaves behind them."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING

from leaddone_pipeline.sandbox.sample import atlas, courier, medina
from leaddone_pipeline.sandbox.sample.orders import Fate, SampleOrder, Volume, orders_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["DAYS", "SEED", "SHOPS", "START", "SampleShop", "write_sample"]

DAYS = 7
SEED = 20261101
START = date(2026, 11, 16)


@dataclass(frozen=True, slots=True)
class SampleShop:
    """A sample shop.

    Attributes:
        name: its label.
        source: the source that reads its exports.
        courier_source: the source that reads its courier files.
        exports: where the export of a day lies in the sample's folder; `{date}` stands for YYYY-MM-DD.
        courier_files: where the courier file of a day lies, likewise.
        time_zone: where its days begin and end.
    """

    name: str
    source: str
    courier_source: str
    exports: str
    courier_files: str
    time_zone: str
    header: Sequence[str] = field(repr=False)
    rows: Callable[[Iterable[SampleOrder]], Iterator[list[str]]] = field(repr=False)
    order_id: Callable[[SampleOrder], str] = field(repr=False)
    volume: Volume = field(repr=False)
    first_number: int = field(repr=False)
    only_pending: bool = field(repr=False)


SHOPS = (
    SampleShop(
        name="atlas",
        source="leaddone",
        courier_source="leaddone",
        exports="atlas/orders/orders-{date}.csv",
        courier_files="atlas/courier/tracking-{date}.csv",
        time_zone="Africa/Casablanca",
        header=atlas.HEADER,
        rows=atlas.rows,
        order_id=atlas.order_id,
        volume=Volume((140, 120, 130, 150, 90, 210, 240), spread=8),
        first_number=10_231,
        only_pending=True,
    ),
    SampleShop(
        name="medina",
        source="shopify",
        courier_source="leaddone",
        exports="medina/orders/orders_export-{date}.csv",
        courier_files="medina/courier/tracking-{date}.csv",
        time_zone="Africa/Casablanca",
        header=medina.HEADER,
        rows=medina.rows,
        order_id=medina.order_id,
        volume=Volume((70, 60, 65, 75, 45, 100, 120), spread=8),
        first_number=1001,
        only_pending=False,
    ),
)


def write_sample(target: Path, *, days: int = DAYS, seed: int = SEED, start: date = START) -> None:
    """Write the exports and courier files of both shops below `target`.

    The same arguments give the same bytes, and fewer days the same files for those days.
    """
    for shop in SHOPS:
        _write_shop(
            target, shop, days=[start + timedelta(days=i) for i in range(days)], seed=f"{seed} {shop.name}"
        )


def _write_shop(target: Path, shop: SampleShop, *, days: Sequence[date], seed: str) -> None:
    number = shop.first_number
    yesterday: list[SampleOrder] = []
    events: list[courier.Event] = []
    for index, day in enumerate(days):
        today = _orders(shop, day, seed=seed, first_number=number, day_index=index)
        number += len(today)
        exported = [order.as_of(day) for order in _tail(yesterday, day, seed=seed) + today]
        _write_csv(target / shop.exports.format(date=day.isoformat()), shop.header, shop.rows(exported))
        for order in today:
            if order.travels:
                events += courier.events_of(shop.order_id(order), created_at=order.created_at, seed=seed)
        told = courier.rows(events, day=day, seed=seed)
        _write_csv(target / shop.courier_files.format(date=day.isoformat()), courier.HEADER, told)
        yesterday = today


def _orders(
    shop: SampleShop, day: date, *, seed: str, first_number: int, day_index: int
) -> list[SampleOrder]:
    orders = orders_of(day, seed=seed, volume=shop.volume, first_number=first_number, day_index=day_index)
    if not shop.only_pending:
        return orders
    return [order.with_fate(Fate.PENDING) for order in orders]


def _tail(orders: Sequence[SampleOrder], day: date, *, seed: str) -> list[SampleOrder]:
    """The last 10 to 20 % of the day before, which the export of this day holds again."""
    percent = 11 + Random(f"{seed} overlap {day.isoformat()}").randrange(9)
    return list(orders[len(orders) - len(orders) * percent // 100 :])


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
