"""The sensor for files: a day whose files are new or changed, and lie still, is delivered with all of them.

A file that is just being written would be read in half, so a day's files must look the same in two ticks. A run that
was asked for may die before it has read anything: until Dagster says that it has, the day is asked for again.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import dagster as dg

from leaddone_pipeline.orchestration.automation import ranges, request
from leaddone_pipeline.orchestration.growing import Growing
from leaddone_pipeline.orchestration.history import History
from leaddone_pipeline.orchestration.names import ORDERS, TRACKING
from leaddone_pipeline.orchestration.waits import Waits

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from leaddone_pipeline.intake import Span
    from leaddone_pipeline.orchestration.exports import Files
    from leaddone_pipeline.orchestration.shop import Shop

__all__ = ["build_files_sensor", "look"]

_LOOK_SECONDS = 10.0
"""A tick looks at files no longer; Dagster ends one of 60 s."""
_RUNS_A_TICK = 20


@dataclass(slots=True)
class Seen:
    """The sensor's cursor.

    Attributes:
        days: day -> what its files looked like in the last tick, and when a run was asked for.
        next: the older day at which the next tick goes on.
        growing: kind -> what is known of its files, where their names do not tell the day.
        unread: day that a run was asked for, and that was not read since -> number of the newest reading before it.
        waits: how often, and when last, these days were asked for.
    """

    days: dict[str, tuple[str, str]] = field(default_factory=dict)
    next: str | None = None
    growing: dict[str, Growing] = field(default_factory=dict)
    unread: dict[str, int] = field(default_factory=dict)
    waits: Waits = field(default_factory=Waits)

    @classmethod
    def read(cls, cursor: str | None) -> Seen:
        told = json.loads(cursor) if cursor else {"days": {}, "next": None}
        return cls(
            {day: (last, asked) for day, (last, asked) in told["days"].items()},
            told["next"],
            {kind: Growing.read(one) for kind, one in told.get("growing", {}).items()},
            told.get("unread", {}),
            Waits({day: (tries, at) for day, (tries, at) in told.get("waits", {}).items()}),
        )

    def write(self) -> str:
        growing = {kind: one.write() for kind, one in self.growing.items()}
        beside = {"growing": growing, "unread": self.unread, "waits": self.waits.asked}
        told = {"days": self.days, "next": self.next} | {name: one for name, one in beside.items() if one}
        return json.dumps(told, separators=(",", ":"))

    def is_as_asked(self, day: str) -> bool:
        """Whether the day has files, and all look as they did when a run was asked for."""
        each = [self.days.get(day, ("", "")), *((one.last, one.asked) for one in self.growing.values())]
        return any(last for last, _ in each) and all(last == asked for last, asked in each)


def build_files_sensor(shop: Shop, job: dg.UnresolvedAssetJobDefinition, seconds: int) -> dg.SensorDefinition:
    """Ask for runs over the days whose files are new or changed."""

    @dg.sensor(
        job=job,
        name=f"{shop.name}_files",
        minimum_interval_seconds=seconds,
        description="Delivers a day as soon as its files are new or changed, and lie still.",
    )
    def files_arrive(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        span, seen = shop.span(), Seen.read(context.cursor)
        named, growing = _by_kind(shop, are_dated=True), _by_kind(shop, are_dated=False)
        arrived = look(_days(span), seen, lambda day: fingerprint(named, day)) if named else {}
        grown = {
            files.kind: seen.growing.setdefault(files.kind, Growing()).look(
                files, span, lookback_days=shop.lookback_days
            )
            for files in growing
        }
        # With the files' own state: rows that are as they were once are another request all the same.
        now = [one.last for one in seen.growing.values()]
        told = {
            day: _hash([one.get(day, "") for one in (arrived, *grown.values())] + now)
            for day in {*arrived, *chain(*grown.values())}
        }
        readings, at = _Readings(shop, context.instance), time.time()
        again = [day for day in readings.unread(seen, span, at) if day not in told]
        # What was asked for before runs alone, so that it holds up no other.
        runs = [*ranges(told, shop.days_per_run), *([day] for day in again)][:_RUNS_A_TICK]
        asked = set(chain(*runs))
        readings.ask(seen, asked, at)
        seen.days |= {day: (arrived[day], arrived[day]) for day in arrived if day in asked}
        for kind, changed in grown.items():
            seen.growing[kind].ask(changed, asked, span)
        # With the time: Dagster skips a run key that any run had before, also one that died.
        keys = [f"{part[0]}:{_hash([told.get(day, '') for day in part])}:{at:.0f}" for part in runs]
        requests = [request(part, run_key=key) for part, key in zip(runs, keys, strict=True)]
        return dg.SensorResult(run_requests=requests, cursor=seen.write())

    return files_arrive


class _Readings:
    """Which of the days that a run was asked for were read since, as Dagster's storage tells."""

    def __init__(self, shop: Shop, instance: dg.DagsterInstance) -> None:
        self._kinds = [ORDERS] if shop.courier is None else [ORDERS, TRACKING]
        self._history = History(shop, instance)

    @cached_property
    def _newest(self) -> Sequence[Mapping[str, int]]:
        """Asked for only when needed: most ticks find nothing."""
        return [self._history.newest(names.export) for names in self._kinds]

    def unread(self, seen: Seen, span: Span, at: float) -> list[str]:
        """Forget the days that were read, and find those of the others that are to be asked for again now."""
        seen.unread = {
            day: before
            for day, before in seen.unread.items()
            if span.first <= day <= span.today and any(one.get(day, 0) <= before for one in self._newest)
        }
        seen.waits.forget_all_but(seen.unread)
        due = [day for day in sorted(seen.unread) if seen.is_as_asked(day) and seen.waits.is_due(day, at)]
        if not due:
            return []
        ended = self._history.terminated_days(min(seen.waits.asked[day][1] for day in due))
        for day in [day for day in due if ended.get(day, 0.0) >= seen.waits.asked[day][1]]:
            due.remove(day)
            del seen.unread[day]
        busy = self._history.busy_days()
        return [day for day in due if day not in busy]

    def ask(self, seen: Seen, days: Collection[str], at: float) -> None:
        """Note that a run was asked for."""
        if not days:
            return
        before = max(chain.from_iterable(one.values() for one in self._newest), default=0)
        for day in days:
            seen.unread[day] = before
            seen.waits.ask(day, at)


