"""Orders on their way, through the public delivery, a real ledger and the sandbox. Rules are delivery.md's."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import func, select

from leaddone_pipeline.errors import (
    CredentialsRejected,
    EndpointWrong,
    IntakeError,
    LeadDoneUnavailable,
)
from leaddone_pipeline.ledger import Ledger, State, openness, person, reading
from leaddone_pipeline.ledger.tables import batches, claims
from leaddone_pipeline.settings import Account
from leaddone_pipeline.testing import LeadDoneSandbox
from tests.support import PassingClock, ScriptedServer, delivery_to, ids, orders_frame


def processed(sandbox):
    return {order_id: order["processed"] for order_id, order in sandbox.orders.items()}


def outcomes(delivery):
    return dict(delivery.links()[["order_id", "outcome"]].itertuples(index=False))


def test_every_order_is_accepted_and_linked_to_leaddones_id(ledger, sandbox):
    report = delivery_to(sandbox, ledger).orders([orders_frame(ids(25))], day="2026-11-16")

    links = dict(report.links[["order_id", "internal_id"]].itertuples(index=False))
    assert report.counts["accepted"] == report.counts["sent"] == report.counts["valid"] == 25
    assert links == {order_id: order["internal_id"] for order_id, order in sandbox.orders.items()}
    assert set(report.links["partition_date"].dt.strftime("%Y-%m-%d")) == {"2026-11-16"}


@pytest.mark.parametrize("shop", ["default", "renamed"])
def test_a_rerun_sends_nothing_even_under_another_label(ledger, sandbox, shop):
    """Rules 1 and 22."""
    delivery_to(sandbox, ledger).orders([orders_frame(ids(25))])

    again = delivery_to(sandbox, ledger, shop=shop).orders([orders_frame(ids(25))])

    assert (again.counts["accepted"], again.counts["sent"], again.requests) == (25, 0, 0)


def test_another_address_is_another_account(ledger, sandbox):
    """Rule 1: what one account accepted says nothing about another."""
    delivery_to(sandbox, ledger).orders([orders_frame(ids(5))])

    other = delivery_to(sandbox, ledger, base_url="https://other.test/api/webhook")

    assert other.orders([orders_frame(ids(5))]).counts["sent"] == 5


@pytest.mark.parametrize(
    ("first", "price", "label"),
    [
        ("atlas", "199.9", "boutique"),
        ("atlas", "250", "atlas"),
        ("default", "250", "boutique"),
    ],
    ids=["a renamed shop", "two shops that number alike", "first sent without a shop's name"],
)
def test_an_accepted_order_stays_the_shops_whose_content_leaddone_has(ledger, sandbox, first, price, label):
    """Rule 1."""
    delivery_to(sandbox, ledger, shop=first).orders([orders_frame(["A"], price="199.9")])

    report = delivery_to(sandbox, ledger, shop="boutique").orders(
        [orders_frame(["A"], price=price)], day="2026-11-16"
    )

    assert report.links["shop"].tolist() == [label]
    assert report.links["partition_date"].notna().tolist() == [label == "boutique"]
    assert (report.counts["changed"], report.counts["sent"]) == (price == "250", 0)


def test_an_accepted_order_that_changed_is_counted_and_not_sent(ledger, sandbox):
    """Rule 22: the API has no update."""
    delivery_to(sandbox, ledger).orders([orders_frame(["A"])])

    report = delivery_to(sandbox, ledger).orders([orders_frame(["A"], price="250")])

    assert (report.counts["changed"], report.counts["accepted"], report.requests) == (1, 1, 0)


def test_a_rejected_order_is_sent_again_only_when_it_changed(ledger, sandbox):
    """Rule 23."""
    refused = orders_frame(["A"], city="Zone non desservie")
    first = delivery_to(sandbox, ledger).orders([refused])
    same = delivery_to(sandbox, ledger).orders([refused])
    mended = delivery_to(sandbox, ledger).orders([orders_frame(["A"])])

    assert [r.counts["rejected"] for r in (first, same, mended)] == [1, 1, 0]
    assert [r.counts["sent"] for r in (first, same, mended)] == [1, 0, 1]
    assert mended.counts["accepted"] == 1


@pytest.mark.parametrize(
    "fault", ["lost_answer:1", "lost_request:1", "html_error:1", "truncated:1", "unavailable:1"]
)
def test_at_most_once_holds_an_order_of_unknown_fate_and_never_sends_it_again(ledger, fault):
    """Rule 16."""
    sandbox = LeadDoneSandbox(faults=[fault])
    report = delivery_to(sandbox, ledger, guarantee="at_most_once").orders([orders_frame(ids(25))])
    again = delivery_to(sandbox, ledger, guarantee="at_most_once").orders([orders_frame(ids(25))])

    assert (report.counts["accepted"], report.counts["unconfirmed"]) == (15, 10)
    assert (again.counts["unconfirmed"], again.requests) == (10, 0)
    assert set(report.links.query("outcome == 'unconfirmed'")["held"]) == {True}
    assert set(processed(sandbox).values()) == {1}


def test_links_tell_the_attempts_and_their_times(ledger):
    """The columns are interface.md's. A0 is the probe, sent twice more; A1 and A2 follow it (rule 17)."""
    sandbox = LeadDoneSandbox(faults=["lost_answer:1"])
    links = delivery_to(sandbox, ledger).orders([orders_frame(ids(3))]).links.sort_values("order_id")

    assert list(links.columns) == [
        *("shop", "order_id", "internal_id", "outcome", "held", "message", "attempts", "first_sent_at"),
        *("answered_at", "batch_id", "content_hash", "source_file", "source_row", "partition_date"),
    ]
    known = ledger.read(lambda c: c.execute(select(batches).order_by(batches.c.id)).all())
    assert links["attempts"].tolist() == [3, 2, 2]
    assert links["batch_id"].tolist() == [known[2].id, known[3].id, known[3].id]
    first = datetime.fromtimestamp(known[0].claimed_at, UTC)
    assert (links["first_sent_at"] - first).abs().max() < timedelta(milliseconds=1)
    assert (links["answered_at"] >= links["first_sent_at"]).all()


