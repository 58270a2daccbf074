"""What is sent, price × qte, is what the customer owes, to the cent, whatever the shape of the file (issue 5)."""

# ruff: noqa: RUF002 - the sign stands in the article, as people read it

import csv
import io
import json
import re
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaddone_pipeline.intake import SourceSettings, read_orders

cents = st.integers(1, 2_000_00).map(lambda n: Decimal(n) / 100)
names = st.sampled_from(["Tapis", "Tee - M / Red", "Savon, beldi", "Bol; bleu", "Tapis"])
lines = st.lists(st.tuples(names, st.integers(1, 12), cents), min_size=1, max_size=4)
orders = st.lists(st.tuples(lines, st.one_of(st.none(), cents)), min_size=1, max_size=6)
PHONE = "0612345678"


def table(header, rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def shopify(found):
    names_of_states = "Name,Financial Status,Fulfillment Status,Total,Cancelled at"
    header = f"{names_of_states},Lineitem quantity,Lineitem name,Lineitem price,Shipping Phone,Payment Method"
    rows = []
    for n, (items, total) in enumerate(found):
        for at, (name, qte, price) in enumerate(items):
            head = at == 0
            states = ["pending", "", total or "", ""] if head else [""] * 4
            rows.append([f"#{n}", *states, qte, name, price, PHONE if head else "", ""])
    return "orders.csv", table(header.split(","), rows), None


def advanced_groups(found):
    width = max(len(items) for items, _ in found)
    header = ["Order Number", "Order Status", "Phone (Billing)", "Payment Method Title", "Order Total Amount"]
    rows = [
        [n, "Processing", PHONE, "Cash on delivery", total or "", *(cell for item in items for cell in item)]
        + [""] * 3 * (width - len(items))
        for n, (items, total) in enumerate(found)
    ]
    return "orders.csv", table([*header, *["Item Name", "Quantity", "Item Cost"] * width], rows), None


def skyverge(found):
    rows = [
        [
            n,
            "processing",
            PHONE,
            "cod",
            total or "",
            ";".join(
                f"id:{at}|name:{name}|quantity:{q}|total:{q * price}"
                for at, (name, q, price) in enumerate(items)
            ),
        ]
        for n, (items, total) in enumerate(found)
    ]
    header = [
        "order_number_formatted",
        "status",
        "billing_phone",
        "payment_method",
        "order_total",
        "line_items",
    ]
    return "orders.csv", table(header, rows), None


def woocommerce(found):
    records = [
        {
            "id": n,
            "number": str(n),
            "status": "processing",
            "payment_method": "cod",
            "date_paid": None,
            "billing": {"first_name": "Amina", "phone": PHONE},
            "total": str(total) if total else "",
            "line_items": [
                {"name": name, "quantity": q, "price": float(price) / 3 * 3, "total": str(q * price)}
                for name, q, price in items
            ],
        }
        for n, (items, total) in enumerate(found)
    ]
    return "orders.json", json.dumps(records), None


def sheet_of_totals(found):
    rows = [[n, PHONE, name, q, q * price] for n, (items, _) in enumerate(found) for name, q, price in items]
    own = "extends: sheet\nprice_is: total\norders: {lines: rows}\n"
    return "orders.csv", table(["id commande", "tel", "produit", "qte", "prix"], rows), own


@pytest.mark.parametrize("shape", [shopify, advanced_groups, skyverge, woocommerce, sheet_of_totals])
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=orders, slice_rows=st.sampled_from([1, 3, 50_000]))
def test_price_times_quantity_is_what_the_customer_owes(shape, found, slice_rows, tmp_path):
    name, text, own = shape(found)
    (tmp_path / name).write_text(text, encoding="utf-8")
    source = None
    if own:
        source = tmp_path / "own.yaml"
        source.write_text(own, encoding="utf-8")

    slices = list(
        read_orders(
            [tmp_path / name], source=source, settings=SourceSettings(currency="any"), slice_rows=slice_rows
        )
    )

    assert [part.broken for part in slices if part.broken] == []
    assert sum(len(part.refused) for part in slices) == 0
    frame = pd.concat([part.frame for part in slices], ignore_index=True).set_index("id")
    assert len(frame) == len(found)
    for n, (items, total) in enumerate(found):
        row = frame.loc[str(n)]
        owed = total if total and shape is not sheet_of_totals else sum(q * price for _, q, price in items)
        assert Decimal(row["price"]) * int(row["qte"]) == owed
        told = {} if "×" in row["article"] else {(row["article"], int(row["qte"])): 1}
        for q, article in re.findall(r"([0-9]+) × (.+?)(?= \+ [0-9]+ × |$)", row["article"]):
            told[article, int(q)] = told.get((article, int(q)), 0) + 1
        assert told == {
            (article, q): [(a, b) for a, b, _ in items].count((article, q)) for article, q, _ in items
        }
