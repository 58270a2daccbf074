"""What a delivery did, in the words of the interface."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from leaddone_pipeline.contract import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from leaddone_pipeline.errors import LeadDoneError

__all__ = ["OUTCOMES", "ROWS", "DeliveryReport", "notes_of"]

ROWS = ("read", "quarantined", "skipped", "merged", "valid")
OUTCOMES = {
    Kind.ORDERS: ("accepted", "rejected", "unconfirmed", "pending"),
    Kind.TRACKING: (
        "accepted",
        "rejected",
        "unconfirmed",
        "pending",
        "unchanged",
        "superseded",
        "held_back",
    ),
}
"""The outcomes that add up to `valid` (the law of records)."""


@dataclass(frozen=True, kw_only=True)
class DeliveryReport:
    """The state of a file's records after a run, and what the run did.

    Attributes:
        counts: rows (`read`, `quarantined`, `skipped`, `merged`, `valid`), outcomes, `changed`,
            `cancelled_late`, `sent`. Rows: read = quarantined + skipped + merged + valid. Records: valid = the sum
            of the outcomes.
        requests: how many requests left.
        elapsed_s: seconds from the run's start to its end.
        waited_s: seconds for which LeadDone let nothing leave (429, 503 with Retry-After).
        stopped: why the run ended early; what was not sent is pending.
        notes: what a person should know, without personal data.
    """

    kind: Kind
    shop: str
    counts: Mapping[str, int]
    requests: int
    elapsed_s: float
    waited_s: float = 0.0
    stopped: LeadDoneError | None = None
    notes: tuple[str, ...] = ()
    read_links: Callable[[], pd.DataFrame] = field(repr=False, compare=False)

    @cached_property
    def links(self) -> pd.DataFrame:
        """The results table of these records, read from the ledger when first asked for."""
        return self.read_links()

    def with_rows(self, *, read: int, quarantined: int, skipped: int, merged: int) -> DeliveryReport:
        """Add what intake counted before the delivery."""
        rows = {"read": read, "quarantined": quarantined, "skipped": skipped, "merged": merged}
        return replace(self, counts={**self.counts, **rows})

    def to_metadata(self) -> dict[str, Any]:
        """Counts for Dagster's metadata, without personal data."""
        return {
            **self.counts,
            "requests": self.requests,
            "elapsed_s": round(self.elapsed_s, 3),
            "waited_s": round(self.waited_s, 3),
            **({"notes": list(self.notes)} if self.notes else {}),
            **({"stopped": str(self.stopped)} if self.stopped else {}),
        }

    def as_json(self) -> dict[str, Any]:
        """One flat object, as `leaddone send --json` prints it."""
        return {
            "shop": self.shop,
            "kind": self.kind.value,
            **self.counts,
            "requests": self.requests,
            "elapsed_s": round(self.elapsed_s, 3),
        }


def notes_of(*, strangers: int, second_ids: int, withdrawn: int, waits_for: str | None) -> tuple[str, ...]:
    """Say what a person should know beside the counts (rules 17, 20 and 21, and orders withdrawn since)."""
    notes = []
    if waits_for is not None:
        notes.append(
            "orders of unknown fate are not sent again yet: whether LeadDone recognises a repeat is being found out "
            f"with order {waits_for}; run the day or the file of that order again"
        )
    if withdrawn:
        notes.append(
            f"{withdrawn} orders were withdrawn by a newer export or a cancellation; they count as pending here "
            "and are not sent"
        )
    if strangers:
        notes.append(f"LeadDone answered for {strangers} ids that were not sent; they were ignored")
    if second_ids:
        notes.append(
            f"LeadDone gave {second_ids} accepted orders a second internal id; the first is kept, the second "
            "stands in the ledger's audit, and the order may exist twice in LeadDone"
        )
    return tuple(notes)
