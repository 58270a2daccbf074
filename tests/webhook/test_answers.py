"""The table of delivery.md C, row by row, and rules 18 and 21."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaddone_pipeline.webhook import Answer, Failure, Fate, Meaning, Said, read_answer

IDS = ("A", "B", "00123")
NO_RESULT = Said(Fate.UNKNOWN)
ACCEPTED = Said(Fate.ACCEPTED, "PLT-1", "ok")


def result(order_id="A", **fields):
    return {"success": True, "message": "ok", "order_id": order_id, "internal_id": "PLT-1", **fields}


def answer(status, document=None, **headers):
    body = b"" if document is None else json.dumps(document).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def cut(status, body=b""):
    return Answer(status, {}, body, failure=Failure.BROKEN, complete=False, detail="RemoteProtocolError")


LARAVEL = {"message": "The given data was invalid.", "errors": {"1.price": ["Not a number.", "Too low."]}}
HTML = Answer(200, {}, b"<!doctype html><title>LeadDone</title>")

TABLE = {
    # 2xx, array, a result for the id: as it says.
    "200 with results": (answer(200, [result()]), Meaning.ANSWERED),
    "201 with results": (answer(201, [result()]), Meaning.ANSWERED),
    # 2xx, array without the id: that record unknown.
    "200 with an empty array": (answer(200, []), Meaning.ANSWERED),
    "200 with strangers alone": (answer(200, [result("Z")]), Meaning.ANSWERED),
    # 2xx with anything else: all unknown.
    "200 with HTML": (HTML, Meaning.UNKNOWN),
    "200 with an object": (answer(200, {"data": [result()]}), Meaning.UNKNOWN),
    "200 with nothing": (answer(200), Meaning.UNKNOWN),
    "204": (answer(204), Meaning.UNKNOWN),
    "200 with NaN": (Answer(200, {}, b"[NaN]"), Meaning.UNKNOWN),
    "200 with half an array": (Answer(200, {}, b'[{"order_id":"A"'), Meaning.UNKNOWN),
    "200 cut off": (cut(200, json.dumps([result()]).encode()), Meaning.UNKNOWN),
    "200 read in part": (replace(answer(200, [result()]), complete=False), Meaning.UNKNOWN),
    "200 broken off": (replace(answer(200, [result()]), failure=Failure.BROKEN), Meaning.UNKNOWN),
    # 422 by index.
    "422 by index": (answer(422, LARAVEL), Meaning.REFUSED_BY_INDEX),
    # 400, 413, 422 otherwise.
    "400": (answer(400, {"message": "Bad"}), Meaning.REFUSED_WHOLE),
    "413 with HTML": (Answer(413, {}, b"<html>"), Meaning.REFUSED_WHOLE),
    "422 without errors": (answer(422, {"message": "Bad"}), Meaning.REFUSED_WHOLE),
    "422 with an array": (answer(422, [1]), Meaning.REFUSED_WHOLE),
    "422 with errors as a list": (answer(422, {"errors": ["0.price"]}), Meaning.REFUSED_WHOLE),
    "422 with no valid index": (
        answer(422, {"errors": {"3.price": ["x"], "id": ["x"]}}),
        Meaning.REFUSED_WHOLE,
    ),
    "422 cut off": (cut(422), Meaning.REFUSED_WHOLE),
    # 401, 403.
    "401": (answer(401, {"message": "Invalid signature."}), Meaning.CREDENTIALS),
    "403": (answer(403), Meaning.CREDENTIALS),
    # 404, 405, 410, any 3xx.
    "404": (answer(404), Meaning.ADDRESS),
    "405": (answer(405), Meaning.ADDRESS),
    "410": (answer(410), Meaning.ADDRESS),
    "300 with results": (answer(300, [result()]), Meaning.ADDRESS),
    "301": (answer(301, location="https://elsewhere.test/"), Meaning.ADDRESS),
    "302": (answer(302, location="/"), Meaning.ADDRESS),
    "304": (answer(304), Meaning.ADDRESS),
    "308": (answer(308), Meaning.ADDRESS),
    # 429, 503 with Retry-After.
    "429 told": (answer(429, retry_after="7"), Meaning.BUSY),
    "429 not told": (answer(429), Meaning.BUSY),
    "503 told": (answer(503, retry_after="0"), Meaning.BUSY),
    # Connect, DNS or TLS failure.
    "no connection": (
        Answer(None, failure=Failure.UNREACHED, complete=False, detail="ConnectError"),
        Meaning.UNREACHED,
    ),
    # Anything else.
    "503 not told": (answer(503), Meaning.UNKNOWN),
    "503 told nonsense": (answer(503, retry_after="soon"), Meaning.UNKNOWN),
    "500": (answer(500, {"message": "Server Error"}), Meaning.UNKNOWN),
    "502": (answer(502), Meaning.UNKNOWN),
    "504": (answer(504), Meaning.UNKNOWN),
    "408": (answer(408), Meaning.UNKNOWN),
    "409": (answer(409), Meaning.UNKNOWN),
    "425": (answer(425), Meaning.UNKNOWN),
    "418": (answer(418), Meaning.UNKNOWN),
    "101": (answer(101), Meaning.UNKNOWN),
    "timeout or reset": (cut(None), Meaning.UNKNOWN),
}


@pytest.mark.parametrize("row", TABLE)
def test_an_answer_means_what_the_table_says(row):
    received, meaning = TABLE[row]
    verdict = read_answer(received, IDS)
    assert verdict.meaning is meaning
    assert len(verdict.said) == (len(IDS) if meaning is Meaning.ANSWERED else 0)
    assert bool(verdict.refused) == (meaning is Meaning.REFUSED_BY_INDEX)


RESULTS = {
    "accepted": ([result()], ACCEPTED),
    "accepted, internal id a number": ([result(internal_id=77)], Said(Fate.ACCEPTED, "77", "ok")),
    "accepted, internal id beyond a float": (
        [result(internal_id=9007199254740993)],
        Said(Fate.ACCEPTED, "9007199254740993", "ok"),
    ),
    "refused": ([result(success=False, message="no stock")], Said(Fate.REFUSED, words="no stock")),
    "refused without a message": ([{"success": False, "order_id": "A"}], Said(Fate.REFUSED)),
    "accepted without an internal id": ([{"success": True, "order_id": "A"}], Said(Fate.UNKNOWN, hold=True)),
    "internal id empty": ([result(internal_id=" ")], Said(Fate.UNKNOWN, words="ok", hold=True)),
    "internal id null": ([result(internal_id=None)], Said(Fate.UNKNOWN, words="ok", hold=True)),
    "internal id true": ([result(internal_id=True)], Said(Fate.UNKNOWN, words="ok", hold=True)),
    "internal id a list": ([result(internal_id=["P"])], Said(Fate.UNKNOWN, words="ok", hold=True)),
    "internal id that no database keeps": (
        [result(internal_id="P\ud800")],
        Said(Fate.UNKNOWN, words="ok", hold=True),
    ),
    "success 1": ([result(success=1)], Said(Fate.UNKNOWN, words="ok")),
    "success 'true'": ([result(success="true")], Said(Fate.UNKNOWN, words="ok")),
    "success 'false'": ([result(success="false")], Said(Fate.UNKNOWN, words="ok")),
    "success absent": ([{"order_id": "A", "internal_id": "PLT-1"}], NO_RESULT),
    "absent": ([result("B")], NO_RESULT),
    "no id": ([{"success": True, "internal_id": "PLT-1"}], NO_RESULT),
    "id null": ([result(None)], NO_RESULT),
    "not an object": (["A", None, 1, ["A"]], NO_RESULT),
    "twice the same": ([result(), result()], ACCEPTED),
    "twice with different internal ids": ([result(), result(internal_id="PLT-2")], NO_RESULT),
    "twice with different success": ([result(), result(success=False)], NO_RESULT),
    "three times, the first and last the same": ([result(), result(success=False), result()], NO_RESULT),
    "message not text": ([result(message={"x": 1})], Said(Fate.ACCEPTED, "PLT-1")),
    "message with half a character": (
        [result(message="a\ud800\x00")],
        Said(Fate.ACCEPTED, "PLT-1", "a\ufffd\ufffd"),
    ),
    "a message without end": ([result(message="x" * 9000)], Said(Fate.ACCEPTED, "PLT-1", "x" * 500)),
}


@pytest.mark.parametrize("case", RESULTS)
def test_a_record_is_what_its_own_result_says(case):
    results, said = RESULTS[case]
    assert read_answer(answer(200, results), ["A"]).said == (said,)
    assert read_answer(answer(200, results), IDS).said[0] == said


def matched(raw, ids):
    """Which of the ids the raw JSON value is taken for."""
    body = b'[{"success":true,"internal_id":"P","order_id":%s}]' % raw.encode()
    verdict = read_answer(Answer(200, {}, body), ids)
    found = [each for each, said in zip(ids, verdict.said, strict=True) if said.fate is Fate.ACCEPTED]
    return found, list(verdict.strangers)


@pytest.mark.parametrize(
    ("raw", "ids", "found"),
    [
        ('"A"', ["B", "A"], ["A"]),
        ('"00123"', ["00123"], ["00123"]),
        ("123", ["123"], ["123"]),
        ("123", ["7", "00123"], ["00123"]),
        ("0", ["000"], ["000"]),
        ("123.0", ["00123"], ["00123"]),
        ("1.23e2", ["123"], ["123"]),
        ("9007199254740993", ["9007199254740992", "9007199254740993"], ["9007199254740993"]),
        ("1" * 5000, ["0" + "1" * 5000], ["0" + "1" * 5000]),
        # Text is never a number, and a number of two ids is neither.
        ('"123"', ["00123"], []),
        ("123", ["0123", "00123"], []),
        ("12.5", ["12"], []),
        ("-5", ["5"], []),
        ("1e999999999999999999999", ["1"], []),
        ("true", ["1", "true"], []),
        ('"a"', ["A"], []),
    ],
)
def test_results_are_matched_by_id_as_text_and_numbers_by_value_too(raw, ids, found):
    """Rule 21."""
    assert matched(raw, ids)[0] == found


def test_results_are_never_matched_by_position():
    verdict = read_answer(
        answer(200, [result("B", internal_id="PB"), result("A", internal_id="PA")]), ["A", "B"]
    )
    assert [said.internal_id for said in verdict.said] == ["PA", "PB"]


def test_mixed_success_is_normal():
    verdict = read_answer(answer(200, [result("A"), result("B", success=False), result("00123")]), IDS)
    assert [said.fate for said in verdict.said] == [Fate.ACCEPTED, Fate.REFUSED, Fate.ACCEPTED]


def test_ids_that_were_not_sent_are_reported_once_and_ignored():
    """Rule 21."""
    verdict = read_answer(answer(200, [result("Z"), result(), result("Z"), result(99)]), ["A"])
    assert verdict.strangers == ("Z", "99")
    assert verdict.said == (ACCEPTED,)


def test_a_byte_order_mark_before_the_array_is_no_reason_to_lose_it():
    received = Answer(200, {}, b"\xef\xbb\xbf" + json.dumps([result()]).encode())
    assert read_answer(received, ["A"]).said == (ACCEPTED,)


def test_a_refusal_by_index_gathers_the_words_of_each_index():
    errors = {
        "0.price": ["Not a number.", "Too low."],
        "0.phone": "Required.",
        "2": ["Odd."],
        "1.qte": [None, {"x": 1}],
        "3.price": ["beyond"],
        "01.price": ["no index"],
        "-1.price": ["no index"],
        "orders.0.price": ["no index"],
        "\u0661.price": ["no index"],
        "9" * 5000: ["no index"],
    }
    verdict = read_answer(answer(422, {"message": "Invalid.", "errors": errors}), IDS)
    assert verdict.refused == {0: "Not a number. Too low. Required.", 1: "", 2: "Odd."}
    assert verdict.words == "Invalid."


@pytest.mark.parametrize(
    ("received", "words"),
    [
        (answer(413, {"message": "Too large."}), "Too large."),
        (answer(400, {"message": "y" * 600}), "y" * 500),
        (answer(400, {"message": ["x"]}), "HTTP 400"),
        (answer(400, ["x"]), "HTTP 400"),
        (Answer(502, {}, b"<html>Bad gateway"), "HTTP 502"),
        (HTML, "HTTP 200"),
        (cut(None), "RemoteProtocolError"),
        (answer(200, []), ""),
    ],
)
def test_the_words_are_the_servers_message_or_the_status(received, words):
    assert read_answer(received, IDS).words == words


NOW = "Mon, 23 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "30"}, 30.0),
        ({"retry_after": "0"}, 0.0),
        ({"retry_after": " 1.5 "}, 1.5),
        ({"retry_after": "Mon, 23 Nov 2026 10:02:00 GMT", "date": NOW}, 120.0),
        ({"retry_after": "Mon, 23 Nov 2026 10:02:00 -0000", "date": NOW}, 120.0),
        ({"retry_after": "Mon, 23 Nov 2026 12:02:00 +0200", "date": NOW}, 120.0),
        ({"retry_after": "Mon, 23 Nov 2026 09:00:00 GMT", "date": NOW}, 0.0),
        ({"retry_after": NOW}, None),
        ({"retry_after": NOW, "date": "today"}, None),
    ],
)
def test_a_wait_is_told_in_seconds_or_as_a_date_less_the_answers_own(status, headers, seconds):
    """Rule 26."""
    verdict = read_answer(answer(status, **headers), IDS)
    assert verdict.meaning is Meaning.BUSY
    assert verdict.wait_seconds == seconds


@pytest.mark.parametrize("nonsense", ["", "-5", "soon", "٣", "9" * 400, "99 Foo 0000"])
def test_a_wait_that_means_nothing_is_not_told(nonsense):
    verdict = read_answer(answer(429, retry_after=nonsense), IDS)
    assert (verdict.meaning, verdict.wait_seconds) == (Meaning.BUSY, None)


@pytest.mark.parametrize(
    ("told", "left"), [("17", 17), ("0", 0), ("-1", None), ("many", None), ("9" * 5000, None)]
)
def test_what_is_left_of_the_servers_window_is_read_from_any_answer(told, left):
    assert read_answer(answer(200, [], x_ratelimit_remaining=told), IDS).remaining == left
    assert read_answer(answer(429, x_ratelimit_remaining=told), IDS).remaining == left


BOMBS = {
    "lists without end": b"[" * 200_000,
    "objects without end": b'{"a":' * 200_000,
    "a number of a million digits": b"[" + b"9" * 1_000_000 + b"]",
    "an id of a million digits": b'[{"order_id":' + b"9" * 1_000_000 + b"}]",
    "an exponent without end": b'[{"order_id":1e' + b"9" * 1000 + b"}]",
    "a long exponent": b'[{"order_id":1e999999}]',
    "bad UTF-8": b'[{"order_id":"\xff\xfe"}]',
    "keys twice": b'[{"order_id":"A","order_id":"B","success":true,"success":false}]',
    "half characters": b'[{"order_id":"\\ud800","success":true,"internal_id":"\\udfff"}]',
    "errors nested": b'{"errors":{"0.a":' + b"[" * 100 + b"]" * 100 + b"}}",
}
STATUSES = st.one_of(
    st.none(), st.sampled_from([200, 201, 302, 401, 404, 413, 422, 429, 500, 503]), st.integers(100, 999)
)


@pytest.mark.parametrize("status", [200, 422, 500])
@pytest.mark.parametrize("bomb", BOMBS)
def test_no_body_is_too_odd_to_be_read(bomb, status):
    verdict = read_answer(Answer(status, {}, BOMBS[bomb]), IDS)
    assert all(said.fate is not Fate.ACCEPTED for said in verdict.said)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "order_id": st.sampled_from([*IDS, 123, "123", None]) | JSON,
        "success": st.booleans() | JSON,
        "internal_id": st.text(st.characters()) | JSON,
        "message": st.text(st.characters()) | JSON,
        "errors": st.dictionaries(st.sampled_from(["0.id", "2", "9.x"]) | st.text(), JSON),
    },
)
BODIES = st.one_of(
    st.binary(),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.lists(FIELDS, max_size=5).map(lambda value: json.dumps(value).encode()),
    FIELDS.map(lambda value: json.dumps(value).encode()),
)
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "date", "x-ratelimit-remaining"]),
    st.text() | st.sampled_from([NOW, "Mon, 31 Feb 0000 99:99:99 +9999", "1 Jan 1 00:00:00 +2359"]),
)


@given(
    status=STATUSES,
    headers=HEADERS,
    body=BODIES,
    failure=st.sampled_from([None, *Failure]),
    complete=st.booleans(),
)
def test_every_answer_has_a_meaning_and_speaks_of_every_id(status, headers, body, failure, complete):
    verdict = read_answer(Answer(status, headers, body, failure, complete=complete), IDS)
    assert len(verdict.said) == (len(IDS) if verdict.meaning is Meaning.ANSWERED else 0)
    assert all(index < len(IDS) for index in verdict.refused)
    assert len(verdict.words) <= 500
    assert verdict.wait_seconds is None or verdict.wait_seconds >= 0
    for said in verdict.said:
        assert (said.internal_id is not None) == (said.fate is Fate.ACCEPTED)
        said.words.encode()
        (said.internal_id or "").encode()


@given(results=st.lists(FIELDS, max_size=6), seed=st.randoms(use_true_random=False))
def test_the_order_of_results_changes_nothing(results, seed):
    shuffled = list(results)
    seed.shuffle(shuffled)
    assert read_answer(answer(200, results), IDS).said == read_answer(answer(200, shuffled), IDS).said


def test_the_servers_words_stand_in_no_repr():
    verdict = read_answer(answer(200, [result(message="planted")]), ["A"])
    refusal = read_answer(answer(422, {"message": "planted", "errors": {"0.phone": ["planted"]}}), ["A"])
    assert "planted" not in repr([verdict, refusal, answer(200, ["planted"])])
