"""A refused row's way: into the quarantine, mended by a person, and to LeadDone under its first place."""

import csv

import pandas as pd
import pytest

COLUMNS = ("source_file", "source_row", "order_id", "column", "code", "reason", "remedy", "row")
SHOPIFY = (
    "Name,Financial Status,Fulfillment Status,Currency,Total,Outstanding Balance,Lineitem quantity,"
    "Lineitem name,Lineitem price,Shipping Phone,Payment Method"
)


def mend(path, change, target=None):
    """Change cells as a person does in a spreadsheet: `change` maps an order's id to columns and cells."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    header = rows[0]
    for row in rows[1:]:
        for column, cell in change.get(row[header.index("order_id")], {}).items():
            row[header.index(column)] = cell
    with (target or path).open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)


def test_a_mended_row_is_sent_and_keeps_the_link_to_its_first_file(
    leaddone, write, project, platform, client_id, read_csv
):
    orders = write({"id": "A-1"}, {"id": "A-2", "phone": "0791"}, {"id": "A-3", "price": "gratuit"})
    leaddone("send", "orders", orders)
    quarantine = project / "orders.csv.quarantine.csv"
    mend(quarantine, {"A-2": {"phone": "0791000002"}, "A-3": {"price": "99,50"}})

    ran = leaddone("send", "orders", quarantine, "--links", "links.csv", "--json")

    assert (ran.code, ran.json["read"], ran.json["accepted"]) == (0, 2, 2)
    assert set(platform.orders(client_id)) == {"A-1", "A-2", "A-3"}
    links = {row["order_id"]: row for row in read_csv(project / "links.csv")}
    assert {name: (link["source_file"], link["source_row"]) for name, link in links.items()} == {
        "A-2": ("orders.csv", "3"),
        "A-3": ("orders.csv", "4"),
    }


def test_what_is_still_wrong_never_overwrites_the_file_that_a_person_mended(leaddone, write, project):
    orders = write({"id": "A-1", "phone": "0791"}, {"id": "A-2", "phone": "0791"})
    leaddone("send", "orders", orders)
    quarantine = project / "orders.csv.quarantine.csv"
    mend(quarantine, {"A-2": {"phone": "0791000002"}})
    mended = quarantine.read_bytes()

    ran = leaddone("send", "orders", quarantine, "--json")

    assert (ran.code, ran.json["accepted"], ran.json["quarantined"]) == (3, 1, 1)
    assert quarantine.read_bytes() == mended
    left = pd.read_csv(project / "orders.csv.quarantine.2.csv", dtype=str)
    assert left[["source_file", "source_row", "order_id"]].to_numpy().tolist() == [["orders.csv", "2", "A-1"]]


@pytest.mark.parametrize("option", ["--quarantine", "--links"])
def test_a_named_result_is_never_a_file_that_is_read(leaddone, write, platform, option):
    orders = write({"id": "A-1"})
    before = orders.read_bytes()

    ran = leaddone("send", "orders", orders, option, "orders.csv")

    assert (ran.code, ran.out) == (2, "")
    assert "is being read" in ran.err
    assert orders.read_bytes() == before
    assert not platform.requests


def test_an_order_of_several_rows_is_mended_as_a_whole(leaddone, project, platform, client_id):
    rows = [
        SHOPIFY,
        "#1001,pending,unfulfilled,MAD,250.00,250.00,2,Tapis,100.00,'+212 79100,Cash on Delivery (COD)",
        "#1001,,,,,,1,Coussin,50.00,,",
    ]
    (project / "shopify.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    leaddone("send", "orders", "shopify.csv")
    quarantine = project / "shopify.csv.quarantine.csv"
    mend(quarantine, {"1001": {"Shipping Phone": "0791000001"}})

    ran = leaddone("send", "orders", quarantine, "--json")

    assert (ran.code, ran.json["read"], ran.json["merged"], ran.json["accepted"]) == (0, 2, 1, 1)
    assert platform.orders(client_id)["1001"]["price"] == 250


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_one_quarantine_holds_the_rows_of_files_with_other_columns(leaddone, write, project, ending):
    first = write({"id": "A-1", "phone": "0791"})
    second = write({"id": "A-2", "phone": "0791"}, name="b.csv", columns=("id", "article", "price", "phone"))
    third = write(
        {"id": "A-3", "phone": "0791"}, name="c.csv", columns=("id", "phone", "price", "article", "city")
    )

    leaddone("send", "orders", second, first, third, "--quarantine", f"all.{ending}")

    path = project / f"all.{ending}"
    held = pd.read_csv(path, dtype=str) if ending == "csv" else pd.read_parquet(path)
    assert tuple(held.columns[: len(COLUMNS)]) == COLUMNS
    assert held["source_file"].tolist() == ["b.csv", "orders.csv", "c.csv"]
    assert held["phone"].tolist() == ["0791"] * 3
    assert held["city"].isna().tolist() == [True, False, False]
    assert path.stat().st_mode & 0o077 == 0


def test_a_parquet_quarantine_is_sent_as_well(leaddone, write, project, platform, client_id):
    leaddone("send", "orders", write({"id": "A-1", "phone": "0791"}), "--quarantine", "refused.parquet")
    table = pd.read_parquet(project / "refused.parquet")
    table.assign(phone="0791000001").to_parquet(project / "refused.parquet", index=False)

    ran = leaddone("send", "orders", "refused.parquet", "--json")

    assert (ran.code, ran.json["accepted"]) == (0, 1)
    assert set(platform.orders(client_id)) == {"A-1"}
