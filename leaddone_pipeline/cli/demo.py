"""`leaddone demo`: the whole way on sample data, through Dagster, and what came of it."""

from __future__ import annotations

from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leaddone_pipeline.cli.exits import DONE, STOPPED
from leaddone_pipeline.cli.words import counted, say, show, show_table

if TYPE_CHECKING:
    from leaddone_pipeline.demo import DayCounts, DemoReport, Tables

__all__ = ["demo"]

_SAMPLE_DAYS = 7
_LINKS_A_SHOP = 3
_COLUMNS = {
    "read": ("orders", "read"),
    "quarantined": ("orders", "quarantined"),
    "skipped": ("orders", "skipped"),
    "sent": ("order_deliveries", "sent"),
    "accepted": ("order_deliveries", "accepted"),
    "rejected": ("order_deliveries", "rejected"),
    "unconfirmed": ("order_deliveries", "unconfirmed"),
    "pending": ("order_deliveries", "pending"),
    "statuses accepted": ("tracking_deliveries", "accepted"),
}


def demo(
    *,
    days: Annotated[
        int, typer.Option(metavar="N", min=1, max=_SAMPLE_DAYS, help="how many of the sample's days")
    ] = _SAMPLE_DAYS,
    ui: Annotated[
        bool, typer.Option("--ui", help="leave Dagster's UI and the sandbox open until Ctrl-C")
    ] = False,
) -> None:
    """Deliver the sample shops' days to a sandbox, through the real Dagster assets, and show the links.

    Example:
      leaddone demo --days 2

    Everything stays in .leaddone/demo of the project, its own ledger included. Run it again, and
    nothing is sent a second time. Exit code 1: what LeadDone has and what the tables say differ.
    """
    from leaddone_pipeline.demo import run  # noqa: PLC0415 - loads dagster

    raise typer.Exit(DONE if run(Path.cwd(), days=days, ui=ui, tell=say, show=_show) else STOPPED)


def _show(report: DemoReport) -> None:
    for failure in report.failures:
        say(f"Error: {failure}")
    if report.failures:
        say(f"Dagster's whole log is {report.home.log}.")
    _show_days(report.days)
    if report.tables is not None:
        _show_purpose(report.tables, report.late)
        _show_links(report.tables)
        _show_places(report)
        _show_claims(report, report.tables)


def _show_days(days: list[DayCounts]) -> None:
    rows = [
        (day.shop, day.day, *(getattr(day, asset).get(count, 0) for asset, count in _COLUMNS.values()))
        for day in days
    ]
    show_table(("shop", "day", *_COLUMNS), rows)


def _show_purpose(tables: Tables, late: tuple[str, ...]) -> None:
    """Name what is not as it should be on purpose, so that nobody takes it for a fault."""
    rejected = counted(tables.count("rejected"), "order")
    show("\nThe sample is made so:")
    show("  quarantined: rows that are bad, each with its reason and remedy in orders_quarantine")
    show("  skipped: orders that are paid, cancelled or fulfilled, each with its reason in orders")
    show(f"  rejected: {rejected} to a city that LeadDone does not serve")
    show(
        f"  cancelled after LeadDone accepted them, so that someone must call: {', '.join(late) or 'none so far'}"
    )


def _show_links(tables: Tables) -> None:
    show("\nFrom order_links, the results table:")
    by_shop = groupby(tables.links, key=lambda link: link.shop)
    chosen = [link for _, links in by_shop for link in islice(links, _LINKS_A_SHOP)]
    rows = [(link.shop, link.order_id, link.internal_id or "", link.outcome) for link in chosen]
    show_table(("shop", "order_id", "internal_id", "outcome"), rows)


def _show_places(report: DemoReport) -> None:
    show(f"\ntables  {report.home.tables} (DuckDB: atlas.order_links, medina.order_links and the others)")
    show(f"ledger  {report.home.ledger}")
    show(f"log     {report.home.log}\n")


def _show_claims(report: DemoReport, tables: Tables) -> None:
    for claim in report.claims:
        show(f"{'holds' if claim.holds else 'DOES NOT HOLD'}: {claim.sentence}")
    if not report.sent:
        show(f"nothing was sent a second time: LeadDone has all {counted(tables.count('accepted'), 'order')}")
