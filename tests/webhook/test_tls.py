"""TLS with certificates made on the spot: what is not surely LeadDone gets no byte of the body (rule 31)."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from leaddone_pipeline.webhook import Failure, Meaning, read_answer
from tests.webhook.servers import ANSWER, QUICK, answering, send_once

AUTHORITY = trustme.CA()
STRANGER = trustme.CA()


@pytest.fixture(autouse=True)
def known_authority(monkeypatch, tmp_path):
    known = tmp_path / "authorities.pem"
    AUTHORITY.cert_pem.write_to_path(known)
    monkeypatch.setenv("SSL_CERT_FILE", str(known))


def presenting(certificate, *, at_most=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if at_most is not None:
        context.maximum_version = at_most
    certificate.configure_cert(context)
    return context


def over_https(server):
    return f"https://localhost:{server.port}/api/webhook"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_known_authority_and_the_right_name_are_trusted(server, version):
    server.start(answering(), tls=presenting(AUTHORITY.issue_cert("localhost"), at_most=version))
    answer = send_once(over_https(server))
    assert (answer.status, answer.body, answer.failure) == (200, ANSWER, None)


def yesterday():
    return datetime.now(UTC) - timedelta(days=1)


UNTRUSTED = {
    "another name": lambda: AUTHORITY.issue_cert("leaddone.test"),
    "a name above": lambda: AUTHORITY.issue_cert("www.localhost"),
    "another address": lambda: AUTHORITY.issue_cert("127.0.0.2"),
    "expired": lambda: AUTHORITY.issue_cert("localhost", not_after=yesterday()),
    "not yet valid": lambda: AUTHORITY.issue_cert(
        "localhost", not_before=yesterday() + timedelta(days=2), not_after=yesterday() + timedelta(days=3)
    ),
    "an unknown authority": lambda: STRANGER.issue_cert("localhost"),
    "an authority that an unknown one made": lambda: STRANGER.create_child_ca().issue_cert("localhost"),
}

SAID = {
    "another name": "Hostname mismatch",
    "a name above": "Hostname mismatch",
    "another address": "Hostname mismatch",
    "expired": "certificate has expired",
    "not yet valid": "certificate is not yet valid",
    "an unknown authority": "unable to get local issuer certificate",
    "an authority that an unknown one made": "unable to get local issuer certificate",
}


@pytest.mark.parametrize("case", UNTRUSTED)
def test_a_certificate_that_proves_nothing_gets_nothing(server, case):
    heard = []
    server.start(lambda wire: heard.append(wire.read_byte()), tls=presenting(UNTRUSTED[case]()))
    answer = send_once(over_https(server))
    assert (answer.status, answer.failure) == (None, Failure.UNREACHED)
    assert answer.detail.startswith(f"ConnectError, certificate: {SAID[case]}")
    assert read_answer(answer, ["1"]).meaning is Meaning.UNREACHED
    server.stop()
    assert b"".join(heard) == b""


def test_a_certificate_that_signed_itself_gets_nothing(server, tmp_path):
    """The authority's own certificate, presented by a server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    chain = tmp_path / "self-signed.pem"
    STRANGER.private_key_pem.write_to_path(chain)
    STRANGER.cert_pem.write_to_path(chain, append=True)
    context.load_cert_chain(chain)
    server.start(answering(), tls=context)
    answer = send_once(over_https(server))
    assert answer.failure is Failure.UNREACHED
    assert answer.detail == "ConnectError, certificate: self-signed certificate"


def test_only_the_authorities_of_the_file_are_known(server, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    server.start(answering(), tls=presenting(AUTHORITY.issue_cert("localhost")))
    assert send_once(over_https(server)).failure is Failure.UNREACHED


def speak_plainly(wire):
    yield wire.read_byte()
    wire.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    yield wire.read_byte(65536)


def drop(wire):
    yield wire.read_byte(65536)


def reset(wire):
    yield wire.read_byte(65536)
    wire.reset()


def alert(wire):
    yield wire.read_byte(65536)
    wire.send(b"\x15\x03\x03\x00\x02\x02\x28")
    yield wire.read_byte(65536)


def stop_within_a_record(wire):
    yield wire.read_byte(65536)
    wire.send(b"\x16\x03\x03\x01\x00\x02")


def stay_silent(wire):
    wire.stopped.wait()


def drip(wire):
    wire.read_byte(65536)
    wire.send(b"\x16\x03\x03\x40\x00")
    while not wire.stopped.wait(0.02):
        wire.send(b"\0")


@pytest.mark.parametrize("behave", [speak_plainly, drop, reset, alert, stop_within_a_record])
def test_a_handshake_that_breaks_off_left_nothing(server, behave):
    received = []
    server.start(lambda wire: received.extend(behave(wire)))
    answer = send_once(over_https(server))
    assert (answer.status, answer.failure, answer.detail) == (None, Failure.UNREACHED, "ConnectError")
    server.stop()
    assert b"POST" not in b"".join(received)


@pytest.mark.parametrize("behave", [stay_silent, drip])
def test_a_handshake_without_an_end_left_nothing(server, behave):
    server.start(behave)
    answer = send_once(over_https(server), timeouts=QUICK)
    assert (answer.failure, answer.detail) == (Failure.UNREACHED, "ConnectTimeout")


def close_after_the_body(wire):
    wire.read_request()


def cut_within_the_answer(wire):
    wire.read_request()
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n[")


@pytest.mark.parametrize(("behave", "status"), [(close_after_the_body, None), (cut_within_the_answer, 200)])
def test_a_secured_connection_that_breaks_after_the_body_is_of_unknown_fate(server, behave, status):
    server.start(behave, tls=presenting(AUTHORITY.issue_cert("localhost")))
    answer = send_once(over_https(server))
    assert (answer.status, answer.failure, answer.complete) == (status, Failure.BROKEN, False)
    assert read_answer(answer, ["1"]).meaning is Meaning.UNKNOWN


def test_a_secured_answer_that_drips_is_bounded(server):
    def behave(wire):
        wire.read_request()
        wire.send(b"HTTP/1.1 200 OK\r\nX-A: ")
        while not wire.stopped.wait(0.02):
            wire.send(b"a")

    server.start(behave, tls=presenting(AUTHORITY.issue_cert("localhost")))
    answer = send_once(over_https(server), timeouts=QUICK)
    assert (answer.failure, answer.detail) == (Failure.BROKEN, "ReadTimeout")


def test_no_proxy_stands_on_the_way_to_this_machine(server, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    server.start(answering(), tls=presenting(AUTHORITY.issue_cert("localhost")))
    assert send_once(over_https(server)).status == 200
