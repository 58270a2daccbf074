"""A LeadDone without input and output: request in, answer out, and a memory of what was processed.

It behaves as the API documentation says and, where that is silent, as a plain Laravel application does
(design.md, "The request"; delivery.md C). Served over HTTP by `app.py`, and in tests by
`leaddone_pipeline.testing`.
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.errors import SignatureInvalid
from leaddone_pipeline.sandbox.exchange import Request, Response, html, json_response
from leaddone_pipeline.sandbox.faults import (
    Fault,
    PlannedFault,
    alter_results,
    error,
    refuse,
    replace_answer,
)
from leaddone_pipeline.sandbox.order_book import OrderBook, Repeats
from leaddone_pipeline.sandbox.validation import id_text, parse_records, refusal, validate
from leaddone_pipeline.webhook.signing import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["BASE_PATH", "LoggedRequest", "Platform"]

BASE_PATH = "/api/webhook"
_ROUTES = {f"{BASE_PATH}/orders": Kind.ORDERS, f"{BASE_PATH}/orders/tracking": Kind.TRACKING}

SNAPSHOT_VERSION = 1


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request that reached the platform, without personal data.

    Attributes:
        number: counted from 1 since the platform was made.
        at: when it was answered, UTC, ISO 8601.
        kind: `orders` or `tracking`; empty where the path names neither.
        client_id: what the request claims to be; empty if it says nothing.
        ids: the order ids in its body, in their order.
        status: of the answer; 0 where the connection was cut unread.
        fate: whether the answer was handed to the connection (`answered`), cut off after processing (`lost`),
            or the request was cut off before (`unread`).
    """

    number: int
    at: str
    kind: str
    client_id: str
    ids: tuple[str, ...]
    status: int
    fate: Literal["answered", "lost", "unread"]


