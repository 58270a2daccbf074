"""Orders of unknown fate under at_least_once: the probe, and what follows from it (delivery.md, rules 15 to 18)."""

from threading import Event, Thread

import httpx
import pytest
from sqlalchemy import select

from leaddone_pipeline.ledger import Repeats, State, concluding, person, probing
from leaddone_pipeline.ledger.tables import audit
from tests.support import PassingClock, ScriptedServer, delivery_to, ids, orders_frame


class Repeating(ScriptedServer):
    """Answers what a test says to the next requests; then each order gets an id, by its character."""

    def __init__(self, character):
        super().__init__(self.answer)
        self.character = character
        self.made = []
        self.script = []

    def answer(self, records):
        word = self.script.pop(0) if self.script else "answer"
        if word == "401":
            return httpx.Response(401)
        if word == "lost before":
            raise httpx.ReadTimeout("gone")
        results = [self.result(record["id"]) for record in records]
        if callable(word):
            word = word()
        if word == "429":
            return httpx.Response(429, headers={"Retry-After": "0"})
        if word == "lost after":
            raise httpx.ReadTimeout("gone")
        return httpx.Response(200, json=results)

    def result(self, order_id):
        before = [internal for known, internal in self.made if known == order_id]
        if before and self.character == "refuses":
            return {"success": False, "message": "already taken", "order_id": order_id, "internal_id": None}
        if not before or self.character == "makes second orders":
            before = [f"PLT-{len(self.made) + 1}"]
            self.made.append((order_id, before[0]))
        return {"success": True, "message": "ok", "order_id": order_id, "internal_id": before[0]}

    def times(self, order_id):
        return [known for known, _ in self.made].count(order_id)


def deliver(server, ledger, names, **settings):
    delivery = delivery_to(server, ledger, clock=PassingClock(), **settings)
    return delivery.orders([orders_frame(names)])


def known(ledger):
    return ledger.read(lambda connection: probing.read_repeats(connection, 1))


def words_of_audit(ledger):
    rows = ledger.read(lambda connection: connection.execute(select(audit)).all())
    return [(row.command, row.order_id, row.before, row.after) for row in rows]


@pytest.mark.parametrize("loss", ["lost before", "lost after"])
def test_one_order_is_sent_twice_and_the_rest_follow_where_repeats_are_recognised(ledger, loss):
    server = Repeating("recognises repeats")
    server.script = [loss]
    report = deliver(server, ledger, ids(30))

    assert report.counts["accepted"] == 30
    assert [len(body) for body in server.bodies] == [10, 10, 10, 1, 1, 9]
    assert known(ledger).repeats == Repeats.RECOGNISED
    assert words_of_audit(ledger) == [("probe", "A0", "not known", "recognises repeats")]


def test_once_known_no_probe_goes_first(ledger):
    server = Repeating("recognises repeats")
    server.script = ["lost after"]
    deliver(server, ledger, ids(10))
    server.bodies.clear()
    server.script = ["lost after"]
    report = deliver(server, ledger, ids(10, "B"))

    assert report.counts["accepted"] == 10
    assert [len(body) for body in server.bodies] == [10, 10]


def test_a_leaddone_that_makes_second_orders_gets_two_too_many_in_its_life(ledger):
    server = Repeating("makes second orders")
    server.script = ["lost after"]
    report = deliver(server, ledger, ids(30))

    assert (report.counts["accepted"], report.counts["unconfirmed"]) == (21, 9)
    assert (server.times("A0"), len(server.made)) == (3, 32)
    assert known(ledger).repeats == Repeats.SECOND_ORDERS
    assert set(report.links.query("outcome == 'unconfirmed'")["held"]) == {True}
    first, second = [internal for known, internal in server.made if known == "A0"][1:]
    assert ("second internal id", "A0", first, second) in words_of_audit(ledger)
    assert report.links.set_index("order_id")["internal_id"]["A0"] == first
    assert "a second internal id" in report.notes[0]

    server.script = ["lost after"]
    later = deliver(server, ledger, ids(10, "B"))
    assert (later.counts["unconfirmed"], later.requests) == (10, 1)
    assert set(later.links["held"]) == {True}


def test_after_three_refused_probes_the_rest_are_left_to_a_person(ledger):
    server = Repeating("refuses")
    server.script = ["lost after"]
    report = deliver(server, ledger, ids(10))

    assert (report.counts["unconfirmed"], report.requests) == (10, 4)
    assert known(ledger) == probing.Standing(None, None)
    assert set(report.links["held"]) == {True}
    assert set(report.links["message"].head(3)) == {"already taken"}