def test_hashes_are_the_ledgers_own_and_outlive_a_new_secret(ledger, tmp_path):
    """Rule 3: nobody can tell by a hash whether two ledgers, or a guess, speak of one order."""
    sandbox = LeadDoneSandbox(webhook_secret="whsec_first")
    first = delivery_to(sandbox, ledger).orders([orders_frame(["A"])])
    with Ledger(f"sqlite:///{tmp_path}/other.db") as other:
        elsewhere = delivery_to(LeadDoneSandbox(), other).orders([orders_frame(["A"])])
    assert first.links["content_hash"].tolist() != elsewhere.links["content_hash"].tolist()

    rotated = delivery_to(LeadDoneSandbox(webhook_secret="whsec_second"), ledger).orders(
        [orders_frame(["A"])]
    )
    assert (rotated.counts["changed"], rotated.counts["sent"]) == (0, 0)


def test_no_more_is_claimed_than_can_leave(ledger):
    """Rule 9: a kill makes no more than `max_concurrency` + 1 batches unknown."""
    claimed = []

    def script(_):
        claimed.append(
            ledger.read(lambda c: c.execute(select(func.count(claims.c.batch_id.distinct()))).scalar())
        )

    delivery_to(ScriptedServer(script), ledger, max_concurrency=2).orders([orders_frame(ids(150))])

    assert len(claimed) == 15
    assert max(claimed) <= 3


def test_an_answer_without_some_results_leaves_those_alone_unconfirmed(ledger):
    sandbox = LeadDoneSandbox(faults=["partly:1"])
    report = delivery_to(sandbox, ledger, guarantee="at_most_once").orders([orders_frame(ids(10))])

    assert (report.counts["accepted"], report.counts["unconfirmed"]) == (5, 5)


