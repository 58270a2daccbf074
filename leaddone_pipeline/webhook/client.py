"""LeadDone over HTTP: one call is one attempt, and each attempt ends in an `Answer`, whatever happens."""

from __future__ import annotations

import time
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import version
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Self

import httpx

from leaddone_pipeline.contract import Kind, trim
from leaddone_pipeline.settings import DEFAULT_BASE_URL, Account, TimeoutSettings
from leaddone_pipeline.webhook.answers import Answer, Failure, Verdict, read_answer
from leaddone_pipeline.webhook.encoding import body as join
from leaddone_pipeline.webhook.encoding import encode
from leaddone_pipeline.webhook.signing import sign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leaddone_pipeline.settings import Credentials
    from leaddone_pipeline.webhook.records import Order, Record, TrackingUpdate

__all__ = ["MAX_ANSWER_BYTES", "LeadDoneClient"]

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""An answer beyond this, decompressed, is cut off (delivery.md, rule 31)."""

_PATHS = {Kind.ORDERS: "/orders", Kind.TRACKING: "/orders/tracking"}
_ENCODINGS = frozenset({"", "identity", "gzip"})

# What ends an attempt before a byte of the body leaves. A proxy's refusal is one: it concerns the tunnel,
# since only https goes through proxies. Everything else may have come after, also the end of a connection
# that was kept alive and that the server closed just as it was used again: whether it had read the request by
# then, no one knows.
_BEFORE_THE_BODY = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class LeadDoneClient:
    """The two webhooks, for any number of threads; connections are kept and used again.

    Follows no redirect, keeps no cookie, retries nothing. Certificates are always checked, against the
    authorities of `SSL_CERT_FILE` where it is set. The proxy of the environment is used for https; plain http
    goes only to this machine, never through a proxy. No `.netrc` is read and no Authorization header added.

    Args:
        credentials: what signs the requests.
        base_url: where the two webhooks live, without `/orders`.
        timeouts: `read_seconds` bounds each wait for bytes, and the reading of an answer's body as a whole.
        max_connections: requests at once, at most.
        transport: instead of the network, for tests.

    Raises:
        ValueError: an address that may not be used (rule 31), with the remedy.
    """

    def __init__(
        self,
        credentials: Credentials,
        base_url: str = DEFAULT_BASE_URL,
        *,
        timeouts: TimeoutSettings = TimeoutSettings(),  # noqa: B008 - frozen
        max_connections: int = 8,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.base_url = _usable(Account(base_url, credentials.client_id).base_url)
        self._credentials = credentials
        self._timeouts = timeouts
        self._transport = transport
        self._trust_env = self.base_url.startswith("https:")
        self._certificates = httpx.create_ssl_context(trust_env=self._trust_env)
        self._slots = BoundedSemaphore(max_connections)
        self._idle: list[httpx.Client] = []
        self._closed = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r}, client_id={self._credentials.client_id!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, those in use as soon as they are not; nothing can be sent afterwards."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def sign_request(self, body: bytes) -> dict[str, str]:
        """Give the headers that go with a body, its signature among them (design.md, "The request" 1)."""
        return {
            "X-Webhook-ClientId": self._credentials.client_id,
            "X-Webhook-Signature": sign(body, self._credentials.webhook_secret),
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": _USER_AGENT,
        }

    def send(self, kind: Kind, body: bytes) -> Answer:
        """Send a body once. Whatever happens on the network is an answer, never an exception.

        Raises:
            RuntimeError: the client was closed before.
        """
        if not self._slots.acquire(timeout=self._timeouts.connect_seconds):
            return Answer(None, failure=Failure.UNREACHED, complete=False, detail="PoolTimeout")
        try:
            http = self._take()
            try:
                return self._attempt(http, self.base_url + _PATHS[kind], body)
            finally:
                self._give_back(http)
        finally:
            self._slots.release()

    def send_orders(self, orders: Sequence[Order]) -> Verdict:
        """Send orders with different ids as one request, once, without a ledger; `said` is in their order.

        Raises:
            ValueError: an order that cannot be written; nothing was sent.
        """
        return self._send_records(Kind.ORDERS, orders)

    def send_tracking(self, updates: Sequence[TrackingUpdate]) -> Verdict:
        """Send tracking updates of different orders as `send_orders` sends orders."""
        return self._send_records(Kind.TRACKING, updates)

    def _send_records(self, kind: Kind, records: Sequence[Record]) -> Verdict:
        answer = self.send(kind, join([encode(record) for record in records]))
        return read_answer(answer, [trim(record.id) for record in records])

    def _take(self) -> httpx.Client:
        """Take the connection used last; open one where all are in use.

        Each is an `httpx.Client` of its own with one connection, used by one thread at a time: the pool of
        httpcore 1.0, shared by more threads than connections, now and then closes one under a request
        (measured: 2 of 1,000), and the fate of its orders would be unknown for nothing.
        """
        if self._closed:
            raise RuntimeError("this client is closed")
        try:
            return self._idle.pop()
        except IndexError:
            return self._open()

    def _give_back(self, http: httpx.Client) -> None:
        if self._closed:
            http.close()
        else:
            self._idle.append(http)

    def _open(self) -> httpx.Client:
        seconds = self._timeouts
        return httpx.Client(
            verify=self._certificates,
            timeout=httpx.Timeout(
                connect=seconds.connect_seconds,
                write=seconds.write_seconds,
                read=seconds.read_seconds,
                pool=seconds.connect_seconds,
            ),
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            follow_redirects=False,
            trust_env=self._trust_env,
            transport=self._transport,
        )

    def _attempt(self, http: httpx.Client, url: str, body: bytes) -> Answer:
        request = http.build_request("POST", url, content=body, headers=self.sign_request(body))
        try:
            response = http.send(request, auth=None, stream=True)
        except httpx.RequestError as error:
            failure = Failure.UNREACHED if isinstance(error, _BEFORE_THE_BODY) else Failure.BROKEN
            return Answer(None, failure=failure, complete=False, detail=type(error).__name__)
        try:
            return self._read(response)
        finally:
            response.close()

    def _read(self, response: httpx.Response) -> Answer:
        status, headers = response.status_code, dict(response.headers)

        def broken(detail: str) -> Answer:
            return Answer(status, headers, failure=Failure.BROKEN, complete=False, detail=detail)

        # Only what was asked for: stacked or foreign encodings could unfold a few bytes without bound.
        if headers.get("content-encoding", "").strip().lower() not in _ENCODINGS:
            return broken("UnknownEncoding")
        deadline = time.monotonic() + self._timeouts.read_seconds
        content = bytearray()
        try:
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    return broken("AnswerTooLarge")
                if time.monotonic() > deadline:
                    return broken("ReadTimeout")
        except httpx.RequestError as error:
            return broken(type(error).__name__)
        return Answer(status, headers, bytes(content))


_USER_AGENT = f"leaddone-pipeline/{version('leaddone-pipeline')}"


def _usable(base_url: str) -> str:
    """Refuse now what httpx or the resolver would refuse with an error of their own at the first request."""
    try:
        httpx.URL(base_url).host.encode("idna")
    except (httpx.InvalidURL, UnicodeError):
        raise ValueError("base_url has a host name that cannot be; write it as https://host/path") from None
    return base_url