class Platform:
    """A LeadDone for trying things on.

    Calls from several threads are served one after the other.

    Args:
        credentials: the secret of each client id.
        faults: names from `Fault`, each `name` or `name:COUNT` for the first COUNT requests only.
        repeats: what an order id that is already known does.
        state: a snapshot to begin with.
        clock: gives the time, with zone, of what is remembered.
    """

    def __init__(
        self,
        *,
        credentials: Mapping[str, str],
        faults: Sequence[str] = (),
        repeats: Repeats = "recognise",
        state: Mapping[str, Any] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._credentials = dict(credentials)
        self._book = OrderBook(repeats=repeats)
        self._log: list[LoggedRequest] = []
        self._faults: list[PlannedFault] = []
        self._clock = clock
        self._lock = threading.RLock()
        self.set_faults(faults)
        if state is not None:
            self.restore(state)

    def set_faults(self, faults: Sequence[str]) -> None:
        """Switch exactly these faults on; their counting begins anew.

        Raises:
            SettingsError: a name or count that means nothing; the faults stay as they were.
        """
        planned = [PlannedFault.parse(text) for text in faults]
        with self._lock:
            self._faults = planned

    @property
    def faults(self) -> list[str]:
        """The faults that are on, as `name` or `name:REQUESTS_LEFT`."""
        with self._lock:
            return [str(planned) for planned in self._faults if planned.left != 0]

    @property
    def requests(self) -> list[LoggedRequest]:
        """Every request since the platform was made, oldest first."""
        with self._lock:
            return list(self._log)

    def orders(self, client_id: str) -> dict[str, dict[str, Any]]:
        """A client's orders by id.

        Each holds the record's fields as received, and `internal_id`, `internal_ids`, `processed` (how often
        it was taken), `status`, `tracking_number` and `statuses` (oldest first).
        """
        with self._lock:
            return self._book.of(client_id)

    def snapshot(self) -> dict[str, Any]:
        """What must be known again after a restart, as JSON values; no receiver, phone or address."""
        with self._lock:
            return {"version": SNAPSHOT_VERSION, **self._book.snapshot()}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Know again what `snapshot()` gave.

        Raises:
            ValueError, KeyError, TypeError: it is no snapshot of this version.
        """
        if snapshot["version"] != SNAPSHOT_VERSION:
            raise ValueError("a snapshot of another version")
        with self._lock:
            self._book.restore(snapshot)

    def answer(self, request: Request) -> Response:
        """Process a request, as far as it and the faults allow, and give its answer."""
        with self._lock:
            records = parse_records(request.body, request.headers.get("content-type", ""))
            response = self._answer(request, records)
            self._remember(request, records, response)
            return response

    def describe(self, request: Request) -> dict[str, Any]:
        """Kind, client id and ids of a request that is not processed yet."""
        records = parse_records(request.body, request.headers.get("content-type", ""))
        return {"kind": _kind_text(request), "client_id": _client_id(request), "ids": _ids(records)}

    def _answer(self, request: Request, records: Mapping[str, Any]) -> Response:
        wants_json = _wants_json(request)
        kind = _ROUTES.get(request.path)
        if kind is None:
            route = request.path.lstrip("/")
            return error(404, f"The route {route} could not be found.", wants_json=wants_json)
        if request.method != "POST":
            message = f"The {request.method} method is not supported for route {request.path.lstrip('/')}."
            return error(405, f"{message} Supported methods: POST.", wants_json=wants_json, allow="POST")
        striking = [planned.fault for planned in self._faults if planned.strikes()]
        for fault in striking:
            refused = refuse(fault, records=len(records), wants_json=wants_json)
            if refused is not None:
                return refused
        response = self._process(request, kind, records, striking)
        for fault in striking:
            response = replace_answer(fault, response)
        return response

    def _process(
        self, request: Request, kind: Kind, records: Mapping[str, Any], striking: Sequence[Fault]
    ) -> Response:
        unsigned = self._unsigned(request)
        if unsigned is not None:
            return json_response(401, {"message": unsigned})
        errors = validate(kind, records)
        if not errors and kind is Kind.ORDERS and Fault.ECHO in striking:
            errors = {
                f"{index}.phone": [f"The phone {each['phone']} is invalid."]
                for index, each in records.items()
            }
        if errors:
            # Laravel sends who did not ask for JSON back to where a browser's form would have been.
            return (
                json_response(422, refusal(errors))
                if _wants_json(request)
                else html(302, "Redirecting", location="/")
            )
        results = self._results(kind, _client_id(request), records)
        for fault in striking:
            results = alter_results(fault, results)
        return json_response(200, results)

    def _unsigned(self, request: Request) -> str | None:
        client_id, signature = _client_id(request), request.headers.get("x-webhook-signature", "")
        if not client_id or not signature:
            return "Missing webhook headers."
        secret = self._credentials.get(client_id)
        if secret is None:
            return "Unknown client."
        try:
            verify(request.body, signature, secret)
        except SignatureInvalid:
            return "Invalid signature."
        return None

    def _results(self, kind: Kind, client_id: str, records: Mapping[str, Any]) -> list[dict[str, Any]]:
        if kind is Kind.ORDERS:
            return [self._book.take(client_id, record) for record in records.values()]
        now = self._now()
        return [self._book.update(client_id, record, received_at=now) for record in records.values()]

    def _remember(self, request: Request, records: Mapping[str, Any], response: Response) -> None:
        self._log.append(
            LoggedRequest(
                number=len(self._log) + 1,
                at=self._now(),
                kind=_kind_text(request),
                client_id=_client_id(request),
                ids=tuple(_ids(records)),
                status=response.status,
                fate="lost" if response.lost else "unread" if response.unread else "answered",
            )
        )

    def _now(self) -> str:
        return self._clock().astimezone(UTC).isoformat()

    def report(self) -> dict[str, Any]:
        """The snapshot, the requests and the faults that are on, as JSON values."""
        with self._lock:
            requests = [asdict(logged) for logged in self._log]
            return {**self.snapshot(), "requests": requests, "faults": self.faults}


def _wants_json(request: Request) -> bool:
    """Laravel's `wantsJson`: only the first choice of the Accept header counts."""
    first = request.headers.get("accept", "").split(",")[0]
    return "/json" in first or "+json" in first


def _client_id(request: Request) -> str:
    return request.headers.get("x-webhook-clientid", "")


def _kind_text(request: Request) -> str:
    kind = _ROUTES.get(request.path)
    return kind.value if kind else ""


def _ids(records: Mapping[str, Any]) -> list[str]:
    found = (id_text(record.get("id")) for record in records.values() if isinstance(record, dict))
    return [each for each in found if each is not None]