def test_an_order_whose_repeat_is_refused_was_accepted_all_the_same(ledger):
    """Rule 20: a late refusal changes nothing. The others are held: another probe could make a third order."""
    server = Repeating("refuses")
    server.script = ["lost before"]
    report = deliver(server, ledger, ["A", "B"])

    assert (report.counts["accepted"], report.counts["unconfirmed"]) == (1, 1)
    assert report.links["internal_id"].tolist()[0] == "PLT-1"
    assert report.links["held"].tolist() == [False, True]
    assert known(ledger).repeats == Repeats.REFUSED


def test_an_interrupted_probe_goes_on_with_the_same_order(ledger):
    """Its first id is kept with the account, the order unconfirmed, until the second answer is read."""
    server = Repeating("makes second orders")
    server.script = ["lost before", "answer", "401"]
    stopped = deliver(server, ledger, ids(10))

    assert stopped.stopped is not None
    assert stopped.counts["unconfirmed"] == 10
    assert known(ledger).probe_order_id == "A0"
    assert "PLT-1" in stopped.links["message"].iloc[0]

    elsewhere = deliver(server, ledger, ids(9, "A1"))
    assert elsewhere.counts["accepted"] == 9

    server.bodies.clear()
    report = deliver(server, ledger, ids(10))
    assert server.bodies == [["A0"]]
    assert report.links["internal_id"].tolist()[0] == "PLT-1"
    assert server.times("A0") == 2
    assert known(ledger) == probing.Standing(Repeats.SECOND_ORDERS, None)


def test_other_orders_of_unknown_fate_wait_for_an_interrupted_probe(ledger):
    server = Repeating("recognises repeats")
    server.script = ["lost before", "answer", "401"]
    deliver(server, ledger, ids(10))
    server.script = ["lost before"]
    report = deliver(server, ledger, ids(10, "B"))

    assert (report.counts["unconfirmed"], report.requests) == (10, 1)
    assert set(report.links["held"]) == {False}
    assert "with order A0" in report.notes[0]


def test_a_person_who_settles_the_order_of_a_probe_frees_the_next_one(ledger):
    server = Repeating("recognises repeats")
    server.script = ["lost before", "401"]
    deliver(server, ledger, ids(10))
    ledger.write(lambda connection: concluding.hold(connection, ledger.now(), 1, [1]))
    report = deliver(server, ledger, ids(10))

    assert (report.counts["accepted"], report.counts["unconfirmed"]) == (9, 1)


def test_a_probe_whose_answers_are_lost_is_left_to_a_person_after_five(ledger):
    """Rule 18; nobody knows more than before, so the others wait for the next run."""
    server = Repeating("recognises repeats")
    server.script = ["lost before"] * 5
    report = deliver(server, ledger, ids(10))

    assert report.links.set_index("order_id")["held"].to_dict() == {"A0": True} | dict.fromkeys(
        ids(10)[1:], False
    )
    assert known(ledger) == probing.Standing(None, None)


def test_unknown_orders_are_held_after_five_attempts_over_all_runs(ledger):
    """Rule 18."""
    server = Repeating("recognises repeats")
    server.script = ["lost after"]
    deliver(server, ledger, ["A"])
    server.script = ["lost after"] * 99
    seen = []
    for _ in range(3):
        report = deliver(server, ledger, ["B"])
        seen.append((report.requests, report.links["held"].item()))

    assert seen == [(3, False), (2, True), (0, True)]


def test_at_most_once_holds_what_another_run_would_have_sent_again(ledger):
    """Rule 16."""
    server = Repeating("recognises repeats")
    server.script = ["lost before", "401"]
    deliver(server, ledger, ids(10))
    report = deliver(server, ledger, ids(10), guarantee="at_most_once")

    assert (report.counts["unconfirmed"], report.requests) == (10, 0)
    assert set(report.links["held"]) == {True}


def test_the_order_of_a_probe_that_is_held_keeps_its_first_id(ledger):
    """Rule 20: LeadDone has said under which id it has the order, whoever gives the probe up."""
    server = Repeating("recognises repeats")
    server.script = ["lost before", "answer", "401"]
    deliver(server, ledger, ids(10))
    report = deliver(server, ledger, ids(10), guarantee="at_most_once")

    assert (report.counts["accepted"], report.counts["unconfirmed"], report.requests) == (1, 9, 0)
    assert report.links["internal_id"].tolist()[0] == "PLT-1"
    assert known(ledger) == probing.Standing(Repeats.UNCLEAR, None)


