"""What `leaddone send` does: files -> intake -> delivery -> counts, links, quarantine and an exit code."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from leaddone_pipeline.cli import opening
from leaddone_pipeline.cli.exits import LEFT_OVER, STOPPED, UNUSABLE, code_of_counts
from leaddone_pipeline.cli.files import write_table
from leaddone_pipeline.cli.parcels import known_parcels
from leaddone_pipeline.cli.progress import ShownProgress
from leaddone_pipeline.cli.quarantine_files import QuarantineFiles
from leaddone_pipeline.cli.reading import Reading
from leaddone_pipeline.cli.words import counted, say, say_error, show, show_counts, show_json
from leaddone_pipeline.contract import Kind
from leaddone_pipeline.delivery import OUTCOMES, ROWS, Delivery, DeliveryReport
from leaddone_pipeline.errors import LeadDoneError, LedgerError
from leaddone_pipeline.intake import load_source, read_orders, read_tracking

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from leaddone_pipeline.cli.asked import Asked
    from leaddone_pipeline.delivery.news import News
    from leaddone_pipeline.intake import RowCounts
    from leaddone_pipeline.settings import Account, Credentials

__all__ = ["reading_of", "run", "show_report", "tell", "too_many_paid", "without_ledger"]


def run(asked: Asked) -> int:
    """Deliver, say what happened, and give the exit code."""
    credentials = opening.credentials()
    account = opening.account()
    with closing(QuarantineFiles(asked.quarantine, being_read=asked.files)) as quarantine:
        reading = reading_of(asked, quarantine)
        report = _deliver(asked, reading, credentials, account)
    return UNUSABLE if report is None else tell(asked, reading, report)


def reading_of(asked: Asked, quarantine: QuarantineFiles) -> Reading:
    """The files, not read yet.

    Raises:
        IntakeError: the source cannot be used.
    """
    if asked.kind is Kind.ORDERS:
        slices = read_orders(asked.files, source=asked.source, limit=asked.limit)
    else:
        known = known_parcels(opening.account())
        slices = read_tracking(asked.files, source=asked.source, limit=asked.limit, known=known)
    return Reading(slices, quarantine, files=len(asked.files))


def _deliver(
    asked: Asked, reading: Reading, credentials: Credentials, account: Account
) -> DeliveryReport | None:
    """Deliver what is read; None where nothing could be. Where the ledger fails, the rows are still counted."""
    began = time.monotonic()
    delivery = None
    try:
        if not reading.begin():
            return None
        with (
            opening.ledger() as ledger,
            opening.client(credentials, account, max_connections=asked.settings.max_concurrency) as client,
            ShownProgress() as progress,
        ):
            delivery = Delivery(
                ledger, client, account, shop=asked.shop, settings=asked.settings, progress=progress
            )
            send = delivery.orders if asked.kind is Kind.ORDERS else delivery.tracking
            report = _with_rows(send(reading.frames()), reading.rows)
            return report if asked.links is None else _with_links(report, asked.links)
    except LedgerError as error:
        news = delivery.news if delivery else None
        return without_ledger(asked, reading, error, began=began, news=news)


def _with_rows(report: DeliveryReport, rows: RowCounts) -> DeliveryReport:
    return report.with_rows(
        read=rows.read, quarantined=rows.quarantined, skipped=rows.skipped, merged=rows.merged
    )


def _with_links(report: DeliveryReport, path: Path) -> DeliveryReport:
    """Write the links; where they cannot be, the delivery's counts are told all the same."""
    try:
        write_table(report.links, path)
    except LeadDoneError as error:
        return replace(report, stopped=report.stopped or error)
    return report


def without_ledger(
    asked: Asked, reading: Reading, error: LedgerError, *, began: float, news: News | None = None
) -> DeliveryReport:
    """What is known when the ledger cannot tell: what has not left is pending, of the rest nobody knows the fate."""
    reading.finish()
    valid, sent = reading.rows.valid, news.sent if news else 0
    unconfirmed = min(sent, valid)

    def no_links() -> pd.DataFrame:
        raise error

    outcomes = dict.fromkeys(OUTCOMES[asked.kind], 0)
    outcomes |= {"unconfirmed": unconfirmed, "pending": valid - unconfirmed}
    report = DeliveryReport(
        kind=asked.kind,
        shop=asked.shop,
        counts={"valid": valid, **outcomes, "changed": 0, "cancelled_late": 0, "sent": sent},
        requests=news.requests if news else 0,
        elapsed_s=time.monotonic() - began,
        stopped=error,
        read_links=no_links,
    )
    return _with_rows(report, reading.rows)


def tell(asked: Asked, reading: Reading, report: DeliveryReport) -> int:
    """Say what happened, and give the exit code."""
    reading.say_skipped(recorded=not isinstance(report.stopped, LedgerError))
    reading.say_refused()
    show_report(asked, report.as_json())
    for note in report.notes:
        say(f"Note: {note}.")
    _say_cancelled(report)
    if report.stopped:
        say_error(report.stopped)
        return STOPPED
    return LEFT_OVER if reading.broken or too_many_paid(asked, reading) else code_of_counts(report.counts)


_ORDER = (
    *("shop", "kind", *ROWS),
    *("accepted", "rejected", "unconfirmed", "pending", "unchanged", "superseded", "held_back"),
    *("changed", "cancelled_late", "sent", "requests", "elapsed_s"),
)


def _in_order(known: Mapping[str, Any]) -> dict[str, Any]:
    """The values of interface.md's list in its order, then what else is known."""
    return {name: known[name] for name in _ORDER if name in known} | dict(known)


def show_report(asked: Asked, known: Mapping[str, Any]) -> None:
    """Show the result, as JSON or for people."""
    values = _in_order(known)
    if asked.as_json:
        show_json(values)
        return
    show(f"{values['kind']} of shop {values['shop']}")
    show_counts({name: value for name, value in values.items() if isinstance(value, int)})


def _say_cancelled(report: DeliveryReport) -> None:
    late = report.counts["cancelled_late"]
    if late:
        say(
            f"Cancelled after LeadDone accepted them: {counted(late, 'order')}. Call LeadDone before the "
            "parcels leave; `leaddone status` names them."
        )


def too_many_paid(asked: Asked, reading: Reading) -> bool:
    """Most orders were skipped as paid, and nobody has said that this is right; a built-in source says nothing."""
    if not reading.mostly_paid:
        return False
    return asked.source is None or load_source(asked.source).paid is None
