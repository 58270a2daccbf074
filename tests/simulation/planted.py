"""Bugs that the simulation must find: each changes a function that ships, until the end of its context."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, update

from leaddone_pipeline.delivery import decide, lease, settle
from leaddone_pipeline.ledger import Outcome, State, claiming, person, settling
from leaddone_pipeline.ledger.tables import batches, claims, records
from leaddone_pipeline.webhook import Meaning, answers
from leaddone_pipeline.webhook.matching import match_results

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["BUGS", "planted"]


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Change the shipped code as this bug would; all is as it was afterwards."""
    changes = BUGS[name]()
    shipped = [(owner, attribute, owner.__dict__[attribute]) for owner, attribute, _ in changes]
    for owner, attribute, bug in changes:
        setattr(owner, attribute, bug)
    try:
        yield
    finally:
        for owner, attribute, original in shipped:
            setattr(owner, attribute, original)


_Changes = list[tuple[Any, str, Any]]


def _claim_after_send() -> _Changes:
    """The claim is written down with the answer: until then nothing says that the records are on their way."""
    enter = claiming.enter

    def unwritten(connection: Any, now: Any, **which: Any) -> Any:
        claimed = enter(connection, now, **which)
        connection.execute(delete(claims).where(claims.c.batch_id == claimed.batch_id))
        return claimed

    return [(claiming, "enter", unwritten), (settling, "enter", unwritten)]


def _settle_without_its_token() -> _Changes:
    """Whoever held a claim once may still settle it."""
    shipped = settling.settle

    def settle_(connection: Any, now: Any, *, held: Any, **what: Any) -> Any:
        connection.execute(update(batches).where(batches.c.id == held.batch_id).values(ending=None))
        return shipped(connection, now, held=held, **what)

    return [(settling, "settle", settle_)]


def _lease_checked_only_at_claim() -> _Changes:
    """The lease is renewed, and nobody looks at it before a request: whoever has a claim sends."""
    renewed = lease.Lease._renewed

    def unheeded(self: Any, connection: Any) -> bool:
        renewed(self, connection)
        self.lost = False
        return True

    return [
        (lease.Lease, "may_send", lambda _self, _held: True),
        (lease.Lease, "fresh_until", property(lambda _self: float("inf"))),
        (lease.Lease, "_renewed", unheeded),
    ]


def _unknown_then_401_gives_pending() -> _Changes:
    """A refusal of the credentials is taken to say that the records were never processed, also by earlier attempts."""
    shipped = decide.after_answer

    def after_answer(verdict: Any, sent: Any, **how: Any) -> Any:
        step = shipped(verdict, sent, **how)
        if verdict.meaning is not Meaning.CREDENTIALS:
            return step
        return replace(step, outcomes=tuple(Outcome(number=one.number, state=State.PENDING) for one in sent))

    return [(settle, "after_answer", after_answer)]


def _match_by_position() -> _Changes:
    """The first result is taken for the first record, whatever id it names."""

    def by_position(results: Any, ids: Any) -> Any:
        named = [
            {**result, "order_id": order_id}
            for result, order_id in zip(results, ids, strict=False)
            if isinstance(result, dict)
        ]
        return match_results(named, ids)

    return [(answers, "match_results", by_position)]


def _whole_batch_again_after_a_partial_200() -> _Changes:
    """Where one record's result is missing, all of the batch goes again."""
    shipped = decide.after_answer

    def after_answer(verdict: Any, sent: Any, **how: Any) -> Any:
        step = shipped(verdict, sent, **how)
        unknown = {outcome.number for outcome in step.outcomes if outcome.unknown}
        if verdict.meaning is Meaning.ANSWERED and 0 < len(unknown) < len(sent):
            return replace(step, again=(tuple(range(len(sent))),))
        return step

    return [(settle, "after_answer", after_answer)]


def _late_refusal_overwrites() -> _Changes:
    """A refusal counts although another run has taken the record over meanwhile."""
    shipped = settling.settle

    def settle_(connection: Any, now: Any, *, held: Any, outcomes: Any, **what: Any) -> Any:
        claimed = shipped(connection, now, held=held, outcomes=outcomes, **what)
        refused = [outcome.number for outcome in outcomes if outcome.state == State.REJECTED]
        if claimed is None and refused:
            connection.execute(
                update(records)
                .where(records.c.number.in_(refused), records.c.state != State.ACCEPTED)
                .values(state=State.REJECTED, held=False)
            )
        return claimed

    return [(settling, "settle", settle_)]


def _forget_without_a_trace() -> _Changes:
    """What is forgotten is deleted, and with it that LeadDone has it."""

    def forget(connection: Any, _now: Any, *, account_id: int, order_ids: Any) -> dict[str, str]:
        connection.execute(
            delete(records).where(records.c.account_id == account_id, records.c.order_id.in_(order_ids))
        )
        return {}

    return [(person, "forget", forget)]


BUGS: dict[str, Callable[[], _Changes]] = {
    "claim after send": _claim_after_send,
    "settle without its token": _settle_without_its_token,
    "lease checked only at claim": _lease_checked_only_at_claim,
    "unknown then 401 gives pending": _unknown_then_401_gives_pending,
    "match by position": _match_by_position,
    "whole batch resent after a partial 200": _whole_batch_again_after_a_partial_200,
    "a late refusal overwrites": _late_refusal_overwrites,
    "forget without a trace": _forget_without_a_trace,
}
