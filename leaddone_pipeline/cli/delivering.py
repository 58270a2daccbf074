"""What `leaddone send` does: files -> intake -> delivery -> counts, links, quarantine and an exit code."""

from __future__ import annotations

import time
from contextlib import closing
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
from leaddone_pipeline.errors import LedgerError
from leaddone_pipeline.intake import load_source, read_orders, read_tracking

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from leaddone_pipeline.cli.asked import Asked
    from leaddone_pipeline.intake import RowCounts
    from leaddone_pipeline.settings import Account, Credentials

__all__ = ["reading_of", "run", "show_report", "too_many_paid"]


def run(asked: Asked) -> int:
    """Deliver, say what happened, and give the exit code."""
    credentials = opening.credentials()
    account = opening.account()
    with closing(QuarantineFiles(asked.quarantine, being_read=asked.files)) as quarantine:
        reading = reading_of(asked, quarantine)
        if not reading.begin():
            return UNUSABLE
        report = _deliver(asked, reading, credentials, account)
    reading.say_refused()
    show_report(asked, report.as_json())
    if report.stopped:
        say_error(report.stopped)
        return STOPPED
    for note in report.notes:
        say(f"Note: {note}.")
    _say_cancelled(report)
    return LEFT_OVER if reading.broken or too_many_paid(asked, reading) else code_of_counts(report.counts)


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


def _deliver(asked: Asked, reading: Reading, credentials: Credentials, account: Account) -> DeliveryReport:
    """Deliver what is read; where the ledger fails, the rows are still counted."""
    began = time.monotonic()
    may_have_left = False
    try:
        with (
            opening.ledger() as ledger,
            opening.client(credentials, account, max_connections=asked.settings.max_concurrency) as client,
            ShownProgress() as progress,
        ):
            delivery = Delivery(
                ledger, client, account, shop=asked.shop, settings=asked.settings, progress=progress
            )
            may_have_left = True
            send = delivery.orders if asked.kind is Kind.ORDERS else delivery.tracking
            report = _with_rows(send(reading.frames()), reading.rows)
            if asked.links is not None:
                write_table(report.links, asked.links)
            return report
    except LedgerError as error:
        reading.finish()
        report = _without_ledger(asked, error, reading.rows.valid, may_have_left=may_have_left, began=began)
        return _with_rows(report, reading.rows)


def _with_rows(report: DeliveryReport, rows: RowCounts) -> DeliveryReport:
    return report.with_rows(
        read=rows.read, quarantined=rows.quarantined, skipped=rows.skipped, merged=rows.merged
    )


def _without_ledger(
    asked: Asked, error: LedgerError, valid: int, *, may_have_left: bool, began: float
) -> DeliveryReport:
    """What is known when the ledger cannot tell: nothing was sent, or nobody knows what was."""

    def no_links() -> pd.DataFrame:
        raise error

    outcomes = dict.fromkeys(OUTCOMES[asked.kind], 0) | {"unconfirmed" if may_have_left else "pending": valid}
    return DeliveryReport(
        kind=asked.kind,
        shop=asked.shop,
        counts={"valid": valid, **outcomes, "changed": 0, "cancelled_late": 0, "sent": 0},
        requests=0,
        elapsed_s=time.monotonic() - began,
        stopped=error,
        read_links=no_links,
    )


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
