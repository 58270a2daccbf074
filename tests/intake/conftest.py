"""Files written as shops write them; every person in them is invented."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

LEADDONE = ("id", "article", "price", "phone", "qte", "receiver", "city", "address")
SHOPIFY = (
    "Name",
    "Financial Status",
    "Fulfillment Status",
    "Currency",
    "Subtotal",
    "Total",
    "Discount Amount",
    "Lineitem quantity",
    "Lineitem name",
    "Lineitem price",
    "Billing Name",
    "Billing City",
    "Billing Phone",
    "Shipping Name",
    "Shipping Street",
    "Shipping City",
    "Shipping Phone",
    "Cancelled at",
    "Payment Method",
    "Outstanding Balance",
    "Lineitem discount",
    "Phone",
)

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path) -> Write:
    """Write rows (dicts by column) or raw text as a CSV file."""

    def write(rows, *, columns=LEADDONE, name="orders.csv", delimiter=","):
        if isinstance(rows, str | bytes):
            text = rows
        else:
            out = io.StringIO()
            writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
            writer.writerow(columns)
            writer.writerows([[row.get(column, "") for column in columns] for row in rows])
            text = out.getvalue()
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def order():
    """An order as LeadDone's own field names say it, with changes."""

    def order(**changes):
        return {
            "id": "ORD-1",
            "article": "Tapis",
            "price": "199",
            "phone": "0612345678",
            "qte": "1",
            "receiver": "Amina",
            "city": "Fès",
            "address": "12 rue des Orangers",
            **changes,
        }

    return order


@pytest.fixture
def first_row():
    """An order's first row in Shopify's layout: cash on delivery, pending, one line of 100.00."""

    def first_row(name="#1001", total="100.00", **changes):
        return {
            "Name": name,
            "Financial Status": "pending",
            "Fulfillment Status": "unfulfilled",
            "Currency": "MAD",
            "Subtotal": total,
            "Total": total,
            "Outstanding Balance": total,
            "Lineitem quantity": "1",
            "Lineitem name": "Tee - M / Red",
            "Lineitem price": "100.00",
            "Shipping Name": "Youssef",
            "Shipping Street": "3 avenue Annakhil",
            "Shipping City": "Rabat",
            "Shipping Phone": "'+212 612 345678",
            "Payment Method": "Cash on Delivery (COD)",
            **changes,
        }

    return first_row


@pytest.fixture
def further_row():
    """A further line of the same order."""

    def further_row(name="#1001", **changes):
        return {
            "Name": name,
            "Lineitem quantity": "1",
            "Lineitem name": "Cap",
            "Lineitem price": "50.00",
            **changes,
        }

    return further_row


@pytest.fixture
def shopify_columns():
    return SHOPIFY
