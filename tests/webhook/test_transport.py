"""Rule 31 against hostile servers: each attempt ends in time, as an answer, called by how much may have left."""

import gzip
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.webhook import Failure, LeadDoneClient, Meaning, read_answer
from tests.webhook.servers import (
    ANSWER,
    BODY,
    CREDENTIALS,
    PATIENT,
    QUICK,
    Server,
    answering,
    dripping,
    flood_with,
    flooding,
    saying,
    send_once,
)

OK = b"HTTP/1.1 200 OK\r\n"
ARCHIVE = gzip.compress(ANSWER)


# Redirects.


@pytest.fixture
def elsewhere():
    running = Server()
    yield running.start(answering())
    running.stop()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nothing_is_sent_where_a_redirect_points(send, elsewhere, status):
    answer = send(answering(status, Location=elsewhere.base_url))
    assert (answer.status, answer.complete) == (status, True)
    assert read_answer(answer, ["1"]).meaning is Meaning.ADDRESS
    assert elsewhere.connections == 0


@pytest.mark.parametrize(
    "target", ["http://[", "https://" + "a" * 70_000, "ftp://x", "//", "\x7f", "data:,x"]
)
def test_a_redirect_to_nowhere_is_a_redirect(send, target):
    answer = send(answering(302, Location=target))
    assert (answer.status, answer.complete) == (302, True)
    assert read_answer(answer, ["1"]).meaning is Meaning.ADDRESS


# Nothing left: UNREACHED.


