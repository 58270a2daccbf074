"""Rows of a courier file -> tracking updates: one row an event, statuses in LeadDone's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leaddone_pipeline.contract import TRACKING_FIELDS
from leaddone_pipeline.intake import normalize, reasons
from leaddone_pipeline.intake.normalize import STRING
from leaddone_pipeline.intake.quarantine import Refusals
from leaddone_pipeline.intake.schemas import TrackingTable

if TYPE_CHECKING:
    from datetime import datetime

    from leaddone_pipeline.intake.lines import Lines
    from leaddone_pipeline.intake.sources import TrackingForm

__all__ = ["JudgedTracking", "judge"]

_TIME = "%Y-%m-%dT%H:%M:%SZ"
_AHEAD = timedelta(hours=24)


@dataclass(slots=True)
class JudgedTracking:
    """The updates of a slice: frame as TrackingTable says, range index, and those of it that are refused."""

    frame: pd.DataFrame
    refusals: Refusals = field(default_factory=Refusals)


def judge(lines: Lines, *, modified: datetime, now: datetime) -> JudgedTracking:
    """Make updates of rows. A row without a time has the file's, or now's where that lies ahead.

    Updates more than 24 hours ahead of now are refused (delivery.md, rule 28).
    """
    form = lines.bound.source.tracking
    if form is None:
        raise TypeError("lines of a source without tracking")
    ids = lines.field("id")
    if form.id_prefix:
        ids = ids.str.removeprefix(form.id_prefix).astype(STRING)
    frame = pd.DataFrame({"id": normalize.order_id(ids)})
    frame["tracking_number"] = normalize.order_id(lines.field("tracking_number"))
    words = lines.field("status")
    frame["status"] = _mapped(words, form)
    times = normalize.event_time(lines.field("event_time"))
    frame["event_time"] = times.fillna(min(modified, now).strftime(_TIME))
    frame["timed"] = times.notna().astype("boolean")
    frame["source_file"] = lines.files
    frame["source_row"] = lines.rows
    updates = JudgedTracking(frame)
    for position, code in lines.damages.items():
        updates.refusals.add_damage(position, code)
    for at in np.flatnonzero((frame["status"].isna() & words.notna()).to_numpy()):
        known = [word for said in form.statuses.values() for word in said]
        updates.refusals.add(at, reasons.unknown_status(words.iloc[at], known), lines.bound.shown("status"))
    columns = {name: lines.bound.shown(name) for name in (*TRACKING_FIELDS, "event_time")}
    open_ = ~updates.refusals.mask(len(frame))
    updates.refusals.check(frame[open_.to_numpy()], TrackingTable, columns)
    latest = (now + _AHEAD).strftime(_TIME)
    # Both are ISO 8601 in UTC to the second, whose order as text is their order in time.
    ahead = normalize.matches(frame["event_time"], r"Z$") & (frame["event_time"] > latest).fillna(value=False)
    for at in np.flatnonzero(ahead.to_numpy(dtype=bool)):
        updates.refusals.add(at, reasons.FUTURE, columns["event_time"])
    return updates


def _mapped(words: pd.Series[Any], form: TrackingForm) -> pd.Series[Any]:
    known = {word.casefold(): status for status, said in form.statuses.items() for word in said}
    different = {word: known.get(word.casefold()) for word in words.dropna().unique()}
    return words.map(different).astype(STRING)
