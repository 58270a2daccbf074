"""Rule 17: what two sendings of one order say of LeadDone."""

import pytest

from leaddone_pipeline.delivery.decide import End, Step
from leaddone_pipeline.delivery.probe import Finding, Probe, after_probe
from leaddone_pipeline.ledger import Outcome, Repeats, State

NOTED = "LeadDone has it as PLT-1; it is sent once more, to see what becomes of a repeat"


def settled(outcome, end=End.SETTLED):
    return Step(end, (outcome,), words="w")


def accepted(internal_id):
    return settled(Outcome(number=7, state=State.ACCEPTED, internal_id=internal_id, words="ok"))


def unknown(*, held=False):
    return settled(
        Outcome(number=7, state=State.UNCONFIRMED, words="lost", held=held, unknown=True), End.UNKNOWN
    )


REFUSED = settled(Outcome(number=7, state=State.UNCONFIRMED, words="taken", held=True), End.REFUSED)
FIRST, SECOND = Probe(), Probe("PLT-1")


def test_the_first_acceptance_is_kept_until_the_second_answer():
    """Unconfirmed, so that an interrupted probe goes on with this order."""
    assert after_probe(FIRST, accepted("PLT-1")) == Finding(
        Step(
            End.SETTLED, (Outcome(number=7, state=State.UNCONFIRMED, words=NOTED),), again=((0,),), words="w"
        ),
        SECOND,
    )


def test_the_same_id_twice_is_a_repeat_that_was_recognised():
    assert after_probe(SECOND, accepted("PLT-1")) == Finding(accepted("PLT-1"), repeats=Repeats.RECOGNISED)


def test_another_id_is_a_second_order_and_the_first_id_stays():
    assert after_probe(SECOND, accepted("PLT-2")) == Finding(
        accepted("PLT-1"), repeats=Repeats.SECOND_ORDERS, second_id="PLT-2"
    )


@pytest.mark.parametrize("probe", [FIRST, SECOND])
@pytest.mark.parametrize("step", [Step(End.BUSY, again=((0,),)), Step(End.UNREACHED), Step(End.CREDENTIALS)])
def test_an_answer_that_processed_nothing_leaves_the_probe_as_it_was(probe, step):
    assert after_probe(probe, step) == Finding(step, probe)


@pytest.mark.parametrize("probe", [FIRST, SECOND])
def test_a_lost_answer_sends_the_same_order_again(probe):
    lost = unknown()
    assert after_probe(probe, lost) == Finding(Step(End.UNKNOWN, lost.outcomes, ((0,),), words="w"), probe)


def test_a_refusal_of_the_first_sending_lets_another_order_be_tried():
    """Rule 15: the order itself stays unconfirmed."""
    assert after_probe(FIRST, REFUSED) == Finding(REFUSED, refused=True)


def test_enough_lost_answers_find_nothing_out():
    """Rule 18: the order is held, and LeadDone is in no state to be asked."""
    assert after_probe(FIRST, unknown(held=True)) == Finding(unknown(held=True))


@pytest.mark.parametrize(
    ("step", "repeats"),
    [(REFUSED, Repeats.REFUSED), (unknown(held=True), Repeats.UNCLEAR)],
)
def test_after_an_acceptance_neither_a_refusal_nor_silence_takes_it_back(step, repeats):
    """Rule 20. It is the last probe: another could make a third extra order."""
    assert after_probe(SECOND, step) == Finding(
        Step(step.end, (Outcome(number=7, state=State.ACCEPTED, internal_id="PLT-1"),), words="w"),
        repeats=repeats,
    )
