"""One attempt against a real socket: what is on the wire, and what every way of failing is called."""

import gzip
import logging
import socket
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
    read_answer,
    sign,
    verify,
)

SECRET = "whsec_planted"
CREDENTIALS = Credentials("my-shop", SECRET)
PATIENT = TimeoutSettings()
QUICK = TimeoutSettings(write_seconds=0.3, read_seconds=0.3)
BODY = b'[{"id":"1","article":"Lampe","price":199,"phone":"0612345678"}]'
ANSWER = b'[{"success":true,"message":"ok","order_id":"1","internal_id":"PLT-1"}]'
LARGEST = b"[" + b" " * (16 * 1024 * 1024 - 2) + b"]"
BOMB = gzip.compress(b" " * 50_000_000, 1)


@pytest.fixture
def send(server):
    """Send BODY once to a server that behaves as given."""

    def send_once(behave, *, base_url=None, timeouts=PATIENT):
        server.start(behave)
        with LeadDoneClient(CREDENTIALS, base_url or server.base_url, timeouts=timeouts) as client:
            return client.send(Kind.ORDERS, BODY)

    return send_once


def answering(status=200, body=ANSWER, **headers):
    """A server that answers every request of a connection alike."""

    def behave(wire):
        while True:
            wire.read_request()
            wire.answer(status, body, **headers)

    return behave


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


def test_an_answer_that_ends_with_its_connection_is_complete(send):
    def behave(wire):
        wire.read_request()
        wire.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + ANSWER)

    answer = send(behave)
    assert (answer.body, answer.complete) == (ANSWER, True)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(server, send, status):
    requests = []

    def behave(wire):
        while True:
            requests.append(wire.read_request())
            wire.answer(status, Location=server.base_url)

    answer = send(behave)
    assert (answer.status, len(requests)) == (status, 1)
    assert read_answer(answer, ["1"]).meaning is Meaning.ADDRESS


# Nothing left: UNREACHED.


def test_a_refused_connection_left_nothing():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with LeadDoneClient(CREDENTIALS, f"http://127.0.0.1:{port}") as client:
        answer = client.send(Kind.ORDERS, BODY)
    assert (answer.status, answer.failure, answer.detail) == (None, Failure.UNREACHED, "ConnectError")
    assert read_answer(answer, ["1"]).meaning is Meaning.UNREACHED


def test_a_failed_tls_handshake_left_nothing(server, send):
    received = []

    def behave(wire):
        received.append(wire.read_byte())
        wire.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    answer = send(behave, base_url=f"https://127.0.0.1:{server.port}")
    assert (answer.failure, answer.detail) == (Failure.UNREACHED, "ConnectError")
    assert BODY not in b"".join(received)


def test_a_tls_handshake_without_an_end_left_nothing(server):
    server.start(lambda wire: wire.stopped.wait())
    timeouts = TimeoutSettings(connect_seconds=0.3)
    with LeadDoneClient(CREDENTIALS, f"https://127.0.0.1:{server.port}", timeouts=timeouts) as client:
        answer = client.send(Kind.ORDERS, BODY)
    assert (answer.failure, answer.detail) == (Failure.UNREACHED, "ConnectTimeout")


def test_a_proxy_that_refuses_the_tunnel_got_nothing(server, monkeypatch):
    received = []

    def behave(wire):
        received.append(wire.read_request())
        wire.answer(403)

    server.start(behave)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.port}")
    monkeypatch.setenv("NO_PROXY", "")
    with LeadDoneClient(CREDENTIALS, "https://leaddone.test") as client:
        answer = client.send(Kind.ORDERS, BODY)
    assert (answer.failure, answer.detail) == (Failure.UNREACHED, "ProxyError")
    (head, body) = received[0]
    assert head.startswith(b"CONNECT leaddone.test:443")
    assert body == b""


# It may have left: BROKEN.


def reset_before_reading(wire):
    wire.read_byte()
    wire.reset()


def reset_after_the_body(wire):
    wire.read_request()
    wire.reset()


def close_after_the_body(wire):
    wire.read_request()


def never_answer(wire):
    wire.read_request()
    wire.stopped.wait()


def answer_no_http(wire):
    wire.read_request()
    wire.send(b"SMTP ready\r\n\r\n")


