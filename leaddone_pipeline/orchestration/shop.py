"""What a shop's assets have in common, in one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leaddone_pipeline.orchestration.exports import Files

__all__ = ["Shop"]


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A shop as its component describes it, in Dagster's terms.

    Attributes:
        orders: its exports.
        courier: its courier files; without them it has no tracking assets.
        pool: bounds how many of its deliveries run at once.
    """

    name: str
    orders: Files
    courier: Files | None
    partitions: dg.DailyPartitionsDefinition
    backfill_policy: dg.BackfillPolicy
    pool: str
    io_manager_key: str
    group: str
    owners: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def resource_key(self) -> str:
        """Key of the shop's own resource: two components may not define the same one."""
        return f"leaddone_{self.name}"

    def key(self, asset: str) -> dg.AssetKey:
        return dg.AssetKey([self.name, asset])
