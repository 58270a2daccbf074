"""The sensor for files: a day whose files are new or changed, and lie still, is delivered with all of them.

A file that is just being written would be read in half, so a day's files must look the same in two ticks.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import chain
from typing import TYPE_CHECKING

import dagster as dg

from leaddone_pipeline.orchestration.automation import ranges, request
from leaddone_pipeline.orchestration.growing import Growing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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
    """

    days: dict[str, tuple[str, str]] = field(default_factory=dict)
    next: str | None = None
    growing: dict[str, Growing] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: str | None) -> Seen:
        told = json.loads(cursor) if cursor else {"days": {}, "next": None}
        return cls(
            {day: (last, asked) for day, (last, asked) in told["days"].items()},
            told["next"],
            {kind: Growing.read(one) for kind, one in told.get("growing", {}).items()},
        )

    def write(self) -> str:
        growing = {kind: one.write() for kind, one in self.growing.items()}
        told = {"days": self.days, "next": self.next} | ({"growing": growing} if growing else {})
        return json.dumps(told, separators=(",", ":"))


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
        runs = list(ranges(told, shop.days_per_run))[:_RUNS_A_TICK]
        asked = set(chain(*runs))
        seen.days |= {day: (arrived[day], arrived[day]) for day in arrived if day in asked}
        for kind, changed in grown.items():
            seen.growing[kind].ask(changed, asked)
        requests = [request(part, run_key=f"{part[0]}:{_hash([told[day] for day in part])}") for part in runs]
        return dg.SensorResult(run_requests=requests, cursor=seen.write())

    return files_arrive


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