def test_an_order_that_leaddone_has_by_the_probes_first_answer_is_not_resolved_otherwise(ledger):
    """Rules 17 and 24: sent again, it could be a second order under an id that nobody reports."""
    server = Repeating("makes second orders")
    server.script = ["lost before", "answer", "401"]
    deliver(server, ledger, ids(10))

    for word in ({"to": State.PENDING}, {"to": State.REJECTED, "reason": "no"}):
        refused = ledger.write(
            lambda c, word=word: person.resolve(c, ledger.now(), account_id=1, order_ids=["A0"], **word)
        )
        assert "as PLT-1; use --accepted" in refused["A0"]


def test_an_order_that_changed_after_an_unknown_attempt_is_reported_when_it_is_accepted(ledger):
    """Rule 22: LeadDone may have the first attempt's content, and the API has no update."""
    server = Repeating("recognises repeats")
    server.script = ["lost after"]
    deliver(server, ledger, ids(2))
    delivery = delivery_to(server, ledger, clock=PassingClock())
    server.script = ["lost after", "401"]
    delivery.orders([orders_frame(["B"], price="100")])

    changed = delivery.orders([orders_frame(["B"], price="999")])
    later = delivery.orders([orders_frame(["B"], price="999")])

    assert (changed.counts["accepted"], later.counts["accepted"], later.counts["changed"]) == (1, 1, 1)


def test_no_second_probe_follows_one_whose_order_a_person_settled_between_its_answers(ledger):
    """Rule 17: with an extra order made, a second probe could make the third."""
    server = Repeating("makes second orders")
    server.script = ["lost before", "answer", "401"]
    deliver(server, ledger, ids(10))
    word = {"to": State.ACCEPTED, "internal_id": "PLT-1", "reason": ""}
    ledger.write(lambda c: person.resolve(c, ledger.now(), account_id=1, order_ids=["A0"], **word))
    report = deliver(server, ledger, ids(10))

    assert (report.counts["accepted"], report.counts["unconfirmed"], report.requests) == (1, 9, 0)
    assert known(ledger) == probing.Standing(Repeats.UNCLEAR, None)
    assert ("probe", "A0", "not known", "may make second orders") in words_of_audit(ledger)


class Overlap:
    """A run of A0 to A9 sleeps past its lease before it reads an answer; another goes on, and reads one after it."""

    def __init__(self, place, server):
        self.place = place
        self.server = server
        self.goes_on, self.is_late = Event(), Event()
        self.other = Thread(target=self.deliver)

    def deliver(self):
        with self.place.open_frozen() as ledger:
            delivery_to(self.server, ledger).orders([orders_frame(ids(10))])

    def sleep(self):
        self.place.pass_time(60)
        self.other.start()
        assert self.goes_on.wait(60)
        return "answer"

    def wait(self, word="answer"):
        self.goes_on.set()
        assert self.is_late.wait(60)
        return word

    def play(self):
        """How A0 stood when the late answer was settled."""
        self.deliver()
        linked = self.place.rows("SELECT state, internal_id FROM records WHERE order_id = 'A0'")
        self.is_late.set()
        self.other.join()
        return linked


def second_ids(ledger):
    return {row for row in words_of_audit(ledger) if row[0] != "probe"}


def test_a_late_second_answer_counts_under_the_first_id(place):
    """Rules 17 and 20: the run that probes is the one that sleeps."""
    server = Repeating("makes second orders")
    overlap = Overlap(place, server)
    server.script = ["lost before", "answer", overlap.sleep, overlap.wait]

    assert overlap.play() == [("accepted", "PLT-1")]
    with place.open() as ledger:
        assert [len(body) for body in server.bodies] == [10, 1, 1, 1]
        assert known(ledger) == probing.Standing(Repeats.SECOND_ORDERS, None)
        assert second_ids(ledger) == {
            ("second internal id", "A0", "PLT-1", "PLT-2"),
            ("second internal id", "A0", "PLT-1", "PLT-3"),
        }


