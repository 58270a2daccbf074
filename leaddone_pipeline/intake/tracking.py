"""Rows of a courier file -> tracking updates: one row an event, statuses in LeadDone's words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leaddone_pipeline.contract import TRACKING_FIELDS
from leaddone_pipeline.intake import normalize, reasons, times
from leaddone_pipeline.intake.cell_reasons import explain
from leaddone_pipeline.intake.columns import STRING
from leaddone_pipeline.intake.quarantine import Refusals
from leaddone_pipeline.intake.schemas import TrackingTable
from leaddone_pipeline.intake.statuses import Meaning, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from leaddone_pipeline.intake.forms import TrackingForm
    from leaddone_pipeline.intake.lines import Lines

__all__ = ["NOTHING_KNOWN", "JudgedTracking", "Known", "judge"]

_AHEAD = timedelta(hours=24)
_UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class Known:
    """What others know of parcels; intake asks once a slice, with ids and numbers that stand in it.

    Attributes:
        order_ids: tracking numbers -> the order id of those that are known.
        under_way: order ids -> those whose parcel LeadDone knows as shipped, and not as delivered or returned.
    """

    order_ids: Callable[[Sequence[str]], Mapping[str, str]]
    under_way: Callable[[Sequence[str]], Collection[str]]


NOTHING_KNOWN = Known(order_ids=lambda _: {}, under_way=lambda _: ())
"""For files that are read where no ledger is."""


@dataclass(slots=True)
class JudgedTracking:
    """The updates of a slice.

    Attributes:
        lines: the rows that they were made of.
        frame: as TrackingTable says, range index; those refused or skipped may hold anything.
        refusals: the refused ones.
        skipped: says of each whether its word says nothing that may be sent.
        words: how often each such word stood there, as the source writes it.
    """

    lines: Lines
    frame: pd.DataFrame
    skipped: NDArray[np.bool_]
    refusals: Refusals = field(default_factory=Refusals)
    words: Counter[str] = field(default_factory=Counter)


def judge(lines: Lines, *, modified: datetime, now: datetime, known: Known = NOTHING_KNOWN) -> JudgedTracking:
    """Make updates of rows. A row without a time has the file's, or now's where that lies ahead.

    Updates more than 24 hours ahead of now are refused (delivery.md, rule 28).
    """
    form = _form(lines)
    frame = pd.DataFrame({"id": lines.ids})
    frame["tracking_number"] = normalize.order_id(lines.field("tracking_number"))
    _look_up(frame, known)
    updates = JudgedTracking(lines, frame, skipped=np.zeros(len(frame), dtype=bool))
    for position, code in lines.damages.items():
        updates.refusals.add_damage(position, code)
    vague = _take_statuses(updates, form, known)
    _take_times(frame, lines, form, latest=min(modified, now))
    frame["timed"] &= ~vague
    frame["source_file"] = lines.files
    frame["source_row"] = lines.rows
    # Not in place: pandas 3 lends its arrays to be read only.
    updates.skipped = updates.skipped & ~updates.refusals.mask(len(frame)).to_numpy()
    _refuse_bad(updates, now)
    return updates


def _form(lines: Lines) -> TrackingForm:
    form = lines.bound.source.tracking
    if form is None:
        raise TypeError("lines of a source without tracking")
    return form


def _look_up(frame: pd.DataFrame, known: Known) -> None:
    """Find the order ids of rows that have none by their tracking numbers."""
    nameless = frame["id"].isna() & frame["tracking_number"].notna()
    if not nameless.any():
        return
    found = known.order_ids(frame["tracking_number"][nameless].unique().tolist())
    if found:
        frame["id"] = frame["id"].fillna(frame["tracking_number"].where(nameless).map(found).astype(STRING))


def _take_statuses(updates: JudgedTracking, form: TrackingForm, known: Known) -> pd.Series[Any]:
    """Put LeadDone's words into the frame; say of each row whether its word is too vague to take a parcel back."""
    vocabulary = Vocabulary(form.statuses)
    lines, frame = updates.lines, updates.frame
    words, meanings = _meanings(lines, vocabulary)
    status = meanings.mask(_is(meanings, Meaning.AS_IT_STANDS), words)
    vague = _is(meanings, Meaning.STILL)
    status = status.mask(vague, "in-progress")
    refused = _is(meanings, Meaning.REFUSED)
    if refused.any():
        asked = frame["id"][refused].dropna().unique().tolist()
        status = status.mask(refused & frame["id"].isin(list(known.under_way(asked))), "returned")
    nothing = _is(status, Meaning.NOTHING) | _is(status, Meaning.REFUSED)
    updates.skipped = nothing.to_numpy(dtype=bool)
    updates.words.update(words[nothing].tolist())
    unknown = _is(meanings, _UNKNOWN)
    nearest = {word: vocabulary.nearest(word) for word in words[unknown].unique()}
    for at in np.flatnonzero(unknown.to_numpy(dtype=bool)):
        column = lines.bound.shown("status")
        updates.refusals.add(at, reasons.unknown_status(nearest[words.iloc[at]]), column)
    frame["status"] = status.mask(unknown | nothing)
    return vague


