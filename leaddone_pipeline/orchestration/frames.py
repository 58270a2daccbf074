"""Someone's own frames on their way to LeadDone: checked one by one, what is refused counted and kept in mind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from leaddone_pipeline.contract import ORDER_FIELDS, Kind
from leaddone_pipeline.intake import Code, RowCounts, check_orders, check_tracking
from leaddone_pipeline.intake.seen import DIFFERS, NEW, REPEAT, Seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from leaddone_pipeline.delivery import DeliveryReport

__all__ = ["CheckedFrames"]

_ROWS_SHOWN = 5


class CheckedFrames:
    """Frames checked as they are asked for, so that one is in memory at a time.

    An order id is good once among them (delivery.md, rule 14), as among the files of a day.
    """

    def __init__(self, kind: Kind, frames: pd.DataFrame | Iterable[pd.DataFrame]) -> None:
        self._kind = kind
        self._frames = [frames] if isinstance(frames, pd.DataFrame) else frames
        self._seen = Seen()
        self._rows = RowCounts()
        self._refused: dict[str, list[str]] = {}

    def __iter__(self) -> Iterator[pd.DataFrame]:
        check = check_orders if self._kind is Kind.ORDERS else check_tracking
        for number, frame in enumerate(self._frames, 1):
            one = check(frame, name=f"frame {number}")
            self._rows += one.rows
            self._note(one.refused["code"], one.refused["source_row"])
            yield one.frame if self._kind is Kind.TRACKING else self._once(one.frame)

    def counted_in(self, report: DeliveryReport) -> DeliveryReport:
        """Add what became of the rows to a delivery's report."""
        rows = self._rows
        return report.with_rows(
            read=rows.read, quarantined=rows.quarantined, skipped=rows.skipped, merged=rows.merged
        )

    def refusals(self) -> str:
        """What was refused, by code and row number and without personal data; empty if nothing was."""
        if not self._refused:
            return ""
        codes = (f"{code} × {len(rows)} ({_some(rows)})" for code, rows in sorted(self._refused.items()))  # noqa: RUF001
        return f"{self._rows.quarantined} of {self._rows.read} rows refused and not sent: {', '.join(codes)}"

    def _once(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Leave out the orders of earlier frames: exact repeats are merged, differing ones refused."""
        contents = [frame[name] for name in (*ORDER_FIELDS[1:], "skipped")]
        verdict = pd.Series(self._seen.judge([frame["id"]], contents), index=frame.index)
        again, sent = verdict != NEW, frame["skipped"] == ""
        differs = frame[verdict == DIFFERS]
        self._note(
            pd.Series(Code.DIFFERS_FROM_EARLIER.value, index=differs.index, dtype=str), differs["source_row"]
        )
        self._rows += RowCounts(
            quarantined=len(differs),
            skipped=-int((again & ~sent).sum()),
            merged=int((verdict == REPEAT).sum()),
            valid=-int((again & sent).sum()),
        )
        return frame[~again]

    def _note(self, codes: pd.Series[str], rows: pd.Series[int]) -> None:
        for code, its in rows.groupby(codes.to_numpy()):
            self._refused.setdefault(str(code), []).extend(its.astype(str))


def _some(rows: list[str]) -> str:
    more = f" and {len(rows) - _ROWS_SHOWN} more" if len(rows) > _ROWS_SHOWN else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {', '.join(rows[:_ROWS_SHOWN])}{more}"
