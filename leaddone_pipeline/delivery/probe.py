"""Pure: whether LeadDone recognises an order that it gets twice, found out with one order (delivery.md, rule 17).

One order of unknown fate is sent, and once more. Two equal internal ids: repeats are recognised. Two different ones:
each repeat makes a second order. A refusal of the second: repeats are refused. No second answer, however often it is
sent: unclear, for good. Anything else finds nothing out, and leaves the order as its answers say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from leaddone_pipeline.ledger import Repeats, State

if TYPE_CHECKING:
    from leaddone_pipeline.delivery.decide import Step

__all__ = ["Finding", "Probe", "after_probe"]


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe under way.

    Attributes:
        first_id: the internal id of its first answer, once there is one; kept with the account until the second.
        accepted: a late answer to an earlier request has accepted the order meanwhile.
    """

    first_id: str | None = None
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What an answer to a probe leads to.

    Attributes:
        step: what is written and sent next, in place of what an ordinary answer leads to.
        probe: the probe as it goes on; None when it has ended.
        repeats: what was found out, if anything.
        second_id: the id of the second order, where one was made.
        refused: the order was refused at its first sending; another one may be tried.
    """

    step: Step
    probe: Probe | None = None
    repeats: Repeats | None = None
    second_id: str | None = None
    refused: bool = False


def after_probe(probe: Probe, step: Step) -> Finding:
    """Read the answer to a request of a probe, `step` being what it would mean for an ordinary order."""
    if probe.accepted and (not step.outcomes or step.outcomes[0].unknown):
        return Finding(replace(step, again=()))  # never sent again (rule 22)
    if not step.outcomes:
        return Finding(step, probe)  # it was not processed: the same request goes again, or the run stops
    (outcome,) = step.outcomes
    first_id = probe.first_id
    if outcome.state == State.ACCEPTED and first_id is None:
        # Not accepted in the ledger before the second answer: an interrupted probe must go on with this order.
        words = (
            f"LeadDone has it as {outcome.internal_id}; it is sent once more, to see what becomes of a repeat"
        )
        noted = replace(outcome, state=State.UNCONFIRMED, internal_id=None, words=words)
        return Finding(replace(step, outcomes=(noted,), again=((0,),)), Probe(outcome.internal_id))
    if outcome.state == State.ACCEPTED:
        same = outcome.internal_id == first_id
        return Finding(
            replace(step, outcomes=(replace(outcome, internal_id=first_id),)),
            repeats=Repeats.RECOGNISED if same else Repeats.SECOND_ORDERS,
            second_id=None if same else outcome.internal_id,
        )
    if outcome.unknown and not outcome.held:
        return Finding(replace(step, again=((0,),)), probe)
    if first_id is not None:
        # LeadDone has it under the first id; a refusal or a silence afterwards changes nothing (rule 20).
        accepted = replace(
            outcome, state=State.ACCEPTED, internal_id=first_id, held=False, unknown=False, words=""
        )
        # Another probe could make a third order too many, so this one is the last.
        found = Repeats.UNCLEAR if outcome.unknown else Repeats.REFUSED
        return Finding(replace(step, outcomes=(accepted,)), repeats=found)
    return Finding(step, refused=not outcome.unknown)
