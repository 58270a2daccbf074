"""What leaves, counted on its way to the client: all that is known of a run whose ledger cannot tell."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leaddone_pipeline.contract import Kind
    from leaddone_pipeline.delivery.carriers import Client
    from leaddone_pipeline.webhook import Answer

__all__ = ["Leaving"]


class Leaving:
    """A client that counts what is handed to it, from any thread.

    Attributes:
        requests: that have left, or were tried.
        records: in them, a body that was sent again counted once; those of a body that was sent again in parts
            count with each part, so never too few.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._bodies: set[int] = set()
        self.requests = 0
        self.records = 0

    def send(self, kind: Kind, body: bytes) -> Answer:
        with self._lock:
            self.requests += 1
            known = hash(body)
            if known not in self._bodies:
                self._bodies.add(known)
                self.records += body.count(b'"id":')  # in a text, its quotes would be escaped
        return self._client.send(kind, body)
