"""What a shop's `defs.yaml` may say: each field with the words that the editor and Dagster's UI show of it."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import dagster as dg
from pydantic import Field, field_validator

from leaddone_pipeline import environment
from leaddone_pipeline.orchestration.shop import Limits
from leaddone_pipeline.settings import DeliverySettings

__all__ = ["ShopFields"]

_DEFAULTS = DeliverySettings()
_LIMITS = Limits()
_NAME = "^[a-z][a-z0-9_]*$"
_TEMPLATE = r"\{\{.*?\}\}"
"""Dagster fills it in when it loads the YAML."""

Described = dg.Resolver.default


class ShopFields(dg.Model, dg.Resolvable):
    """The fields of a LeadDoneShopComponent."""

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
