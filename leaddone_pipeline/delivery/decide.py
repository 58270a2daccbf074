"""Pure: what is known and what came back -> outcomes and the next step (delivery.md, C).

No IO, no clock, no thread. The ledger does what is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from leaddone_pipeline.ledger import Outcome, State
from leaddone_pipeline.webhook import Fate, Meaning, Record, Said, Verdict, mask, mask_all

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MAX_UNKNOWN_ATTEMPTS", "End", "Halving", "Health", "Sent", "Step", "after_answer"]

MAX_UNKNOWN_ATTEMPTS = 5
"""So many attempts of unknown fate, counted over runs, and a record is left to a person (rule 18)."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One record of an attempt.

    Attributes:
        unknown_attempts: how many attempts of unknown fate it has behind it (rule 15).
    """

    number: int
    record: Record
    unknown_attempts: int = 0


class End(StrEnum):
    """How an attempt ended, for the run that made it."""

    SETTLED = "settled"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    BUSY = "busy"
    UNREACHED = "unreached"
    CREDENTIALS = "credentials"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Step:
    """What an answer leads to.

    Attributes:
        end: how the attempt ended.
        outcomes: what is written for the records that it settles.
        again: indexes of the records that are sent again, one tuple for each new request.
        refusals: rounds of refusal by index that this batch has behind it, parts included.
        wait_seconds: how long every worker waits, where LeadDone named a time (rule 26).
        words: what LeadDone said of the request as a whole, masked.
        lone: a whole request of one record was refused: what a halving ends in (rule 19).
        blanket: LeadDone refuses the account, not the orders; the halving's refusals are taken back (rule 19).
    """

    end: End
    outcomes: tuple[Outcome, ...] = ()
    again: tuple[tuple[int, ...], ...] = ()
    refusals: int = 0
    wait_seconds: float | None = None
    words: str = ""
    lone: bool = False
    blanket: bool = False


def after_answer(
    verdict: Verdict, sent: Sequence[Sent], *, hold_unknown: bool, refusals: int, max_refusals: int
) -> Step:
    """Decide what becomes of each record of an attempt.

    Args:
        verdict: what the answer says (webhook/answers.py).
        sent: the attempt's records, in the order sent.
        hold_unknown: leave records of unknown fate to a person at once (rules 16 and 17).
        refusals: rounds of refusal by index so far.
        max_refusals: after so many, a batch is halved instead.
    """
    words = mask_all(verdict.words, [one.record for one in sent])
    everyone = tuple(range(len(sent)))
    match verdict.meaning:
        case Meaning.ANSWERED:
            return _answered(verdict.said, sent, hold_unknown=hold_unknown)
        case Meaning.REFUSED_BY_INDEX if refusals < max_refusals:
            named = verdict.refused
            return Step(
                End.REFUSED,
                outcomes=tuple(
                    _refused(sent[i], mask_all(named[i], [s.record for s in sent])) for i in sorted(named)
                ),
                again=_parts([i for i in everyone if i not in named]),
                refusals=refusals + 1,
                words=words,
            )
        case Meaning.REFUSED_BY_INDEX | Meaning.REFUSED_WHOLE if len(sent) == 1:
            # What is said of it by its index says more than what is said of the request.
            said = mask_all(verdict.refused.get(0) or verdict.words, [sent[0].record])
            return Step(
                End.REFUSED, outcomes=(_refused(sent[0], said),), refusals=refusals, words=said, lone=True
            )
        case Meaning.REFUSED_BY_INDEX | Meaning.REFUSED_WHOLE:
            middle = (len(sent) + 1) // 2
            halves = _parts(everyone[:middle], everyone[middle:])
            return Step(End.REFUSED, again=halves, refusals=refusals, words=words)
        case Meaning.BUSY:
            return Step(
                End.BUSY, again=(everyone,), refusals=refusals, wait_seconds=verdict.wait_seconds, words=words
            )
        case Meaning.UNREACHED:
            return Step(End.UNREACHED, again=(everyone,), refusals=refusals, words=words)
        case Meaning.CREDENTIALS:
            return Step(End.CREDENTIALS, words=words)
        case Meaning.ADDRESS:
            return Step(End.ADDRESS, words=words)
        case Meaning.UNKNOWN:
            said = f"no usable answer ({words})"
            return Step(
                End.UNKNOWN,
                outcomes=tuple(_unknown(one, said, hold=hold_unknown) for one in sent),
                words=words,
            )


def _answered(said: Sequence[Said], sent: Sequence[Sent], *, hold_unknown: bool) -> Step:
    outcomes = []
    for one, word in zip(sent, said, strict=True):
        words = mask(word.words, one.record)
        if word.fate == Fate.ACCEPTED:
            outcomes.append(
                Outcome(number=one.number, state=State.ACCEPTED, internal_id=word.internal_id, words=words)
            )
        elif word.fate == Fate.REFUSED:
            outcomes.append(_refused(one, words))
        else:
            outcomes.append(_unknown(one, words, hold=hold_unknown or word.hold))
    unknown = all(word.fate == Fate.UNKNOWN for word in said)
    return Step(End.UNKNOWN if unknown else End.SETTLED, outcomes=tuple(outcomes))


def _refused(one: Sent, words: str) -> Outcome:
    """A refusal settles a record, unless an earlier attempt may have been processed (rule 15)."""
    if one.unknown_attempts:
        return Outcome(number=one.number, state=State.UNCONFIRMED, words=words, held=True)
    return Outcome(number=one.number, state=State.REJECTED, words=words)


def _unknown(one: Sent, words: str, *, hold: bool) -> Outcome:
    """After enough unknown attempts a record is left to a person, whatever the guarantee (rule 18)."""
    enough = one.unknown_attempts + 1 >= MAX_UNKNOWN_ATTEMPTS
    return Outcome(
        number=one.number,
        state=State.UNCONFIRMED,
        words=words,
        held=hold or enough,
        unknown=True,
    )


def _parts(*parts: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(part) for part in parts if part)


@dataclass(frozen=True, slots=True)
class Halving:
    """The lone records that a halving has found refused so far (rule 19)."""

    lone: tuple[tuple[int, str], ...] = ()

    def after(self, number: int, words: str) -> Halving:
        return Halving((*self.lone, (number, words)))

    def is_blanket(self, *, accepted: int) -> bool:
        """Whether it is the account or the deploy that LeadDone refuses, not the day's orders."""
        return accepted == 0 and len(self.lone) > 1 and self.lone[0][1] == self.lone[1][1]


