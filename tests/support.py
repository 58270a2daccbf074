"""What many tests need: frames of invented orders, a delivery against a sandbox, a clock that nobody waits for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pandas as pd

from leaddone_pipeline.delivery import Clock, Delivery
from leaddone_pipeline.settings import Account, Credentials, DeliverySettings
from leaddone_pipeline.testing import LeadDoneSandbox
from leaddone_pipeline.webhook import LeadDoneClient

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from leaddone_pipeline.ledger import Ledger

TEXT = "string[pyarrow]"


def orders_frame(ids: Sequence[str], *, source_file: str = "orders.csv", **columns: Any) -> pd.DataFrame:
    """Invented orders, one row an id; a keyword changes a column."""
    rows = {
        "id": list(ids),
        "article": "Lampe",
        "price": "199.5",
        "phone": "0612345678",
        "qte": "1",
        "receiver": "Amina Essai",
        "city": "Fès",
        "address": "12 rue des Essais",
        "skipped": "",
        "source_file": source_file,
    } | columns
    frame = pd.DataFrame(rows).astype(TEXT)
    return frame.assign(source_row=pd.Series(range(2, len(frame) + 2), dtype="Int64"))


def updates_frame(rows: Sequence[tuple[str, str, str]], *, timed: bool = True) -> pd.DataFrame:
    """Statuses as (order id, status, time); the tracking number follows from the order id."""
    frame = pd.DataFrame(
        {
            "id": [row[0] for row in rows],
            "tracking_number": [f"TRK-{row[0]}" for row in rows],
            "status": [row[1] for row in rows],
            "event_time": [row[2] for row in rows],
            "source_file": "tracking.csv",
        }
    ).astype(TEXT)
    return frame.assign(timed=timed, source_row=pd.Series(range(2, len(frame) + 2), dtype="Int64"))


def ids(count: int, prefix: str = "A") -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


class PassingClock(Clock):
    """A clock on which sleeping costs nothing but moves the time."""

    def __init__(self) -> None:
        self.time = 1_000_000.0

    def elapsed(self) -> float:
        return self.time

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def delivery_to(
    sandbox: LeadDoneSandbox, ledger: Ledger, *, clock: Clock | None = None, **settings: Any
) -> Delivery:
    """A delivery to a sandbox, in batches of ten by one worker unless `settings` says otherwise."""
    shop = settings.pop("shop", "default")
    base_url = settings.pop("base_url", sandbox.base_url)
    client = LeadDoneClient(
        Credentials(sandbox.client_id, sandbox.webhook_secret),
        base_url=base_url,
        transport=sandbox.transport,
    )
    return Delivery(
        ledger,
        client,
        Account(base_url, sandbox.client_id),
        shop=shop,
        settings=DeliverySettings(**{"batch_size": 10, "max_concurrency": 1} | settings),
        clock=clock,
    )


class ScriptedServer(LeadDoneSandbox):
    """A sandbox whose answer a function may replace: it gets the records, and returns None to let it answer."""

    def __init__(self, script: Callable[[list[dict[str, Any]]], httpx.Response | None]) -> None:
        super().__init__()
        honest = self.transport
        self.bodies: list[list[str]] = []

        def handle(request: httpx.Request) -> httpx.Response:
            records = json.loads(request.content)
            self.bodies.append([record["id"] for record in records])
            answer = script(records)
            return answer if answer is not None else honest.handle_request(request)

        self.transport = httpx.MockTransport(handle)
