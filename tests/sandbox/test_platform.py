import json
from decimal import Decimal
from pathlib import Path

import pytest

from leaddone_pipeline.sandbox import REFUSED_CITY, Request

CLIENT = "atlas-client"
TRACKING = "/api/webhook/orders/tracking"
VECTORS = json.loads(
    (Path(__file__).parent.parent / "webhook" / "signature-vectors.json").read_text(encoding="utf-8")
)["vectors"]


def answered(platform, request):
    response = platform.answer(request)
    return response.status, json.loads(response.body)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
class TestSignaturesMadeByPhp:
    def request(self, vector, **changed):
        path = TRACKING if "tracking_number" in vector["body"] else "/api/webhook/orders"
        headers = {
            "content-type": "application/json",
            "accept": "application/json",
            "x-webhook-clientid": CLIENT,
            "x-webhook-signature": vector["signature"],
        }
        return Request("POST", path, {**headers, **changed}, vector["body"].encode())

    def test_are_accepted(self, make_platform, vector):
        platform = make_platform(credentials={CLIENT: vector["secret"]})
        status, results = answered(platform, self.request(vector))
        assert status == 200
        assert [result["order_id"] for result in results] == [str(each["id"]) for each in vector["payload"]]

    def test_are_refused_for_other_bytes_or_another_secret(self, make_platform, vector):
        request = self.request(vector)
        other = Request(request.method, request.path, request.headers, request.body + b" ")
        assert make_platform(credentials={CLIENT: vector["secret"]}).answer(other).status == 401
        assert make_platform(credentials={CLIENT: "another"}).answer(request).status == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"x_webhook_signature": ""},
        {"x_webhook_clientid": ""},
        {"x_webhook_clientid": "someone-else"},
        {"x_webhook_signature": "0" * 64},
        {"x_webhook_signature": "é"},
    ],
)
def test_missing_or_false_headers_are_401_and_nothing_is_processed(platform, signed, order, changed):
    status, body = answered(platform, signed([order("A")], **changed))
    assert status == 401
    assert set(body) == {"message"}
    assert platform.orders(CLIENT) == {}


def test_orders_are_answered_as_documented_under_internal_ids_that_count_up(platform, signed, order):
    status, results = answered(platform, signed([order("A"), order(7)]))
    assert status == 200
    assert results == [
        {
            "success": True,
            "message": "Order received successfully",
            "order_id": "A",
            "internal_id": "PLT-56789",
        },
        {
            "success": True,
            "message": "Order received successfully",
            "order_id": "7",
            "internal_id": "PLT-56790",
        },
    ]


def test_tracking_is_answered_as_documented_and_the_last_received_is_the_status(
    platform, signed, order, update
):
    platform.answer(signed([order("A")]))
    for status in ("delivered", "shipped"):
        assert answered(platform, signed([update("A", status)], path=TRACKING)) == (
            200,
            [
                {
                    "success": True,
                    "message": "Order updated successfully",
                    "order_id": "A",
                    "internal_id": "PLT-56789",
                }
            ],
        )
    known = platform.orders(CLIENT)["A"]
    assert known["status"] == "shipped"
    assert known["tracking_number"] == "TRK-A"
    assert [each["status"] for each in known["statuses"]] == ["delivered", "shipped"]


def test_tracking_of_an_unknown_order_is_refused_inside_the_200(platform, signed, order, update):
    platform.answer(signed([order("A")]))
    _, results = answered(platform, signed([update("B"), update("A")], path=TRACKING))
    assert [(each["success"], each["message"]) for each in results] == [
        (False, "Order not found"),
        (True, "Order updated successfully"),
    ]


def test_an_order_to_a_city_that_is_not_served_is_refused_inside_the_200(platform, signed, order):
    _, results = answered(platform, signed([order("A", city=REFUSED_CITY), order("B", city="Fès")]))
    assert [(each["success"], each["message"]) for each in results] == [
        (False, "City not served"),
        (True, "Order received successfully"),
    ]
    assert set(platform.orders(CLIENT)) == {"B"}
    assert [each["order_id"] for each in platform.snapshot()["refused"]] == ["A"]


def test_orders_are_kept_as_sent_with_exact_prices_and_trimmed_texts(platform, signed, order):
    platform.answer(signed([order("A", price=0.1, receiver=" سلمى\u200f", address="", qte=2)]))
    known = platform.orders(CLIENT)["A"]
    assert known["price"] == Decimal("0.1")
    assert known["receiver"] == "سلمى"
    assert known["qte"] == 2
    assert "address" not in known


def test_one_client_knows_nothing_of_anothers_orders(make_platform, signed, order):
    platform = make_platform(credentials={CLIENT: "s1", "other": "s2"})
    platform.answer(signed([order("A")], secret="s1"))
    platform.answer(signed([order("A")], client_id="other", secret="s2"))
    assert platform.orders(CLIENT)["A"]["internal_id"] == "PLT-56789"
    assert platform.orders("other")["A"]["internal_id"] == "PLT-56790"


