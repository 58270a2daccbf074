"""The run's lease: the right to send what it has claimed (delivery.md, rule 10).

A worker asks just before every request. What remains possible is a process that is stopped
between that check and the write to the socket, and goes on after another run took its claims over.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from leaddone_pipeline.errors import LedgerError
from leaddone_pipeline.ledger import Claim, Ledger, claiming

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from leaddone_pipeline.contract import Kind
    from leaddone_pipeline.settings import LeaseSettings

__all__ = ["Clock", "Lease"]


class Clock:
    """Time as a delivery sees it; tests bring their own."""

    def elapsed(self) -> float:
        """Seconds on a clock that counts suspension, where the system has one."""
        if hasattr(time, "CLOCK_BOOTTIME"):
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.monotonic()

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Lease:
    """A run in the ledger, kept alive by a thread until `end`.

    Raises:
        LedgerError: the run cannot be entered.
    """

    def __init__(
        self, ledger: Ledger, *, account_id: int, kind: Kind, shop: str, settings: LeaseSettings, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._settings = settings
        self._clock = clock
        self._ended = threading.Event()
        self.lost = False
        self._renewed_at = clock.elapsed()
        self.run_id = ledger.write(
            lambda connection: claiming.start_run(
                connection,
                ledger.now(),
                account_id=account_id,
                kind=kind,
                shop=shop,
                lease_seconds=settings.duration_seconds,
            )
        )
        self._heart = threading.Thread(target=self._beat, name="leaddone-lease", daemon=True)
        self._heart.start()

    def may_send(self, held: Claim) -> bool:
        """Whether this claim is certainly still ours; renews a lease that is not fresh, and then looks.

        Once another run has taken this one over, `lost` is set and stays so.
        """
        if self.lost:
            return False
        if self._clock.elapsed() - self._renewed_at < self._settings.fresh_seconds:
            return True
        began = self._clock.elapsed()
        if not self._ledger.write(lambda connection: self._renew_and_look(connection, held)):
            return False
        self._renewed_at = began
        return True

    def end(self, *, stopped: str | None) -> None:
        """Close the run; idle afterwards."""
        self._ended.set()
        self._heart.join()
        self._ledger.write(
            lambda connection: claiming.end_run(
                connection, self._ledger.now(), run_id=self.run_id, stopped=stopped
            )
        )

    def _renew_and_look(self, connection: Connection, held: Claim) -> bool:
        return self._renew(connection) and claiming.still_held(connection, held)

    def _renew(self, connection: Connection) -> bool:
        renewed = claiming.renew(
            connection, self._ledger.now(), run_id=self.run_id, lease_seconds=self._settings.duration_seconds
        )
        self.lost = self.lost or not renewed
        return renewed

    def _beat(self) -> None:
        while not self._ended.wait(self._settings.renew_seconds):
            began = self._clock.elapsed()
            try:
                if not self._ledger.write(self._renew):
                    return
            except LedgerError:
                # The lease grows stale, and the next worker that wants to send renews it itself, or fails.
                continue
            self._renewed_at = began
