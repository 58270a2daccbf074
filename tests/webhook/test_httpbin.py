"""The client against httpbin, a server that is not ours: its view of a request, and its ways to answer (rule 31)."""

import json

import pytest

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.webhook import Failure, LeadDoneClient, Meaning, read_answer, verify
from tests.webhook.servers import BODY, CREDENTIALS, PATIENT, QUICK, SECRET, send_once

pytest.importorskip(
    "pytest_httpbin", reason="it has no room beside playwright; .ci/versions runs these tests"
)


class Beneath:
    """httpbin where the orders webhook would be; its pages answer to GET, except `anything`."""

    def __init__(self, app):
        self._app = app
        self.paths = []
        self.query = ""

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"].removesuffix("/orders")
        self.paths.append(path)
        environ |= {"PATH_INFO": path, "QUERY_STRING": self.query}
        if path not in {"/anything", "/redirect-to"}:
            environ["REQUEST_METHOD"] = "GET"
        return self._app(environ, start_response)


@pytest.fixture(scope="module")
def running():
    # Imported here: it brings Flask, which no other test needs (pyproject.toml leaves its plugin out).
    from httpbin import app  # noqa: PLC0415
    from pytest_httpbin.serve import Server  # noqa: PLC0415

    with Server(application=Beneath(app)) as server:
        yield server


@pytest.fixture
def httpbin(running):
    running.app.paths.clear()
    running.app.query = ""
    return running


def test_httpbin_sees_the_signed_body_and_nothing_more(httpbin):
    seen = json.loads(send_once(f"{httpbin.url}/anything").body)
    headers = seen["headers"]
    assert (seen["method"], seen["data"], seen["args"]) == ("POST", BODY.decode(), {})
    assert seen["json"] == json.loads(BODY)
    verify(seen["data"].encode(), headers["X-Webhook-Signature"], SECRET)
    assert not {"Authorization", "Cookie", "Origin", "Referer"} & set(headers)


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (400, Meaning.REFUSED_WHOLE),
        (401, Meaning.CREDENTIALS),
        (403, Meaning.CREDENTIALS),
        (404, Meaning.ADDRESS),
        (405, Meaning.ADDRESS),
        (410, Meaning.ADDRESS),
        (413, Meaning.REFUSED_WHOLE),
        (418, Meaning.UNKNOWN),
        (422, Meaning.REFUSED_WHOLE),
        (429, Meaning.BUSY),
        (500, Meaning.UNKNOWN),
        (502, Meaning.UNKNOWN),
        (503, Meaning.UNKNOWN),
        (504, Meaning.UNKNOWN),
    ],
)
def test_each_of_its_statuses_means_what_the_table_says(httpbin, status, meaning):
    answer = send_once(f"{httpbin.url}/status/{status}")
    assert (answer.status, answer.failure) == (status, None)
    assert read_answer(answer, ["1"]).meaning is meaning


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_its_redirects_are_not_followed(httpbin, status):
    httpbin.app.query = f"url={httpbin.url}/anything/orders&status_code={status}"
    answer = send_once(f"{httpbin.url}/redirect-to")
    assert answer.status == status
    assert httpbin.app.paths == ["/redirect-to"]


@pytest.mark.parametrize("page", ["/json", "/html", "/gzip", "/stream/5", "/encoding/utf8", "/bytes/1000"])
def test_its_pages_are_read_whole_and_accept_no_order(httpbin, page):
    answer = send_once(httpbin.url + page)
    assert (answer.status, answer.complete) == (200, True)
    assert answer.body
    assert read_answer(answer, ["1"]).meaning is Meaning.UNKNOWN


@pytest.mark.parametrize("page", ["/deflate", "/brotli"])
def test_its_encodings_that_were_not_asked_for_are_not_read(httpbin, page):
    answer = send_once(httpbin.url + page)
    assert (answer.failure, answer.detail) == (Failure.BROKEN, "UnknownEncoding")


def test_its_drip_is_bounded(httpbin):
    httpbin.app.query = "duration=100&numbytes=10000&delay=0"
    answer = send_once(f"{httpbin.url}/drip", timeouts=QUICK)
    assert (answer.status, answer.failure, answer.detail) == (200, Failure.BROKEN, "ReadTimeout")


def test_its_cookies_are_not_kept_and_its_questions_for_a_password_not_answered(
    httpbin, tmp_path, monkeypatch
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password planted\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with LeadDoneClient(
        CREDENTIALS, f"{httpbin.url}/cookies/set/session/planted", timeouts=PATIENT
    ) as client:
        assert client.send(Kind.ORDERS, BODY).status == 302
        client.base_url = f"{httpbin.url}/basic-auth/someone/planted"
        assert client.send(Kind.ORDERS, BODY).status == 401
        client.base_url = f"{httpbin.url}/anything"
        seen = json.loads(client.send(Kind.ORDERS, BODY).body)["headers"]
    assert not {"Authorization", "Cookie"} & set(seen)
