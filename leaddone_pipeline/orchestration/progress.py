"""A delivery's progress and counts for Dagster's log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Progress", "counts_told"]

_SECONDS = 10.0


class Progress:
    """Progress now and then: each line is an event in Dagster's storage."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _SECONDS

    def __call__(self, stage: str, counts: Mapping[str, int]) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _SECONDS
            dg.get_dagster_logger().info("LeadDone, %s: %s", stage, counts_told(counts))


def counts_told(counts: Mapping[str, Any]) -> str:
    """Those that are not 0, in words."""
    return ", ".join(f"{name} {value}" for name, value in counts.items() if isinstance(value, int) and value)