@pytest.mark.parametrize(
    ("fault", "error"), [("unauthorized", CredentialsRejected), ("redirect", EndpointWrong)]
)
def test_wrong_settings_stop_the_run_and_every_slice_is_still_recorded(ledger, fault, error):
    """Rule 5: what was not sent is pending, also the slices that came after the stop."""
    sandbox = LeadDoneSandbox(faults=[fault])
    slices = [orders_frame(ids(20)), orders_frame(ids(20, "B"))]
    report = delivery_to(sandbox, ledger).orders(slices)

    assert isinstance(report.stopped, error)
    assert (report.counts["pending"], report.requests) == (40, 1)
    assert set(outcomes(delivery_to(sandbox, ledger)).values()) == {"pending"}


def test_an_order_refused_by_index_costs_one_request_more(ledger):
    def script(records):
        bad = {f"{i}.price": ["too dear"] for i, r in enumerate(records) if r["id"] == "A317"}
        return httpx.Response(422, json={"message": "invalid", "errors": bad}) if bad else None

    server = ScriptedServer(script)
    report = delivery_to(server, ledger, batch_size=500).orders([orders_frame(ids(500))])

    assert (report.counts["accepted"], report.counts["rejected"], report.requests) == (499, 1, 2)
    assert report.links.query("outcome == 'rejected'")["message"].tolist() == ["too dear"]


@pytest.mark.parametrize("status", [400, 413, 422])
@pytest.mark.parametrize("bad", ["A0", "A317", "A499"])
def test_a_bad_order_without_index_is_found_by_halving(ledger, status, bad):
    """At most 2 x ceil(log2 n) + 1 requests for one bad record; the others are accepted."""
    server = ScriptedServer(
        lambda records: (
            httpx.Response(status, json={"message": "bad batch"})
            if bad in [r["id"] for r in records]
            else None
        )
    )
    report = delivery_to(server, ledger, batch_size=500).orders([orders_frame(ids(500))])

    assert (report.counts["accepted"], report.counts["rejected"]) == (499, 1)
    assert report.requests <= 19
    assert max(processed(server).values()) == 1


def test_indexes_that_name_the_wrong_orders_end_in_halving(ledger):
    """After three rounds by index a batch is halved, so that a confused server ends the run all the same."""
    server = ScriptedServer(
        lambda records: (
            httpx.Response(422, json={"message": "no", "errors": {"0.id": ["taken"]}})
            if len(records) > 2
            else None
        )
    )
    report = delivery_to(server, ledger, batch_size=20).orders([orders_frame(ids(20))])

    assert (report.counts["rejected"], report.counts["accepted"]) == (3, 17)


def test_a_blanket_refusal_stops_the_run_and_refuses_no_order(ledger):
    """Rule 19."""
    server = ScriptedServer(lambda _: httpx.Response(400, json={"message": "account suspended"}))
    report = delivery_to(server, ledger).orders([orders_frame(ids(30))])

    assert isinstance(report.stopped, LeadDoneUnavailable)
    assert "account suspended" in str(report.stopped)
    assert (report.counts["pending"], report.counts["rejected"]) == (30, 0)


def test_orders_behind_refused_ones_come_through_in_the_next_run(ledger):
    """Rule 19: what was refused alone is tried last, or two bad orders could keep the good ones for ever."""

    def script(records):
        bad = any(record["article"] == "Interdit" for record in records)
        return httpx.Response(400, json={"message": "not allowed"}) if bad else None

    articles = ["Interdit", "Interdit", "Lampe", "Lampe"]
    delivery = delivery_to(ScriptedServer(script), ledger)
    first = delivery.orders([orders_frame(ids(4), article=articles)])
    again = delivery.orders([orders_frame(ids(4), article=articles)])

    assert isinstance(first.stopped, LeadDoneUnavailable)
    assert first.counts["pending"] == 4
    assert set(first.links.query("order_id in ['A0', 'A1']")["message"]) == {"not allowed"}
    assert again.stopped is None
    assert (again.counts["accepted"], again.counts["rejected"]) == (2, 2)


