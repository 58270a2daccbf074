"""The orders that the platform has taken, under whose internal ids, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from leaddone_pipeline.contract import ORDER_FIELDS
from leaddone_pipeline.sandbox.validation import id_text

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["REFUSED_CITY", "OrderBook", "Repeats"]

REFUSED_CITY = "Zone non desservie"
"""Orders to this city are refused: a record that is well-formed and yet not taken."""

Repeats = Literal["recognise", "second_order", "refuse"]
"""What a repeated order id does: the same internal id again, another order, or `success: false`.

LeadDone's documentation does not say which of these it does (delivery.md, rule 17).
"""

FIRST_INTERNAL_NUMBER = 56789
_PERSONAL = frozenset({"receiver", "phone", "address"})


@dataclass(slots=True)
class _Order:
    client_id: str
    order_id: str
    internal_ids: list[str]
    record: dict[str, Any]
    processed: int = 1
    statuses: list[dict[str, str]] = field(default_factory=list)

    def described(self) -> dict[str, Any]:
        last = self.statuses[-1] if self.statuses else {"status": None, "tracking_number": None}
        return {
            "client_id": self.client_id,
            "order_id": self.order_id,
            "internal_id": self.internal_ids[0],
            "internal_ids": list(self.internal_ids),
            "processed": self.processed,
            "status": last["status"],
            "tracking_number": last["tracking_number"],
            "statuses": [dict(status) for status in self.statuses],
        }


class OrderBook:
    """Orders by client and id; the first internal id of an order is its internal id for good."""

    def __init__(self, *, repeats: Repeats) -> None:
        self._repeats = repeats
        self._orders: dict[tuple[str, str], _Order] = {}
        self._refused: dict[tuple[str, str], dict[str, Any]] = {}
        self._next = FIRST_INTERNAL_NUMBER

    def take(self, client_id: str, record: Mapping[str, Any]) -> dict[str, Any]:
        """Process one valid order and give its result."""
        order_id = id_text(record["id"]) or ""
        if record.get("city") == REFUSED_CITY:
            return self._refuse(client_id, order_id, "City not served")
        known = self._orders.get((client_id, order_id))
        if known is None:
            known = _Order(client_id, order_id, [self._new_id()], _kept(record))
            self._orders[client_id, order_id] = known
            return _result(order_id, "Order received successfully", known.internal_ids[0])
        known.processed += 1
        if self._repeats == "refuse":
            return _result(order_id, "The id has already been taken.", None)
        if self._repeats == "second_order":
            known.internal_ids.append(self._new_id())
            return _result(order_id, "Order received successfully", known.internal_ids[-1])
        return _result(order_id, "Order received successfully", known.internal_ids[0])

    def update(self, client_id: str, record: Mapping[str, Any], *, received_at: str) -> dict[str, Any]:
        """Process one valid tracking update and give its result; the last one received is the status."""
        order_id = id_text(record["id"]) or ""
        order = self._orders.get((client_id, order_id))
        if order is None:
            return _result(order_id, "Order not found", None)
        order.statuses.append(
            {
                "status": record["status"],
                "tracking_number": record["tracking_number"],
                "received_at": received_at,
            }
        )
        return _result(order_id, "Order updated successfully", order.internal_ids[0])

    def of(self, client_id: str) -> dict[str, dict[str, Any]]:
        """A client's orders by id: the record as received, and what the platform keeps about it."""
        return {
            order.order_id: {**order.record, **order.described()}
            for order in self._orders.values()
            if order.client_id == client_id
        }

    def snapshot(self) -> dict[str, Any]:
        """Everything but receivers, phones and addresses, as JSON values (prices as text)."""
        return {
            "next_internal_number": self._next,
            "orders": [{**order.described(), "record": _shown(order)} for order in self._orders.values()],
            "refused": [dict(refused) for refused in self._refused.values()],
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Forget everything and know again what a snapshot holds."""
        self._next = snapshot["next_internal_number"]
        self._orders = {(each["client_id"], each["order_id"]): _restored(each) for each in snapshot["orders"]}
        self._refused = {(each["client_id"], each["order_id"]): dict(each) for each in snapshot["refused"]}

    def _new_id(self) -> str:
        self._next += 1
        return f"PLT-{self._next - 1}"

    def _refuse(self, client_id: str, order_id: str, message: str) -> dict[str, Any]:
        fresh = {"client_id": client_id, "order_id": order_id, "message": message, "processed": 0}
        self._refused.setdefault((client_id, order_id), fresh)["processed"] += 1
        return _result(order_id, message, None)


def _result(order_id: str, message: str, internal_id: str | None) -> dict[str, Any]:
    success = internal_id is not None
    return {"success": success, "message": message, "order_id": order_id, "internal_id": internal_id}


def _kept(record: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: record[name] for name in ORDER_FIELDS if record.get(name) is not None}
    return {**kept, "id": id_text(record["id"])}


def _shown(order: _Order) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, Decimal) else value
        for name, value in order.record.items()
        if name not in _PERSONAL
    }


def _restored(described: Mapping[str, Any]) -> _Order:
    record = dict(described["record"])
    if isinstance(record.get("price"), str):
        record["price"] = Decimal(record["price"])
    return _Order(
        client_id=described["client_id"],
        order_id=described["order_id"],
        internal_ids=list(described["internal_ids"]),
        record=record,
        processed=described["processed"],
        statuses=[dict(status) for status in described["statuses"]],
    )
