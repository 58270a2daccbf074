"""The shell: frames in, records claimed, sent and settled, a report out.

    frames -> recorded in the ledger (rule 5) -> claimed and sent (send.py) -> waited for (rule 11) -> counted

A slice is recorded before its first batch leaves. When the run stops, what is left of the frames is recorded too.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.delivery.decide import MAX_UNKNOWN_ATTEMPTS
from leaddone_pipeline.delivery.lease import Clock, Lease
from leaddone_pipeline.delivery.pace import backoff_seconds
from leaddone_pipeline.delivery.prepare import Item, PreparedUpdate, content_hash, orders_of, updates_of
from leaddone_pipeline.delivery.record import record_orders, record_updates
from leaddone_pipeline.delivery.report import OUTCOMES, DeliveryReport, notes_of
from leaddone_pipeline.delivery.send import Client, Sender
from leaddone_pipeline.delivery.stops import interrupted, silent
from leaddone_pipeline.delivery.tally import Tally
from leaddone_pipeline.ledger import Ledger, State, claiming, reading, recording
from leaddone_pipeline.settings import (
    DEFAULT_SHOP,
    Account,
    DeliverySettings,
    LeaseSettings,
    RetrySettings,
)
from leaddone_pipeline.webhook import TrackingUpdate, batches, encode

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Delivery", "Progress"]

Progress = Callable[[str, Mapping[str, int]], None]
"""Called now and then with a word for the stage and counts: never personal data."""

_UPDATES_A_READ = 10_000
_LOOK_AGAIN_SECONDS = 0.25


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
        clock, retry, lease: for tests.
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
        retry: RetrySettings | None = None,
        lease: LeaseSettings | None = None,
    ) -> None:
        self._ledger = ledger
        self._client = client
        self._shop = shop
        self._settings = settings or DeliverySettings()
        self._progress = progress
        self._clock = clock or Clock()
        self._retry = retry or RetrySettings()
        self._lease = lease or LeaseSettings()
        self._account_id = ledger.write(lambda connection: recording.open_account(connection, account))

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
        waiting: list[Item] = []
        with self._run(Kind.ORDERS) as sender:
            for frame in frames:
                prepared = orders_of(frame, self._ledger.content_key)
                recorded = self._ledger.write(
                    partial(
                        record_orders, orders=prepared, account_id=self._account_id, shop=self._shop, day=day
                    )
                )
                tally.add(recorded)
                waiting += self._submit(sender, recorded.to_send)
                self._report_progress("sending", sender, tally)
            sender.drain()
            self._outwait(sender, waiting)
        return self._finish(Kind.ORDERS, sender, tally)

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
        with self._run(Kind.TRACKING) as sender:
            self._ledger.write(lambda connection: recording.reopen_updates(connection, self._account_id))
            waiting: list[PreparedUpdate] = []
            for frame in frames:
                waiting += self._record_updates(tally, updates_of(frame), day)
            self._send_updates(sender, tally)
            while waiting and not sender.stopped:
                self._clock.sleep(_LOOK_AGAIN_SECONDS)
                self._take_over(Kind.TRACKING)
                waiting = self._record_updates(tally, waiting, day)
                self._send_updates(sender, tally)
        return self._finish(Kind.TRACKING, sender, tally, left=len(waiting))

    def links(self, **which: Any) -> pd.DataFrame:  # noqa: ANN401 - handed on as they are
        """The results table from the ledger (`reading.links` says which records can be chosen); sends nothing."""
        return self._ledger.read(
            lambda connection: reading.links(
                connection, self._ledger.now(), account_id=self._account_id, **which
            )
        )

    @contextmanager
    def _run(self, kind: Kind) -> Iterator[Sender]:
        """A run in the ledger around its sender; requests in flight are settled whatever happens."""
        self._take_over(kind)
        lease = Lease(
            self._ledger,
            account_id=self._account_id,
            kind=kind,
            shop=self._shop,
            settings=self._lease,
            clock=self._clock,
        )
        with ThreadPoolExecutor(self._settings.max_concurrency, thread_name_prefix="leaddone") as executor:
            sender = Sender(
                ledger=self._ledger,
                client=self._client,
                lease=lease,
                account_id=self._account_id,
                kind=kind,
                retry=self._retry,
                executor=executor,
                slots=self._settings.max_concurrency + 1,
                clock=self._clock,
            )
            try:
                yield sender
                if sender.health.is_silent:
                    sender.stop(silent(sender.last_words))
            except BaseException:
                sender.stop(interrupted())
                raise
            finally:
                executor.shutdown(wait=True)
                lease.end(stopped=str(sender.stopped) if sender.stopped else None)

    def _submit(self, sender: Sender, items: Sequence[Item]) -> list[Item]:
        busy: list[Item] = []
        limits = self._settings
        for batch in batches(items, size=limits.batch_size, max_bytes=limits.max_batch_bytes):
            if sender.stopped:
                break
            busy += sender.submit(batch)
        return busy

    def _outwait(self, sender: Sender, waiting: list[Item]) -> None:
        """Wait for records that another claim holds, until it is settled or its run is dead (rule 11)."""
        while waiting and not sender.stopped:
            self._take_over(Kind.ORDERS)
            numbers = [item.number for item in waiting]
            held = self._ledger.read(partial(claiming.open_claims, numbers=numbers))
            busy = self._submit(sender, [item for item in waiting if item.number not in held])
            sender.drain()
            waiting = [item for item in waiting if item.number in held] + busy
            if waiting:
                self._progress("waiting for another run", {"records": len(waiting)})
                self._clock.sleep(_LOOK_AGAIN_SECONDS)

    def _record_updates(
        self, tally: Tally, prepared: Sequence[PreparedUpdate], day: str | None
    ) -> list[PreparedUpdate]:
        recorded = self._ledger.write(
            partial(
                record_updates,
                updates=prepared,
                account_id=self._account_id,
                shop=self._shop,
                day=day,
                mine=tally.numbers,
                key=self._ledger.content_key,
            )
        )
        tally.add(recorded)
        return recorded.waiting

    def _send_updates(self, sender: Sender, tally: Tally) -> None:
        """Send what may leave, then once more what had no clear answer, as often as rule 18 allows."""
        for again in range(MAX_UNKNOWN_ATTEMPTS):
            after = sent = 0
            while not sender.stopped and (rows := self._updates(after, again=again > 0)):
                after = rows[-1].number
                sent += len(rows)
                self._submit(sender, [self._update_item(row, again=again > 0) for row in rows])
                self._report_progress("sending", sender, tally)
            sender.drain()
            if sender.stopped or not sent:
                return
            self._clock.sleep(backoff_seconds(again + 1, random.random(), self._retry))

    def _updates(self, after: int, *, again: bool) -> list[Any]:
        return self._ledger.read(
            lambda connection: reading.updates(
                connection, self._account_id, after=after, limit=_UPDATES_A_READ, only_unknown=again
            )
        )

    def _update_item(self, row: Any, *, again: bool) -> Item:  # noqa: ANN401 - a row of reading.updates
        record = TrackingUpdate(id=row.order_id, tracking_number=row.tracking_number, status=row.status)
        body = encode(record)
        key = content_hash(body, self._ledger.content_key)
        return Item(row.number, record, body, key, row.unknown_attempts, again)

    def _take_over(self, kind: Kind) -> None:
        """Claims of dead runs become records of unknown fate (rule 12); orders are held (rules 16, 17)."""
        self._ledger.write(
            lambda connection: claiming.take_over(
                connection,
                self._ledger.now(),
                account_id=self._account_id,
                kind=kind,
                hold=kind == Kind.ORDERS,
            )
        )

    def _report_progress(self, stage: str, sender: Sender, tally: Tally) -> None:
        self._progress(
            stage,
            {"valid": len(tally.numbers), "sent": sender.sent, "accepted": sender.health.accepted},
        )

    def _finish(self, kind: Kind, sender: Sender, tally: Tally, *, left: int = 0) -> DeliveryReport:
        counted, late, second_ids = self._ledger.read(
            lambda connection: (
                reading.count_outcomes(connection, self._ledger.now(), tally.numbers),
                reading.count_outcomes(connection, self._ledger.now(), tally.cancelled),
                reading.count_second_ids(connection, sender.run_id),
            )
        )
        # A valid row whose order a newer export has withdrawn: surely not processed, and not to be sent.
        withdrawn = counted.pop(State.SKIPPED, 0)
        outcomes = counted + tally.found + Counter(pending=left + withdrawn)
        counts = {name: outcomes[name] for name in OUTCOMES[kind]}
        return DeliveryReport(
            kind=kind,
            shop=self._shop,
            counts={
                "valid": sum(counts.values()),
                **counts,
                "changed": outcomes["changed"],
                "cancelled_late": late["accepted"],
                "sent": sender.sent,
            },
            requests=sender.requests,
            elapsed_s=self._clock.elapsed() - sender.began,
            stopped=sender.stopped,
            notes=notes_of(sender.strangers, second_ids, withdrawn),
            read_links=lambda: self.links(kind=kind, numbers=list(tally.numbers)),
        )
