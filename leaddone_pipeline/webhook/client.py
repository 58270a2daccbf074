"""LeadDone over HTTP: one call is one attempt, and each attempt ends in an `Answer`, whatever happens."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import version
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Self

import httpx

from leaddone_pipeline.contract import Kind, trim
from leaddone_pipeline.settings import DEFAULT_BASE_URL, LOOPBACK, Account, TimeoutSettings
from leaddone_pipeline.webhook.answers import Answer, Failure, Verdict, read_answer
from leaddone_pipeline.webhook.encoding import body as join
from leaddone_pipeline.webhook.encoding import encode
from leaddone_pipeline.webhook.receiving import UnreadableAnswer, receive
from leaddone_pipeline.webhook.signing import sign
from leaddone_pipeline.webhook.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from leaddone_pipeline.settings import Credentials
    from leaddone_pipeline.webhook.records import Order, Record, TrackingUpdate

__all__ = ["LeadDoneClient"]

_PATHS = {Kind.ORDERS: "/orders", Kind.TRACKING: "/orders/tracking"}

# What ends an attempt before a byte of the body leaves, by its name alone. A proxy's refusal is one: it concerns
# the tunnel, since only https goes through proxies. Of everything else the wire knows whether the body had begun
# to leave. A kept connection that the server closed just as it was used again may have carried it: whether it
# was read by then, no one knows.
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
    authorities of `SSL_CERT_FILE` where it is set. The proxy of the environment is used for https, but never on
    the way to this machine. No `.netrc` is read and no Authorization header added.

    Args:
        credentials: what signs the requests.
        base_url: where the two webhooks live, without `/orders`.
        timeouts: each bounds a single wait; their sum bounds an attempt as a whole.
        max_connections: requests at once, at most.
        transport: instead of the network, for tests.

    Raises:
        ValueError: an address that may not be used (rule 31), or a proxy that cannot, with the remedy.
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
        self._certificates = _certificates(of_environment=self.base_url.startswith("https:"))
        self._by_proxy = httpx.URL(self.base_url).host not in LOOPBACK
        self._slots = BoundedSemaphore(max_connections)
        self._idle = [_Line(_with_a_usable_proxy(self._open))]
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
            self._idle.pop().http.close()

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
            line = self._take()
            try:
                return self._attempt(line, self.base_url + _PATHS[kind], body)
            finally:
                self._give_back(line)
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

    def _take(self) -> _Line:
        """Take the connection used last; open one where all are in use."""
        if self._closed:
            raise RuntimeError("this client is closed")
        try:
            return self._idle.pop()
        except IndexError:
            return _Line(self._open())

    def _give_back(self, line: _Line) -> None:
        if self._closed:
            line.http.close()
        else:
            self._idle.append(line)

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
            event_hooks={"response": [_go_nowhere]},
            trust_env=self._by_proxy,
            transport=self._transport,
        )

    def _attempt(self, line: _Line, url: str, body: bytes) -> Answer:
        seconds, wire = self._timeouts, line.wire
        wire.begin(seconds.connect_seconds + seconds.write_seconds + seconds.read_seconds)
        request = line.http.build_request(
            "POST", url, content=body, headers=self.sign_request(body), extensions={"trace": wire}
        )
        try:
            response = line.http.send(request, auth=None, stream=True)
        except httpx.RequestError as error:
            left_nothing = isinstance(error, _BEFORE_THE_BODY) or wire.kept_the_body
            failure = Failure.UNREACHED if left_nothing else Failure.BROKEN
            return Answer(None, failure=failure, complete=False, detail=_detail(error))
        try:
            if wire.was_silent:
                # Two answers to the request before this one: to take them one by one would leave each batch
                # with the answer of another.
                return Answer(None, failure=Failure.BROKEN, complete=False, detail="AnsweredBefore")
            return _read(response)
        finally:
            response.close()


def _read(response: httpx.Response) -> Answer:
    status, headers = response.status_code, dict(response.headers)
    try:
        return Answer(status, headers, receive(response))
    except UnreadableAnswer as unreadable:
        detail = str(unreadable)
    except httpx.RequestError as error:
        detail = type(error).__name__
    return Answer(status, headers, failure=Failure.BROKEN, complete=False, detail=detail)


def _detail(error: httpx.RequestError) -> str:
    """The kind of an error, and what is wrong with the server's certificate; other texts may quote anything."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"{type(error).__name__}, certificate: {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


@dataclass(frozen=True, slots=True)
class _Line:
    """An `httpx.Client` of its own with one connection, used by one thread at a time, and what it tells.

    The pool of httpcore 1.0, shared by more threads than connections, now and then closes one under a request
    (measured: 2 of 1,000), and the fate of its orders would be unknown for nothing.
    """

    http: httpx.Client
    wire: Wire = field(default_factory=Wire)


def _go_nowhere(response: httpx.Response) -> None:
    """Forget where a redirect leads: httpx reads it even if it does not follow, and fails where it cannot."""
    response.headers.pop("location", None)


def _certificates(*, of_environment: bool) -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context(trust_env=of_environment)
    except OSError as error:  # ssl.SSLError is one
        raise ValueError(
            f"SSL_CERT_FILE or SSL_CERT_DIR cannot be used ({type(error).__name__}); name certificates that exist, "
            "or unset it"
        ) from None


def _with_a_usable_proxy(open_first: Callable[[], httpx.Client]) -> httpx.Client:
    """Open the first connection's client: what httpx says of the environment's proxy, it says now."""
    try:
        return open_first()
    except (ValueError, ImportError, httpx.InvalidURL):
        raise ValueError(
            "base_url cannot be reached through the proxy that the environment names; write HTTPS_PROXY as "
            "http://host:port, or add the host to NO_PROXY"
        ) from None


_USER_AGENT = f"leaddone-pipeline/{version('leaddone-pipeline')}"


def _usable(base_url: str) -> str:
    """Refuse now what httpx or the resolver would refuse with an error of their own at the first request."""
    try:
        httpx.URL(base_url).host.encode("idna")
    except (httpx.InvalidURL, UnicodeError):
        raise ValueError("base_url has an invalid host name; write it as https://host/path") from None
    return base_url
