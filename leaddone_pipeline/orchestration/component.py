"""`LeadDoneShopComponent`: a shop by a `defs.yaml`, with no line of Python."""

from __future__ import annotations

import warnings
from pathlib import Path

import dagster as dg

from leaddone_pipeline import environment
from leaddone_pipeline.contract import Kind
from leaddone_pipeline.errors import SettingsError
from leaddone_pipeline.intake import SourceSettings
from leaddone_pipeline.orchestration.arrivals import build_files_sensor
from leaddone_pipeline.orchestration.assets import build_assets
from leaddone_pipeline.orchestration.automation import build_job, build_schedule
from leaddone_pipeline.orchestration.exports import Files
from leaddone_pipeline.orchestration.fields import ShopFields
from leaddone_pipeline.orchestration.open_days import build_open_days_sensor
from leaddone_pipeline.orchestration.resource import LeadDoneResource
from leaddone_pipeline.orchestration.scaffold import ShopScaffolder
from leaddone_pipeline.orchestration.shop import Limits, Shop

__all__ = ["LeadDoneShopComponent"]


@dg.scaffold_with(ShopScaffolder)
class LeadDoneShopComponent(dg.Component, ShopFields):
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

    def build_defs(self, context: dg.ComponentLoadContext | None) -> dg.Definitions:
        """Build assets, checks, job, schedule, sensors and the shop's resource.

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
                f"{pattern} does not name the day, and the source {source} names no column for the date",
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