@pytest.mark.parametrize("max_concurrency", [1, 8])
def test_refused_orders_of_one_slice_do_not_keep_back_those_of_the_next(ledger, max_concurrency):
    """Rule 19: what was refused alone is tried when all others are settled."""

    def script(records):
        bad = any(record["article"] == "Interdit" for record in records)
        return httpx.Response(400, json={"message": "not allowed"}) if bad else None

    def slices():
        yield orders_frame(ids(2), article="Interdit")
        yield orders_frame(ids(20, "B"))

    delivery = delivery_to(ScriptedServer(script), ledger, max_concurrency=max_concurrency)
    delivery.orders(slices())

    assert delivery.orders(slices()).counts["accepted"] == 20


def test_three_batches_of_unknown_fate_in_a_row_stop_the_run(ledger):
    """Rule 18."""
    sandbox = LeadDoneSandbox(faults=["html_error"])
    report = delivery_to(sandbox, ledger).orders([orders_frame(ids(60))])

    assert isinstance(report.stopped, LeadDoneUnavailable)
    assert (report.counts["unconfirmed"], report.counts["pending"], report.requests) == (30, 30, 3)


def test_a_run_whose_only_batch_was_not_answered_counts_as_stopped(ledger):
    """Rule 18: no answer settled anything."""
    report = delivery_to(LeadDoneSandbox(faults=["html_error"]), ledger).orders([orders_frame(ids(5))])

    assert isinstance(report.stopped, LeadDoneUnavailable)
    assert report.counts["unconfirmed"] == 5


def test_no_request_leaves_before_the_time_that_leaddone_named(tmp_path):
    """Rule 26."""
    clock, times = PassingClock(), []
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db", clock=clock.now)

    def script(_records):
        times.append(clock.time)
        return httpx.Response(429, headers={"retry-after": "120"}) if len(times) == 1 else None

    report = delivery_to(ScriptedServer(script), ledger, clock=clock).orders([orders_frame(ids(30))])

    assert report.counts["accepted"] == 30
    assert times[1] - times[0] >= 120
    assert report.to_metadata()["waited_s"] == 120
    ledger.close()


def test_the_wait_binds_the_next_run_of_the_account_too(tmp_path):
    """Rule 26, through the ledger: a run that was stopped meanwhile does not make the next one forget."""
    clock, times = PassingClock(), []
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db", clock=clock.now)

    def script(_records):
        times.append(clock.time)
        return httpx.Response(429, headers={"retry-after": "2000"}) if len(times) == 1 else None

    server = ScriptedServer(script)
    first = delivery_to(server, ledger, clock=clock).orders([orders_frame(ids(10))])
    clock.sleep(1500)
    second = delivery_to(server, ledger, clock=clock).orders([orders_frame(ids(10))])

    assert isinstance(first.stopped, LeadDoneUnavailable)
    assert first.counts["pending"] == second.counts["accepted"] == 10
    assert times[1] - times[0] >= 2000
    ledger.close()


def test_a_server_that_is_always_busy_ends_the_run_with_all_pending(ledger):
    server = ScriptedServer(lambda _: httpx.Response(429))
    report = delivery_to(server, ledger, clock=PassingClock()).orders([orders_frame(ids(10))])

    assert isinstance(report.stopped, LeadDoneUnavailable)
    assert (report.counts["pending"], report.counts["unconfirmed"]) == (10, 0)


def test_a_server_that_cannot_be_reached_leaves_all_pending(ledger):
    def unreachable(_records):
        raise httpx.ConnectError("refused")

    clock = PassingClock()
    report = delivery_to(ScriptedServer(unreachable), ledger, clock=clock).orders([orders_frame(ids(50))])

    assert isinstance(report.stopped, LeadDoneUnavailable)
    assert (report.counts["pending"], report.counts["unconfirmed"]) == (50, 0)


