"""From an answer to the ledger: what it means, what is written, which requests it leads to.

Decided by decide.py and probe.py; here the decisions meet the run's history and the answer's one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from leaddone_pipeline.delivery.decide import End, Health, Sent, Step, after_answer
from leaddone_pipeline.delivery.jobs import Family, Job
from leaddone_pipeline.delivery.pace import Signal, backoff_seconds
from leaddone_pipeline.delivery.probe import Finding, Probe, after_probe
from leaddone_pipeline.delivery.stops import stop_reason
from leaddone_pipeline.errors import LeadDoneError, LedgerError
from leaddone_pipeline.ledger import Claim, Ledger, Repeats, State, claiming, concluding, settling
from leaddone_pipeline.webhook import Answer, read_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from leaddone_pipeline.delivery.lease import Clock
    from leaddone_pipeline.delivery.prepare import Item
    from leaddone_pipeline.settings import RetrySettings

__all__ = ["Settled", "Settler"]

_SIGNALS = {End.BUSY: Signal.BUSY, End.UNREACHED: Signal.UNREACHED, End.UNKNOWN: Signal.SLOW}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What an answer has led to.

    Attributes:
        jobs: requests that follow, the first one first; claimed already.
        backoff_seconds: how long they wait.
        unknown: records of unknown fate that may be sent again.
        finding: how a probe ended.
        stop: why the run must stop.
        signal, wait_seconds, remaining: what the pace makes of it.
    """

    signal: Signal
    wait_seconds: float | None = None
    remaining: int | None = None
    jobs: Sequence[Job] = ()
    backoff_seconds: float = 0.0
    unknown: Sequence[Item] = ()
    finding: Finding | None = None
    stop: LeadDoneError | None = None


