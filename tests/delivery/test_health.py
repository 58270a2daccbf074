"""Rules 18 and 19: what a run's answers say of LeadDone as a whole."""

import pytest

from leaddone_pipeline.delivery.decide import End, Halving, Health, Step
from leaddone_pipeline.ledger import Outcome, State

ACCEPTED = Outcome(number=1, state=State.ACCEPTED, internal_id="PLT-1")
REJECTED = Outcome(number=2, state=State.REJECTED, words="no stock")
UNKNOWN = Outcome(number=3, state=State.UNCONFIRMED, unknown=True)


# Rule 19: whom LeadDone refuses.


@pytest.mark.parametrize(
    ("words", "accepted_so_far", "blanket"),
    [
        ([], 0, False),
        (["no"], 0, False),
        (["no", "no"], 0, True),
        (["no", "no"], 1, False),
        (["no", "never"], 0, False),
        (["no", "never", "no"], 0, False),
        (["no", "no", "never"], 0, True),
    ],
)
def test_two_lone_orders_refused_alike_and_none_accepted_is_the_accounts_fault(
    words, accepted_so_far, blanket
):
    halving = Halving()
    for number, said in enumerate(words):
        halving = halving.after(number, said)
    assert halving.lone == tuple(enumerate(words))
    assert halving.is_blanket(accepted=accepted_so_far) is blanket


# Rule 18: what a run's answers say of LeadDone as a whole.

SETTLED = Step(End.SETTLED, (ACCEPTED, REJECTED, UNKNOWN, ACCEPTED))
WHOLE_UNKNOWN = Step(End.UNKNOWN, (UNKNOWN,))
HALVED = Step(End.REFUSED, again=((0,), (1,)))


def health_after(*steps):
    health = Health()
    for step in steps:
        health = health.after(step)
    return health


def test_the_answers_of_a_run_are_counted():
    assert health_after(SETTLED, HALVED, WHOLE_UNKNOWN) == Health(
        tried=3, settled=3, accepted=2, unknown_in_a_row=1, unreached_in_a_row=0
    )


@pytest.mark.parametrize("end", End)
def test_whole_batches_of_unknown_fate_count_in_a_row(end):
    """Any other answer ends the row; being turned away at the door says nothing."""
    counted = health_after(WHOLE_UNKNOWN, WHOLE_UNKNOWN, Step(end)).unknown_in_a_row
    assert counted == {End.UNKNOWN: 3, End.SETTLED: 0, End.REFUSED: 0}.get(end, 2)


@pytest.mark.parametrize("step", [WHOLE_UNKNOWN, SETTLED])
def test_a_probe_says_nothing_of_whole_batches(step):
    health = health_after(WHOLE_UNKNOWN)
    assert health.after(step, probe=True).unknown_in_a_row == 1
    assert health.after(step, probe=True).tried == 2


@pytest.mark.parametrize("end", End)
def test_batches_that_could_not_connect_count_in_a_row(end):
    unreached = Step(End.UNREACHED, again=((0,),))
    health = health_after(unreached).gave_up().after(unreached).gave_up()
    assert health == Health(tried=2, unreached_in_a_row=2)
    assert health.after(Step(end)).unreached_in_a_row == (2 if end == End.UNREACHED else 0)


@pytest.mark.parametrize(
    ("steps", "silent"),
    [
        ([], False),
        ([HALVED], True),
        ([WHOLE_UNKNOWN, WHOLE_UNKNOWN], True),
        ([Step(End.SETTLED, (REJECTED,))], False),
        ([WHOLE_UNKNOWN, SETTLED], False),
    ],
)
def test_a_run_that_tried_and_settled_nothing_was_silent(steps, silent):
    assert health_after(*steps).is_silent is silent