def test_the_ledger_knows_a_delivery_by_its_time_or_by_its_day(ledger, sandbox):
    """Of an order the first and the last day are kept; and two clocks may differ."""
    delivery, days = delivery_to(sandbox, ledger), [f"2026-11-{number}" for number in (15, 16, 17, 18)]
    for day in days[1:]:
        delivery.orders([orders_frame(["A"])], day=day)
    links, as_of = delivery.links_as_of()
    assert links["answered_at"].max().timestamp() <= as_of

    def known(first, last, shop="default"):
        times = dict.fromkeys(days, (first, last))
        return ledger.read(lambda c: openness.known_deliveries(c, times, account_id=1, shop=shop))

    assert known(0.0, as_of) == set(days)
    assert known(as_of + 1, as_of + 2) == {days[1], days[3]}
    assert known(as_of + 1, as_of + 2, shop="other") == set()
    assert ledger.read(lambda c: openness.known_deliveries(c, {}, account_id=1, shop="default")) == set()


@pytest.fixture
def timeless(tmp_path):
    """A clock that a delivery and its ledger share, and that ledger: waits are measured by the ledger's clock."""
    clock = PassingClock()
    with Ledger(f"sqlite:///{tmp_path}/ledger.db", clock=clock.now) as ledger:
        yield clock, ledger


def test_a_batch_that_cannot_connect_is_given_its_time_anew_after_an_answer(timeless):
    """Twenty seconds are for connections that fail one after the other, not for a Retry-After between them."""
    clock, ledger = timeless
    words = ["unreached", "429", "unreached"]

    def script(_records):
        word = words.pop(0) if words else None
        if word == "unreached":
            raise httpx.ConnectError("refused")
        return httpx.Response(429, headers={"Retry-After": "60"}) if word else None

    report = delivery_to(ScriptedServer(script), ledger, clock=clock).orders([orders_frame(ids(5))])

    assert (report.counts["accepted"], report.counts["sent"], report.requests) == (5, 5, 4)


def test_short_waits_between_answers_do_not_add_up_to_a_long_one(timeless):
    """Rule 26: a wait longer than 15 minutes stops the run; a halving with a minute's wait now and then does not."""
    clock, ledger = timeless
    bad = set(ids(200)[::20])

    def script(records):
        if len(server.bodies) % 3 == 1:
            return httpx.Response(429, headers={"Retry-After": "60"})
        if any(record["id"] in bad for record in records):
            word = f"bad {records[0]['id']}" if len(records) == 1 else "invalid"
            return httpx.Response(400, json={"message": word})
        return None

    server = ScriptedServer(script)
    delivery = delivery_to(server, ledger, clock=clock, batch_size=200)
    report = delivery.orders([orders_frame(ids(200))])

    assert (report.counts["accepted"], report.counts["rejected"], report.stopped) == (190, 10, None)
    assert report.to_metadata()["waited_s"] > 900


def test_what_never_reached_leaddone_does_not_count_as_sent(ledger):
    def unreachable(_records):
        raise httpx.ConnectError("refused")

    report = delivery_to(ScriptedServer(unreachable), ledger, clock=PassingClock()).orders(
        [orders_frame(ids(5))]
    )

    assert (report.counts["sent"], report.counts["pending"]) == (0, 5)


def test_ids_that_differ_by_leading_zeros_travel_apart(ledger):
    """Rule 14: a server may cast them to one number."""
    server = ScriptedServer(lambda _: None)
    report = delivery_to(server, ledger).orders([orders_frame(["123", "00123", "7"])])

    assert report.counts["accepted"] == 3
    assert not any({"123", "00123"} <= set(body) for body in server.bodies)


def test_an_order_that_stands_twice_in_a_frame_is_an_error_before_anything_is_sent(ledger, sandbox):
    with pytest.raises(IntakeError, match="stands twice"):
        delivery_to(sandbox, ledger).orders([orders_frame(["A", "A"])])

    assert sandbox.requests == []


