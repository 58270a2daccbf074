"""One attempt against a real socket: what is on the wire, and what stays out of it."""

import gzip
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from importlib.metadata import version

import httpx
import pytest

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.settings import Credentials, TimeoutSettings
from leaddone_pipeline.testing import LeadDoneSandbox
from leaddone_pipeline.webhook import (
    Failure,
    Fate,
    LeadDoneClient,
    Meaning,
    Order,
    TrackingUpdate,
    sign,
    verify,
)
from tests.webhook.servers import ANSWER, BODY, CREDENTIALS, SECRET, answering


def test_a_request_carries_exactly_the_headers_of_the_contract(server):
    """design.md, "The request" 1; Accept among them, without which Laravel answers a failed validation with 302."""
    received = []

    def behave(wire):
        received.append(wire.read_request())
        wire.answer(200, ANSWER)

    server.start(behave)
    with LeadDoneClient(CREDENTIALS, server.base_url) as client:
        client.send(Kind.ORDERS, BODY)
    head, body = received[0]
    first, *lines = head.decode("ascii").split("\r\n")
    assert first == "POST /api/webhook/orders HTTP/1.1"
    assert body == BODY
    assert dict(line.split(": ", 1) for line in lines) == {
        "Host": f"127.0.0.1:{server.port}",
        "Connection": "keep-alive",
        "Content-Length": str(len(BODY)),
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "User-Agent": f"leaddone-pipeline/{version('leaddone-pipeline')}",
        "X-Webhook-ClientId": "my-shop",
        "X-Webhook-Signature": sign(BODY, SECRET),
    }


@pytest.mark.parametrize(("kind", "path"), [(Kind.ORDERS, "/orders"), (Kind.TRACKING, "/orders/tracking")])
def test_each_kind_has_its_own_webhook(server, kind, path):
    received = []

    def behave(wire):
        received.append(wire.read_request()[0])
        wire.answer(200, ANSWER)

    server.start(behave)
    with LeadDoneClient(CREDENTIALS, server.base_url + "/") as client:
        client.send(kind, BODY)
    assert received[0].startswith(f"POST /api/webhook{path} HTTP/1.1\r\n".encode())


def test_the_headers_of_a_dry_run_verify_the_body():
    with LeadDoneClient(CREDENTIALS) as client:
        headers = client.sign_request(BODY)
    verify(BODY, headers["X-Webhook-Signature"], SECRET)
    assert headers["X-Webhook-ClientId"] == "my-shop"


def test_an_answer_is_handed_over_as_it_came(send):
    answer = send(answering(200, ANSWER, X_RateLimit_Remaining="3"))
    assert (answer.status, answer.body, answer.failure, answer.complete) == (200, ANSWER, None, True)
    assert answer.headers["x-ratelimit-remaining"] == "3"


def test_a_compressed_answer_is_read(send):
    assert send(answering(200, gzip.compress(ANSWER), Content_Encoding="gzip")).body == ANSWER


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (httpx.ConnectError, Failure.UNREACHED),
        (httpx.ConnectTimeout, Failure.UNREACHED),
        (httpx.PoolTimeout, Failure.UNREACHED),
        (httpx.ProxyError, Failure.UNREACHED),
        (httpx.UnsupportedProtocol, Failure.UNREACHED),
        (httpx.ReadError, Failure.BROKEN),
        (httpx.ReadTimeout, Failure.BROKEN),
        (httpx.WriteError, Failure.BROKEN),
        (httpx.WriteTimeout, Failure.BROKEN),
        (httpx.CloseError, Failure.BROKEN),
        (httpx.LocalProtocolError, Failure.BROKEN),
        (httpx.RemoteProtocolError, Failure.BROKEN),
        (httpx.DecodingError, Failure.BROKEN),
    ],
)
def test_every_error_of_the_transport_is_an_answer(error, failure):
    def fail(request):
        raise error("planted 0612345678", request=request)

    with LeadDoneClient(CREDENTIALS, transport=httpx.MockTransport(fail)) as client:
        answer = client.send(Kind.ORDERS, BODY)
    assert (answer.status, answer.failure, answer.complete) == (None, failure, False)
    assert answer.detail == error.__name__


# What stays out of requests, logs and reprs.


