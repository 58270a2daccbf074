"""A process of its own that delivers, to be watched, raced and killed."""

from __future__ import annotations

import multiprocessing
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from leaddone_pipeline.delivery import Delivery
from leaddone_pipeline.ledger import Ledger
from leaddone_pipeline.settings import Account, Credentials, DeliverySettings, LeaseSettings
from leaddone_pipeline.webhook import LeadDoneClient
from tests.support import orders_frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.process import BaseProcess

SHORT_LEASE = LeaseSettings(duration_seconds=1.5, renew_seconds=0.3, fresh_seconds=1.0)
"""For one who dies: the others need not wait long. Who must live keeps the usual one, however slow the machine."""
CLIENT_ID, SECRET = "journey-shop", "whsec_journey"
COUNT = 24


@contextmanager
def delivery(
    url: str,
    base_url: str,
    guarantee: str,
    progress=lambda *_: None,
    shop: str = "default",
    lease: LeaseSettings = LeaseSettings(),  # noqa: B008 - frozen
) -> Iterator[Delivery]:
    credentials = Credentials(CLIENT_ID, SECRET)
    with Ledger(url) as ledger, LeadDoneClient(credentials, base_url=base_url) as client:
        yield Delivery(
            ledger,
            client,
            Account(base_url, CLIENT_ID),
            settings=DeliverySettings(guarantee=guarantee, batch_size=COUNT, max_concurrency=2),
            shop=shop,
            lease=lease,
            progress=progress,
        )


def deliver(url: str, base_url: str, guarantee: str, names: Sequence[str], said, **named) -> None:
    """Deliver one file of orders, tell each stage through `said`, and stay until killed."""
    with delivery(url, base_url, guarantee, lambda stage, _: said.put(stage), **named) as mine:
        report = mine.orders([orders_frame(names)])
        said.put(dict(report.counts))
        signal.pause()


def start(url, base_url, guarantee, names, **named) -> tuple[BaseProcess, multiprocessing.Queue]:
    """Start a deliverer; it shares nothing with this process but files and sockets."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.journeys.deliverer"])
    said = context.Queue()
    process = context.Process(
        target=deliver, args=(url, base_url, guarantee, names, said), kwargs=named, daemon=True
    )
    process.start()
    return process, said