@pytest.mark.parametrize("cell", [{"qte": "0612345678 Amina"}, {"price": "0612345678 Amina"}])
def test_a_cell_that_cannot_be_sent_is_an_error_that_does_not_quote_it(ledger, sandbox, cell):
    with pytest.raises(IntakeError, match="no number") as refused:
        delivery_to(sandbox, ledger).orders([orders_frame(["A"], **cell)])

    assert "Amina" not in f"{refused.value!r}{refused.value.__cause__!r}"


class TestSkippedOrders:
    def test_are_recorded_and_never_sent(self, ledger, sandbox):
        """Rule 5."""
        report = delivery_to(sandbox, ledger).orders([orders_frame(["A", "B"], skipped=["already paid", ""])])

        assert report.counts["valid"] == report.counts["sent"] == 1
        assert outcomes(delivery_to(sandbox, ledger)) == {"A": "skipped", "B": "accepted"}
        assert set(sandbox.orders) == {"B"}

    @pytest.mark.parametrize(("reason", "late"), [("cancelled", 1), ("already fulfilled", 0)])
    def test_after_acceptance_count_as_cancelled_late_when_cancelled(self, ledger, sandbox, reason, late):
        """Rule 22: a person must call LeadDone before the parcel leaves."""
        delivery_to(sandbox, ledger).orders([orders_frame(["A"])])

        report = delivery_to(sandbox, ledger).orders([orders_frame(["A"], skipped=reason)])

        assert report.counts["cancelled_late"] == late
        assert outcomes(delivery_to(sandbox, ledger)) == {"A": "accepted"}

    def test_are_not_revived_by_an_older_export(self, ledger):
        delivery = delivery_to(LeadDoneSandbox(faults=["unauthorized:1"]), ledger)
        delivery.orders([orders_frame(["A"])], day="2026-11-16")
        delivery.orders([orders_frame(["A"], skipped="cancelled")], day="2026-11-18")

        report = delivery.orders([orders_frame(["A"])], day="2026-11-16")

        assert report.counts["sent"] == 0
        assert outcomes(delivery) == {"A": "skipped"}

    @pytest.mark.parametrize("first_day", [None, "2026-11-18"])
    @pytest.mark.parametrize("second_day", [None, "2026-11-16"])
    def test_stay_cancelled_unless_an_export_is_surely_newer(self, ledger, sandbox, first_day, second_day):
        delivery = delivery_to(sandbox, ledger)
        delivery.orders([orders_frame(["A"], skipped="cancelled")], day=first_day)

        assert delivery.orders([orders_frame(["A"])], day=second_day).counts["sent"] == 0
        assert sandbox.orders == {}

    def test_keep_the_law_of_records_when_an_older_export_still_has_them(self, ledger, sandbox):
        """They are valid rows of that file, surely not processed, and a note says why they do not leave."""
        delivery = delivery_to(sandbox, ledger)
        delivery.orders([orders_frame(["A"], skipped="cancelled")], day="2026-11-18")
        report = delivery.orders([orders_frame(["A", "B"])], day="2026-11-16")

        assert (report.counts["valid"], report.counts["accepted"], report.counts["pending"]) == (2, 1, 1)
        assert "1 orders were withdrawn" in report.notes[0]

    def test_are_sent_when_the_shop_takes_the_cancellation_back(self, ledger, sandbox):
        delivery = delivery_to(sandbox, ledger)
        delivery.orders([orders_frame(["A"], skipped="cancelled")], day="2026-11-16")

        assert delivery.orders([orders_frame(["A"])], day="2026-11-17").counts["accepted"] == 1
        assert delivery.orders([orders_frame(["A"])], day="2026-11-17").counts["cancelled_late"] == 0

    def test_are_not_sent_when_they_were_cancelled_while_in_flight_and_not_processed(self, ledger):
        """Cancelled by a later day's run while an attempt was under way that then failed."""
        later = []

        def script(_records):
            if not later:
                later.append(delivery_to(server, ledger))
                later[0].orders([orders_frame(["A"], skipped="cancelled")], day="2026-11-18")
                return httpx.Response(401)
            return None

        server = ScriptedServer(script)
        delivery = delivery_to(server, ledger)
        delivery.orders([orders_frame(["A"])], day="2026-11-16")

        assert delivery.orders([orders_frame(["A"])], day="2026-11-16").counts["sent"] == 0
        assert outcomes(delivery) == {"A": "skipped"}

    @pytest.mark.parametrize("reason", ["draft", "cancelled"])
    def test_change_nothing_where_a_newer_export_has_spoken_since(self, ledger, reason):
        """The older day read again, by a backfill for instance, is no news of any order."""
        script = [httpx.Response(401), None, httpx.Response(500), httpx.Response(401)]
        server = ScriptedServer(lambda _: script.pop(0) if script else None)
        delivery, monday, tuesday = delivery_to(server, ledger), "2026-11-16", "2026-11-17"

        def read_monday():
            return delivery.orders([orders_frame(["A", "B"], skipped=reason)], day=monday)

        read_monday()
        delivery.orders([orders_frame(["A"])], day=tuesday)
        read_monday()
        assert ledger.read(lambda c: openness.open_days(c, account_id=1, shop="default")) == {tuesday: 1}
        assert delivery.orders([orders_frame(["A"])], day=tuesday).counts["accepted"] == 1
        assert read_monday().counts["cancelled_late"] == 0
        delivery.orders([orders_frame(["B"])], day=tuesday)
        read_monday()

        assert delivery.orders([orders_frame(["B"])], day=tuesday).counts["accepted"] == 1

    def test_are_sent_when_a_newer_export_no_longer_skips_them(self, ledger, sandbox):
        delivery = delivery_to(sandbox, ledger)
        delivery.orders([orders_frame(["A"], skipped="draft")], day="2026-11-16")

        assert delivery.orders([orders_frame(["A"])], day="2026-11-17").counts["accepted"] == 1