def test_neither_cookies_nor_netrc_nor_a_proxy_touch_a_request_to_this_machine(server, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password planted\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    heads = []

    def behave(wire):
        while True:
            heads.append(wire.read_request()[0].lower())
            wire.answer(200, ANSWER, Set_Cookie="session=planted; Path=/")

    server.start(behave)
    with LeadDoneClient(CREDENTIALS, server.base_url) as client:
        client.send(Kind.ORDERS, BODY)
        client.send(Kind.ORDERS, BODY)
    assert len(heads) == 2
    assert not any(b"cookie" in head or b"authorization" in head or b"proxy" in head for head in heads)


def test_the_log_holds_neither_body_nor_secret_nor_signature(send, caplog):
    caplog.set_level(logging.DEBUG)
    send(answering())
    assert "/api/webhook/orders" in caplog.text
    for planted in ("0612345678", "Lampe", SECRET, sign(BODY, SECRET), "PLT-1"):
        assert planted not in caplog.text


def test_the_secret_stands_in_no_repr():
    with LeadDoneClient(CREDENTIALS) as client:
        assert "my-shop" in repr(client)
        assert SECRET not in repr(client) + str(vars(client))


@pytest.mark.parametrize(
    "address",
    [
        "http://leaddone.test/api",
        "https://user:planted@leaddone.test",
        "https://leaddone.test/?a=1",
        "ftp://leaddone.test",
        "leaddone.test",
        "https://" + "a" * 64 + ".test",
        "https://leaddone..test",
    ],
)
def test_an_address_that_may_not_be_used_is_refused_before_anything_is_sent(address):
    """Rule 31."""
    with pytest.raises(ValueError, match=r"^base_url ") as caught:
        LeadDoneClient(CREDENTIALS, address)
    assert "planted" not in str(caught.value)


def test_threads_share_the_connections(server):
    server.start(answering())
    with (
        LeadDoneClient(CREDENTIALS, server.base_url, max_connections=4) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        answers = list(pool.map(lambda _: client.send(Kind.ORDERS, BODY), range(200)))
    assert {(answer.status, answer.body) for answer in answers} == {(200, ANSWER)}
    assert server.connections <= 4


def test_a_request_that_finds_no_free_connection_left_nothing(server):
    arrived = threading.Event()

    def behave(wire):
        wire.read_request()
        arrived.set()
        wire.stopped.wait()

    server.start(behave)
    timeouts = TimeoutSettings(connect_seconds=0.3, read_seconds=30)
    with (
        LeadDoneClient(CREDENTIALS, server.base_url, timeouts=timeouts, max_connections=1) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        first = pool.submit(client.send, Kind.ORDERS, BODY)
        assert arrived.wait(10)
        answer = client.send(Kind.ORDERS, BODY)
        server.stop()
    assert (answer.status, answer.failure, answer.detail) == (None, Failure.UNREACHED, "PoolTimeout")
    assert first.result().failure is Failure.BROKEN
    assert server.connections == 1


def test_a_closed_client_sends_nothing(server):
    server.start(answering())
    client = LeadDoneClient(CREDENTIALS, server.base_url)
    client.send(Kind.ORDERS, BODY)
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.send(Kind.ORDERS, BODY)
    assert server.connections == 1


# Without the pipeline.


def test_orders_are_encoded_sent_once_and_read():
    sandbox = LeadDoneSandbox()
    orders = [
        Order(id=" 00123\u200f", article="Théière", price=Decimal("199.90"), phone="0612345678", address=""),
        Order(id="A/2", article="Lampe", price=Decimal(5), phone="0600000000", qte=2, receiver="سلمى"),
    ]
    credentials = Credentials(sandbox.client_id, sandbox.webhook_secret)
    with LeadDoneClient(credentials, sandbox.base_url, transport=sandbox.transport) as client:
        verdict = client.send_orders(orders)
    assert verdict.meaning is Meaning.ANSWERED
    assert [said.fate for said in verdict.said] == [Fate.ACCEPTED] * 2
    assert [sandbox.orders[each]["internal_id"] for each in ("00123", "A/2")] == [
        said.internal_id for said in verdict.said
    ]
    assert len(sandbox.requests) == 1


def test_tracking_updates_are_encoded_sent_once_and_read():
    sandbox = LeadDoneSandbox()
    credentials = Credentials(sandbox.client_id, sandbox.webhook_secret)
    with LeadDoneClient(credentials, sandbox.base_url, transport=sandbox.transport) as client:
        client.send_orders([Order(id="1", article="Lampe", price=Decimal(5), phone="0600000000")])
        verdict = client.send_tracking([TrackingUpdate(id="1", tracking_number="TRK-1", status="shipped")])
    assert [said.fate for said in verdict.said] == [Fate.ACCEPTED]
    assert [request.kind for request in sandbox.requests] == ["orders", "tracking"]


def test_an_order_that_cannot_be_written_keeps_the_whole_request_here():
    sandbox = LeadDoneSandbox()
    credentials = Credentials(sandbox.client_id, sandbox.webhook_secret)
    with LeadDoneClient(credentials, sandbox.base_url, transport=sandbox.transport) as client:
        orders = [
            Order(id=each, article="Lampe", price=Decimal(5), phone="0600000000") for each in ("1", " ")
        ]
        with pytest.raises(ValueError, match=r"^id is empty$"):
            client.send_orders(orders)
    assert sandbox.requests == []