class TestARepeatedOrder:
    def twice(self, platform, signed, order):
        _, first = answered(platform, signed([order("A")]))
        _, second = answered(platform, signed([order("A")]))
        assert platform.orders(CLIENT)["A"]["processed"] == 2
        assert platform.orders(CLIENT)["A"]["internal_id"] == first[0]["internal_id"]
        return first[0], second[0]

    def test_is_recognised_by_default(self, platform, signed, order):
        first, second = self.twice(platform, signed, order)
        assert first == second

    def test_becomes_a_second_order_and_the_first_internal_id_stays(self, make_platform, signed, order):
        platform = make_platform(repeats="second_order")
        first, second = self.twice(platform, signed, order)
        assert second["success"]
        assert platform.orders(CLIENT)["A"]["internal_ids"] == [first["internal_id"], second["internal_id"]]

    def test_is_refused(self, make_platform, signed, order):
        _, second = self.twice(make_platform(repeats="refuse"), signed, order)
        assert (second["success"], second["internal_id"]) == (False, None)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"price": None}, {"1.price": ["The 1.price field is required."]}),
        ({"price": "12,5"}, {"1.price": ["The 1.price field must be a number."]}),
        ({"phone": "\u200f "}, {"1.phone": ["The 1.phone field is required."]}),
        ({"phone": 685123456}, {"1.phone": ["The 1.phone field must be a string."]}),
        ({"article": ["Sac"]}, {"1.article": ["The 1.article field must be a string."]}),
        ({"qte": 1.5}, {"1.qte": ["The 1.qte field must be an integer."]}),
        ({"qte": True}, {"1.qte": ["The 1.qte field must be an integer."]}),
        ({"id": 1.5}, {"1.id": ["The 1.id field must be a string."]}),
        ({"city": 7}, {"1.city": ["The 1.city field must be a string."]}),
    ],
)
def test_a_bad_record_is_422_by_index_and_the_whole_request_is_not_processed(
    platform, signed, order, change, error
):
    status, body = answered(platform, signed([order("A"), order("B", **change)]))
    assert status == 422
    assert body == {"message": next(iter(error.values()))[0], "errors": error}
    assert platform.orders(CLIENT) == {}


def test_the_message_of_a_422_counts_the_further_errors(platform, signed):
    status, body = answered(platform, signed([{"id": "A"}]))
    assert status == 422
    assert body["message"] == "The 0.article field is required. (and 2 more errors)"


@pytest.mark.parametrize("fields", [{"price": "199.90", "qte": "2"}, {"price": 0, "qte": 2.0}])
def test_what_php_takes_for_numbers_is_accepted(platform, signed, order, fields):
    assert platform.answer(signed([order("A", **fields)])).status == 200


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b"\xff", b"7", b"[]", b"[" * 100_000])
def test_a_body_without_records_is_answered_with_an_empty_array(platform, signed, body):
    assert answered(platform, signed(body)) == (200, [])


def test_a_body_that_is_not_said_to_be_json_holds_no_records(platform, signed, order):
    assert answered(platform, signed([order("A")], content_type="text/plain")) == (200, [])


def test_records_that_are_no_objects_lack_every_field(platform, signed):
    status, body = answered(platform, signed([7]))
    assert status == 422
    assert set(body["errors"]) == {"0.id", "0.article", "0.price", "0.phone"}


def test_without_accept_json_a_failed_validation_is_a_redirect(platform, signed):
    response = platform.answer(signed([{}], accept="*/*, application/json"))
    assert (response.status, response.headers["location"]) == (302, "/")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/webhook/orders", 405), ("POST", "/api/webhook/order", 404), ("POST", "/", 404)],
)
@pytest.mark.parametrize(("accept", "kind"), [("application/json", "application/json"), ("*/*", "text/html")])
def test_another_path_or_method_is_answered_as_laravel_does(*, platform, method, path, status, accept, kind):
    response = platform.answer(Request(method, path, {"accept": accept}))
    assert response.status == status
    assert response.headers["content-type"].startswith(kind)
    assert response.headers.get("allow") == ("POST" if status == 405 else None)


def test_every_request_is_remembered_without_personal_data(platform, signed, order, update):
    platform.answer(signed([order("A"), order("B")]))
    platform.answer(signed([update("A")], path=TRACKING, x_webhook_signature="0"))
    platform.answer(Request("GET", "/favicon.ico", {}))
    assert [(each.number, each.kind, each.ids, each.status) for each in platform.requests] == [
        (1, "orders", ("A", "B"), 200),
        (2, "tracking", ("A",), 401),
        (3, "", (), 404),
    ]
    assert {each.at for each in platform.requests} == {"2026-11-16T12:00:00+00:00"}


def test_a_restored_snapshot_knows_every_order_status_and_repeat(make_platform, signed, order, update):
    before = make_platform()
    before.answer(signed([order("A"), order("B", city=REFUSED_CITY)]))
    before.answer(signed([update("A")], path=TRACKING))
    after = make_platform(state=json.loads(json.dumps(before.snapshot())))
    assert after.snapshot() == before.snapshot()
    _, results = answered(after, signed([order("A"), order("C")]))
    assert [each["internal_id"] for each in results] == ["PLT-56789", "PLT-56790"]


def test_a_snapshot_holds_no_receiver_phone_or_address(platform, signed, order):
    platform.answer(signed([order("A", receiver="Salma Tazi", address="3 derb El Kebir")]))
    text = json.dumps(platform.report(), ensure_ascii=False)
    assert "PLT-56789" in text
    assert not [word for word in ("0685123456", "Salma", "derb") if word in text]


def test_a_snapshot_of_another_version_is_refused(platform):
    with pytest.raises(ValueError, match="another version"):
        platform.restore({"version": 0})


def test_the_secret_stands_in_no_repr(platform, signed, order):
    request = signed([order("A")])
    shown = repr(platform) + repr(request) + repr(platform.answer(request))
    assert "whsec" not in shown
    assert "0685123456" not in shown
