"""The front door: frames in, a run around them, a report out.

frames -> recorded in the ledger (rule 5) -> claimed, sent and settled (engine.py) -> waited for (rule 11) -> counted
"""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.delivery.lease import Clock
from leaddone_pipeline.delivery.orders import deliver_orders
from leaddone_pipeline.delivery.report import OUTCOMES, DeliveryReport, notes_of
from leaddone_pipeline.delivery.run import Progress, Run, Surroundings
from leaddone_pipeline.delivery.tally import Tally
from leaddone_pipeline.delivery.tracking import deliver_tracking
from leaddone_pipeline.delivery.workers import Threads, Workers
from leaddone_pipeline.ledger import Ledger, State, reading, recording
from leaddone_pipeline.settings import (
    DEFAULT_SHOP,
    Account,
    DeliverySettings,
    LeaseSettings,
    RetrySettings,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pandas as pd
    from sqlalchemy import Connection

    from leaddone_pipeline.delivery.carriers import Client
    from leaddone_pipeline.delivery.news import News

__all__ = ["Delivery", "Progress"]


def _quiet(_stage: str, _counts: Mapping[str, int]) -> None:
    return


class Delivery:
    """Gets records to LeadDone and their outcomes back, for one account.

    Args:
        ledger: where the truth is kept.
        client: sends one request a call.
        account: base URL and client id (rule 1).
        shop: a label.
        settings: batch limits, concurrency, guarantee.
        progress: called with a stage and counts.
        clock, workers, chance, retry, lease: for tests.
    """

    def __init__(
        self,
        ledger: Ledger,
        client: Client,
        account: Account,
        *,
        shop: str = DEFAULT_SHOP,
        settings: DeliverySettings | None = None,
        progress: Progress = _quiet,
        clock: Clock | None = None,
        workers: Workers | None = None,
        chance: Callable[[], float] = random.random,
        retry: RetrySettings | None = None,
        lease: LeaseSettings | None = None,
    ) -> None:
        self._around = Surroundings(
            ledger=ledger,
            client=client,
            account_id=ledger.write(lambda connection: recording.open_account(connection, account)),
            shop=shop,
            settings=settings or DeliverySettings(),
            progress=progress,
            clock=clock or Clock(),
            workers=workers or Threads(),
            retry=retry or RetrySettings(),
            lease=lease or LeaseSettings(),
            chance=chance,
        )
        self._run: Run | None = None

    @property
    def news(self) -> News | None:
        """How the last run stood at its end, also one that raised; None where none has begun."""
        return None if self._run is None else self._run.news

    def orders(self, frames: Iterable[pd.DataFrame], *, day: str | None = None) -> DeliveryReport:
        """Deliver orders: each valid one is recorded, sent unless LeadDone has it already, and its answer kept.

        Args:
            frames: slices with an order's columns, `skipped`, `source_file`, `source_row` (prepare.py). All of them
                belong to one day or one set of files: an order id stands once (rule 14).
            day: the day that the frames are the export of (rule 6), ISO.

        Returns:
            The report; `stopped` says why, when the run ended early.

        Raises:
            LedgerError: the ledger failed; what was sent and not recorded is unconfirmed.
            IntakeError: a frame holds what cannot be sent.
        """
        tally = Tally()
        with Run(Kind.ORDERS, self._around) as run:
            self._run = run
            deliver_orders(run, frames, tally, day=day)
        return self._report(run, tally)

    def tracking(self, frames: Iterable[pd.DataFrame], *, day: str | None = None) -> DeliveryReport:
        """Deliver statuses: the newest of each order, when it is news to LeadDone (rules 28 to 30).

        Updates that wait in the ledger for their order to be accepted leave too, whichever file brought them.

        Args:
            frames: slices with a status's columns (prepare.py).
            day: the day that the frames belong to, ISO.

        Returns:
            The report; `stopped` says why, when the run ended early.

        Raises:
            LedgerError: as for orders.
            IntakeError: as for orders.
        """
        tally = Tally()
        with Run(Kind.TRACKING, self._around) as run:
            self._run = run
            deliver_tracking(run, frames, tally, day=day)
        return self._report(run, tally)

    def links(self, **which: Any) -> pd.DataFrame:  # noqa: ANN401 - handed on as they are
        """The results table from the ledger (`reading.links` says which records can be chosen); sends nothing."""
        return self.links_as_of(**which)[0]

    def links_as_of(self, **which: Any) -> tuple[pd.DataFrame, float]:  # noqa: ANN401 - handed on as they are
        """The results table, and the moment of which it tells by the ledger's clock: UTC seconds."""
        ledger, account_id = self._around.ledger, self._around.account_id

        def read(connection: Connection) -> tuple[pd.DataFrame, float]:
            as_of: float = connection.execute(select(ledger.now())).scalar_one()
            return reading.links(connection, ledger.now(), account_id=account_id, **which), as_of

        return ledger.read(read)

    def _report(self, run: Run, tally: Tally) -> DeliveryReport:
        ledger, clock, kind, news = self._around.ledger, self._around.clock, run.kind, run.news
        counted, late, second_ids = ledger.read(
            lambda connection: (
                reading.count_outcomes(connection, ledger.now(), tally.numbers),
                reading.count_outcomes(connection, ledger.now(), tally.cancelled),
                reading.count_second_ids(connection, run.run_id),
            )
        )
        # A valid row whose order a newer export has withdrawn: surely not processed, and not to be sent.
        withdrawn = counted.pop(State.SKIPPED, 0)
        outcomes = counted + tally.found + Counter(pending=tally.left + withdrawn)
        counts = {name: outcomes[name] for name in OUTCOMES[kind]}
        return DeliveryReport(
            kind=kind,
            shop=self._around.shop,
            counts={
                "valid": sum(counts.values()),
                **counts,
                "changed": outcomes["changed"],
                "cancelled_late": late["accepted"],
                "sent": news.sent,
            },
            requests=news.requests,
            elapsed_s=clock.elapsed() - run.began,
            waited_s=news.waited_seconds,
            stopped=run.stopped,
            notes=notes_of(
                strangers=news.strangers,
                second_ids=second_ids,
                withdrawn=withdrawn,
                waits_for=tally.waits_for,
            ),
            read_links=lambda: self.links(kind=kind, numbers=list(tally.numbers)),
        )
