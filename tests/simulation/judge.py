"""The rules, held against everything that happens, at the moment when it happens.

The judge sees requests leave, be processed and be answered, and looks into the ledger file past the code under test.
What it must hold at the end of a run and of a seed stands in invariants.py.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.settings import Guarantee
from leaddone_pipeline.webhook.batching import number_key
from tests.simulation.faults import Fault, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.simulation.leaddone import Model
    from tests.simulation.network import Request, Run
    from tests.simulation.runtime import Scheduler
    from tests.simulation.witness import Standing, Witness

__all__ = ["Judge", "Violation"]

_SAYS_NOT_PROCESSED = frozenset(
    {Row.BY_INDEX, Row.WHOLE, Row.CREDENTIALS, Row.ADDRESS, Row.BUSY, Row.UNREACHED}
)
_MOST_UNKNOWN_ATTEMPTS = 5
_A_MOMENT = 1e-3


class Violation(AssertionError):
    """A rule was broken; the message begins with what happened."""


class Judge:
    """Sees everything of one seed.

    Attributes:
        requests: all that left, in their order.
        rows: how often each row of the table came back, by guarantee; of statuses by their kind.
        looks: further rules about requests that leave.
        faults: how often each fault struck.
        forgotten: orders that must never be sent again (rule 7).
        by_hand: orders on which a person has spoken: what happens to them is the person's.
    """

    def __init__(
        self, scheduler: Scheduler, model: Model, witness: Witness, *, tell: Callable[[str], None]
    ) -> None:
        self.requests: list[Request] = []
        self.rows: Counter[tuple[str, str]] = Counter()
        self.faults: Counter[Fault] = Counter()
        self.looks: list[Callable[[Request], None]] = []
        self.forgotten: set[str] = set()
        self.by_hand: set[str] = set()
        self.model = model
        self.witness = witness
        self._scheduler = scheduler
        self._tell = tell

    def earlier(self, order_id: str, kind: Kind) -> list[Request]:
        return [request for request in self.requests if request.kind is kind and order_id in request.ids]

    def tell(self, what: str) -> None:
        """Tell whoever replays a seed what happens."""
        self._tell(f"{self._scheduler.now - 5000:9.3f}  {what}")

    def leaves(self, request: Request) -> None:
        """A request is about to leave: nothing has been processed yet."""
        self.tell(f"{request.run.process.name} sends {request.number}: {' '.join(request.ids)}")
        standing = self.witness.records(request.kind, request.ids)
        self._is_a_batch(request)
        self._is_claimed(request, standing)
        for order_id in request.ids:
            row = standing[order_id]
            if order_id in self.forgotten:
                raise Violation(f"{order_id} was forgotten, and is sent (rule 7)")
            if request.kind is Kind.ORDERS:
                if row.state == "accepted":
                    raise Violation(f"{order_id} is sent again after its acceptance was recorded (rule 22)")
                self._may_be_repeated(order_id, request)
        if self._scheduler.wall < self.witness.wait_until() - _A_MOMENT:
            raise Violation("a request leaves before the time that LeadDone named (rule 26)")
        for look in self.looks:
            look(request)
        self.requests.append(request)

    def processed(self, request: Request) -> None:
        """LeadDone has done with a request what it does: the ledger must know that it may have."""
        last = {order_id: self.model.taken.get(order_id, ())[-1:] for order_id in request.ids}
        took = [order_id for order_id, taken in last.items() if taken and taken[0].request == request.number]
        self.tell(f"LeadDone takes of {request.number}: {' '.join(took) or 'nothing'}")
        if request.kind is not Kind.ORDERS or not took:
            return
        held = self._claimed_numbers()
        for row in self.witness.records(Kind.ORDERS, took).values():
            if row.state not in {"accepted", "unconfirmed"} and row.number not in held and not row.forgotten:
                raise Violation(
                    f"{row.order_id} is processed, and the ledger says {row.state} (rules 9 and 15)"
                )

    def answered(self, request: Request, fault: Fault | None) -> None:
        """A sender has read what came back."""
        self.tell(f"{request.run.process.name} reads {request.number}: {request.row} ({fault or 'no fault'})")
        column = request.run.guarantee.value if request.kind is Kind.ORDERS else Kind.TRACKING.value
        self.rows[column, request.row or Row.UNKNOWN] += 1
        if fault is not None:
            self.faults[fault] += 1

    def settled(self, run: Run, numbers: Sequence[int]) -> None:
        """A sender's ledger has taken in the answer for these claimed records, of which some may have been left out."""
        ids = self.witness.order_ids(numbers)
        for request in reversed(self.requests):
            if request.run is run and request.row is not None and set(request.ids) <= ids:
                self.tell(f"{run.process.name} has settled {request.number}")
                request.recorded_at = request.recorded_at or self._scheduler.wall
                return

    def unknown_to_us(self, request: Request, order_id: str) -> bool:
        """Whether LeadDone may have processed this, for all that its sender was told."""
        if request.row in _SAYS_NOT_PROCESSED:
            return False
        return request.told is None or order_id not in request.told.refuses

    def _is_a_batch(self, request: Request) -> None:
        keys = [number_key(order_id) for order_id in request.ids]
        if len(set(keys)) < len(keys):
            raise Violation(f"ids that differ by leading zeros travel together: {request.ids} (rule 14)")

    def _is_claimed(self, request: Request, standing: dict[str, Standing]) -> None:
        missing = set(request.ids) - set(standing)
        if missing:
            raise Violation(f"{sorted(missing)} left without standing in the ledger (rule 5)")
        claims = self.witness.claims()
        for row in standing.values():
            claimants = [claimant for numbers, claimant in claims if row.number in numbers]
            if len(claimants) > 1:
                raise Violation(f"{row.order_id} is claimed twice (rule 9)")
            if not claimants:
                raise Violation(f"{row.order_id} leaves without a claim (rule 9)")
            (claimant,) = claimants
            if claimant.run_id not in request.run.ledger_ids:
                raise Violation(f"{row.order_id} leaves under another run's claim (rule 10)")
            if claimant.ended or claimant.lease_until < self._scheduler.wall:
                raise Violation(f"{row.order_id} leaves when its run's lease is over (rule 10)")

    def _may_be_repeated(self, order_id: str, request: Request) -> None:
        if order_id in self.by_hand:
            return
        unknown = [one for one in self.earlier(order_id, Kind.ORDERS) if self.unknown_to_us(one, order_id)]
        if unknown and request.run.guarantee is Guarantee.AT_MOST_ONCE:
            raise Violation(f"{order_id} is sent again under at_most_once (rule 16)")
        lost = [one for one in unknown if one.told is None or order_id not in one.told.tells]
        if len(lost) >= _MOST_UNKNOWN_ATTEMPTS:
            raise Violation(f"{order_id} is sent once more after {len(lost)} unknown attempts (rule 18)")

    def _claimed_numbers(self) -> set[int]:
        return {number for numbers, _ in self.witness.claims() for number in numbers}
