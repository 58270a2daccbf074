"""Batches become claimed families: the transaction before a first byte (delivery.md, rules 9 and 17).

What has waited since is looked at again, and what need not be sent is given back.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.delivery.jobs import Batch, Family, Job
from leaddone_pipeline.ledger import Claim, Ledger, claiming, probing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leaddone_pipeline.delivery.lease import Clock
    from leaddone_pipeline.delivery.prepare import Item
    from leaddone_pipeline.ledger.probing import ProbeClaim

__all__ = ["Claimer", "Opened"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What came of claiming a batch.

    Attributes:
        family: on its way; None if no record of it was free.
        busy: records that another claim holds (rule 11).
        unknown: records of unknown fate that this batch was not to send.
        wait_seconds: for which nothing may leave (rule 26).
        probe: what came of asking for the account's probe.
    """

    family: Family | None = None
    busy: tuple[Item, ...] = ()
    unknown: tuple[Item, ...] = ()
    wait_seconds: float = 0.0
    probe: ProbeClaim | None = None


@dataclass(slots=True)
class Claimer:
    """Claims for one run.

    Attributes:
        unneeded: claims to be given back.
    """

    ledger: Ledger
    run_id: int
    account_id: int
    kind: Kind
    clock: Clock
    unneeded: list[Claim] = field(default_factory=list)

    def open(self, batch: Batch) -> Opened:
        """Claim what is free of a batch, in one transaction."""
        return self._probe(batch) if batch.probe else self._batch(batch)

    def look_again(self, family: Family) -> float:
        """Leave out of a family what was accepted meanwhile, as another run was told, or cancelled (rules 20, 22).

        Returns:
            For how many seconds nothing may leave (rule 26).
        """
        numbers = [item.number for job in family.jobs for item in job.items]
        seconds, needless = self.ledger.read(
            lambda connection: (
                claiming.wait_seconds(connection, self.ledger.now(), self.account_id),
                claiming.no_longer_sent(connection, numbers),
            )
        )
        if needless:
            left = [job.without(needless) for job in family.jobs]
            self.unneeded += [job.claim for job in left if not job.items]
            family.jobs = [job for job in left if job.items]
        return seconds

    def give_back(self) -> None:
        """End the claims of records that were never handed over; what fails is tried again at the next call."""
        while self.unneeded:
            held = self.unneeded[0]
            self.ledger.write(partial(claiming.give_back, now=self.ledger.now(), held=held))
            self.unneeded.remove(held)

    def _batch(self, batch: Batch) -> Opened:
        claimed = self.ledger.write(
            lambda connection: claiming.claim(
                connection,
                self.ledger.now(),
                run_id=self.run_id,
                wanted=[(item.number, item.content_hash) for item in batch.items],
                states=batch.states,
                as_recorded=self.kind == Kind.TRACKING,
            )
        )
        mine = _with_attempts(batch.items, claimed.unknown_attempts)
        return Opened(
            family=None if claimed.claim is None else self._family(claimed.claim, mine),
            busy=tuple(item for item in batch.items if item.number in claimed.busy),
            unknown=_with_attempts(batch.items, claimed.unknown),
            wait_seconds=claimed.wait_seconds,
        )

    def _probe(self, batch: Batch) -> Opened:
        """Claim one of these orders of unknown fate for the account's probe."""
        claimed = self.ledger.write(
            lambda connection: probing.claim_probe(
                connection,
                self.ledger.now(),
                run_id=self.run_id,
                account_id=self.account_id,
                candidates=[item.number for item in batch.items],
            )
        )
        left = _with_attempts(batch.items, claimed.left)
        if claimed.claim is None:
            return Opened(unknown=left, probe=claimed)
        (number,) = claimed.claim.numbers
        chosen = _with_attempts(batch.items, {number: claimed.unknown_attempts})
        family = self._family(claimed.claim, chosen, probe=True)
        return Opened(family=family, unknown=left, wait_seconds=claimed.wait_seconds, probe=claimed)

    def _family(self, claim: Claim, items: tuple[Item, ...], *, probe: bool = False) -> Family:
        now = self.clock.elapsed()
        return Family([Job(claim, items, probe=probe)], not_before=now, claimed_at=now)


def _with_attempts(items: tuple[Item, ...], attempts: Mapping[int, int]) -> tuple[Item, ...]:
    """Those of these records that `attempts` names, with the unknown attempts that the ledger counts by now."""
    return tuple(
        replace(item, unknown_attempts=attempts[item.number]) for item in items if item.number in attempts
    )
