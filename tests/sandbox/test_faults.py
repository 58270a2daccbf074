import json

import pytest

from leaddone_pipeline.errors import SettingsError
from leaddone_pipeline.sandbox import Fault

CLIENT = "atlas-client"
TRACKING = "/api/webhook/orders/tracking"


@pytest.fixture
def struck(make_platform, signed, order):
    """Sends two orders, `1` and `002`, to a platform with one fault."""

    def strike(fault):
        platform = make_platform(faults=[fault])
        response = platform.answer(signed([order("1"), order("002")]))
        return platform, response

    return strike


def taken(platform):
    return set(platform.orders(CLIENT))


def test_every_fault_is_described_on_one_line():
    for fault in Fault:
        assert fault.description
        assert "\n" not in fault.description


@pytest.mark.parametrize(
    ("fault", "status", "headers"),
    [
        ("maintenance", 503, {"retry-after": "1"}),
        ("unavailable", 503, {"retry-after": None}),
        ("unauthorized", 401, {}),
        ("redirect", 302, {"location": "/"}),
    ],
)
def test_a_fault_before_processing_leaves_nothing_behind(struck, fault, status, headers):
    platform, response = struck(fault)
    assert response.status == status
    assert {name: response.headers.get(name) for name in headers} == headers
    assert taken(platform) == set()


def test_lost_request_is_cut_unread(struck):
    platform, response = struck("lost_request")
    assert (response.unread, response.lost) == (True, False)
    assert taken(platform) == set()
    assert [each.fate for each in platform.requests] == ["unread"]


def test_lost_answer_is_processed_and_cut(struck):
    platform, response = struck("lost_answer")
    assert (response.unread, response.lost) == (False, True)
    assert taken(platform) == {"1", "002"}
    assert [each.fate for each in platform.requests] == ["lost"]


def test_html_error_is_processed_and_answered_by_a_page(struck):
    platform, response = struck("html_error")
    assert (response.status, response.headers["content-type"]) == (500, "text/html; charset=UTF-8")
    assert response.body.startswith(b"<!DOCTYPE html>")
    assert taken(platform) == {"1", "002"}


def test_truncated_is_processed_and_answered_by_half_a_json(struck):
    platform, response = struck("truncated")
    assert response.status == 200
    with pytest.raises(ValueError):
        json.loads(response.body)
    assert taken(platform) == {"1", "002"}


def test_rate_limit_strikes_every_third_request(make_platform, signed, order):
    platform = make_platform(faults=["rate_limit"])
    answers = [platform.answer(signed([order(number)])) for number in range(6)]
    assert [each.status for each in answers] == [200, 200, 429, 200, 200, 429]
    assert answers[2].headers["retry-after"] == "1"
    assert answers[2].headers["x-ratelimit-remaining"] == "0"
    assert taken(platform) == {"0", "1", "3", "4"}


def test_rate_limit_is_a_page_for_who_did_not_ask_for_json(make_platform, signed, order):
    platform = make_platform(faults=["rate_limit"])
    answers = [platform.answer(signed([order(number)], accept="*/*")) for number in range(3)]
    assert answers[2].headers["content-type"].startswith("text/html")


def test_partly_processes_all_and_leaves_out_every_second_result(struck):
    platform, response = struck("partly")
    assert [each["order_id"] for each in json.loads(response.body)] == ["1"]
    assert taken(platform) == {"1", "002"}


def test_reversed_turns_the_results_around(struck):
    _, response = struck("reversed")
    assert [each["order_id"] for each in json.loads(response.body)] == ["002", "1"]


def test_number_ids_gives_digits_back_as_numbers(make_platform, signed, order):
    platform = make_platform(faults=["number_ids"])
    response = platform.answer(signed([order("1"), order("002"), order("A-3")]))
    assert [each["order_id"] for each in json.loads(response.body)] == [1, 2, "A-3"]


def test_echo_refuses_each_order_by_its_index_and_repeats_the_phone(struck):
    platform, response = struck("echo")
    errors = json.loads(response.body)["errors"]
    assert response.status == 422
    assert set(errors) == {"0.phone", "1.phone"}
    assert errors["1.phone"] == ["The phone 0685123456 is invalid."]
    assert taken(platform) == set()


def test_echo_leaves_tracking_alone(make_platform, signed, order, update):
    platform = make_platform()
    platform.answer(signed([order("A")]))
    platform.set_faults(["echo"])
    assert platform.answer(signed([update("A")], path=TRACKING)).status == 200


def test_echo_needs_a_right_signature(make_platform, signed, order):
    platform = make_platform(faults=["echo"])
    assert platform.answer(signed([order("A")], x_webhook_signature="0" * 64)).status == 401


@pytest.mark.parametrize(("records", "status"), [(20, 200), (21, 413)])
def test_too_large_refuses_more_than_twenty_records(make_platform, signed, order, records, status):
    platform = make_platform(faults=["too_large"])
    assert platform.answer(signed([order(number) for number in range(records)])).status == status


def test_a_count_limits_a_fault_to_the_first_requests(make_platform, signed, order):
    platform = make_platform(faults=["lost_request:2"])
    assert platform.faults == ["lost_request:2"]
    answers = [platform.answer(signed([order(number)])) for number in range(3)]
    assert [each.unread for each in answers] == [True, True, False]
    assert platform.faults == []


def test_faults_work_together(make_platform, signed, order):
    platform = make_platform(faults=["reversed", "partly", Fault.LOST_ANSWER])
    response = platform.answer(signed([order("A"), order("B"), order("C")]))
    assert response.lost
    assert [each["order_id"] for each in json.loads(response.body)] == ["C", "A"]


@pytest.mark.parametrize("name", ["nope", "", "lost_answer:", "lost_answer:0", "lost_answer:-1", "echo:x"])
def test_a_fault_that_means_nothing_is_refused_and_the_faults_stay(make_platform, name):
    platform = make_platform(faults=["partly"])
    with pytest.raises(SettingsError):
        platform.set_faults([name])
    assert platform.faults == ["partly"]
