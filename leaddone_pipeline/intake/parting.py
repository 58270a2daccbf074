"""Judged records -> a slice: what repeats is settled, rows are counted, the good parted from the refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leaddone_pipeline.contract import ORDER_FIELDS
from leaddone_pipeline.intake.quarantine import Refusals, refused_rows
from leaddone_pipeline.intake.reasons import DIFFERS
from leaddone_pipeline.intake.seen import DIFFERS as DIFFERS_VERDICT
from leaddone_pipeline.intake.seen import REPEAT, Seen
from leaddone_pipeline.intake.slices import RowCounts, Slice

if TYPE_CHECKING:
    import pandas as pd

    from leaddone_pipeline.intake.judged import JudgedOrders
    from leaddone_pipeline.intake.slices import About
    from leaddone_pipeline.intake.tracking import JudgedTracking

__all__ = ["orders_slice", "updates_slice"]


def orders_slice(
    judged: JudgedOrders, seen: Seen, warnings: tuple[str, ...] = (), about: About | None = None
) -> Slice:
    """Settle what repeats, count the rows, and part the good from the refused."""
    frame, refusals, count = judged.frame, judged.refusals, judged.count
    contents = [*ORDER_FIELDS[1:], "skipped"]
    repeats = _settle_repeats(frame, refusals, seen, contents, judged.lines.bound.shown("id"))
    refused = refusals.mask(len(frame)).to_numpy()
    skipped = (frame["skipped"] != "").to_numpy(dtype=bool) & ~refused & ~repeats
    sent = ~refused & ~repeats & ~skipped
    return Slice(
        frame=frame[sent | skipped].reset_index(drop=True),
        refused=refused_rows(judged.lines, refusals, first=judged.first, count=count, ids=frame["id"]),
        rows=RowCounts(
            read=int(count.sum()),
            quarantined=int(count[refused].sum()),
            skipped=int(count[skipped].sum()),
            merged=int(count[repeats].sum() + (count[sent] - 1).sum()),
            valid=int(sent.sum()),
        ),
        warnings=warnings,
        about=about,
        rewritten=judged.rewritten,
        examples=tuple(judged.examples),
    )


def updates_slice(
    updates: JudgedTracking, seen: Seen, warnings: tuple[str, ...] = (), about: About | None = None
) -> Slice:
    """Settle what repeats, count the rows, and part the good from the refused; each event is a record."""
    frame, refusals = updates.frame, updates.refusals
    # Each event is a record of its own, so its whole content is its key.
    keys = ["id", "tracking_number", "status", "event_time"]
    skipped = updates.skipped
    repeats = _settle_repeats(frame, refusals, seen, keys, None, apart=skipped)
    refused = refusals.mask(len(frame)).to_numpy()
    good = ~refused & ~repeats & ~skipped
    every = np.arange(len(frame))
    return Slice(
        frame=frame[good].reset_index(drop=True),
        refused=refused_rows(
            updates.lines, refusals, first=every, count=np.ones_like(every), ids=frame["id"]
        ),
        rows=RowCounts(
            read=len(frame),
            quarantined=int(refused.sum()),
            skipped=int(skipped.sum()),
            merged=int(repeats.sum()),
            valid=int(good.sum()),
        ),
        warnings=warnings,
        about=about,
    )


def _settle_repeats(
    frame: pd.DataFrame,
    refusals: Refusals,
    seen: Seen,
    contents: list[str],
    id_column: str | None,
    *,
    apart: np.ndarray[Any, np.dtype[np.bool_]] | None = None,
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Say which records repeat an earlier one exactly; refuse those that only share its id."""
    left_out = refusals.mask(len(frame)).to_numpy()
    standing = np.flatnonzero(~left_out if apart is None else ~(left_out | apart))
    records = frame.iloc[standing]
    keys = ["id"] if id_column is not None else contents
    verdict = seen.judge([records[name] for name in keys], [records[name] for name in contents])
    for at in standing[verdict == DIFFERS_VERDICT]:
        refusals.add(at, DIFFERS, id_column)
    repeats = np.zeros(len(frame), dtype=bool)
    repeats[standing[verdict == REPEAT]] = True
    return repeats
