"""Statuses on their way (delivery.md E)."""

from dataclasses import replace

import httpx
from hypothesis import given
from hypothesis import strategies as st

from leaddone_pipeline.contract import STATUS_RANK
from leaddone_pipeline.delivery.updates import Place, Update, fold
from leaddone_pipeline.testing import LeadDoneSandbox
from tests.support import PassingClock, ScriptedServer, delivery_to, orders_frame, updates_frame

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (f"2026-11-{day}T10:00:00Z" for day in (16, 17, 18, 19))


def status_of(sandbox, order_id):
    return sandbox.orders[order_id].get("status")


def test_the_newest_status_of_a_file_is_sent_and_the_older_ones_are_superseded(ledger, sandbox):
    delivery = delivery_to(sandbox, ledger)
    delivery.orders([orders_frame(["A", "B"])])
    rows = [("A", "delivered", WEDNESDAY), ("A", "shipped", MONDAY), ("B", "shipped", MONDAY)]

    counts = delivery.tracking([updates_frame(rows)]).counts

    assert (counts["accepted"], counts["superseded"], counts["valid"]) == (2, 1, 3)
    assert (status_of(sandbox, "A"), status_of(sandbox, "B")) == ("delivered", "shipped")


def test_a_late_file_never_takes_a_status_back(ledger, sandbox):
    """Rule 28: forward in event time only."""
    delivery = delivery_to(sandbox, ledger)
    delivery.orders([orders_frame(["A"])])
    delivery.tracking([updates_frame([("A", "out_for_delivery", WEDNESDAY)])])

    late = delivery.tracking([updates_frame([("A", "shipped", TUESDAY)])])

    assert (late.counts["superseded"], late.requests) == (1, 0)
    assert status_of(sandbox, "A") == "out_for_delivery"


def test_a_status_that_leaddone_may_show_is_put_right_even_if_another_waited_in_between(ledger):
    """Rule 28: the update of unknown fate is replaced twice before the next answer."""
    words = []

    server = LeadDoneSandbox()
    honest = server.transport

    def handle(request):
        word = words.pop(0) if words else None
        if word == "401":
            return httpx.Response(401)
        answer = honest.handle_request(request)
        if word == "lost":
            raise httpx.ReadTimeout("gone")
        return answer

    server.transport = httpx.MockTransport(handle)
    delivery = delivery_to(server, ledger, clock=PassingClock())
    delivery.orders([orders_frame(["A"])])
    delivery.tracking([updates_frame([("A", "out_for_delivery", MONDAY)])])
    words += ["lost", "401"]
    delivery.tracking([updates_frame([("A", "shipped", TUESDAY)])])
    words += ["401"]
    delivery.tracking([updates_frame([("A", "in-progress", WEDNESDAY)])])
    assert status_of(server, "A") == "shipped"

    delivery.tracking([updates_frame([("A", "out_for_delivery", THURSDAY)])])

    assert status_of(server, "A") == "out_for_delivery"


def test_an_update_refused_after_an_unknown_attempt_leaves_once_its_order_is_accepted(ledger):
    """Rule 30."""
    lost = [True]

    def script(records):
        if "status" not in records[0]:
            return None
        if lost:
            lost.pop()
            raise httpx.ReadTimeout("gone")
        if "A" in server.orders:
            return None
        words = {"success": False, "message": "Order not found", "order_id": "A", "internal_id": None}
        return httpx.Response(200, json=[words])

    server = ScriptedServer(script)
    delivery = delivery_to(server, ledger, clock=PassingClock())
    early = delivery.tracking([updates_frame([("A", "delivered", MONDAY)])])
    delivery.orders([orders_frame(["A"])])
    delivery.tracking([updates_frame([("B", "shipped", MONDAY)])])

    assert early.counts["unconfirmed"] == 1
    assert status_of(server, "A") == "delivered"


def test_a_failed_attempt_goes_back_in_progress_when_it_is_newer(ledger, sandbox):
    delivery = delivery_to(sandbox, ledger)
    delivery.orders([orders_frame(["A"])])
    delivery.tracking([updates_frame([("A", "out_for_delivery", MONDAY)])])
    delivery.tracking([updates_frame([("A", "in-progress", TUESDAY)])])

    assert status_of(sandbox, "A") == "in-progress"


