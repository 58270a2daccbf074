"""The run's lease: the right to send what it has claimed (delivery.md, rule 10).

It is looked at twice: by the engine before it hands a request over, and by the carrier just before it sends. What
remains possible is a process that is stopped between that last look and the write to the socket, and goes on after
another run took its claims over.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from leaddone_pipeline.ledger import Claim, Ledger, claiming, leasing

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

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Lease:
    """A run in the ledger, alive as long as it is renewed, until `end`.

    Attributes:
        lost: another run has taken this one over; it stays so.
        due_at: when, on the elapsed clock, the lease should be renewed, or renewing tried again.

    Raises:
        LedgerError: the run cannot be entered.
    """

    def __init__(
        self, ledger: Ledger, *, account_id: int, kind: Kind, shop: str, settings: LeaseSettings, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._settings = settings
        self._clock = clock
        self.lost = False
        self._renewed_at = clock.elapsed()
        self.due_at = self._renewed_at + settings.renew_seconds
        self.run_id = ledger.write(
            lambda connection: leasing.start_run(
                connection,
                ledger.now(),
                account_id=account_id,
                kind=kind,
                shop=shop,
                lease_seconds=settings.duration_seconds,
            )
        )

    @property
    def fresh_until(self) -> float:
        """When, on the elapsed clock, a request may no longer leave without a renewal."""
        return self._renewed_at + self._settings.fresh_seconds

    def renew(self) -> None:
        """Lengthen the lease, or find it lost."""
        began = self._clock.elapsed()
        self.due_at = began + self._settings.renew_seconds
        if not self.lost and self._ledger.write(self._renewed):
            self._renewed_at = began

    def may_send(self, held: Claim) -> bool:
        """Whether this claim is certainly still ours; renews a lease that is not fresh, and then looks."""
        if self.lost:
            return False
        began = self._clock.elapsed()
        if began < self.fresh_until:
            return True
        if not self._ledger.write(lambda connection: self._renewed_and_held(connection, held)):
            return False
        self._renewed_at = began
        return True

    def end(self, *, stopped: str | None) -> None:
        """Close the run in the ledger."""
        self._ledger.write(
            lambda connection: leasing.end_run(
                connection, self._ledger.now(), run_id=self.run_id, stopped=stopped
            )
        )

    def _renewed_and_held(self, connection: Connection, held: Claim) -> bool:
        return self._renewed(connection) and claiming.still_held(connection, held)

    def _renewed(self, connection: Connection) -> bool:
        renewed = leasing.renew(
            connection, self._ledger.now(), run_id=self.run_id, lease_seconds=self._settings.duration_seconds
        )
        self.lost = self.lost or not renewed
        return renewed
