"""`LeadDoneResource`: a shop's account at LeadDone, for any asset or op."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import dagster as dg
from pydantic import ConfigDict, Field, PrivateAttr
from sqlalchemy import select

from leaddone_pipeline import environment
from leaddone_pipeline.contract import Kind
from leaddone_pipeline.delivery import Delivery, DeliveryReport
from leaddone_pipeline.errors import SettingsError
from leaddone_pipeline.ledger import Ledger, reading
from leaddone_pipeline.orchestration.frames import CheckedFrames
from leaddone_pipeline.orchestration.parcels import known_parcels
from leaddone_pipeline.orchestration.progress import Progress, counts_told
from leaddone_pipeline.orchestration.recorded import record_frame
from leaddone_pipeline.orchestration.released import is_recorded
from leaddone_pipeline.settings import DEFAULT_SHOP, DeliverySettings, Guarantee
from leaddone_pipeline.webhook import LeadDoneClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import httpx
    import pandas as pd
    from sqlalchemy import Connection

    from leaddone_pipeline.intake import Known
    from leaddone_pipeline.settings import Account

__all__ = ["LeadDoneResource"]

Answer = TypeVar("Answer")
_DEFAULTS = DeliverySettings()
_MARK_BYTES = 6


class LeadDoneResource(dg.ConfigurableResource):  # type: ignore[type-arg] # generic over nothing that users see
    """Sends orders and statuses to LeadDone, never twice, and gives LeadDone's ids back.

    Ledger and connections are opened at first use and closed when the run ends; outside a run, `close()` does it.

    Example:
        ```python
        @dg.asset
        def sent_orders(my_orders: pd.DataFrame, leaddone: LeadDoneResource) -> pd.DataFrame:
            return leaddone.send_orders(my_orders).links
        ```
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    client_id: str = Field(
        description="Value of X-Webhook-ClientId, from LeadDone's Intégrations > Webhook; use dg.EnvVar."
    )
    webhook_secret: str = Field(
        repr=False, description="The secret key that signs requests; use dg.EnvVar, and never a literal."
    )
    base_url: str | None = Field(
        default=None,
        description="Where the two webhooks live, without /orders. Empty: LEADDONE_BASE_URL, of the "
        "environment or the project's .env, else LeadDone itself.",
    )
    ledger_url: str | None = Field(
        default=None,
        repr=False,
        description="SQLAlchemy URL of the ledger, which knows what was sent; with a password in it, use dg.EnvVar. "
        "Empty: LEADDONE_LEDGER_URL, likewise, else .leaddone/ledger.db in the project. Another ledger knows "
        "nothing, and sends everything again.",
    )
    root: str | None = Field(
        default=None,
        description="Folder from which the project, with its .env and its ledger, is looked for, upward. Empty: the "
        "working directory.",
    )
    shop: str = Field(default=DEFAULT_SHOP, description="Label of the shop in the ledger and in results.")
    guarantee: str = Field(
        default=_DEFAULTS.guarantee.value,
        description="What happens to orders whose answer never came: at_least_once sends them again, at_most_once "
        "holds them for a person.",
    )
    batch_size: int = Field(
        default=_DEFAULTS.batch_size, description="Records in one request, at most. Larger is not faster."
    )
    max_batch_bytes: int = Field(
        default=_DEFAULTS.max_batch_bytes, description="Bytes in one request's body, at most."
    )
    max_concurrency: int = Field(default=_DEFAULTS.max_concurrency, description="Requests at once, at most.")

    _ledger: Ledger | None = PrivateAttr(default=None)
    _client: LeadDoneClient | None = PrivateAttr(default=None)
    _delivery: Delivery | None = PrivateAttr(default=None)

    def send_orders(
        self, frames: pd.DataFrame | Iterable[pd.DataFrame], *, day: str | None = None
    ) -> DeliveryReport:
        """Send orders that LeadDone does not have yet.

        Rows that do not fit are counted as quarantined, logged by code and row number, and not sent.

        Args:
            frames: columns id (one `#` before it is left out), article, price, phone, and optionally qte, receiver,
                city, address; `skipped` with a reason for those not to be sent.
            day: the day that they are the export of, ISO (delivery.md, rule 6).

        Raises:
            LeadDoneError: the delivery stopped; all is recorded, what was not sent is pending and leaves next time.
        """
        return self._send(Kind.ORDERS, frames, day)

    def send_tracking(
        self, frames: pd.DataFrame | Iterable[pd.DataFrame], *, day: str | None = None
    ) -> DeliveryReport:
        """Send the newest status of each order, where it is news to LeadDone.

        Args:
            frames: columns id, tracking_number, status, and optionally event_time (ISO 8601 with offset).
            day: the day that they belong to, ISO.

        Raises:
            LeadDoneError: as for orders.
        """
        return self._send(Kind.TRACKING, frames, day)

    def links(
        self, order_ids: Sequence[str] | None = None, *, kind: Kind = Kind.ORDERS, day: str | None = None
    ) -> pd.DataFrame:
        """The results table from the ledger; sends nothing.

        Args:
            order_ids: these orders of the account, under whatever label; without it, all of this shop's.
            kind: tracking gives the statuses instead, with tracking_number, status, event_time.
            day: those of this day alone, ISO.
        """
        shop = self.shop if order_ids is None else None
        return self._opened().links(kind=kind, shop=shop, day=day, order_ids=order_ids)

    def links_of(self, day: str) -> tuple[pd.DataFrame, float]:
        """A day's results table from the ledger, and the moment of which it tells (UTC seconds)."""
        return self._opened().links_as_of(shop=self.shop, day=day)

    def deliver(self, kind: Kind, frames: Iterable[pd.DataFrame], *, day: str | None) -> DeliveryReport:
        """Deliver frames that intake has checked already; the report says if and why the run stopped."""
        delivery = self._opened()
        send = delivery.orders if kind is Kind.ORDERS else delivery.tracking
        report = send(frames, day=day)
        dg.get_dagster_logger().info(
            "LeadDone, %s of %s: %s", kind.value, day or self.shop, counts_told(report.as_json())
        )
        return report

    def known_parcels(self) -> Known:
        """What the ledger knows of parcels, for courier files without the shop's order ids."""
        return known_parcels(self._opened_ledger, self._account())

    def record(self, kind: Kind, frames: Iterable[pd.DataFrame], *, day: str | None) -> bool:
        """Record checked frames as before a delivery (delivery.md, rule 5), and say whether it would send any."""
        ledger, account, to_send = self._opened_ledger(), self._account(), False
        for frame in frames:
            to_send |= record_frame(ledger, account, kind, frame, shop=self.shop, day=day)
        return to_send

    def has_recorded(self, kind: Kind, frames: Iterable[pd.DataFrame], *, day: str) -> bool:
        """Whether all that a delivery of these checked frames would send stands in the ledger as it is."""
        ledger, account = self._opened_ledger(), self._account()
        return all(is_recorded(ledger, account, kind, one, shop=self.shop, day=day) for one in frames)

    def transport(self) -> httpx.BaseTransport | None:
        """What carries the requests; override it in tests to stay off the network.

        Example:
            ```python
            class SandboxedLeadDone(LeadDoneResource):
                def transport(self):
                    return sandbox.transport  # a leaddone_pipeline.testing.LeadDoneSandbox
            ```
        """
        return None

    @property
    def ledger_place(self) -> str:
        """Where the ledger is, its password hidden (delivery.md, rule 2)."""
        return self._opened_ledger().place

    @property
    def ledger_is_a_file(self) -> bool:
        """Whether the ledger is of this machine alone."""
        return self._opened_ledger().url.get_backend_name() == "sqlite"

    @property
    def account_mark(self) -> str:
        """A short hash of address and client id: tells two accounts apart, and nothing else."""
        account = self._account()
        told = f"{account.base_url} {account.client_id}".encode()
        return hashlib.blake2b(told, digest_size=_MARK_BYTES).hexdigest()

    def ask_ledger(self, question: Callable[[Connection, int | None], Answer]) -> Answer:
        """Ask the ledger about this account, by its number; None where the ledger has never seen it."""
        account = self._account()
        return self._opened_ledger().read(
            lambda connection: question(connection, reading.find_account(connection, account))
        )

    def ledger_now(self) -> float:
        """The time by the ledger's clock, UTC seconds."""
        ledger = self._opened_ledger()
        return float(ledger.read(lambda connection: connection.execute(select(ledger.now())).scalar_one()))

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002 - Dagster's signature
        self.close()

    def close(self) -> None:
        """Close ledger and connections; the next use opens them again."""
        self._delivery = None
        if self._client is not None:
            self._client.close()
            self._client = None
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None

    def _send(
        self, kind: Kind, frames: pd.DataFrame | Iterable[pd.DataFrame], day: str | None
    ) -> DeliveryReport:
        checked = CheckedFrames(kind, frames)
        report = checked.counted_in(self.deliver(kind, checked, day=day))
        refusals = checked.refusals()
        if refusals:
            dg.get_dagster_logger().warning("%s", refusals)
        if report.stopped is not None:
            raise report.stopped
        return report

    def _opened_ledger(self) -> Ledger:
        if self._ledger is None:
            self._ledger = Ledger(self.ledger_url or environment.ledger_url(self._start()))
            dg.get_dagster_logger().info(
                "The ledger is at %s%s",
                self._ledger.place,
                ", newly made: it knows nothing of earlier deliveries" if self._ledger.newly_made else "",
            )
        return self._ledger

    def _opened(self) -> Delivery:
        if self._delivery is None:
            settings = self._settings()
            credentials = environment.credentials_of(self.client_id, self.webhook_secret)
            account = self._account()
            ledger = self._opened_ledger()
            try:
                self._client = LeadDoneClient(
                    credentials,
                    account.base_url,
                    max_connections=settings.max_concurrency,
                    transport=self.transport(),
                )
            except ValueError as error:
                raise environment.unusable(error) from None
            self._delivery = Delivery(
                ledger, self._client, account, shop=self.shop, settings=settings, progress=Progress()
            )
        return self._delivery

    def _account(self) -> Account:
        return environment.account_of(self.base_url or environment.base_url(self._start()), self.client_id)

    def _start(self) -> Path:
        return Path.cwd() if self.root is None else Path(self.root)

    def _settings(self) -> DeliverySettings:
        if self.guarantee not in set(Guarantee):
            raise SettingsError(
                f'"{self.guarantee}" is no guarantee',
                remedy=f"Write {' or '.join(Guarantee)}",
                setting="guarantee",
            )
        try:
            return DeliverySettings(
                guarantee=Guarantee(self.guarantee),
                batch_size=self.batch_size,
                max_batch_bytes=self.max_batch_bytes,
                max_concurrency=self.max_concurrency,
            )
        except ValueError as error:
            raise environment.unusable(error) from None