def test_an_update_without_a_time_of_its_own_never_lowers_the_rank(ledger, sandbox):
    """Rule 28: a file's date or mtime is no event time."""
    delivery = delivery_to(sandbox, ledger)
    delivery.orders([orders_frame(["A", "B"])])
    delivery.tracking([updates_frame([("A", "out_for_delivery", MONDAY), ("B", "delivered", MONDAY)])])

    later = updates_frame([("A", "shipped", TUESDAY), ("B", "returned", TUESDAY)], timed=False)

    assert delivery.tracking([later]).counts["superseded"] == 2
    assert (status_of(sandbox, "A"), status_of(sandbox, "B")) == ("out_for_delivery", "delivered")


def test_a_rerun_sends_nothing(ledger, sandbox):
    delivery = delivery_to(sandbox, ledger)
    delivery.orders([orders_frame(["A"])])
    frame = updates_frame([("A", "shipped", MONDAY)])
    delivery.tracking([frame])

    again = delivery.tracking([frame])

    assert (again.counts["unchanged"], again.requests) == (1, 0)


def test_a_status_waits_in_the_ledger_until_its_order_is_accepted(ledger):
    """Rule 30: it leaves with the next tracking run of any file."""
    sandbox = LeadDoneSandbox(faults=["unauthorized:1"])
    delivery = delivery_to(sandbox, ledger)
    delivery.orders([orders_frame(["A"])])
    waiting = delivery.tracking([updates_frame([("A", "shipped", MONDAY)])])
    delivery.orders([orders_frame(["A"])])
    delivery.tracking([])

    assert (waiting.counts["pending"], waiting.requests) == (1, 0)
    assert status_of(sandbox, "A") == "shipped"


def test_statuses_of_rejected_and_skipped_orders_are_held_back(ledger, sandbox):
    """Rule 30."""
    delivery = delivery_to(sandbox, ledger)
    delivery.orders([orders_frame(["A", "B"], city=["Zone non desservie", "Fès"], skipped=["", "cancelled"])])

    report = delivery.tracking([updates_frame([("A", "shipped", MONDAY), ("B", "shipped", MONDAY)])])

    assert (report.counts["held_back"], report.requests) == (2, 0)


def test_a_status_of_an_order_that_the_ledger_does_not_know_is_sent(ledger, sandbox):
    """Rule 30: the order was sent by other means."""
    report = delivery_to(sandbox, ledger).tracking([updates_frame([("ELSEWHERE", "shipped", MONDAY)])])

    assert (report.counts["rejected"], report.requests) == (1, 1)


def test_a_status_refused_before_its_order_was_accepted_is_sent_again(ledger, sandbox):
    """Rule 30."""
    delivery = delivery_to(sandbox, ledger)
    delivery.tracking([updates_frame([("A", "shipped", MONDAY)])])
    delivery.orders([orders_frame(["A"])])
    delivery.tracking([])

    assert status_of(sandbox, "A") == "shipped"


def test_a_refusal_that_is_read_after_its_order_was_accepted_counts_as_one_before(ledger):
    """Rule 30: another run delivers the order while LeadDone's refusal of its status is on the way."""
    refused = {"success": False, "message": "Order not found", "order_id": "A"}

    def script(records):
        if "status" not in records[0] or "A" in server.orders:
            return None
        delivery_to(server, ledger).orders([orders_frame(["A"])])
        return httpx.Response(200, json=[refused])

    server = ScriptedServer(script)
    first = delivery_to(server, ledger).tracking([updates_frame([("A", "shipped", MONDAY)])])
    delivery_to(server, ledger).tracking([])
    third = delivery_to(server, ledger).tracking([])

    assert (first.counts["rejected"], third.requests) == (1, 0)
    assert status_of(server, "A") == "shipped"


def test_a_status_of_unknown_fate_is_sent_again_in_the_same_run(ledger, sandbox):
    """Rule 29: repeats are harmless here."""
    delivery = delivery_to(sandbox, ledger)
    delivery.orders([orders_frame(["A"])])
    sandbox.platform.set_faults(["lost_answer:2"])

    report = delivery.tracking([updates_frame([("A", "shipped", MONDAY)])])

    assert (report.counts["accepted"], report.counts["sent"], report.requests) == (1, 1, 3)


