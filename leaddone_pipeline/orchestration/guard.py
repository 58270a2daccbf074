"""The guard: a day of which most rows were refused is held before anything is sent.

Such a file was most likely read in a wrong way, and then the rows that were not refused are wrong too. The day is
not recorded in the ledger until it is released (delivery.md, rule 5), so nothing asks for it either. A day that was
released once is not held again while its counts are the same and the ledger has all that it would send.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaddone_pipeline.errors import IntakeError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RELEASE", "RELEASED", "counted", "is_held", "is_released", "refuse"]

RELEASE = "leaddone/release"
"""The run tag that releases days: `all`, or days with commas between them."""

RELEASED = "leaddone/released"
"""What is noted of a day when it is released: its counts."""

_ENOUGH_ROWS = 20


def is_held(rows: Mapping[str, int], limit: float) -> bool:
    """Say whether more than this share of a day's rows was refused, and the day has enough rows to tell.

    Args:
        rows: the metadata of the day's export, with `read`, `quarantined`, and of both `undated`: rows that only
            stand with the day, and say nothing of it.
        limit: from 0 to 1.
    """
    read, refused = _of_the_day(rows)
    return read >= _ENOUGH_ROWS and refused > limit * read


def is_released(day: str, tags: Mapping[str, str]) -> bool:
    """Say whether a person has looked at this day and releases it by the run's tag."""
    named = [word.strip() for word in tags.get(RELEASE, "").split(",")]
    return "all" in named or day in named


def counted(rows: Mapping[str, int]) -> str:
    """A day's counts, as they are noted when it is released."""
    read, refused = _of_the_day(rows)
    return f"{refused} of {read} rows refused"


def refuse(day: str, export: str, rows: Mapping[str, int], limit: float) -> IntakeError:
    """Say why a day is held, and what to do."""
    read, refused = _of_the_day(rows)
    return IntakeError(
        f"{refused} of {read} rows were refused, more than {limit:.0%}; the day is held, and "
        "nothing of it was sent or recorded now",
        remedy=f"Read the reasons in {export}_quarantine and correct the files or the source's settings; if the day "
        f'is right as it is, run it with the tag {RELEASE}: "{day}"',
        file=f"{export} of {day}",
    )


def _of_the_day(rows: Mapping[str, int]) -> tuple[int, int]:
    undated = rows.get("undated", 0)
    return rows.get("read", 0) - undated, rows.get("quarantined", 0) - undated
