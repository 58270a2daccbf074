"""`LeadDoneShopComponent`: a shop by a `defs.yaml`, with no line of Python."""

from __future__ import annotations

import warnings
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import dagster as dg
from pydantic import BaseModel, Field

from leaddone_pipeline import environment
from leaddone_pipeline.contract import Kind
from leaddone_pipeline.errors import SettingsError
from leaddone_pipeline.orchestration.assets import build_assets
from leaddone_pipeline.orchestration.automation import build_job, build_schedule
from leaddone_pipeline.orchestration.exports import DATE, Files
from leaddone_pipeline.orchestration.resource import LeadDoneResource
from leaddone_pipeline.orchestration.shop import Shop
from leaddone_pipeline.settings import DeliverySettings

__all__ = ["LeadDoneShopComponent"]

_DEFAULTS = DeliverySettings()
_NAME = "^[a-z][a-z0-9_]*$"
_DATED = r"\{date\}|\{\{"
"""A pattern names the day, or is templated and names it later."""

Described = dg.Resolver.default


class ShopScaffoldParams(BaseModel):
    """What `dg scaffold defs` may be told."""

    shop: str | None = Field(default=None, description="The shop's name; empty: the folder's.")
    orders_files: str | None = Field(default=None, description="Where the exports lie, with {date}.")
    courier_files: str | None = Field(default=None, description="Where the courier files lie, with {date}.")


class ShopScaffolder(dg.Scaffolder[ShopScaffoldParams]):
    """Writes a `defs.yaml` that loads at once."""

    @classmethod
    def get_scaffold_params(cls) -> type[ShopScaffoldParams]:
        return ShopScaffoldParams

    def scaffold(self, request: dg.ScaffoldRequest[ShopScaffoldParams]) -> None:
        shop = request.params.shop or request.target_path.name
        dg.scaffold_component(
            request,
            {
                "shop": shop,
                "orders_files": request.params.orders_files or f"data/{shop}/orders/orders-{DATE}.csv",
                "courier_files": request.params.courier_files or f"data/{shop}/courier/tracking-{DATE}.csv",
                "start_date": date.today().isoformat(),  # noqa: DTZ011 - the day on the shop's desk
            },
        )


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
            "Relative to the project's root, the nearest folder upward with a pyproject.toml.",
            examples=["data/atlas/orders/orders-{date}.csv"],
        ),
    ] = Field(pattern=_DATED)
    courier_files: Annotated[
        str | None,
        Described(
            description="Where a day's courier files lie, likewise. Without it the shop has no tracking assets.",
            examples=["data/atlas/courier/tracking-{date}*.csv"],
        ),
    ] = Field(default=None, pattern=_DATED)
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
    ] = Field(default=None, ge=0)
    schedule: Annotated[
        str | None,
        Described(
            description="Cron expression for delivering today and yesterday; empty (null): no schedule. It is off "
            "until someone switches it on in Dagster.",
            examples=["*/15 * * * *"],
        ),
    ] = "*/15 * * * *"
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
    group: Annotated[
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
                resources={shop.resource_key: self._resource(folder)},
            )

    def _shop(self, folder: Path) -> Shop:
        root = environment.find_root(folder)
        return Shop(
            name=self.shop,
            orders=self._files(Kind.ORDERS, self.orders_files, self.source, root),
            courier=self._files(Kind.TRACKING, self.courier_files, self.courier_source, root)
            if self.courier_files
            else None,
            partitions=dg.DailyPartitionsDefinition(self.start_date, timezone=self.time_zone, end_offset=1),
            backfill_policy=dg.BackfillPolicy.multi_run(self.days_per_run)
            if self.days_per_run
            else dg.BackfillPolicy.single_run(),
            pool=self.pool or f"leaddone_{self.shop}",
            io_manager_key=self.io_manager_key,
            group=self.group or self.shop,
            owners=self.owners,
            tags=self.tags,
        )

    def _files(self, kind: Kind, pattern: str, source: str | None, root: Path | None) -> Files:
        if root is None and not Path(pattern).is_absolute():
            raise SettingsError(
                f"{pattern} is relative, and there is no project around the component",
                remedy="Write an absolute path, or put a pyproject.toml into the project's root",
                setting=f"{self.shop}: {'orders_files' if kind is Kind.ORDERS else 'courier_files'}",
            )
        paid = self.paid if kind is Kind.ORDERS else None
        files = Files(kind=kind, pattern=pattern, root=root or Path("/"), source=source, paid=paid)
        files.check_source()
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
