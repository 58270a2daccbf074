"""The demo's way: a sandbox, a run a shop, what came of it, and the proof."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from leaddone_pipeline.demo.days import DayCounts, deliver, read_days
from leaddone_pipeline.demo.definitions import build
from leaddone_pipeline.demo.home import CLIENT_ID, DemoHome
from leaddone_pipeline.demo.proof import Claim, Tables, cancelled_late, prove, read_tables
from leaddone_pipeline.demo.ui import check_ui, run_ui
from leaddone_pipeline.sandbox.sample import SHOPS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from leaddone_pipeline.sandbox.app import RunningSandbox

__all__ = ["DemoReport", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport:
    """What a run of the demo brought about.

    Attributes:
        days: what Dagster knows of each shop's day.
        failures: why steps of the runs failed; then nothing else is looked at.
        tables: what the tables hold, of all days that were ever delivered; None after a failure.
        late: orders that a shop cancelled after LeadDone had accepted them.
        claims: what is to be proved.
    """

    home: DemoHome
    days: list[DayCounts]
    failures: list[str]
    tables: Tables | None = None
    late: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the runs went through, and what LeadDone has and what the tables say agree."""
        return not self.failures and all(claim.holds for claim in self.claims)

    @property
    def sent(self) -> int:
        """Records that this run sent, orders and statuses."""
        deliveries = (one for day in self.days for one in (day.order_deliveries, day.tracking_deliveries))
        return sum(counts.get("sent", 0) for counts in deliveries)


def run(
    start: Path, *, days: int, ui: bool, tell: Callable[[str], None], show: Callable[[DemoReport], None]
) -> bool:
    """Run the demo of the project around `start`.

    Args:
        start: where the project is looked for, upward.
        days: how many of the sample's days.
        ui: leave Dagster's UI and the sandbox open until Ctrl-C.
        tell: takes progress.
        show: takes the report, before the UI comes up.

    Returns:
        Whether all that the demo claims holds.

    Raises:
        SettingsError: something that the demo needs is not installed, or the sandbox's port is taken.
    """
    if ui:
        check_ui()
    home = DemoHome.around(start)
    home.prepare()
    with home.sandbox() as running:
        home.enter(running)
        tell(f"A sandbox LeadDone answers at {running.base_url}; the demo lives in {home.folder}.")
        report = _deliver(home, running, home.days(days), tell)
        show(report)
        if ui:
            run_ui(home, tell)
    return report.holds


def _deliver(
    home: DemoHome, running: RunningSandbox, days: list[str], tell: Callable[[str], None]
) -> DemoReport:
    definitions = build(home)
    known: list[DayCounts] = []
    failures: list[str] = []
    with dg.DagsterInstance.get() as instance:
        for shop in SHOPS:
            tell(f"{shop.name}: from {days[0]} to {days[-1]}, files to LeadDone and back ...")
            began = time.monotonic()
            failures += deliver(definitions, instance, shop=shop.name, days=days)
            known += read_days(instance, shop=shop.name, days=days)
            tell(f"{shop.name}: done in {time.monotonic() - began:.1f} s")
    if failures:
        return DemoReport(home=home, days=known, failures=failures)
    tables = read_tables(home.tables)
    return DemoReport(
        home=home,
        days=known,
        failures=[],
        tables=tables,
        late=cancelled_late(home.ledger, client_id=CLIENT_ID, base_url=running.base_url),
        claims=prove(tables, running.platform.orders(CLIENT_ID)),
    )
