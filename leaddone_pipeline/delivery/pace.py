"""Pure: when a request may leave (delivery.md, D).

The simple form: a fixed number of workers, plain backoff with full jitter, and the times that LeadDone names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leaddone_pipeline.settings import RetrySettings

__all__ = ["backoff_seconds"]


def backoff_seconds(tries: int, chance: float, retry: RetrySettings) -> float:
    """How long to wait before the next try of a batch: full jitter below a doubling bound (rule 25).

    Args:
        tries: how many tries the batch has behind it, from 1.
        chance: a random number in [0, 1).
        retry: the bounds.
    """
    return chance * min(retry.wait_max_seconds, retry.wait_initial_seconds * 2.0 ** min(tries - 1, 30))
