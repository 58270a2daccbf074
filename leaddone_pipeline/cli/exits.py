"""Exit codes, on which scripts may rely (interface.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaddone_pipeline.errors import IntakeError, LeadDoneError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DONE",
    "INTERRUPTED",
    "LEFT_OVER",
    "STOPPED",
    "TERMINATED",
    "UNUSABLE",
    "code_of",
    "code_of_counts",
]

DONE = 0
STOPPED = 1
"""Credentials, address, LeadDone down, ledger unreachable; what was not sent is pending."""
UNUSABLE = 2
"""Usage or settings, or no file could be read at all."""
LEFT_OVER = 3
"""Finished, and something is left that a person should look at."""
INTERRUPTED = 130
TERMINATED = 143
"""As a shell tells it of what SIGTERM has ended."""

_LEFT_OVER = ("quarantined", "rejected", "unconfirmed", "pending", "cancelled_late")


def code_of(error: LeadDoneError) -> int:
    """Whether an error stopped a delivery, or nothing could begin."""
    return UNUSABLE if isinstance(error, (SettingsError, IntakeError)) else STOPPED


def code_of_counts(counts: Mapping[str, int]) -> int:
    """Whether all of a finished delivery is as it should be."""
    return LEFT_OVER if any(counts.get(name) for name in _LEFT_OVER) else DONE
