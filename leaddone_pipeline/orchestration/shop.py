"""What a shop's assets have in common, in one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dagster as dg

from leaddone_pipeline.intake import Span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from leaddone_pipeline.orchestration.exports import Files

__all__ = ["Limits", "Shop"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Shares, from 0 to 1, beyond which something is wrong with a day.

    Attributes:
        refused: of its rows; a day beyond it is held, and nothing of it is sent.
        quarantined: of its rows; beyond it a check warns.
        rejected: of its records by LeadDone; beyond it a check warns.
    """

    refused: float = 0.5
    quarantined: float = 0.05
    rejected: float = 0.05


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A shop as its component describes it, in Dagster's terms.

    Attributes:
        folder: of its component, from which the project is looked for.
        client_id_env: variable that holds the client id.
        orders: its exports.
        courier: its courier files; without them it has no tracking assets.
        days_per_run: days that one run may have; None: any number.
        lookback_days: days before today that the schedule delivers again.
        pool: bounds how many of its deliveries run at once.
    """

    name: str
    folder: Path
    client_id_env: str
    orders: Files
    courier: Files | None
    partitions: dg.DailyPartitionsDefinition
    days_per_run: int | None
    lookback_days: int
    limits: Limits
    pool: str
    io_manager_key: str
    group: str
    owners: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def resource_key(self) -> str:
        """Key of the shop's own resource: two components may not define the same one."""
        return f"leaddone_{self.name}"

    @property
    def backfill_policy(self) -> dg.BackfillPolicy:
        if self.days_per_run is None:
            return dg.BackfillPolicy.single_run()
        return dg.BackfillPolicy.multi_run(self.days_per_run)

    @property
    def first_day(self) -> str:
        return f"{self.partitions.start:%Y-%m-%d}"

    def span(self) -> Span:
        """The shop's days as of now."""
        zone = self.partitions.timezone
        return Span(self.first_day, f"{datetime.now(ZoneInfo(zone)):%Y-%m-%d}", zone)

    def key(self, asset: str) -> dg.AssetKey:
        return dg.AssetKey([self.name, asset])