def _meanings(lines: Lines, vocabulary: Vocabulary) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Of the columns of the status the first that says anything of the parcel's way: its word and its meaning."""
    words = pd.Series(pd.NA, index=range(len(lines)), dtype=STRING)
    meanings = words.copy()
    for place in lines.bound.fields["status"]:
        cells = lines.joined(place)
        mapped = {word: vocabulary.meaning(word) or _UNKNOWN for word in cells.dropna().unique()}
        taken = cells.notna() & (meanings.isna() | _is(meanings, Meaning.NOTHING))
        words = words.mask(taken, cells)
        meanings = meanings.mask(taken, cells.map(mapped).astype(STRING))
    return words, meanings


def _take_times(frame: pd.DataFrame, lines: Lines, form: TrackingForm, *, latest: datetime) -> None:
    written = lines.field("event_time")
    clock = times.Clock(zone=form.times.zone, order=form.times.order)
    at = times.event_time(written, clock=clock)
    # What happened on a day has happened before the file that says so.
    whole_day = times.day_alone(written) & normalize.matches(at, times.TIME)
    end = latest.strftime(times.WRITTEN)
    at = at.mask(whole_day & (at > end).fillna(value=False), end)
    frame["event_time"] = at.fillna(end)
    frame["timed"] = at.notna().astype("boolean")


def _refuse_bad(updates: JudgedTracking, now: datetime) -> None:
    frame, refusals = updates.frame, updates.refusals
    columns = {name: updates.lines.bound.shown(name) for name in (*TRACKING_FIELDS, "event_time")}
    if "id" not in updates.lines.bound.fields:
        missing = frame["tracking_number"].isna().to_numpy(dtype=bool)
        for at in np.flatnonzero(missing & ~updates.skipped):
            refusals.add(at, explain("tracking_number", None), columns["tracking_number"])
    nameless = (frame["id"].isna() & frame["tracking_number"].notna()).to_numpy(dtype=bool)
    for at in np.flatnonzero(nameless & ~updates.skipped):
        refusals.add(at, reasons.UNKNOWN_PARCEL, columns["id"])
    open_ = ~refusals.mask(len(frame)).to_numpy() & ~updates.skipped
    refusals.check(frame[open_], TrackingTable, columns)
    latest = (now + _AHEAD).strftime(times.WRITTEN)
    # Both are ISO 8601 in UTC to the second, whose order as text is their order in time.
    ahead = normalize.matches(frame["event_time"], times.TIME) & (frame["event_time"] > latest).fillna(
        value=False
    )
    for at in np.flatnonzero(ahead.to_numpy(dtype=bool) & open_):
        refusals.add(at, reasons.FUTURE, columns["event_time"])


def _is(column: pd.Series[Any], value: str) -> pd.Series[Any]:
    return (column == value).fillna(value=False).astype(bool)
