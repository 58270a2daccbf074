"""One run: entered in the ledger, its batches sent and waited for, its end written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.delivery.decide import MAX_UNKNOWN_ATTEMPTS
from leaddone_pipeline.delivery.jobs import Batch
from leaddone_pipeline.delivery.lease import Lease
from leaddone_pipeline.delivery.send import Sender
from leaddone_pipeline.delivery.stops import interrupted, silent
from leaddone_pipeline.ledger import Ledger, Repeats, State, claiming, concluding, leasing, probing
from leaddone_pipeline.settings import Guarantee
from leaddone_pipeline.webhook import batches

if TYPE_CHECKING:
    from types import TracebackType

    from sqlalchemy import Connection

    from leaddone_pipeline.delivery.carriers import Client
    from leaddone_pipeline.delivery.lease import Clock
    from leaddone_pipeline.delivery.news import News
    from leaddone_pipeline.delivery.prepare import Item
    from leaddone_pipeline.delivery.tally import Tally
    from leaddone_pipeline.delivery.workers import Workers
    from leaddone_pipeline.errors import LeadDoneError
    from leaddone_pipeline.settings import DeliverySettings, LeaseSettings, RetrySettings

__all__ = ["LOOK_AGAIN_SECONDS", "Progress", "Run", "Surroundings"]

Progress = Callable[[str, Mapping[str, int]], None]
"""Called now and then with a word for the stage and counts: never personal data."""

LOOK_AGAIN_SECONDS = 0.25
"""How often a run looks whether another one has ended with a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every run of a delivery works with."""

    ledger: Ledger
    client: Client
    account_id: int
    shop: str
    settings: DeliverySettings
    progress: Progress
    clock: Clock
    workers: Workers
    retry: RetrySettings
    lease: LeaseSettings
    chance: Callable[[], float]


class Run:
    """A run from its first sign of life to its end; used as a context.

    Attributes:
        hold_unknown: records of unknown fate are left to a person at once: the guarantee asks for it, or LeadDone
            is known not to recognise repeats (rules 16 and 17).
    """

    def __init__(self, kind: Kind, around: Surroundings) -> None:
        self.kind = kind
        self.around = around
        self.hold_unknown = kind == Kind.ORDERS and (
            around.settings.guarantee == Guarantee.AT_MOST_ONCE
            or self.repeats() not in {None, Repeats.RECOGNISED}
        )

    def __enter__(self) -> Self:
        around = self.around
        self.take_over()
        lease = Lease(
            around.ledger,
            account_id=around.account_id,
            kind=self.kind,
            shop=around.shop,
            settings=around.lease,
            clock=around.clock,
        )
        self.run_id = lease.run_id
        self._sender = Sender(
            around.workers,
            around.client,
            around.clock,
            ledger=around.ledger,
            lease=lease,
            account_id=around.account_id,
            kind=self.kind,
            retry=around.retry,
            max_concurrency=around.settings.max_concurrency,
            hold_unknown=self.hold_unknown,
            chance=around.chance,
        )
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: TracebackType | None) -> None:
        if error is not None:
            self._sender.stop(interrupted())
        elif self.news.health.is_silent:
            self._sender.stop(silent(self.news.last_words))
        try:
            self._sender.close()
        except BaseException as fault:
            if error is None:
                raise
            error.add_note(f"the run's end failed as well: {type(fault).__name__}")

    @property
    def news(self) -> News:
        return self._sender.news

    @property
    def stopped(self) -> LeadDoneError | None:
        return self._sender.stopped

    @property
    def began(self) -> float:
        """When it began, on the elapsed clock."""
        return self._sender.began

    def submit(self, items: Sequence[Item], *states: State) -> None:
        """Queue records that are in one of these states, in batches."""
        limits = self.around.settings
        for batch in batches(items, size=limits.batch_size, max_bytes=limits.max_batch_bytes):
            self._sender.submit(Batch(tuple(batch), frozenset(states)))

    def probe(self, items: Sequence[Item]) -> News:
        """Send one of these orders of unknown fate as the account's probe (rule 17)."""
        self._sender.submit(Batch(tuple(items), probe=True))
        return self._sender.drain()

    def settle(self, *states: State) -> list[Item]:
        """Wait until all that was submitted is settled, by this run or by those that hold a part (rule 11).

        Returns:
            The records of unknown fate that may be sent again.
        """
        news = self._sender.drain()
        busy, unknown = list(news.busy), list(news.unknown)
        while busy and not self.stopped:
            self.take_over()
            held = self.around.ledger.read(partial(claiming.open_claims, numbers=[i.number for i in busy]))
            self.submit([item for item in busy if item.number not in held], *states)
            news = self._sender.drain()
            busy = [item for item in busy if item.number in held] + list(news.busy)
            unknown += news.unknown
            if busy:
                self.around.progress("waiting for another run", {"records": len(busy)})
                self.around.clock.sleep(LOOK_AGAIN_SECONDS)
        return unknown

    def take_over(self) -> None:
        """Claims of dead runs become records of unknown fate (rule 12)."""
        self.around.ledger.write(self._take_over)

    def _take_over(self, connection: Connection) -> None:
        now = self.around.ledger.now()
        leasing.take_over(
            connection,
            now,
            account_id=self.around.account_id,
            kind=self.kind,
            hold=self.hold_unknown,
            enough=MAX_UNKNOWN_ATTEMPTS,
        )
        concluding.keep_first_id(connection, now, self.around.account_id)

    def repeats(self) -> Repeats | None:
        """What the ledger knows of LeadDone and repeats."""
        around = self.around
        return around.ledger.read(lambda c: probing.read_repeats(c, around.account_id)).repeats

    def report(self, stage: str, tally: Tally) -> None:
        """Tell the caller's progress how far the run is."""
        news = self.news
        self.around.progress(
            stage, {"valid": len(tally.numbers), "sent": news.sent, "accepted": news.health.accepted}
        )