@dataclass(frozen=True, slots=True)
class Health:
    """What the answers so far say of LeadDone as a whole (rule 18 and the table's row of failed connections).

    Attributes:
        tried: attempts that ended in any way.
        settled: records that an answer settled.
        accepted: of these, the accepted ones.
        unknown_in_a_row: whole batches of unknown fate, in order of completion.
        unreached_in_a_row: batches that gave up connecting.
    """

    tried: int = 0
    settled: int = 0
    accepted: int = 0
    unknown_in_a_row: int = 0
    unreached_in_a_row: int = 0

    def after(self, step: Step, *, probe: bool = False) -> Health:
        """Count one attempt. A probe says nothing of whole batches; `gave_up` counts those that could not connect."""
        known = [outcome for outcome in step.outcomes if not outcome.unknown]
        accepted = sum(outcome.state == State.ACCEPTED for outcome in known)
        unknown = self.unknown_in_a_row
        if step.end in {End.UNKNOWN, End.SETTLED, End.REFUSED} and not probe:
            unknown = unknown + 1 if step.end == End.UNKNOWN else 0
        return Health(
            tried=self.tried + 1,
            settled=self.settled + len(known),
            accepted=self.accepted + accepted,
            unknown_in_a_row=unknown,
            unreached_in_a_row=self.unreached_in_a_row if step.end == End.UNREACHED else 0,
        )

    def gave_up(self) -> Health:
        return replace(self, unreached_in_a_row=self.unreached_in_a_row + 1)

    @property
    def is_silent(self) -> bool:
        """The run tried, and no answer settled anything: it counts as stopped (rule 18)."""
        return self.tried > 0 and self.settled == 0