@pytest.mark.parametrize(
    ("behave", "details"),
    [
        (reset_before_reading, {"ReadError", "RemoteProtocolError"}),
        (reset_after_the_body, {"ReadError"}),
        (close_after_the_body, {"RemoteProtocolError"}),
        (never_answer, {"ReadTimeout"}),
        (answer_no_http, {"RemoteProtocolError"}),
    ],
)
def test_a_connection_that_ends_without_an_answer_is_of_unknown_fate(send, behave, details):
    answer = send(behave, timeouts=QUICK if behave is never_answer else PATIENT)
    assert (answer.status, answer.failure, answer.complete) == (None, Failure.BROKEN, False)
    assert answer.detail in details
    assert read_answer(answer, ["1"]).meaning is Meaning.UNKNOWN


def test_a_reset_right_after_connecting_is_never_an_answer(send):
    """Whether bytes had left is the kernel's secret; a client that still was connecting knows that none had."""
    answer = send(lambda wire: wire.reset())
    assert (answer.status, answer.complete) == (None, False)
    assert read_answer(answer, ["1"]).meaning in {Meaning.UNREACHED, Meaning.UNKNOWN}


def test_a_body_that_no_one_reads_is_of_unknown_fate(server):
    server.start(lambda wire: wire.stopped.wait())
    with LeadDoneClient(CREDENTIALS, server.base_url, timeouts=QUICK) as client:
        answer = client.send(Kind.ORDERS, b" " * 50_000_000)
    assert (answer.failure, answer.detail) == (Failure.BROKEN, "WriteTimeout")


def test_a_kept_connection_that_closes_under_a_request_is_of_unknown_fate(server):
    """Whether the server had read the request by then, no one knows; so it is not sent again unasked."""
    requests = []

    def behave(wire):
        requests.append(wire.read_request())
        wire.answer(200, ANSWER)
        requests.append(wire.read_request())

    server.start(behave)
    with LeadDoneClient(CREDENTIALS, server.base_url) as client:
        assert client.send(Kind.ORDERS, BODY).status == 200
        answer = client.send(Kind.ORDERS, BODY)
    assert (answer.status, answer.failure) == (None, Failure.BROKEN)
    assert (len(requests), server.connections) == (2, 1)


def dribble(wire):
    wire.read_request()
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not wire.stopped.wait(0.02):
        wire.send(b" ")


def stall(wire):
    wire.read_request()
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n[")
    wire.stopped.wait()


def promise_too_much(wire):
    wire.read_request()
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + ANSWER)


def cut_a_chunk(wire):
    wire.read_request()
    wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" + ANSWER)


@pytest.mark.parametrize(
    ("behave", "detail"),
    [
        (dribble, "ReadTimeout"),
        (stall, "ReadTimeout"),
        (promise_too_much, "RemoteProtocolError"),
        (cut_a_chunk, "RemoteProtocolError"),
        (answering(200, LARGEST + b" "), "AnswerTooLarge"),
        (answering(200, BOMB, Content_Encoding="gzip"), "AnswerTooLarge"),
        (answering(200, b"no gzip", Content_Encoding="gzip"), "DecodingError"),
        (
            answering(200, gzip.compress(gzip.compress(ANSWER)), Content_Encoding="gzip, gzip"),
            "UnknownEncoding",
        ),
        (answering(200, ANSWER, Content_Encoding="br"), "UnknownEncoding"),
    ],
    ids=["dribbled", "stalled", "short", "cut chunk", "too large", "bomb", "no gzip", "stacked", "foreign"],
)
def test_an_answer_that_cannot_be_read_to_its_end_keeps_its_status_alone(send, behave, detail):
    answer = send(behave, timeouts=QUICK if detail == "ReadTimeout" else PATIENT)
    assert (answer.status, answer.body, answer.complete) == (200, b"", False)
    assert (answer.failure, answer.detail) == (Failure.BROKEN, detail)
    assert answer.headers
    assert read_answer(answer, ["1"]).meaning is Meaning.UNKNOWN


def test_an_answer_of_16_mib_is_still_read(send):
    answer = send(answering(200, LARGEST))
    assert answer.complete
    assert answer.body == LARGEST


def test_a_longer_answer_than_promised_ends_where_it_promised(send):
    def behave(wire):
        wire.read_request()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" + ANSWER)

    answer = send(behave)
    assert answer.body == ANSWER[:10]
    assert read_answer(answer, ["1"]).meaning is Meaning.UNKNOWN


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
