"""What many seeds have met, as a text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.settings import Guarantee
from tests.simulation.crashes import Site
from tests.simulation.faults import Fault, Row

if TYPE_CHECKING:
    from tests.simulation.play import Played

__all__ = ["table"]


def table(played: Played) -> str:
    """How often each row of delivery.md's table, each fault and each crash came about."""
    once, most = Guarantee.AT_LEAST_ONCE.value, Guarantee.AT_MOST_ONCE.value
    columns = (once, most, Kind.TRACKING.value)
    lines = [f"{played.seeds} seeds, {played.requests} requests", "", f"answers: {', '.join(columns)}"]
    lines += ["".join(f"{played.rows[column, row]:8}" for column in columns) + f"  {row}" for row in Row]
    lines += ["", "crashes"]
    lines += [f"{played.crashes[site]:8}  {site}" for site in Site]
    lines += ["", "faults"]
    lines += [f"{played.faults[fault]:8}  {fault}" for fault in Fault]
    return "\n".join(lines)