def test_a_refused_connection_left_nothing():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # and nobody listens
        answer = send_once(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert (answer.status, answer.failure, answer.detail) == (None, Failure.UNREACHED, "ConnectError")
    assert read_answer(answer, ["1"]).meaning is Meaning.UNREACHED


def test_a_name_that_no_one_knows_left_nothing(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    answer = send_once("https://leaddone.test")
    assert (answer.status, answer.failure, answer.detail) == (None, Failure.UNREACHED, "ConnectError")


def refuse(wire):
    wire.answer(403)


def stay_silent(wire):
    wire.stopped.wait()


def close(_):
    pass


def speak_no_http(wire):
    wire.send(b"SSH-2.0-proxy\r\n\r\n")


@pytest.mark.parametrize(
    ("behave", "detail"),
    [
        (refuse, "ProxyError"),
        (stay_silent, "ReadTimeout"),
        (close, "RemoteProtocolError"),
        (speak_no_http, "RemoteProtocolError"),
        (lambda wire: flood_with(wire, b"HTTP/1.1 100 Continue\r\n\r\n"), "ReadTimeout"),
    ],
    ids=["refuses", "is silent", "closes", "no http", "flood"],
)
def test_a_proxy_that_gives_no_tunnel_got_nothing(server, monkeypatch, behave, detail):
    received = []

    def receive(wire):
        received.append(wire.read_request())
        behave(wire)

    server.start(receive)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.port}")
    monkeypatch.setenv("NO_PROXY", "")
    answer = send_once("https://leaddone.test", timeouts=QUICK if detail == "ReadTimeout" else PATIENT)
    assert (answer.status, answer.failure, answer.detail) == (None, Failure.UNREACHED, detail)
    ((head, body),) = received
    assert head.startswith(b"CONNECT leaddone.test:443")
    assert body == b""


@pytest.mark.parametrize("proxy", ["nonsense://127.0.0.1", "http://a:b:c", "socks5://127.0.0.1:9"])
def test_a_proxy_that_cannot_be_is_refused_before_anything_is_sent(monkeypatch, proxy):
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(ValueError, match=r"^base_url cannot be reached through the proxy"):
        LeadDoneClient(CREDENTIALS, "https://leaddone.test")


# It may have left, and no answer began: BROKEN.


def reset_before_reading(wire):
    wire.read_byte()
    wire.reset()


def reset_after_the_body(wire):
    wire.read_request()
    wire.reset()


NO_ANSWER = {
    "reset before it was read": (reset_before_reading, {"ReadError", "RemoteProtocolError"}),
    "reset after the body": (reset_after_the_body, {"ReadError"}),
    "closed after the body": (saying(), {"RemoteProtocolError"}),
    "closed in the first line": (saying(b"HTTP/1."), {"RemoteProtocolError"}),
    "closed in a header": (saying(OK + b"Content-Le"), {"RemoteProtocolError"}),
    "closed after an interim answer": (saying(b"HTTP/1.1 100 Continue\r\n\r\n"), {"RemoteProtocolError"}),
    "other protocols": (saying(b"SMTP ready\r\n\r\n"), {"RemoteProtocolError"}),
    "bytes": (saying(bytes(range(256)) * 4), {"RemoteProtocolError"}),
    "HTTP/0.9": (saying(ANSWER), {"RemoteProtocolError"}),
    "HTTP/2": (saying(b"HTTP/2 200\r\n\r\n"), {"RemoteProtocolError"}),
    "a TLS alert": (saying(b"\x15\x03\x01\x00\x02\x02\x46"), {"RemoteProtocolError"}),
    "a status without a number": (saying(b"HTTP/1.1 OK\r\n\r\n"), {"RemoteProtocolError"}),
    "a length below zero": (saying(OK + b"Content-Length: -1\r\n\r\n"), {"RemoteProtocolError"}),
    "two lengths": (
        saying(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n" + ANSWER),
        {"RemoteProtocolError"},
    ),
    "a foreign transfer": (saying(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n"), {"RemoteProtocolError"}),
    "a header without an end": (flooding(OK + b"X-A: ", b"a" * 65536), {"RemoteProtocolError"}),
    "headers without an end": (flooding(OK, b"X-A: b\r\n" * 8192), {"RemoteProtocolError"}),
    "silence": (dripping(b"", b""), {"ReadTimeout"}),
    "a head byte by byte": (dripping(OK + b"X-A: ", b"a"), {"ReadTimeout"}),
    "interim answers byte by byte": (dripping(b"", b"HTTP/1.1 102 Processing\r\n\r\n"), {"ReadTimeout"}),
    "a flood of interim answers": (flooding(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), {"ReadTimeout"}),
}


@pytest.mark.parametrize("case", NO_ANSWER)
def test_a_connection_that_ends_without_an_answer_is_of_unknown_fate(send, case):
    behave, details = NO_ANSWER[case]
    answer = send(behave, timeouts=QUICK if details == {"ReadTimeout"} else PATIENT)
    assert (answer.status, answer.failure, answer.complete) == (None, Failure.BROKEN, False)
    assert answer.detail in details
    assert read_answer(answer, ["1"]).meaning is Meaning.UNKNOWN


def test_a_reset_right_after_connecting_is_never_an_answer(send):
    """Whether bytes had left is the kernel's secret; a client that still was connecting knows that none had."""
    answer = send(lambda wire: wire.reset())
    assert (answer.status, answer.complete) == (None, False)
    assert read_answer(answer, ["1"]).meaning in {Meaning.UNREACHED, Meaning.UNKNOWN}


def read_slowly(wire):
    while not wire.stopped.wait(0.02):
        wire.read_byte(65536)


@pytest.mark.parametrize("behave", [stay_silent, read_slowly])
def test_a_body_that_is_hardly_read_is_of_unknown_fate(server, behave):
    server.start(behave)
    answer = send_once(server.base_url, b" " * 50_000_000, timeouts=QUICK)
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


def test_a_second_answer_to_one_request_is_never_taken_for_the_next_ones(server):
    """Else every later batch on the connection would get the answer of the one before it."""
    stale = b'[{"success":true,"message":"ok","order_id":"1","internal_id":"STALE"}]'
    heads = [OK + b"Content-Length: %d\r\n\r\n" % len(body) + body for body in (ANSWER, stale)]

    def behave(wire):
        wire.read_request()
        wire.send(b"".join(heads))
        answering()(wire)

    server.start(behave)
    with LeadDoneClient(CREDENTIALS, server.base_url) as client:
        first, second, third = (client.send(Kind.ORDERS, BODY) for _ in range(3))
    assert (first.body, server.connections) == (ANSWER, 2)
    assert (second.status, second.failure, second.detail) == (None, Failure.BROKEN, "AnsweredBefore")
    assert read_answer(second, ["1"]).meaning is Meaning.UNKNOWN
    assert third.status == 200
    assert b"STALE" not in third.body


# Whatever comes.

LINES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 302 Found",
        b"HTTP/1.1 422 No",
        b"HTTP/1.1 100 Continue",
        b"HTTP/1.1 101 Switching",
        b"HTTP/1.0 999 \xff",
        b"Content-Length: 5",
        b"Content-Length: 99999999999999999999",
        b"Transfer-Encoding: chunked",
        b"Content-Encoding: gzip",
        b"Connection: upgrade",
        b"Location: http://[::1",
        b"Set-Cookie: a=b; Max-Age=\xff; Expires=Mon, 99 Foo; Domain=..",
        b"Retry-After: 1\x00",
        b"",
        b"0",
        b"5",
        ANSWER,
        ARCHIVE,
    ]
)
RAW = st.lists(LINES | st.binary(max_size=20), max_size=12).map(b"\r\n".join)


def test_whatever_a_server_says_is_an_answer_with_a_meaning(server):
    said = []

    def behave(wire):
        saying(said[-1])(wire)

    server.start(behave)

    @settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
    @given(raw=RAW | RAW.map(lambda rest: b"HTTP/1.1 200 OK\r\n" + rest))
    def law(raw):
        said.append(raw)
        answer = client.send(Kind.ORDERS, BODY)
        assert answer.complete == (answer.failure is None)
        assert answer.failure is not Failure.UNREACHED
        assert read_answer(answer, ["1"]).meaning in set(Meaning) - {Meaning.UNREACHED}

    with LeadDoneClient(CREDENTIALS, server.base_url) as client:
        law()
