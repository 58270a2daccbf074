"""What `dg scaffold defs` writes: a `defs.yaml` that explains itself and works after three lines are filled in."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ShopScaffolder"]

_STORE_RANGES = (
    "dagster_duckdb",
    "dagster_snowflake",
    "dagster_gcp",
    "dagster_deltalake",
    "dagster_iceberg",
)
"""Beginnings of the modules of IO managers that store a range of days at once; all others are taken not to."""

# Loads the user's project as `dg` does, in a process of its own, where their code may do or raise anything.
_ASK_PROJECT = """
import importlib, pathlib, sys, tomllib
root, beginnings = pathlib.Path(sys.argv[1]), tuple(sys.argv[2:])
own = root / "dg.toml"
told = tomllib.loads((own if own.is_file() else root / "pyproject.toml").read_text())
project = (told if own.is_file() else told["tool"]["dg"])["project"]
sys.path[:0] = [str(root), str(root / "src")]
name = project.get("code_location_target_module") or project["root_module"] + ".definitions"
values = list(vars(importlib.import_module(name)).values())
found = [one() if type(one).__name__ == "LazyDefinitions" else one for one in values]
found = [one for one in found if type(one).__name__ == "Definitions"]
manager = next((one.resources["io_manager"] for one in found if "io_manager" in (one.resources or {})), None)
sys.exit(0 if any(kind.__module__.startswith(beginnings) for kind in type(manager).__mro__) else 3)
"""
_LOAD_SECONDS = 120

_YAML = """\
# The shop {shop}: from its files to LeadDone, and LeadDone's ids back into your tables.
# Fill in the three lines marked with <--, then type: dg check defs
type: leaddone_pipeline.LeadDoneShopComponent

attributes:
  # Prefix of the assets, and the shop's label in the ledger. Small letters, digits and _.
  shop: {shop}

  # Where a day's exports lie, from the project's root; {{date}} stands for YYYY-MM-DD. * and ? may be used. For one
  # file, or a folder, that goes on growing leave {{date}} out: then each order's own date tells its day.
  orders_files:{orders_files}  # <-- 1: for example exports/orders-{{date}}*.csv

  # Where the couriers' files lie, likewise. Leave it empty if there are none.
  courier_files:{courier_files}  # <-- 2: for example courier/tracking-{{date}}*.csv

  # Orders that were paid by card: skip leaves them out, send lets the courier collect their amount.
  paid: {paid}  # <-- 3: choose one

  # The first day that can be delivered. Set it back to deliver older days by a backfill.
  start_date: "{start_date}"
  time_zone: Africa/Casablanca

  # {why}
  days_per_run: {days_per_run}

  # Client id and secret key (LeadDone: Intégrations > Webhook) are read from these environment variables, or from
  # .env in the project's root, when a run starts. Never write their values here.
  client_id_env: LEADDONE_CLIENT_ID
  webhook_secret_env: LEADDONE_WEBHOOK_SECRET

  # How the files are made: a built-in source (`leaddone sources` lists them) or the path of a YAML of your own.
  # Without it, each file is recognised by its header.
  # source: shopify
  # courier_source: leaddone

  # Delivers today and yesterday every 15 minutes, once you switch the schedule on in Dagster.
  # schedule: "*/15 * * * *"
  # lookback_days: 1

  # All other fields, each with its description: dg list components, or the component's page in Dagster.
"""
_ALL = "The project's IO manager stores a range of days at once: a backfill of a year is one run."
_ONE = "The project's IO manager stores one day at a time: a backfill is a run a day. Empty: all days in one run."


class ShopScaffoldParams(BaseModel):
    """What `dg scaffold defs` may be told."""

    shop: str | None = Field(default=None, description="The shop's name; empty: the folder's.")
    orders_files: str | None = Field(default=None, description="Where the exports lie.")
    courier_files: str | None = Field(default=None, description="Where the courier files lie.")
    paid: str | None = Field(default=None, description="Orders paid by card: skip or send.")
    start_date: str | None = Field(
        default=None, description="First day to deliver, YYYY-MM-DD; empty: today."
    )


class ShopScaffolder(dg.Scaffolder[ShopScaffoldParams]):
    """Writes a commented `defs.yaml`."""

    @classmethod
    def get_scaffold_params(cls) -> type[ShopScaffoldParams]:
        return ShopScaffoldParams

    def scaffold(self, request: dg.ScaffoldRequest[ShopScaffoldParams]) -> None:
        # Asked before the new folder holds a YAML that is not filled in yet, and would not load.
        stores_ranges = request.project_root is not None and _stores_ranges(request.project_root)
        dg.scaffold_component(request, {})
        if request.scaffold_format != "yaml":
            return
        params = request.params
        text = _YAML.format(
            shop=params.shop or request.target_path.name,
            orders_files=_value(params.orders_files),
            courier_files=_value(params.courier_files),
            paid=params.paid or "skip | send",
            start_date=params.start_date or f"{date.today()}",  # noqa: DTZ011 - the day on the shop's desk
            why=_ALL if stores_ranges else _ONE,
            days_per_run="null" if stores_ranges else "1",
        )
        (request.target_path / "defs.yaml").write_text(text, encoding="utf-8")


def _value(text: str | None) -> str:
    return f" {text}" if text else ""


def _stores_ranges(project: Path) -> bool:
    """Whether the project's IO manager is one that stores a range of days; not, if the project does not load."""
    command = [sys.executable, "-c", _ASK_PROJECT, str(project), *_STORE_RANGES]
    try:
        done = subprocess.run(  # noqa: S603 - our own words and the project's folder
            command, cwd=project, capture_output=True, check=False, timeout=_LOAD_SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
