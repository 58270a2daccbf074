"""The caller's side of a run: batches handed to the engine, its news read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leaddone_pipeline.delivery.carriers import Carriers, Client
from leaddone_pipeline.delivery.decide import Health
from leaddone_pipeline.delivery.engine import Engine
from leaddone_pipeline.delivery.news import CLOSE, Drain, News, Stop

if TYPE_CHECKING:
    from leaddone_pipeline.delivery.jobs import Batch
    from leaddone_pipeline.delivery.lease import Clock
    from leaddone_pipeline.delivery.workers import Workers
    from leaddone_pipeline.errors import LeadDoneError

__all__ = ["Sender"]

_QUEUED_BATCHES = 32


class Sender:
    """Hands batches to a run's engine, which it starts.

    Args:
        workers: starts the engine and its carriers.
        client: sends one request a call.
        clock: the run's.
        engine: what else the engine is made of.

    Attributes:
        news: the latest of the engine.
    """

    def __init__(self, workers: Workers, client: Client, clock: Clock, **engine: Any) -> None:  # noqa: ANN401
        self._inbox, self._outbox = workers.inbox(), workers.inbox()
        self._room = _QUEUED_BATCHES
        self.began = clock.elapsed()
        self.news = News(
            requests=0,
            sent=0,
            waited_seconds=0.0,
            strangers=0,
            health=Health(),
            last_words="",
            stopped=None,
            room=0,
            drained=False,
        )
        carriers = Carriers(workers, client, clock, reports=self._inbox)
        works = Engine(inbox=self._inbox, reports=self._outbox, carriers=carriers, clock=clock, **engine)
        self._thread = workers.start(works.run, name="leaddone-engine")

    @property
    def stopped(self) -> LeadDoneError | None:
        return self.news.stopped

    def submit(self, batch: Batch) -> None:
        """Queue a batch, waiting for room; after a stop it is dropped, and its records stay as they are."""
        self._read(timeout=0)
        while not self._room:
            self._read()
        self._room -= 1
        self._inbox.put(batch)

    def drain(self) -> News:
        """Wait until every batch is settled, or the run has stopped.

        Raises:
            BaseException: what made the engine give up, as it was raised there.
        """
        self._inbox.put(Drain())
        self._read()
        while not self.news.drained:
            self._read()
        return self.news

    def stop(self, reason: LeadDoneError) -> None:
        """Let requests under way end, and send nothing more; the first reason stands."""
        self._inbox.put(Stop(reason))

    def close(self) -> None:
        """Wait until nothing is under way and the run is closed in the ledger; raises as `drain`."""
        self._inbox.put(CLOSE)
        self._thread.join()
        while (news := self._outbox.get(0)) is not None:
            self.news = news
        self._raise()

    def _read(self, *, timeout: float | None = None) -> None:
        news: News | None = self._outbox.get(timeout)
        if news is not None:
            self._room += news.room
            self.news = news
            self._raise()

    def _raise(self) -> None:
        if self.news.error is not None:
            raise self.news.error