def test_an_order_belongs_to_the_first_day_that_brought_it(ledger, sandbox):
    """Rule 6."""
    delivery = delivery_to(sandbox, ledger)
    delivery.orders([orders_frame(["A"])])
    delivery.orders([orders_frame(["A", "B"])], day="2026-11-16")
    delivery.orders([orders_frame(["A", "B", "C"])], day="2026-11-17")

    assert delivery.links(day="2026-11-16")["order_id"].tolist() == ["A", "B"]
    assert delivery.links(day="2026-11-17")["order_id"].tolist() == ["C"]


def test_frames_that_fail_midway_leave_what_was_sent_recorded(ledger, sandbox):
    def frames():
        yield orders_frame(ids(20))
        raise IntakeError("cut off", remedy="Export again", file="b.csv")

    with pytest.raises(IntakeError, match="cut off"):
        delivery_to(sandbox, ledger).orders(frames())

    recorded = outcomes(delivery_to(sandbox, ledger))
    assert {i for i, state in recorded.items() if state == "accepted"} == set(sandbox.orders)
    assert set(recorded) == set(ids(20))


def test_an_answer_for_an_id_that_was_not_sent_is_reported_and_ignored(ledger):
    """Rule 21."""
    stranger = {"success": True, "message": "ok", "order_id": "STRANGER", "internal_id": "PLT-1"}
    mine = {"success": True, "message": "ok", "order_id": "A0", "internal_id": "PLT-2"}
    server = ScriptedServer(lambda _: httpx.Response(200, json=[stranger, mine]))
    report = delivery_to(server, ledger).orders([orders_frame(ids(1))])

    assert report.counts["accepted"] == 1
    assert "1 ids that were not sent" in report.notes[0]
    assert report.links["order_id"].tolist() == ["A0"]


def resend(ledger, server):
    """What `leaddone resolve A --resend` does."""
    account = Account(server.base_url, server.client_id)
    number = ledger.read(lambda c: reading.find_account(c, account))
    word = {"account_id": number, "order_ids": ["A"], "to": State.PENDING}
    assert ledger.write(lambda c: person.resolve(c, ledger.now(), **word)) == {}


