"""`LeadDoneShopComponent`: a shop by a `defs.yaml`, with no line of Python."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Annotated, Literal

import dagster as dg
from pydantic import Field, field_validator

from leaddone_pipeline import environment
from leaddone_pipeline.contract import Kind
from leaddone_pipeline.errors import SettingsError
from leaddone_pipeline.intake import SourceSettings
from leaddone_pipeline.orchestration.arrivals import build_files_sensor
from leaddone_pipeline.orchestration.assets import build_assets
from leaddone_pipeline.orchestration.automation import build_job, build_schedule
from leaddone_pipeline.orchestration.exports import Files
from leaddone_pipeline.orchestration.open_days import build_open_days_sensor
from leaddone_pipeline.orchestration.resource import LeadDoneResource
from leaddone_pipeline.orchestration.scaffold import ShopScaffolder
from leaddone_pipeline.orchestration.shop import Limits, Shop
from leaddone_pipeline.settings import DeliverySettings

__all__ = ["LeadDoneShopComponent"]

_DEFAULTS = DeliverySettings()
_LIMITS = Limits()
_NAME = "^[a-z][a-z0-9_]*$"
_TEMPLATE = r"\{\{.*?\}\}"
"""Dagster fills it in when it loads the YAML."""

Described = dg.Resolver.default


@dg.scaffold_with(ShopScaffolder)
class LeadDoneShopComponent(dg.Component, dg.Model, dg.Resolvable):
    """Delivers one shop's orders and courier statuses to LeadDone, and brings LeadDone's ids back as tables.

    A whole `defs.yaml`:

    ```yaml
    type: leaddone_pipeline.LeadDoneShopComponent

    attributes:
      shop: atlas
      orders_files: data/atlas/orders/orders-{date}.csv
      courier_files: data/atlas/courier/tracking-{date}.csv
      start_date: "2026-11-16"
    ```

    Client id and secret are read from LEADDONE_CLIENT_ID and LEADDONE_WEBHOOK_SECRET when a run starts; the YAML
    can name other variables, and never holds the values. Tables go to the project's IO manager.
    """  # noqa: D405 - the YAML's own word

    shop: Annotated[
        str,
        Described(
            description="Name of the shop: prefix of its assets, label in the ledger. Small letters, digits and _.",
            examples=["atlas"],
        ),
    ] = Field(pattern=_NAME)
    orders_files: Annotated[
        str,
        Described(
            description="Where a day's exports lie: {date} stands for YYYY-MM-DD, and *, ?, [...] may be used. "
            "Without {date}, each order's own date tells its day: for one file, or a folder, that goes on growing. "
            "Relative to the project's root, the nearest folder upward with a pyproject.toml.",
            examples=["data/atlas/orders/orders-{date}.csv", "exports/orders.csv"],
        ),
    ]
    courier_files: Annotated[
        str | None,
        Described(
            description="Where a day's courier files lie, likewise; without {date}, the time of each event tells "
            "its day. Empty: the shop has no tracking assets.",
            examples=["data/atlas/courier/tracking-{date}*.csv"],
        ),
    ] = None
    start_date: Annotated[
        str,
        Described(
            description="First day that can be delivered, YYYY-MM-DD: its partitions begin here.",
            examples=["2026-11-16"],
        ),
    ] = Field(pattern=r"^\d{4}-\d{2}-\d{2}$|\{\{")
    source: Annotated[
        str | None,
        Described(
            description="Kind of the exports: a built-in source, or the path of a YAML of your own. Empty: "
            "recognised from each file's header.",
            examples=["shopify", "sources/my_shop.yaml"],
        ),
    ] = None
    courier_source: Annotated[
        str | None,
        Described(description="Kind of the courier files, likewise.", examples=["leaddone"]),
    ] = None
    paid: Annotated[
        Literal["skip", "send"] | None,
        Described(
            description="What to do with orders paid by card: skip leaves them out, send lets the courier collect "
            "their amount. Empty: what the source says.",
            examples=["skip"],
        ),
    ] = None
    fulfilled: Annotated[
        Literal["skip", "send"] | None,
        Described(
            description="What to do with orders that the export calls fulfilled: skip leaves them out, send delivers "
            "them. Empty: what the source says.",
            examples=["send"],
        ),
    ] = None
    amount: Annotated[
        Literal["owed", "items"] | None,
        Described(
            description="What the courier collects: owed is what the customer still owes, shipping included; items "
            "the goods after discounts, for shops that collect shipping otherwise. Empty: what the source says.",
            examples=["owed"],
        ),
    ] = None
    price_is: Annotated[
        Literal["unit", "total"] | None,
        Described(
            description="What a price column without further words means in a hand-made list: unit is the price of "
            "one piece, total of all of them. Empty: rows with a quantity above 1 are quarantined.",
            examples=["total"],
        ),
    ] = None
    currency: Annotated[
        str | None,
        Described(
            description="The one currency that the exports may have, by its ISO 4217 code; other orders are "
            "quarantined. Empty: what the source says.",
            examples=["MAD"],
        ),
    ] = None
    region: Annotated[
        str | None,
        Described(
            description="Country of phone numbers that are written without one, by its ISO 3166 code. Empty: what "
            "the source says.",
            examples=["MA"],
        ),
    ] = None
    client_id_env: Annotated[
        str,
        Described(
            description="Environment variable that holds the client id; read when a run starts.",
            examples=["ATLAS_LEADDONE_CLIENT_ID"],
        ),
    ] = environment.CLIENT_ID
    webhook_secret_env: Annotated[
        str,
        Described(
            description="Environment variable that holds the secret key; read when a run starts.",
            examples=["ATLAS_LEADDONE_WEBHOOK_SECRET"],
        ),
    ] = environment.WEBHOOK_SECRET
    guarantee: Annotated[
        Literal["at_least_once", "at_most_once"],
        Described(
            description="What happens to orders whose answer never came: at_least_once sends them again, "
            "at_most_once holds them for a person.",
            examples=["at_most_once"],
        ),
    ] = _DEFAULTS.guarantee.value
    batch_size: Annotated[
        int,
        Described(
            description="Records in one request, at most. LeadDone's checks grow with its square: larger is slower.",
            examples=[200],
        ),
    ] = Field(default=_DEFAULTS.batch_size, ge=1)
    time_zone: Annotated[
        str,
        Described(
            description="Time zone in which the shop's days begin and end.", examples=["Africa/Casablanca"]
        ),
    ] = "Africa/Casablanca"
    days_per_run: Annotated[
        int | None,
        Described(
            description="Days in one run of a backfill, at most. Empty or 0: all. 1 for IO managers that store a "
            "single day at a time, as Dagster's default one does.",
            examples=[1],
        ),
    ] = None
    schedule: Annotated[
        str | None,
        Described(
            description="Cron expression for delivering today and the days before it; empty (null): no schedule. It "
            "is off until someone switches it on in Dagster. A tick with nothing new sends nothing.",
            examples=["*/15 * * * *"],
        ),
    ] = "*/15 * * * *"
    lookback_days: Annotated[
        int,
        Described(
            description="Days before today that the schedule delivers again, for files that come late.",
            examples=[1],
        ),
    ] = Field(default=1, ge=0, le=31)
    sensor: Annotated[
        int | None,
        Described(
            description="Seconds between two looks of the sensor that delivers a day as soon as its files are new or "
            "changed, of any age; empty (null): no such sensor. It is off until someone switches it on in Dagster.",
            examples=[60],
        ),
    ] = 60
    max_refused_share: Annotated[
        float,
        Described(
            description="Share of a day's rows, from 0 to 1, that may be refused. Beyond it, from 20 rows up, the "
            "day is held and nothing of it is sent, until the run tag leaddone/release names it.",
            examples=[0.5],
        ),
    ] = Field(default=_LIMITS.refused, ge=0, le=1)
    max_quarantined_share: Annotated[
        float,
        Described(
            description="Share of a day's rows, from 0 to 1, beyond which the check quarantine_rate warns.",
            examples=[0.05],
        ),
    ] = Field(default=_LIMITS.quarantined, ge=0, le=1)
    max_rejected_share: Annotated[
        float,
        Described(
            description="Share of a day's records, from 0 to 1, beyond which the check rejection_rate warns that "
            "LeadDone refused them.",
            examples=[0.05],
        ),
    ] = Field(default=_LIMITS.rejected, ge=0, le=1)
    pool: Annotated[
        str | None,
        Described(
            description="Dagster pool that bounds the shop's deliveries at once; empty: leaddone_<shop>. Shops of "
            "one account name the same.",
            examples=["leaddone"],
        ),
    ] = None
    io_manager_key: Annotated[
        str,
        Described(
            description="The project's IO manager that stores the tables.",
            examples=["io_manager"],
        ),
    ] = "io_manager"
    group_name: Annotated[
        str | None,
        Described(description="Asset group in Dagster's graph; empty: the shop's name.", examples=["sales"]),
    ] = None
    owners: Annotated[
        list[str],
        Described(
            description="Owners of the assets: e-mail addresses, or team:NAME.", examples=[["team:shop-data"]]
        ),
    ] = Field(default_factory=list)
    tags: Annotated[
        dict[str, str],
        Described(description="Tags of the assets.", examples=[{"country": "morocco"}]),
    ] = Field(default_factory=dict)

    # Not as constraints of their fields: pydantic applies those to an empty value too, and fails.
    @field_validator("orders_files", "courier_files")
    @classmethod
    def _knows_its_braces(cls, pattern: str | None) -> str | None:
        if pattern is not None and re.search(r"\{(?!date\})", re.sub(_TEMPLATE, "", pattern)):
            raise ValueError("the day is written {date}; nothing else may stand in braces")
        return pattern

    @field_validator("days_per_run", "sensor")
    @classmethod
    def _is_a_number_of_something(cls, number: int | None) -> int | None:
        if number is not None and number < 0:
            raise ValueError("write a number from 1 up, or leave it empty")
        return number

    def build_defs(self, context: dg.ComponentLoadContext | None) -> dg.Definitions:
        """Build assets, checks, job, schedule and the shop's resource.

        Args:
            context: of the component's folder; without one, the working directory is where the project is looked for.

        Raises:
            SettingsError: a relative path, and no project around it.
            IntakeError: a source that cannot be used.
        """
        folder = Path.cwd() if context is None else context.path
        with warnings.catch_warnings():
            # Partitioned checks and backfill policies: measured to work in these versions, and no user's concern.
            warnings.simplefilter("ignore", category=dg.BetaWarning)
            warnings.simplefilter("ignore", category=dg.PreviewWarning)
            shop = self._shop(folder)
            assets = build_assets(shop)
            job = build_job(shop, assets)
            return dg.Definitions(
                assets=assets,
                jobs=[job],
                schedules=[build_schedule(shop, job, self.schedule)] if self.schedule else [],
                sensors=[
                    *([build_files_sensor(shop, job, self.sensor)] if self.sensor else []),
                    build_open_days_sensor(shop, job),
                ],
                resources={shop.resource_key: self._resource(folder)},
            )

    def _shop(self, folder: Path) -> Shop:
        root = environment.find_root(folder)
        return Shop(
            name=self.shop,
            folder=folder,
            client_id_env=self.client_id_env,
            orders=self._files(Kind.ORDERS, self.orders_files, self.source, root),
            courier=self._files(Kind.TRACKING, self.courier_files, self.courier_source, root)
            if self.courier_files
            else None,
            partitions=dg.DailyPartitionsDefinition(self.start_date, timezone=self.time_zone, end_offset=1),
            days_per_run=self.days_per_run or None,
            lookback_days=self.lookback_days,
            limits=Limits(
                refused=self.max_refused_share,
                quarantined=self.max_quarantined_share,
                rejected=self.max_rejected_share,
            ),
            pool=self.pool or f"leaddone_{self.shop}",
            io_manager_key=self.io_manager_key,
            group=self.group_name or self.shop,
            owners=self.owners,
            tags=self.tags,
        )

    def _files(self, kind: Kind, pattern: str, source: str | None, root: Path | None) -> Files:
        setting = f"{self.shop}: {'orders_files' if kind is Kind.ORDERS else 'courier_files'}"
        if root is None and not Path(pattern).is_absolute():
            raise SettingsError(
                f"{pattern} is relative, and there is no project around the component",
                remedy="Write an absolute path, or put a pyproject.toml into the project's root",
                setting=setting,
            )
        settings = SourceSettings(
            paid=self.paid,
            fulfilled=self.fulfilled,
            amount=self.amount,
            price_is=self.price_is,
            currency=self.currency,
            region=self.region,
        )
        files = Files(
            kind=kind,
            pattern=pattern,
            root=root or Path("/"),
            source=source,
            settings=settings if kind is Kind.ORDERS else SourceSettings(),
        )
        files.check_source()
        if not files.tell_days:
            raise SettingsError(
                f"{pattern} does not name the day, and the source {source} no column for the date",
                remedy="Write {date} where the day stands in the files' names, or name the column in a source YAML "
                "of your own",
                setting=setting,
            )
        return files

    def _resource(self, folder: Path) -> LeadDoneResource:
        return LeadDoneResource(
            client_id=dg.EnvVar(self.client_id_env),
            webhook_secret=dg.EnvVar(self.webhook_secret_env),
            root=str(folder),
            shop=self.shop,
            guarantee=self.guarantee,
            batch_size=self.batch_size,
        )