@dataclass(slots=True)
class Settler:
    """Settles the answers of one run, one after the other.

    Attributes:
        hold_unknown: leave records of unknown fate to a person at once (rules 16 and 17).
        chance: random numbers in [0, 1) for the jitter.
        health: what the answers so far say of LeadDone as a whole.
        last_words: of the last answer, masked.
        strangers: ids in answers that were not sent (rule 21).
    """

    ledger: Ledger
    run_id: int
    account_id: int
    retry: RetrySettings
    hold_unknown: bool
    clock: Clock
    chance: Callable[[], float]
    health: Health = field(default_factory=Health)
    last_words: str = ""
    strangers: int = 0
    _failed: list[Callable[[Connection], object]] = field(default_factory=list)

    def settle(self, family: Family, job: Job, answer: Answer, *, stopped: bool) -> Settled:
        """Write down what an answer means; after a stop nothing is claimed again.

        Raises:
            LedgerError: it could not be written; `write_what_failed` tries once more.
        """
        verdict = read_answer(answer, [item.id for item in job.items])
        self.strangers += len(verdict.strangers)
        plain = after_answer(
            verdict,
            [Sent(item.number, item.record, item.unknown_attempts) for item in job.items],
            hold_unknown=self.hold_unknown,
            refusals=job.refusals,
            max_refusals=self.retry.refusals_by_index,
        )
        step, stop, ends = self._judged(family, job, plain, answer)
        step, claims, finding = self._written(family, job, step, go_on=not (stop or stopped or ends))
        tries = job.tries + 1 if step.end in {End.BUSY, End.UNREACHED, End.UNKNOWN} else 0
        return Settled(
            signal=_SIGNALS.get(step.end, Signal.OK),
            wait_seconds=step.wait_seconds,
            remaining=verdict.remaining,
            jobs=self._jobs(job, step, claims, tries, left=answer.reached),
            backoff_seconds=self._backoff(step, tries),
            unknown=() if step.again else _sendable_again(job, step),
            finding=finding if finding is not None and finding.probe is None else None,
            stop=stop,
        )

    def write_what_failed(self) -> None:
        """Try once more to write the answers that the ledger did not take when they came.

        Raises:
            LedgerError: it still does not; these records are of unknown fate to the next run (rule 12).
        """
        while self._failed:
            self.ledger.write(self._failed[0])
            self._failed.pop(0)

    def _judged(
        self, family: Family, job: Job, step: Step, answer: Answer
    ) -> tuple[Step, LeadDoneError | None, bool]:
        """Take note of what the answer says of LeadDone as a whole, and whether the batch or the run ends."""
        self.health = self.health.after(step, probe=job.probe)
        self.last_words = f"{answer.status or answer.detail} {step.words}".strip()
        if step.lone and job.claim.attempt > 1:
            family.halving = family.halving.after(job.items[0].number, step.words)
            if family.halving.is_blanket(accepted=self.health.accepted):
                refusals = tuple(one for one in step.outcomes if one.state == State.REJECTED)
                step = replace(step, outcomes=refusals, blanket=True)
        now = self.clock.elapsed()
        family.note(step.end, now)
        gave_up = now - (family.unreached_since or now) >= self.retry.give_up_seconds
        self.health = self.health.gave_up() if gave_up else self.health
        busy_seconds = now - (family.busy_since or now)
        stop = stop_reason(step, answer, self.health, self.retry, busy_seconds=busy_seconds)
        return step, stop, gave_up

    def _written(
        self, family: Family, job: Job, step: Step, *, go_on: bool
    ) -> tuple[Step, list[Claim], Finding | None]:
        work = partial(self._record, family=family, job=job, step=step)
        try:
            return self.ledger.write(partial(work, go_on=go_on))
        except LedgerError:
            self._failed.append(partial(work, go_on=False))
            raise

    def _record(
        self, connection: Connection, *, family: Family, job: Job, step: Step, go_on: bool
    ) -> tuple[Step, list[Claim], Finding | None]:
        """The answer's transaction: what is settled, what is claimed again, how long to wait (rules 13, 26).

        Returns:
            The step as it was taken, the claims of what is sent again, and what came of a probe.
        """
        now, finding = self.ledger.now(), None
        if job.probe and claiming.still_held(connection, job.claim):
            # Another run may have taken in an answer to this very order meanwhile, or a test order told enough.
            known = concluding.open_probe(connection, self.account_id, job.items[0].number)
            if known is not None:
                finding = after_probe(Probe(known.first_id, accepted=known.accepted), step)
                step = finding.step
        if not go_on:
            step = replace(step, again=())
        if step.end == End.BUSY and step.wait_seconds is not None:
            claiming.wait(connection, now, self.account_id, seconds=step.wait_seconds)
        claims = settling.settle(
            connection,
            now,
            run_id=self.run_id,
            held=job.claim,
            outcomes=step.outcomes,
            again=[[job.items[index].number for index in part] for part in step.again],
        )
        if step.blanket:
            settling.unreject(connection, [number for number, _ in family.halving.lone])
        if claims is None:
            # Another run goes on with these records; an acceptance is one all the same (rule 20).
            accepted = [outcome.number for outcome in step.outcomes if outcome.state == State.ACCEPTED]
            concluding.take_late(connection, now, self.account_id, accepted, of_a_probe=job.probe)
        elif finding is not None:
            self._record_finding(connection, job, finding)
        return step, claims or [], finding

    def _record_finding(self, connection: Connection, job: Job, finding: Finding) -> None:
        now = self.ledger.now()
        if finding.probe is not None:
            if finding.probe.first_id is not None:
                concluding.go_on(connection, self.account_id, first_id=finding.probe.first_id)
            return
        (item,) = job.items
        if finding.second_id is not None:
            settling.report_second_id(connection, now, item.number, second_id=finding.second_id)
        concluding.conclude(
            connection, now, account_id=self.account_id, order_id=item.id, repeats=finding.repeats
        )
        if finding.repeats not in {None, Repeats.RECOGNISED}:
            concluding.hold(connection, now, self.account_id)

    def _jobs(self, job: Job, step: Step, claims: list[Claim], tries: int, *, left: bool) -> list[Job]:
        if not claims:
            return []
        lost = {outcome.number for outcome in step.outcomes if outcome.unknown}
        jobs = []
        for claim, part in zip(claims, step.again, strict=True):
            items = tuple(
                replace(
                    item,
                    unknown_attempts=item.unknown_attempts + (item.number in lost),
                    again=item.again or left,
                )
                for item in (job.items[index] for index in part)
            )
            jobs.append(Job(claim, items, step.refusals, tries, job.probe))
        return jobs

    def _backoff(self, step: Step, tries: int) -> float:
        """A time that LeadDone named is kept by the pace; 0 is no invitation to a flood."""
        if not tries or (step.end == End.BUSY and step.wait_seconds):
            return 0.0
        return backoff_seconds(tries, self.chance(), self.retry)


def _sendable_again(job: Job, step: Step) -> list[Item]:
    unknown = {
        outcome.number
        for outcome in step.outcomes
        if outcome.state == State.UNCONFIRMED and outcome.unknown and not outcome.held
    }
    return [
        replace(item, unknown_attempts=item.unknown_attempts + 1, again=True)
        for item in job.items
        if item.number in unknown
    ]