def test_a_status_is_left_to_a_person_after_five_unknown_attempts(ledger, sandbox):
    """Rule 18: three in a row stop a run; the fifth, counted over runs, is the last."""
    delivery = delivery_to(sandbox, ledger)
    delivery.orders([orders_frame(["A"])])
    sandbox.platform.set_faults(["lost_request"])
    frame = updates_frame([("A", "shipped", MONDAY)])

    requests = [delivery.tracking([frame]).requests for _ in range(3)]

    assert requests == [3, 2, 0]


def test_a_file_time_does_not_hide_an_event_of_its_own_time(ledger, sandbox):
    """A status seen again in an untimed file says when it was still true, not when it came about."""
    delivery = delivery_to(sandbox, ledger)
    delivery.orders([orders_frame(["A"])])
    delivery.tracking([updates_frame([("A", "shipped", MONDAY)])])
    delivery.tracking([updates_frame([("A", "shipped", WEDNESDAY)], timed=False)])
    delivery.tracking([updates_frame([("A", "delivered", TUESDAY)])])

    assert status_of(sandbox, "A") == "delivered"


def test_a_status_that_came_back_is_sent_when_the_one_between_may_have_arrived(ledger, sandbox):
    """Rule 15: LeadDone may show the one whose answer was lost."""
    delivery = delivery_to(sandbox, ledger)
    delivery.orders([orders_frame(["A"])])
    delivery.tracking([updates_frame([("A", "in-progress", MONDAY)])])
    sandbox.platform.set_faults(["html_error:5"])
    delivery.tracking([updates_frame([("A", "out_for_delivery", TUESDAY)])])
    sandbox.platform.set_faults([])
    delivery.tracking([updates_frame([("A", "in-progress", WEDNESDAY)])])

    assert status_of(sandbox, "A") == "in-progress"


def test_a_held_status_is_tried_again_when_a_newer_file_repeats_it(ledger, sandbox):
    delivery = delivery_to(sandbox, ledger)
    delivery.orders([orders_frame(["A"])])
    sandbox.platform.set_faults(["lost_request"])
    for _ in range(2):
        delivery.tracking([updates_frame([("A", "returned", MONDAY)])])
    sandbox.platform.set_faults([])

    assert delivery.tracking([updates_frame([("A", "returned", MONDAY)])]).requests == 0
    assert delivery.tracking([updates_frame([("A", "returned", TUESDAY)])]).counts["accepted"] == 1


times = st.integers(0, 3).map(float)
updates = st.builds(
    Update,
    tracking_number=st.sampled_from(["T1", "T2"]),
    status=st.sampled_from(sorted(STATUS_RANK)),
    event_at=times,
    timed=st.booleans(),
)
places = st.builds(Place, accepted=st.none() | updates, waiting=st.none() | updates).filter(
    lambda place: (
        place.accepted is None
        or place.waiting is None
        or (place.waiting.is_newer_than(place.accepted) and not place.waiting.says_the_same(place.accepted))
    )
)


@given(place=places, its=st.lists(updates, max_size=8))
def test_each_update_of_a_file_is_counted_once(place, its):
    folded = fold(place, its)

    assert folded.unchanged + folded.superseded + folded.waits == len(its)


@given(place=places, its=st.lists(updates, max_size=8), timed=st.booleans())
def test_reading_a_file_again_changes_nothing(place, its, timed):
    """A file has times of its own or not; in a mixture two updates may each be newer than the other."""
    of_one_file = [replace(one, timed=timed) for one in its]
    once = fold(place, of_one_file).place

    assert fold(once, of_one_file).place == once


@given(its=st.lists(updates, min_size=1))
def test_no_timed_update_is_newer_than_the_one_that_waits(its):
    """Rule 28: equal times by progress rank, then by the order of the rows."""
    timed = [replace(one, timed=True) for one in its]
    waiting = fold(Place(), timed).place.waiting

    newest = max((one.event_at, STATUS_RANK[one.status]) for one in timed)
    assert waiting == [one for one in timed if (one.event_at, STATUS_RANK[one.status]) == newest][-1]