def look(
    days: Sequence[str],
    seen: Seen,
    fingerprint: Callable[[str], str],
    *,
    seconds: float = _LOOK_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Mapping[str, str]:
    """Find the days whose files changed since a run was asked for, and not since the last look.

    Args:
        days: newest first; the first two are looked at in every tick, the others in turn while there is time.
        seen: what earlier ticks saw; brought up to date.
        fingerprint: day -> what its files look like; empty without files.
        seconds: how long to look.
        clock: seconds.

    Returns:
        Day -> its fingerprint.
    """
    begun, arrived = clock(), {}
    newest, older = days[:2], days[2:]
    at = older.index(seen.next) if seen.next in older else 0
    turn = [*older[at:], *older[:at]]
    seen.next = None
    for place, day in enumerate([*newest, *turn]):
        if place >= len(newest) and clock() - begun > seconds:
            seen.next = day
            break
        now = fingerprint(day)
        last, asked = seen.days.get(day, ("", ""))
        if now and now == last and now != asked:
            arrived[day] = now
        if now or last:
            seen.days[day] = (now, asked)
    return arrived


def fingerprint(kinds: Sequence[Files], day: str) -> str:
    """What all files of a day look like; empty without any."""
    each = [files.fingerprint(day) for files in kinds]
    return _hash(each) if any(each) else ""


def _by_kind(shop: Shop, *, are_dated: bool) -> list[Files]:
    kinds = (shop.orders, shop.courier)
    return [files for files in kinds if files is not None and files.are_dated is are_dated]


def _days(span: Span) -> list[str]:
    """The shop's days, newest first."""
    today = date.fromisoformat(span.today)
    count = (today - date.fromisoformat(span.first)).days + 1
    return [(today - timedelta(days=back)).isoformat() for back in range(max(count, 0))]


def _hash(parts: Sequence[str]) -> str:
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()
