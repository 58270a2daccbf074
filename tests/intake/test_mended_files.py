"""Quarantine files: harmless in a spreadsheet, and whole again when they are read back."""

import csv
import io
import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaddone_pipeline.intake import laid_out, read_orders
from leaddone_pipeline.intake.mended import OWN_COLUMNS

cells = st.one_of(
    st.sampled_from(
        [
            "",
            "=1+1",
            "'=1+1",
            "+212 612",
            "'+212 612",
            "-5",
            "@x",
            "''@x",
            "\tx",
            "＝x",
            "'",
            "a'=b",
            "x;=1+1;",
            ";'-2",
            "a\t@b",
        ]
    ),
    st.text(
        st.characters(codec="utf-8", exclude_characters="\x00\r\n", exclude_categories=["Cs"]), max_size=8
    ),
)


def refused(path):
    (slice_,) = read_orders([path])
    return slice_.refused


def written(path, refused_rows):
    laid_out(refused_rows).to_csv(path, index=False, encoding="utf-8-sig")
    return path


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=4))
def test_a_row_is_the_same_after_the_quarantine_and_no_cell_of_it_is_a_formula(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("q")
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", "article", "price", "phone", "receiver", "city"])
    writer.writerows(
        [[f"A-{at}", article, "0", "1", name, city] for at, (article, name, city) in enumerate(rows)]
    )
    first = folder / "orders.csv"
    first.write_text(out.getvalue(), encoding="utf-8", newline="")

    before = refused(first)
    table = written(folder / "orders.csv.quarantine.csv", before)
    after = refused(table)

    pd.testing.assert_frame_equal(after, before)
    with table.open(encoding="utf-8-sig", newline="") as file:
        starts = [part[:1] for row in csv.reader(file) for cell in row for part in cell.split(";")]
        assert not {*starts} & {*"=+-@\t\r\n＝＋－＠"}


@pytest.mark.parametrize(
    "header",
    [
        ["id", "article", "price", "phone", "row", "reason"],
        ["id", "article", "price", "phone", "", "source_row"],
        ["id", "article", "price", "phone", "note", "note"],
        ["id", "article", "price", "phone", "note (2)", "column 6"],
    ],
)
def test_the_header_is_the_same_after_the_quarantine(write, header):
    path = write(",".join(header) + "\r\nA-1,Tapis,0,1,x,7\r\n")

    before = refused(path)
    after = refused(written(path.with_name("q.csv"), before))

    assert json.loads(after["raw"][0]) == json.loads(before["raw"][0])
    assert after["source_row"].tolist() == [2]


def test_a_row_whose_cells_could_not_be_told_apart_stays_refused_until_it_is_mended(write):
    path = write("id,article,price,phone\r\nA-1,Tapis,rouge,199,0612345678\r\nA-2,Tapis,199,0612345678\r\n")
    table = laid_out(refused(path))
    assert table.loc[0, "row"] == "A-1,Tapis,rouge,199,0612345678"
    as_it_is = path.with_name("as_it_is.csv")
    table.to_csv(as_it_is, index=False)
    again = refused(as_it_is)
    assert (again["code"].tolist(), again["source_row"].tolist()) == (["ragged"], [2])
    assert json.loads(again["raw"][0]) == {"row": "A-1,Tapis,rouge,199,0612345678"}
    mended = table.assign(id="A-1", article="Tapis, rouge", price="199", phone="0612345678")
    mended.to_csv(as_it_is, index=False)
    (slice_,) = read_orders([as_it_is])
    assert slice_.frame[["id", "article", "source_row"]].to_numpy().tolist() == [["A-1", "Tapis, rouge", 2]]


def test_a_mended_row_has_its_first_file_and_row(write, order):
    path = write([order(), order(id="A-2", phone="12")], name="novembre.csv")
    table = laid_out(refused(path))
    assert tuple(table.columns[: len(OWN_COLUMNS)]) == OWN_COLUMNS
    table.assign(phone="0612345678").to_csv(path.with_name("q.csv"), index=False, sep=";")

    (slice_,) = read_orders([path.with_name("q.csv")])

    assert slice_.frame[["id", "source_file", "source_row"]].to_numpy().tolist() == [
        ["A-2", "novembre.csv", 3]
    ]


def test_a_row_that_a_person_added_has_its_place_in_the_quarantine_file(write, order):
    path = write([order(id="A-1", phone="12")])
    table = laid_out(refused(path))
    added = table.assign(id="A-9", phone="0612345678", source_file="", source_row="", order_id="", code="")
    pd.concat([table, added]).to_csv(path.with_name("q.csv"), index=False)

    (slice_,) = read_orders([path.with_name("q.csv")])

    assert slice_.frame[["id", "source_file", "source_row"]].to_numpy().tolist() == [["A-9", "q.csv", 3]]


def test_records_of_json_stay_orders_of_their_own_after_the_quarantine(tmp_path):
    """One whose id nobody has entered joins no order above it."""
    own = {"total": "20.00", "billing": {"phone": "?"}, "date_created": "", "payment_method": "cod"}
    orders = [
        {
            "number": number,
            **own,
            "line_items": [{"name": name, "quantity": 1, "total": "10.00"} for name in names],
        }
        for number, names in (("1", "AB"), ("2", "CD"), (None, "EF"))
    ]
    first = tmp_path / "orders.json"
    first.write_text(json.dumps(orders), encoding="utf-8")
    table = written(tmp_path / "q.csv", refused(first))
    table.write_text(table.read_text(encoding="utf-8-sig").replace("?", "0612345678"), encoding="utf-8")

    (slice_,) = read_orders([table])

    assert slice_.frame["article"].tolist() == ["1 × A + 1 × B", "1 × C + 1 × D"]
    assert slice_.refused[["source_row", "code"]].to_numpy().tolist() == [[3, "missing"], [3, "with_order"]]


def test_further_rows_without_an_id_are_mended_as_their_reason_says(write, tmp_path):
    """The order above waits for them: sent alone, its goods and its amount would be cut for good."""
    head, first, further = (
        "n° commande,tél,produit,qté,prix unitaire",
        "1,0612345678,Robe,1,300",
        ",,Foulard,2,80",
    )
    before = refused(write(f"{head}\n{first}\n{further}\n"))
    table = written(tmp_path / "q.csv", before)
    own = tmp_path / "my-shop.yaml"
    own.write_text("extends: sheet\norders: {lines: rows}\n", encoding="utf-8")

    (slice_,) = read_orders([table], source=own)

    assert "orders: {lines: rows}" in before["remedy"][0]
    assert slice_.frame[["id", "article", "price", "qte"]].to_numpy().tolist() == [
        ["1", "1 × Robe + 2 × Foulard", "460", "1"]
    ]


def test_rows_of_a_second_table_are_not_read_under_the_first_header_after_the_quarantine_either(
    write, tmp_path
):
    """Their cells stand in the column `row`: `2` pieces for 200 would otherwise be 200 pieces for 2."""
    head, second = "n° commande,tél,produit,qté,montant", "n° commande,tél,produit,montant,qté"
    before = refused(write(f"{head}\n{second}\n1,0612345678,Robe,200,2\n"))

    (slice_,) = read_orders([written(tmp_path / "q.csv", before)])

    assert slice_.frame.empty
    assert slice_.refused["code"].tolist() == ["ragged", "ragged"]
    assert json.loads(slice_.refused["raw"][1]) == {"row": "1; 0612345678; Robe; 200; 2"}
