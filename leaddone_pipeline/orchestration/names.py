"""The assets of each kind: what they are called, which table each stores, and what Dagster's pages say of them."""

from __future__ import annotations

from dataclasses import dataclass

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.orchestration import tables

__all__ = ["ORDERS", "SAYS", "TRACKING", "Names"]


@dataclass(frozen=True)
class Names:
    """The assets of one kind, and their tables."""

    kind: Kind
    export: str
    table: tables.Table
    delivery: str
    result: str
    result_table: tables.Table

    @property
    def quarantine(self) -> str:
        return f"{self.export}_quarantine"


ORDERS = Names(Kind.ORDERS, "orders", tables.ORDERS, "order_deliveries", "order_links", tables.ORDER_LINKS)
TRACKING = Names(
    Kind.TRACKING,
    "courier_updates",
    tables.COURIER_UPDATES,
    "tracking_deliveries",
    "tracking_results",
    tables.TRACKING_RESULTS,
)
SAYS = {
    "orders": "The day's orders as they will be sent, and those rightly not sent with the reason. Personal data.",
    "orders_quarantine": "Rows of the day's exports that were refused, with file, row, reason and remedy. Personal "
    "data.",
    "order_deliveries": "Sends the day's orders to LeadDone, each once, and keeps the answers in the ledger. Stores "
    "nothing here.",
    "order_links": "Order id to LeadDone's internal id, for every order of the day. Read from the ledger; sends "
    "nothing.",
    "courier_updates": "The day's statuses from the couriers.",
    "courier_updates_quarantine": "Rows of the day's courier files that were refused, with file, row, reason and "
    "remedy.",
    "tracking_deliveries": "Sends each order's newest status to LeadDone, if it is news. Stores nothing here.",
    "tracking_results": "What became of each of the day's statuses. Read from the ledger; sends nothing.",
}
