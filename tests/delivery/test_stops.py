"""When a run stops, and what its owner is told (delivery.md C, rules 18, 19 and 26)."""

import pytest

from leaddone_pipeline.delivery.decide import End, Health, Step
from leaddone_pipeline.delivery.stops import (
    broken,
    interrupted,
    long_wait,
    silent,
    stop_reason,
    taken_over,
)
from leaddone_pipeline.errors import CredentialsRejected, EndpointWrong, LeadDoneUnavailable
from leaddone_pipeline.settings import RetrySettings
from leaddone_pipeline.webhook import Answer, Failure

RETRY = RetrySettings()
LOST = Answer(None, failure=Failure.BROKEN, complete=False, detail="ReadTimeout")


def stop(step, answer=LOST, health=Health(), *, busy_seconds=0.0):  # noqa: B008 - frozen
    return stop_reason(step, answer, health, RETRY, busy_seconds=busy_seconds)


GOES_ON = {
    "settled": (Step(End.SETTLED), Health(), 0.0),
    "one lone refusal": (Step(End.REFUSED, lone=True), Health(), 0.0),
    "a short wait": (Step(End.BUSY, wait_seconds=900.0), Health(), 0.0),
    "a wait without a time": (Step(End.BUSY), Health(), 900.0),
    "two batches without a connection": (Step(End.UNREACHED), Health(unreached_in_a_row=2), 0.0),
    "two batches of unknown fate": (Step(End.UNKNOWN), Health(unknown_in_a_row=2), 0.0),
    "waited long before, now answered": (Step(End.SETTLED), Health(), 901.0),
}


@pytest.mark.parametrize("case", GOES_ON)
def test_a_run_goes_on(case):
    step, health, busy_seconds = GOES_ON[case]
    assert stop(step, health=health, busy_seconds=busy_seconds) is None


STOPS = {
    "credentials": (Step(End.CREDENTIALS), Health(), 0.0, CredentialsRejected, "answered 401"),
    "address": (Step(End.ADDRESS), Health(), 0.0, EndpointWrong, "answered 401"),
    # Rule 19.
    "blanket": (
        Step(End.REFUSED, words="No.", blanket=True),
        Health(),
        0.0,
        LeadDoneUnavailable,
        '401: "No."',
    ),
    # Rule 26: one wait, or all that a batch was told so far.
    "a long wait": (
        Step(End.BUSY, wait_seconds=901.0),
        Health(),
        0.0,
        LeadDoneUnavailable,
        "a wait of 901 seconds",
    ),
    "many waits": (
        Step(End.BUSY, wait_seconds=1.0),
        Health(),
        901.0,
        LeadDoneUnavailable,
        "a wait of 901 seconds",
    ),
    "waits without a time": (Step(End.BUSY), Health(), 950.0, LeadDoneUnavailable, "a wait of 950 seconds"),
    "no connection": (
        Step(End.UNREACHED),
        Health(unreached_in_a_row=3),
        0.0,
        LeadDoneUnavailable,
        "reached (E)",
    ),
    # Rule 18.
    "unknown": (
        Step(End.UNKNOWN),
        Health(unknown_in_a_row=3),
        0.0,
        LeadDoneUnavailable,
        "3 batches in a row had no",
    ),
}


@pytest.mark.parametrize("case", STOPS)
def test_a_run_stops_and_says_why(case):
    step, health, busy_seconds, kind, words = STOPS[case]
    answer = Answer(401, detail="E")
    error = stop(step, answer, health, busy_seconds=busy_seconds)
    assert type(error) is kind
    assert words in str(error)
    assert error.remedy


def test_the_last_answer_is_named_by_its_status_or_by_how_it_broke_off():
    health = Health(unknown_in_a_row=3)
    assert "(last: 502)" in str(stop(Step(End.UNKNOWN), Answer(502), health))
    assert "(last: ReadTimeout)" in str(stop(Step(End.UNKNOWN), LOST, health))


def test_what_is_said_of_the_status_is_a_field_too():
    assert stop(Step(End.CREDENTIALS), Answer(403)).status == 403
    assert stop(Step(End.ADDRESS), Answer(302)).status == 302


@pytest.mark.parametrize(
    "error",
    [long_wait(901.0), taken_over(), silent("HTTP 500"), silent(""), interrupted(), broken(KeyError("06"))],
)
def test_a_stopped_run_says_that_nothing_is_lost(error):
    assert isinstance(error, LeadDoneUnavailable)
    assert "Nothing is lost" in str(error)
    assert "06" not in str(error)


def test_a_silent_run_names_its_last_answer_if_there_was_one():
    assert "(last: 500 Server Error)" in str(silent("500 Server Error"))
    assert "last" not in str(silent(""))
