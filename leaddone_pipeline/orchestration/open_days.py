"""The sensor `<shop>_open_days`: what an outage left undone is asked for again, without a person.

The ledger says which days have orders that may still leave, and whose outcomes changed since their links were made;
Dagster says which orders and statuses were read and not delivered: a run that dies in between records nothing. A day
held by the guard is in neither.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from leaddone_pipeline import environment
from leaddone_pipeline.errors import LedgerError, SettingsError
from leaddone_pipeline.ledger import Ledger, openness, reading
from leaddone_pipeline.orchestration import rails
from leaddone_pipeline.orchestration.automation import ranges, request
from leaddone_pipeline.orchestration.days import ERROR
from leaddone_pipeline.orchestration.history import History
from leaddone_pipeline.orchestration.metadata import AS_OF
from leaddone_pipeline.orchestration.names import ORDERS, TRACKING
from leaddone_pipeline.orchestration.waits import REFUSED_WAIT_SECONDS, Waits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from leaddone_pipeline.intake import Span
    from leaddone_pipeline.orchestration.names import Names
    from leaddone_pipeline.orchestration.shop import Shop

__all__ = ["build_open_days_sensor"]

_SECONDS = 60
_DAYS_A_TICK = 366
_RUNS_A_TICK = 20
_DAYS_SHOWN = 5
_REFUSALS = frozenset({"CredentialsRejected", "EndpointWrong", rails.LOST})
_ASKS = {
    "deliver": (ORDERS.delivery, ORDERS.result),
    "links": (ORDERS.result,),
    "track": (TRACKING.delivery, TRACKING.result),
    "results": (TRACKING.result,),
}


def build_open_days_sensor(shop: Shop, job: dg.UnresolvedAssetJobDefinition) -> dg.SensorDefinition:
    """Ask for deliveries, results or both of the days that are open."""

    @dg.sensor(
        job=job,
        name=f"{shop.name}_open_days",
        minimum_interval_seconds=_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks again for days that an outage left undone, with growing waits, and for links that are "
        "older than their orders' outcomes. Days held for a person are left alone.",
    )
    def ask_for_open_days(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        try:
            told = _ask_ledger(shop, Waits.read(context.cursor).linked)
        except SettingsError as error:
            return dg.SkipReason(str(error))
        if told is None:
            return dg.SkipReason("The ledger knows nothing of this shop's account yet")
        if told.is_delivering:
            return dg.SkipReason("A run is delivering just now")
        return _Tick(shop, context.instance, Waits.read(context.cursor), time.time()).ask(told)

    return ask_for_open_days


@dataclass(frozen=True, slots=True)
class _Told:
    """What the ledger says: days with orders that may leave, and those whose outcomes changed of late."""

    open: Mapping[str, int]
    changed: Mapping[str, float]
    is_delivering: bool


def _ask_ledger(shop: Shop, linked: float) -> _Told | None:
    client_id = os.environ.get(shop.client_id_env)
    if not client_id:
        raise SettingsError("it is not set", remedy="Set it where Dagster runs", setting=shop.client_id_env)
    account = environment.account_of(environment.base_url(shop.folder), client_id)
    try:
        ledger = Ledger(environment.ledger_url(shop.folder), read_only=True)
    except LedgerError:
        return None  # there is none yet; a delivery says so if it is out of reach

    def read(connection: Connection) -> _Told | None:
        number = reading.find_account(connection, account)
        if number is None:
            return None
        return _Told(
            openness.open_days(connection, account_id=number, shop=shop.name),
            openness.changed_days(connection, account_id=number, shop=shop.name, after=linked),
            openness.is_delivering(connection, ledger.now(), account_id=number),
        )

    with ledger:
        return ledger.read(read)


class _Tick:
    """One tick of the sensor."""

    def __init__(self, shop: Shop, instance: dg.DagsterInstance, waits: Waits, now: float) -> None:
        self._shop = shop
        self._instance = instance
        self._history = History(shop, instance)
        self._waits = waits
        self._now = now
        self._span = shop.span()

    def ask(self, told: _Told) -> dg.SensorResult:
        """Ask for what is open and due, at most so many days."""
        busy = self._history.busy_days()  # first: a day whose run ends meanwhile is not open for its end
        found = list(self._open(told))
        open_asks = [(ask, day) for ask, day in found if self._is_ours(day)]
        outside = sorted({day for _, day in found if not self._is_ours(day)})
        self._waits.forget_all_but({_what(ask, day) for ask, day in open_asks})
        due = [
            (ask, day)
            for ask, day in open_asks
            if day not in busy
            and self._waits.is_due(_what(ask, day), self._now)
            and not self._is_refused(ask, day)
        ][:_DAYS_A_TICK]
        runs = list(self._runs(due))[:_RUNS_A_TICK]
        requests = [self._request(ask, part) for ask, part in runs]
        for ask, part in runs:
            for day in part:
                self._waits.ask(_what(ask, day), self._now)
        reason = _outside(outside, self._span) if outside and not requests else None
        return dg.SensorResult(run_requests=requests, skip_reason=reason, cursor=self._waits.write())

    def _is_ours(self, day: str) -> bool:
        """Whether the shop has a partition of the day: `start_date` may have been moved since."""
        return self._span.first <= day <= self._span.today

    def _open(self, told: _Told) -> Iterator[tuple[str, str]]:
        exports, made = self._history.newest(ORDERS.export), self._history.newest(ORDERS.delivery)
        unsent = {day: exports[day] for day in self._undelivered(ORDERS, set(told.open))}
        # Orders that were read alone are somebody's look at them.
        owed = {day for day in told.open if day in exports} | self._history.was_to_deliver(ORDERS, unsent)
        yield from (("deliver", day) for day in sorted(owed))
        results = self._history.newest(ORDERS.result)
        stale = [day for day, number in made.items() if number > results.get(day, 0)]
        changed = [day for day in self._changed(told.changed) if day in exports]
        # Links and statuses follow their orders, and an outage is not asked twice.
        later = owed | set(told.open)
        yield from (("links", day) for day in sorted({*stale, *changed} - later))
        if self._shop.courier is None:
            return
        yield from (("track", day) for day in sorted(self._undelivered(TRACKING, later)))
        updates, sent = self._history.newest(TRACKING.export), self._history.newest(TRACKING.delivery)
        waiting = {day for day, number in updates.items() if number > sent.get(day, 0)}
        results = self._history.newest(TRACKING.result)
        yield from (
            ("results", day)
            for day, number in sorted(sent.items())
            if day not in waiting and number > results.get(day, 0)
        )

    def _undelivered(self, names: Names, but: Collection[str]) -> set[str]:
        """Days whose files were read after they were delivered last, and that the guard does not hold."""
        read, delivered = self._history.newest(names.export), self._history.newest(names.delivery)
        days = [day for day, number in read.items() if number > delivered.get(day, 0) and day not in but]
        return {day for day in days if not self._history.is_held(names, day)}

    def _changed(self, changed: Mapping[str, float]) -> Iterator[str]:
        """Days whose links are older than an outcome; what is found in order is not looked at again."""
        in_order = True
        ours = [(day, at) for day, at in changed.items() if self._is_ours(day)]
        for day, at in ours[:_DAYS_A_TICK]:
            made = self._instance.fetch_materializations(
                dg.AssetRecordsFilter(asset_key=self._shop.key(ORDERS.result), asset_partitions=[day]),
                limit=1,
            ).records
            if made and _as_of(made[0]) >= at:
                self._waits.linked = at if in_order else self._waits.linked
                continue
            in_order = False
            yield day

    def _is_refused(self, ask: str, day: str) -> bool:
        """Whether less than a day ago the day stopped at credentials, address or ledger, which a person mends."""
        told = self._instance.fetch_observations(
            dg.AssetRecordsFilter(asset_key=self._shop.key(_ASKS[ask][0]), asset_partitions=[day]), limit=1
        ).records
        if not told or told[0].asset_observation is None:
            return False
        error = told[0].asset_observation.metadata.get(ERROR)
        refused = isinstance(error, dg.TextMetadataValue) and error.value in _REFUSALS
        if told[0].storage_id < self._history.newest(_ASKS[ask][0]).get(day, 0):
            return False  # it was delivered since
        return refused and self._now < told[0].timestamp + REFUSED_WAIT_SECONDS

    def _runs(self, due: Sequence[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
        """Part what is due into runs; a day that was asked for before runs alone, so that it holds up no other."""
        for ask in _ASKS:
            days = [day for wanted, day in due if wanted == ask]
            again = [day for day in days if self._waits.tries(_what(ask, day))]
            yield from ((ask, part) for part in ranges(set(days) - set(again), self._shop.days_per_run))
            yield from ((ask, [day]) for day in again)

    def _request(self, ask: str, days: list[str]) -> dg.RunRequest:
        key = f"{ask}:{days[0]}:{days[-1]}:{self._now:.0f}"
        return request(days, run_key=key, assets=[self._shop.key(name) for name in _ASKS[ask]])


def _as_of(links: dg.EventLogRecord) -> float:
    """The moment of which links tell, by the ledger's clock; of older ones, when they were stored."""
    event = links.asset_materialization
    told = event.metadata.get(AS_OF) if event else None
    return told.value if isinstance(told, dg.TimestampMetadataValue) else links.timestamp


def _outside(days: Sequence[str], span: Span) -> str:
    """Name days that wait for something and cannot be asked for."""
    more = f" and {len(days) - _DAYS_SHOWN} more" if len(days) > _DAYS_SHOWN else ""
    return (
        f"{', '.join(days[:_DAYS_SHOWN])}{more} cannot be asked for: not between start_date {span.first} and today. "
        "Move start_date back until what they still owe is done"
    )


def _what(ask: str, day: str) -> str:
    return f"{ask}:{day}"