def test_a_persons_word_that_leaddone_has_it_not_stands_when_the_shop_cancels(ledger):
    """Rule 24: a refusal after an unknown attempt can only be a person's, and they have looked."""
    server = ScriptedServer(lambda _: httpx.Response(500))
    delivery = delivery_to(server, ledger, guarantee="at_most_once")
    delivery.orders([orders_frame(["A"])])
    word = {"account_id": 1, "order_ids": ["A"], "to": State.REJECTED, "reason": "not there"}
    ledger.write(lambda c: person.resolve(c, ledger.now(), **word))
    report = delivery.orders([orders_frame(["A"], skipped="cancelled")])

    assert outcomes(delivery) == {"A": "rejected"}
    assert report.counts["cancelled_late"] == 0


class TestAnOrderSentAgainByAPersonsWord:
    """Its unknown attempt is not forgotten (rule 15)."""

    @pytest.fixture
    def resent(self, ledger):
        server = ScriptedServer(lambda _: self.answers.pop(0) if self.answers else None)
        self.answers = [httpx.Response(500)]
        delivery = delivery_to(server, ledger, guarantee="at_most_once")
        delivery.orders([orders_frame(["A"])])
        resend(ledger, server)
        return delivery

    def test_stays_unconfirmed_when_it_is_refused(self, resent):
        taken = {"success": False, "message": "already taken", "order_id": "A", "internal_id": None}
        self.answers = [httpx.Response(200, json=[taken])]

        assert resent.orders([orders_frame(["A"])]).counts["unconfirmed"] == 1

    def test_is_accepted_when_leaddone_says_so(self, resent):
        assert resent.orders([orders_frame(["A"])]).counts["accepted"] == 1

    def test_is_reported_as_changed_when_it_was_since_its_first_attempt(self, resent):
        """Rule 22: LeadDone may have the first attempt's content."""
        assert resent.orders([orders_frame(["A"], price="999")]).counts["accepted"] == 1
        assert resent.orders([orders_frame(["A"], price="999")]).counts["changed"] == 1

    def test_is_sent_although_the_shop_had_cancelled_it_before(self, ledger):
        """A person has looked, and their word is the newer one."""
        server = ScriptedServer(lambda _: self.answers.pop(0) if self.answers else None)
        self.answers = [httpx.Response(500)]
        delivery = delivery_to(server, ledger, guarantee="at_most_once")
        delivery.orders([orders_frame(["A"])])
        delivery.orders([orders_frame(["A"], skipped="cancelled")])
        resend(ledger, server)

        assert delivery.orders([orders_frame(["A"])]).counts["accepted"] == 1

    def test_never_becomes_skipped_while_leaddone_may_have_it(self, ledger):
        """Cancelled while a resent attempt was under way, which then failed."""
        server = ScriptedServer(lambda _: self.script())
        delivery = self.later = delivery_to(server, ledger, guarantee="at_most_once")
        self.answers = [httpx.Response(500)]
        delivery.orders([orders_frame(["A"])])
        resend(ledger, server)
        self.answers = [httpx.Response(401)]
        self.cancels = True
        delivery.orders([orders_frame(["A"])])
        delivery.orders([orders_frame(["A"])])

        assert delivery.links()[["outcome", "held"]].to_numpy().tolist() == [["unconfirmed", True]]

    cancels = False

    def script(self):
        if self.cancels:
            self.cancels = False
            self.later.orders([orders_frame(["A"], skipped="cancelled")])
        return self.answers.pop(0) if self.answers else None

    def test_is_left_to_a_person_when_the_shop_cancels_it(self, resent):
        resent.orders([orders_frame(["A"], skipped="cancelled")])

        links = resent.links()
        assert links[["outcome", "held"]].to_numpy().tolist() == [["unconfirmed", True]]
