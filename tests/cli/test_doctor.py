"""`leaddone doctor`: each fault by its name with what to do, and what a test order finds out (rule 17)."""

import ssl

import pytest
import trustme

from tests.webhook.servers import Server, answering


def lines(ran):
    return {line.split()[1]: line for line in ran.out.splitlines() if line.startswith(("ok", "fault"))}


def test_all_is_well_and_no_order_was_sent(leaddone, platform):
    ran = leaddone("doctor")

    assert ran.code == 0
    assert {line.split()[0] for line in lines(ran).values()} == {"ok"}
    assert set(lines(ran)) == {"settings", "LeadDone", "ledger"}
    assert [request.ids for request in platform.requests] == [()]


@pytest.mark.parametrize(
    ("env", "what", "words", "code"),
    [
        ({"LEADDONE_CLIENT_ID": None}, "settings", "LEADDONE_CLIENT_ID", 2),
        ({"LEADDONE_BASE_URL": "http://example.test/api"}, "settings", "is not encrypted", 2),
        ({"LEADDONE_WEBHOOK_SECRET": "another"}, "LeadDone", "credentials refused", 1),
        ({"LEADDONE_BASE_URL": "http://127.0.0.1:1/api"}, "LeadDone", "cannot be reached", 1),
        (
            {"LEADDONE_LEDGER_URL": "sqlite:////proc/nowhere/ledger.db"},
            "ledger",
            "/proc cannot be written",
            1,
        ),
        ({"LEADDONE_LEDGER_URL": "sqlite://"}, "ledger", "memory", 2),
    ],
)
def test_a_fault_is_named_with_its_remedy(leaddone, env, what, words, code):
    ran = leaddone("doctor", env=env)

    assert words in lines(ran)[what]
    assert ran.code == code
    assert ("->" in ran.out) == (code > 0)
    assert "whsec" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"status": 429, "body": b"{}"}, "answered 429: it is busy"),
        ({"status": 503, "body": b"{}", "Retry_After": "30"}, "answered 503: it is busy"),
        ({"status": 503, "body": b"down"}, "answered 503: it is busy"),
        ({"status": 500, "body": b"{}"}, "answered 500: a fault on its side"),
        (
            {"status": 200, "body": b"<html>Connexion</html>"},
            "answered 200: this is not the answer of a LeadDone",
        ),
        ({"status": 200, "body": b'{"ok": true}'}, "answered 200: this is not the answer of a LeadDone"),
        ({"status": 400, "body": b"{}"}, "answered 400: this is not the answer of a LeadDone"),
        ({"status": 418, "body": b"[]"}, "answered 418: this is not the answer of a LeadDone"),
    ],
)
def test_an_answer_that_proves_nothing_is_no_sign_of_health(leaddone, answer, words):
    """Only a 2xx with a JSON list shows that a webhook lives there and has taken the signature."""
    server = Server().start(answering(**answer))
    try:
        ran = leaddone("doctor", env={"LEADDONE_BASE_URL": server.base_url})
    finally:
        server.stop()

    assert words in lines(ran)["LeadDone"]
    assert "accepts the signature" not in ran.out
    assert "->" in ran.out
    assert ran.code == 1


def test_the_refusal_of_an_empty_list_shows_that_the_signature_was_taken(leaddone):
    """Laravel's validation comes after the signature, and may want at least one record."""
    body = b'{"message": "The orders field is required.", "errors": {"orders": ["required"]}}'
    server = Server().start(answering(status=422, body=body))
    try:
        ran = leaddone("doctor", env={"LEADDONE_BASE_URL": server.base_url})
    finally:
        server.stop()

    assert "accepts the signature" in lines(ran)["LeadDone"]
    assert ran.code == 0


def test_a_certificate_that_is_not_valid_is_named(leaddone):
    """Whoever answers may be somebody else: the remedy is another one than that of a dead line."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    server = Server()
    server.start(answering(), tls=context)
    try:
        ran = leaddone("doctor", env={"LEADDONE_BASE_URL": f"https://localhost:{server.port}/api/webhook"})
    finally:
        server.stop()

    assert "certificate: unable to get local issuer certificate" in lines(ran)["LeadDone"]
    assert "Its certificate is not valid" in ran.out
    assert ran.code == 1


def test_a_test_order_finds_out_what_becomes_of_a_repeat(leaddone, platform):
    ran = leaddone("doctor", "--send-test-order")

    assert ran.code == 0
    assert "recognises repeats" in lines(ran)["repeats"]
    first, second = platform.requests[1:]
    assert first.ids == second.ids
    assert first.ids[0].startswith("TEST-")
    assert "recognises repeats" in leaddone("status").out
    assert "recognises repeats" in lines(leaddone("doctor"))["ledger"]