def test_a_late_first_sending_counts_under_the_id_that_a_probe_was_told_before(place):
    """Rule 20: of the ten, A0 is being probed; its first id is the one that was read first."""
    server = Repeating("makes second orders")
    overlap = Overlap(place, server)
    server.script = [overlap.sleep, "answer", overlap.wait]

    assert overlap.play() == [("accepted", "PLT-11")]
    with place.open() as ledger:
        assert [len(body) for body in server.bodies] == [10, 1, 1]
        assert known(ledger) == probing.Standing(Repeats.SECOND_ORDERS, None)
        assert second_ids(ledger) == {
            ("second internal id", "A0", "PLT-11", "PLT-1"),
            ("second internal id", "A0", "PLT-11", "PLT-12"),
        }


@pytest.mark.parametrize(
    ("character", "repeats"),
    [
        ("recognises repeats", Repeats.RECOGNISED),
        ("makes second orders", Repeats.SECOND_ORDERS),
        ("refuses", Repeats.REFUSED),
    ],
)
def test_an_order_that_was_accepted_meanwhile_is_not_probed_a_second_time(place, character, repeats):
    """Rule 22: the late acceptance and the probe's one answer are two, which is all that a probe needs."""
    server = Repeating(character)
    overlap = Overlap(place, server)
    server.script = [overlap.sleep, overlap.wait]

    assert overlap.play() == [("accepted", "PLT-1")]
    with place.open() as ledger:
        assert [len(body) for body in server.bodies] == [10, 1]
        assert known(ledger) == probing.Standing(repeats, None)


@pytest.mark.parametrize("word", ["lost after", "429"])
def test_an_order_that_was_accepted_meanwhile_is_not_sent_again_for_want_of_an_answer(place, word):
    """Rule 22: the probe of an order that a late answer accepted ends, and finds nothing out."""
    server = Repeating("makes second orders")
    overlap = Overlap(place, server)
    server.script = [overlap.sleep, lambda: overlap.wait(word)]

    assert overlap.play() == [("accepted", "PLT-1")]
    with place.open() as ledger:
        assert [len(body) for body in server.bodies] == [10, 1]
        assert known(ledger) == probing.Standing(None, None)
        assert words_of_audit(ledger) == [("probe", "A0", "not known", "nothing found out")]


def test_a_probe_under_way_is_waited_for_though_its_order_was_held(ledger):
    """Rules 16 and 17: a run under at_most_once holds what another is probing; a third does not conclude for it."""
    server = Repeating("makes second orders")
    looked = []

    def meanwhile():
        def look(connection):
            numbers = range(1, 11)
            concluding.hold(connection, ledger.now(), 1, numbers)
            named = {"run_id": 1, "account_id": 1, "candidates": numbers}
            return probing.claim_probe(connection, ledger.now(), **named).busy

        looked.append(ledger.write(look))
        return "answer"

    server.script = ["lost before", "answer", meanwhile]
    deliver(server, ledger, ids(10))

    assert looked == [True]
    assert [len(body) for body in server.bodies] == [10, 1, 1]
    assert known(ledger) == probing.Standing(Repeats.SECOND_ORDERS, None)


@pytest.mark.parametrize("sendings", [1, 2])
def test_a_test_order_beside_a_probe_costs_no_further_sending(ledger, sendings):
    """Rule 17: what `leaddone doctor` finds out meanwhile neither loses the first id nor begins the probe anew."""
    server = Repeating("makes second orders")

    def doctor():
        told = {"order_id": "TEST-1", "repeats": Repeats.SECOND_ORDERS, "command": "doctor"}
        ledger.write(lambda c: concluding.note_repeats(c, ledger.now(), account_id=1, **told))
        return "answer"

    server.script = ["lost before", *["answer"] * (sendings - 1), doctor]
    report = deliver(server, ledger, ids(10))

    assert [len(body) for body in server.bodies] == [10, *[1] * sendings]
    assert (report.counts["accepted"], report.counts["unconfirmed"]) == (1, 9)
    assert report.links["internal_id"].tolist()[0] == "PLT-1"
    assert known(ledger) == probing.Standing(Repeats.SECOND_ORDERS, None)


def test_no_second_probe_follows_one_that_ended_between_its_answers(ledger):
    """Rule 17: two extra orders in the account's life; a second probe could make the third."""
    server = Repeating("makes second orders")
    server.script = ["lost before", "answer", "401"]
    deliver(server, ledger, ids(10))
    deliver(server, ledger, ids(10), guarantee="at_most_once")
    report = deliver(server, ledger, ids(10))

    assert (report.counts["accepted"], report.counts["unconfirmed"], report.requests) == (1, 9, 0)
    assert set(report.links["held"]) == {True, False}
