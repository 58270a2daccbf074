"""What must hold when a run has ended, and when a seed is over (issue 4; rule numbers are delivery.md's)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.delivery.report import OUTCOMES
from tests.simulation.judge import Judge, Violation
from tests.simulation.leaddone import Character

if TYPE_CHECKING:
    from collections.abc import Iterable

    from leaddone_pipeline.delivery.report import DeliveryReport
    from tests.simulation.couriers import Events
    from tests.simulation.network import Request
    from tests.simulation.scenario import Export
    from tests.simulation.witness import Standing

__all__ = ["after_a_run", "at_rest", "at_the_end"]

_SECOND_ORDERS_OF_A_PROBE = 2


def after_a_run(judge: Judge, report: DeliveryReport, export: Export | Events) -> None:
    """The two laws, and rule 5: every record of the files can be found."""
    counts = report.counts
    if counts["read"] != sum(counts[name] for name in ("quarantined", "skipped", "merged", "valid")):
        raise Violation(f"the law of rows does not hold: {dict(counts)}")
    if counts["valid"] != sum(counts[name] for name in OUTCOMES[report.kind]):
        raise Violation(f"the law of records does not hold: {dict(counts)}")
    if counts["valid"] != export.valid:
        raise Violation(f"{export.valid} records are valid, and the report says {dict(counts)}")
    missing = set(export.order_ids) - set(judge.witness.records(report.kind))
    if missing:
        raise Violation(f"{sorted(missing)} stand nowhere (rule 5)")
    at_rest(judge)


def at_rest(judge: Judge) -> None:
    """What the ledger says of records that nobody holds is true, whatever has crashed."""
    held = {number for numbers, _ in judge.witness.claims() for number in numbers}
    for row in judge.witness.records(Kind.ORDERS).values():
        if row.number in held or row.forgotten:
            continue
        taken = judge.model.taken.get(row.order_id)
        if row.state in {"pending", "rejected", "skipped"}:
            if taken:
                raise Violation(f"{row.order_id} is {row.state}, and LeadDone has it (rule 15)")
            if row.unknown_attempts and row.order_id not in judge.by_hand:
                raise Violation(f"{row.order_id} was of unknown fate, and is {row.state} (rule 15)")
        elif row.state == "accepted" and not taken:
            raise Violation(f"{row.order_id} is accepted, and LeadDone has it not")
    for row in judge.witness.records(Kind.TRACKING).values():
        shown = [status for status, _ in judge.model.statuses.get(row.order_id, ())]
        if row.accepted_status is not None and row.accepted_status not in shown:
            raise Violation(
                f"{row.order_id} is accepted as {row.accepted_status}, and LeadDone has never shown it"
            )


def at_the_end(judge: Judge) -> None:
    """After runs over the same files with nothing wrong: all is settled, truly, and said."""
    at_rest(judge)
    if judge.witness.claims():
        raise Violation(f"claims are left open: {judge.witness.claims()}")
    orders = judge.witness.records(Kind.ORDERS)
    probed = judge.witness.open_probe()
    for row in orders.values():
        if row.forgotten or row.order_id in judge.by_hand:
            continue
        refused = row.was_refused_alone and row.order_id in judge.model.refused_alone
        if row.state == "pending" and not refused:
            raise Violation(f"{row.order_id} is pending after runs with nothing wrong")
        told = _recorded(judge, row.order_id)
        if told and row.state != "accepted" and row.order_id != probed:
            raise Violation(f"{row.order_id} is {row.state}, and its acceptance was recorded (rule 22)")
        if row.state == "accepted":
            _is_linked(row, told)
    _has_few_second_orders(judge)


def _recorded(judge: Judge, order_id: str) -> list[str]:
    """The internal ids of this order that LeadDone has told to a run that took them in, the first one first."""
    told = [
        (request.recorded_at, request.number, request.told.tells[order_id])
        for request in judge.earlier(order_id, Kind.ORDERS)
        if request.recorded_at is not None and request.told is not None and order_id in request.told.tells
    ]
    return [internal_id for _, _, internal_id in sorted(told)]


def _is_linked(row: Standing, told: Iterable[str]) -> None:
    first = next(iter(told), None)
    if row.internal_id != first:
        raise Violation(
            f"{row.order_id} is linked to {row.internal_id}, and LeadDone said {first} first (rule 20)"
        )


def _has_few_second_orders(judge: Judge) -> None:
    """Rule 17: two extra orders in the account's life, and one for each probe request whose answer was lost."""
    if judge.model.habits.character is not Character.SECOND_ORDERS:
        return
    extra = {
        order_id: taken[1:]
        for order_id, taken in judge.model.taken.items()
        if len(taken) > 1 and order_id not in judge.by_hand
    }
    lost = sum(_is_a_lost_probe(judge, request) for request in judge.requests)
    if sum(map(len, extra.values())) > _SECOND_ORDERS_OF_A_PROBE + lost:
        raise Violation(
            f"LeadDone has made second orders of {sorted(extra)}; {lost} probes were lost (rule 17)"
        )


def _is_a_lost_probe(judge: Judge, request: Request) -> bool:
    """A lone order that is sent again, and whose sender never took in a clear answer."""
    if request.kind is not Kind.ORDERS or len(request.ids) > 1:
        return False
    (order_id,) = request.ids
    before = [
        one
        for one in judge.earlier(order_id, Kind.ORDERS)
        if one.number < request.number and judge.unknown_to_us(one, order_id)
    ]
    if not before:
        return False
    return request.recorded_at is None or (judge.unknown_to_us(request, order_id) and not _clear(request))


def _clear(request: Request) -> bool:
    return request.told is not None and request.ids[0] in request.told.tells
