"""What the tables say against what the sandbox has: each order once, under its id, with its newest status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from leaddone_pipeline.contract import STATUS_RANK
from leaddone_pipeline.ledger import Ledger, read_status, reading
from leaddone_pipeline.sandbox.sample import SHOPS
from leaddone_pipeline.settings import Account

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sqlalchemy import Connection

__all__ = ["Claim", "Link", "Tables", "cancelled_late", "prove", "read_tables"]


class Link(NamedTuple):
    """A row of `order_links`."""

    shop: str
    order_id: str
    internal_id: str | None
    outcome: str


@dataclass(frozen=True, slots=True)
class Tables:
    """What Dagster's tables hold, of all days that were ever delivered.

    Attributes:
        links: of all shops.
        newest: order id -> status of its newest event.
    """

    links: list[Link]
    newest: dict[str, str]

    def count(self, outcome: str) -> int:
        return sum(link.outcome == outcome for link in self.links)


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence, and whether it holds."""

    sentence: str
    holds: bool


def read_tables(path: Path) -> Tables:
    """Read the tables as anyone would, with SQL."""
    links: list[Link] = []
    newest: dict[str, tuple[tuple[Any, ...], str]] = {}
    with duckdb.connect(str(path), read_only=True) as connection:
        for shop in SHOPS:
            rows = connection.sql(
                f"SELECT shop, order_id, internal_id, outcome FROM {shop.name}.order_links"  # noqa: S608 - our own names
            ).fetchall()
            links += [Link(*row) for row in rows]
            events = connection.sql(
                f"SELECT id, status, event_time, partition_date, source_row FROM {shop.name}.courier_updates"  # noqa: S608
            ).fetchall()
            for order_id, status, time, day, row in events:
                place = (time, STATUS_RANK[status], day, row)
                if order_id not in newest or newest[order_id][0] <= place:
                    newest[order_id] = (place, status)
    return Tables(links, {order_id: status for order_id, (_, status) in newest.items()})


def cancelled_late(ledger_file: Path, *, client_id: str, base_url: str) -> tuple[str, ...]:
    """Orders that a shop cancelled after LeadDone had accepted them, from the ledger."""
    with Ledger(f"sqlite:///{ledger_file}", read_only=True) as ledger:

        def read(connection: Connection) -> tuple[str, ...]:
            number = reading.find_account(connection, Account(base_url, client_id))
            return read_status(connection, ledger.now(), account_id=number or 0).cancelled_late

        return ledger.read(read)


def prove(tables: Tables, sandbox: Mapping[str, Mapping[str, Any]]) -> tuple[Claim, ...]:
    """Compare the tables with the orders that the sandbox has, by order id."""
    linked = {(link.order_id, link.internal_id) for link in tables.links if link.outcome == "accepted"}
    taken = {(order_id, order["internal_id"]) for order_id, order in sandbox.items()}
    once = all(order["processed"] == 1 for order in sandbox.values())
    current = all(order["status"] == tables.newest.get(order_id) for order_id, order in sandbox.items())
    return (
        Claim(
            f"order_links has exactly the {len(taken):,} orders that LeadDone has, under LeadDone's ids",
            linked == taken,
        ),
        Claim("each of them reached LeadDone once", once),
        Claim("each of them has at LeadDone the status of its newest event", current),
    )
