"""The table of delivery.md C from an answer to what is written and sent next, and rules 15 to 18."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaddone_pipeline.delivery.decide import End, Sent, Step, after_answer
from leaddone_pipeline.ledger import Outcome, State
from leaddone_pipeline.webhook import Answer, Failure, Fate, Meaning, Order, Said, Verdict, read_answer

NUMBERS = {"A": 11, "B": 12, "C": 13, "D": 14, "E": 15}
LAMP = "Lampe de chevet"


def order(order_id):
    return Order(id=order_id, article=LAMP, price=Decimal(199), phone="0612345678", receiver="Salma Invented")


def sent(ids="ABCDE", **unknown_attempts):
    return [Sent(NUMBERS[each], order(each), unknown_attempts.get(each, 0)) for each in ids]


def answer(status, document=None, **headers):
    body = b"" if document is None else json.dumps(document).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def cut(status=None):
    return Answer(status, failure=Failure.BROKEN, complete=False, detail="ReadTimeout")


UNREACHED = Answer(None, failure=Failure.UNREACHED, complete=False, detail="ConnectError")


def after(received, batch, *, hold_unknown=False, refusals=0):
    verdict = read_answer(received, [one.record.id for one in batch])
    return after_answer(verdict, batch, hold_unknown=hold_unknown, refusals=refusals, max_refusals=3)


def result(order_id, *, success=True, **fields):
    said = {"internal_id": f"PLT-{order_id}"} if success else {}
    return {"success": success, "message": "ok", "order_id": order_id, **said, **fields}


def accepted(order_id, words="ok"):
    return Outcome(number=NUMBERS[order_id], state=State.ACCEPTED, internal_id=f"PLT-{order_id}", words=words)


def rejected(order_id, words):
    return Outcome(number=NUMBERS[order_id], state=State.REJECTED, words=words)


def unknown(order_id, words="", *, held=False):
    return Outcome(number=NUMBERS[order_id], state=State.UNCONFIRMED, words=words, held=held, unknown=True)


def all_lost(words):
    return Step(
        End.UNKNOWN, tuple(unknown(each, f"no usable answer ({words})") for each in "ABCDE"), words=words
    )


ALL = (0, 1, 2, 3, 4)
NO = {"message": "The given data was invalid."}
BY_INDEX = {**NO, "errors": {"1.price": ["Too low."], "3": ["Odd.", "Old."], "9.x": ["none"], "id": ["none"]}}
HALVES = ((0, 1, 2), (3, 4))


def refused(*outcomes, again=(), refusals=0):
    return Step(End.REFUSED, outcomes, again, refusals, words=NO["message"])


TABLE = {
    # 2xx, an array: each as it says; without a clear result unknown.
    "mixed": (
        answer(
            200,
            [
                result("B", success=False, message="no stock"),
                result("A"),
                result("C", internal_id=None),
                result("D"),
                result("D", internal_id="OTHER"),
            ],
        ),
        Step(
            End.SETTLED,
            (
                accepted("A"),
                rejected("B", "no stock"),
                unknown("C", "ok", held=True),
                unknown("D"),
                unknown("E"),
            ),
        ),
    ),
    "an empty array": (answer(200, []), Step(End.UNKNOWN, tuple(map(unknown, "ABCDE")))),
    # 2xx with anything else.
    "a page": (
        Answer(200, {}, b"<html>"),
        all_lost("HTTP 200"),
    ),
    # 422 by index: reject those, send the others on.
    "by index": (
        answer(422, BY_INDEX),
        refused(rejected("B", "Too low."), rejected("D", "Odd. Old."), again=((0, 2, 4),), refusals=1),
    ),
    "by index, everyone": (
        answer(422, {**NO, "errors": {f"{index}.price": ["Low."] for index in ALL}}),
        refused(*(rejected(each, "Low.") for each in "ABCDE"), refusals=1),
    ),
    # 400, 413, 422 otherwise: halve, the first half the larger.
    "400": (answer(400, NO), refused(again=HALVES)),
    "413": (answer(413, NO), refused(again=HALVES)),
    "422 without an index": (
        answer(422, {**NO, "errors": {"9.price": ["x"]}}),
        refused(again=HALVES),
    ),
    # 401, 403; 404, 405, 410, 3xx: nothing was processed, the run stops.
    "401": (
        answer(401, {"message": "Invalid signature."}),
        Step(End.CREDENTIALS, words="Invalid signature."),
    ),
    "403": (answer(403), Step(End.CREDENTIALS, words="HTTP 403")),
    "404": (answer(404), Step(End.ADDRESS, words="HTTP 404")),
    "302": (answer(302), Step(End.ADDRESS, words="HTTP 302")),
    # 429, 503 with Retry-After: the same again, when told.
    "429": (
        answer(429, {"message": "Too Many Attempts."}, retry_after="7"),
        Step(End.BUSY, again=(ALL,), wait_seconds=7.0, words="Too Many Attempts."),
    ),
    "503 told": (
        answer(503, retry_after="0"),
        Step(End.BUSY, again=(ALL,), wait_seconds=0.0, words="HTTP 503"),
    ),
    # No connection: the same again.
    "no connection": (UNREACHED, Step(End.UNREACHED, again=(ALL,), words="ConnectError")),
    # Anything else: all unknown.
    "500": (
        answer(500, {"message": "Server Error"}),
        all_lost("Server Error"),
    ),
    "a timeout": (
        cut(),
        all_lost("ReadTimeout"),
    ),
}


@pytest.mark.parametrize("row", TABLE)
def test_each_answer_leads_to_what_the_table_says(row):
    received, step = TABLE[row]
    assert after(received, sent()) == step


@pytest.mark.parametrize(
    "row", [row for row, (_, step) in TABLE.items() if step.end == End.REFUSED and step.again]
)
@pytest.mark.parametrize("refusals", [1, 2])
def test_the_rounds_that_a_batch_has_behind_it_go_on_with_its_parts(row, refusals):
    received, step = TABLE[row]
    assert after(received, sent(), refusals=refusals) == replace(step, refusals=refusals + step.refusals)


def test_after_three_rounds_by_index_the_batch_is_halved():
    assert after(answer(422, BY_INDEX), sent(), refusals=3) == refused(again=HALVES, refusals=3)


@pytest.mark.parametrize("received", [answer(429), UNREACHED])
def test_a_batch_that_goes_again_as_it_is_keeps_its_rounds(received):
    assert after(received, sent(), refusals=2).refusals == 2


@pytest.mark.parametrize(
    ("received", "refusals", "words"),
    [
        (answer(400, NO), 2, NO["message"]),
        (answer(413), 0, "HTTP 413"),
        (answer(422, {**NO, "errors": {"0.price": ["Too low."]}}), 3, "Too low."),
        (answer(422, {**NO, "errors": {"0.price": []}}), 3, NO["message"]),
    ],
)
def test_a_lone_order_that_is_refused_as_a_whole_is_rejected(received, refusals, words):
    assert after(received, sent("C"), refusals=refusals) == Step(
        End.REFUSED, (rejected("C", words),), refusals=refusals, words=words, lone=True
    )


@pytest.mark.parametrize("count", [1, 2, 3, 10, 200, 500])
def test_one_bad_order_costs_no_more_than_2_log2_n_plus_1_requests(count):
    """The table's promise: 2 x ceil(log2 n) + 1."""

    def requests(batch, bad):
        verdict = (
            answer(400, NO) if bad in batch else answer(200, [result(one, internal_id="P") for one in batch])
        )
        step = after(verdict, [Sent(number, order(str(number))) for number in batch])
        return 1 + sum(requests([batch[index] for index in part], bad) for part in step.again)

    for bad in {0, count // 2, count - 1}:
        assert requests(range(count), bad) <= 2 * (count - 1).bit_length() + 1


# Rules 15 to 18: records with a past.


@pytest.mark.parametrize(
    ("received", "words"),
    [
        (
            answer(200, [result("A", success=False, message="has already been taken")]),
            "has already been taken",
        ),
        (answer(422, {**NO, "errors": {"0.id": ["has already been taken"]}}), "has already been taken"),
        (answer(400, NO), NO["message"]),
    ],
)
def test_a_refusal_after_an_unknown_attempt_leaves_the_order_to_a_person(received, words):
    """Rule 15: LeadDone may have it."""
    (outcome,) = after(received, sent("A", A=1)).outcomes
    assert outcome == Outcome(number=NUMBERS["A"], state=State.UNCONFIRMED, words=words, held=True)


def test_an_acceptance_after_unknown_attempts_counts():
    """Rule 15."""
    assert after(answer(200, [result("A")]), sent("A", A=4)).outcomes == (accepted("A"),)


LOST = {
    "no answer": cut(),
    "no result": answer(200, []),
    "no clear result": answer(200, [result("A", success="yes")]),
}


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize(
    ("behind", "hold_unknown", "held"),
    [
        (0, False, False),
        (3, False, False),
        (4, False, True),
        (5, False, True),
        (0, True, True),
        (4, True, True),
    ],
)
def test_an_order_is_held_at_its_fifth_unknown_attempt_or_at_once(lost, behind, hold_unknown, held):
    """Rules 16 (at_most_once holds at once) and 18 (enough)."""
    (outcome,) = after(LOST[lost], sent("A", A=behind), hold_unknown=hold_unknown).outcomes
    assert (outcome.state, outcome.unknown, outcome.held) == (State.UNCONFIRMED, True, held)


def test_an_order_of_which_the_verdict_does_not_speak_is_never_passed_over():
    with pytest.raises(ValueError, match="zip"):
        after_answer(
            Verdict(Meaning.ANSWERED, said=(Said(Fate.UNKNOWN),)),
            sent("AB"),
            hold_unknown=False,
            refusals=0,
            max_refusals=3,
        )


def test_an_acceptance_without_an_internal_id_is_held_at_once():
    """Rule 18."""
    (outcome,) = after(answer(200, [result("A", internal_id="")]), sent("A")).outcomes
    assert outcome == unknown("A", "ok", held=True)


def test_what_is_written_holds_no_personal_data():
    """Rule 3: the words about one order are masked by that order, those about all by all."""
    planted = f"Salma Invented ordered {LAMP}, call 0612345678"
    documents = [
        answer(200, [result("A", message=planted), result("B", success=False, message=planted)]),
        answer(422, {"message": planted, "errors": {"0.phone": [planted], "1.phone": [planted]}}),
        answer(400, {"message": planted}),
        answer(401, {"message": planted}),
        answer(404, {"message": planted}),
        answer(429, {"message": planted}),
        answer(500, {"message": planted}),
    ]
    for received in documents:
        for batch in (sent("AB"), sent("B")):
            written = repr(after(received, batch))
            assert not [each for each in ("Salma", LAMP, "0612345678") if each in written]
            assert "***" in written


ANSWERS = st.sampled_from([received for received, _ in TABLE.values()])


@given(
    received=ANSWERS,
    ids=st.lists(st.sampled_from("ABCDE"), min_size=1, unique=True),
    behind=st.integers(0, 5),
    refusals=st.integers(0, 4),
    hold_unknown=st.booleans(),
)
def test_each_order_is_settled_or_sent_again_or_the_run_stops(received, ids, behind, refusals, hold_unknown):
    batch = sent(ids, **dict.fromkeys(ids, behind))
    step = after(received, batch, hold_unknown=hold_unknown, refusals=refusals)
    settled = [outcome.number for outcome in step.outcomes]
    again = [batch[index].number for part in step.again for index in part]
    if step.end in {End.CREDENTIALS, End.ADDRESS}:
        assert settled + again == []
    else:
        assert sorted(settled + again) == sorted(one.number for one in batch)
    if behind:  # rule 15
        assert {outcome.state for outcome in step.outcomes} <= {State.ACCEPTED, State.UNCONFIRMED}
