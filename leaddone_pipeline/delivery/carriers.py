"""Carriers: the threads that hold one request each, from its last look at the lease to its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from leaddone_pipeline.contract import Kind
    from leaddone_pipeline.delivery.lease import Clock
    from leaddone_pipeline.delivery.workers import Inbox, Thread, Workers
    from leaddone_pipeline.webhook import Answer

__all__ = ["Carriers", "Client", "Errand", "Landed"]


class Client(Protocol):
    """What a delivery needs of a `LeadDoneClient`: one attempt a call."""

    def send(self, kind: Kind, body: bytes) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Errand:
    """A request to be sent, unless the elapsed clock has passed `not_after` (rule 10)."""

    batch_id: int
    kind: Kind
    body: bytes
    not_after: float


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of an errand.

    Attributes:
        left_at, came_at: when it left and when it ended, on the elapsed clock.
        answer: what came back; None if nothing was sent.
        error: what the client raised, which it never should.
    """

    batch_id: int
    left_at: float
    came_at: float
    answer: Answer | None = None
    error: BaseException | None = None


class Carriers:
    """Carriers for so many requests at once as are asked for; each is started when it is first needed."""

    def __init__(self, workers: Workers, client: Client, clock: Clock, *, reports: Inbox) -> None:
        self._workers = workers
        self._client = client
        self._clock = clock
        self._reports = reports
        self._errands = workers.inbox()
        self._threads: list[Thread] = []

    def carry(self, errand: Errand, *, under_way: int) -> None:
        """Send an errand on its way, while so many others are under way."""
        if under_way >= len(self._threads):
            self._threads.append(self._workers.start(self._work, name="leaddone-carrier"))
        self._errands.put(errand)

    def close(self) -> None:
        """Wait for every carrier to come home."""
        for _ in self._threads:
            self._errands.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (errand := self._errands.get()) is not None:
            self._reports.put(self._carried(errand))

    def _carried(self, errand: Errand) -> Landed:
        left_at = self._clock.elapsed()
        if left_at >= errand.not_after:
            return Landed(errand.batch_id, left_at, left_at)
        answer = fault = None
        try:
            answer = self._client.send(errand.kind, errand.body)
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread, by the sender
            fault = error
        return Landed(errand.batch_id, left_at, self._clock.elapsed(), answer, fault)
