import gzip
import json
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake import (
    ORDERS_SCHEMA,
    QUARANTINE_SCHEMA,
    RowCounts,
    check_orders,
    read_orders,
)

LEADDONE = ("id", "article", "price", "phone", "qte", "receiver", "city", "address")


def only(slices):
    (the_slice,) = slices
    assert the_slice.broken is None
    return the_slice


def together(slices):
    slices = list(slices)
    rows = sum((part.rows for part in slices), RowCounts())
    assert rows.read == rows.quarantined + rows.skipped + rows.merged + rows.valid
    frame = pd.concat([part.frame for part in slices], ignore_index=True)
    refused = pd.concat([part.refused for part in slices], ignore_index=True)
    return frame, refused, rows


def test_rows_become_orders_as_the_schema_says(write, order):
    path = write([order(id="1", phone="+212 6-12-34-56-78", price="199,50 DH", qte=""), order(id="2")])

    slice_ = only(read_orders([path]))

    ORDERS_SCHEMA.validate(slice_.frame)
    QUARANTINE_SCHEMA.validate(slice_.refused)
    assert slice_.rows == RowCounts(read=2, valid=2)
    first = slice_.frame.iloc[0]
    assert (first["price"], first["phone"], first["city"]) == ("199.5", "0612345678", "Fès")
    assert first["qte"] is pd.NA
    assert list(slice_.frame["source_row"]) == [2, 3]
    assert set(slice_.frame["source_file"]) == {"orders.csv"}
    assert all(str(dtype) in {"string", "Int64"} for dtype in slice_.frame.dtypes)


def test_one_bad_row_never_stops_the_others(write, order):
    path = write([order(id="1"), order(id="2", phone="061234567"), order(id="3")])

    slice_ = only(read_orders([path]))

    assert list(slice_.frame["id"]) == ["1", "3"]
    (refused,) = slice_.refused.to_dict("records")
    assert refused["code"] == "wrong_length"
    assert refused["reason"] == "phone: 8 digits, a number in MA has 9 after the 0"
    assert (refused["source_row"], refused["order_id"], refused["column"]) == (3, "2", "phone")
    assert json.loads(refused["raw"])["phone"] == "061234567"


DAMAGE = [
    ({"id": ""}, "missing"),
    ({"id": "5.27763E+12"}, "scientific_notation"),
    ({"id": "10\n01"}, "control_character"),
    ({"id": "x" * 300}, "too_long"),
    ({"article": " "}, "missing"),
    ({"article": "x" * 6000}, "too_long"),
    ({"phone": ""}, "missing"),
    ({"phone": "6.12E+08"}, "scientific_notation"),
    ({"phone": "O612345678"}, "letters"),
    ({"phone": "0612345678 / 07123456"}, "several_numbers"),
    ({"phone": "0112345678"}, "no_such_number"),
    ({"price": ""}, "missing"),
    ({"price": "1.234"}, "ambiguous_number"),
    ({"price": "1,234"}, "ambiguous_number"),
    ({"price": "-5"}, "negative"),
    ({"price": "0.00"}, "zero"),
    ({"price": "gratuit"}, "not_a_number"),
    ({"price": "1.5E+3"}, "scientific_notation"),
    ({"price": "0.00001"}, "out_of_range"),
    ({"price": "123456789.1234567"}, "out_of_range"),
    ({"qte": "0"}, "zero"),
    ({"qte": "1.5"}, "fraction"),
    ({"qte": "deux"}, "not_a_number"),
    ({"qte": "1" * 12}, "out_of_range"),
]


@pytest.mark.parametrize(("change", "code"), DAMAGE)
def test_damage_has_a_code_and_no_personal_data_in_its_reason(write, order, change, code):
    slice_ = only(read_orders([write([order(**change)])]))

    assert slice_.rows == RowCounts(read=1, quarantined=1)
    (refused,) = slice_.refused.to_dict("records")
    assert refused["code"] == code
    assert refused["column"] == next(iter(change))
    for value in order(**change).values():
        assert len(value) < 4 or value not in refused["reason"] + refused["remedy"]


def test_rows_of_another_width_are_refused_where_they_stand(write):
    head = ",".join(LEADDONE)
    good = "{},Tapis,199,0612345678,1,Amina,Fès,"
    path = write(f"{head}\n{good.format(1)}\n2,Tapis\n\n{good.format(3)},extra\n{good.format(4)}\n")

    slice_ = only(read_orders([path]))

    assert list(slice_.frame["source_row"]) == [2, 6]
    assert list(slice_.refused["source_row"]) == [3, 5]
    assert set(slice_.refused["code"]) == {"ragged"}
    assert json.loads(slice_.refused["raw"][0]) == {"row": "2,Tapis"}
    assert slice_.rows == RowCounts(read=4, quarantined=2, valid=2)


@pytest.mark.parametrize(
    "tail",
    [
        '2,Tapis,199,0612345678,1,Amina,"Fès,\n3,Tapis,199,0612345678,1,Amina,Fès,\n',
        '2,Tapis,199,0612345678,1,Amina,Fès,"12 rue\n',
        '2,Tapis,199,0612345678,1,Amina,Fès,"12 rue\n3 esc\n',
        '2,Tapis,199,0612345678,1,Amina,"Fès,\n3,Tapis,199,0612345678,1,Amina,"Fès,\n',
    ],
)
def test_an_order_swallowed_by_a_stray_quote_is_not_sent_in_pieces(write, tail):
    path = write(f"{','.join(LEADDONE)}\n1,Tapis,199,0612345678,1,Amina,Fès,\n{tail}")

    frame, refused, _ = together(read_orders([path]))

    assert list(frame["id"]) == ["1"]
    assert set(refused["code"]) <= {"unclosed_quote", "ragged"}
    assert len(refused) == 1


def test_line_ends_within_quotes_belong_to_the_cell(write, order):
    slice_ = only(read_orders([write([order(id="1", address="12 rue\nporte 3"), order(id="2")])]))

    assert slice_.frame["address"][0] == "12 rue\nporte 3"
    assert list(slice_.frame["source_row"]) == [2, 3]


def test_a_nul_byte_refuses_its_row_alone(write, order):
    slice_ = only(read_orders([write([order(id="1", city="F\x00s"), order(id="2")])]))

    assert list(slice_.frame["id"]) == ["2"]
    assert list(slice_.refused["code"]) == ["nul_byte"]


def test_exact_repeats_are_merged_and_others_refused_across_files_and_slices(write, order):
    """Rule 14: the first stands."""
    files = [
        write([order(id="1"), order(id="2"), order(id="1", price="199.00")], name="a.csv"),
        write([order(id="2", phone="212612345678"), order(id="1", price="200"), order(id="3")], name="b.csv"),
    ]

    for slice_rows in (50_000, 1, 2):
        frame, refused, rows = together(read_orders(files, slice_rows=slice_rows))

        assert list(frame["id"]) == ["1", "2", "3"]
        assert list(refused["code"]) == ["differs_from_earlier"]
        assert rows == RowCounts(read=6, quarantined=1, merged=2, valid=3)


def test_rows_of_a_sheet_that_share_an_id_may_be_lines_of_one_order_but_not_across_files(write):
    """Rule 14: sent alone, the first of two lines would be half an order; in another file it is a repeat."""
    head, first, second = "n° commande,tél,produit,prix", "1,0612345678,Tapis,100", "1,0612345678,Bol,50"

    frame, refused, _ = together(read_orders([write(f"{head}\n{first}\n{second}\n")]))
    assert frame.empty
    assert list(refused["code"]) == ["rows_share_an_id", "with_order"]

    files = [write(f"{head}\n{row}\n", name=name) for row, name in ((first, "a.csv"), (second, "b.csv"))]
    frame, refused, _ = together(read_orders(files))
    assert list(frame["article"]) == ["Tapis"]
    assert list(refused["code"]) == ["differs_from_earlier"]


def test_rows_that_share_an_id_name_the_column_in_which_they_differ(write):
    """Rule 14: a column that the source does not read may still make another piece."""
    head, row = "n° commande,tél,produit,taille,prix", "1,0612345678,T-shirt,{},100"

    frame, refused, rows = together(
        read_orders([write("\n".join([head, row.format("M"), row.format("L")]) + "\n")])
    )

    assert frame.empty
    assert rows == RowCounts(read=2, quarantined=2)
    assert "in the column taille" in refused["reason"][0]


def test_the_limit_takes_the_first_orders_of_the_files(write, order):
    files = [write([order(id=str(n)) for n in range(3)], name=f"{name}.csv") for name in "ab"]

    assert together(read_orders(files, limit=2))[2] == RowCounts(read=2, valid=2)
    assert together(read_orders(files, limit=4))[2] == RowCounts(read=4, merged=1, valid=3)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_and_byte_order_marks_are_seen(write, order, delimiter):
    path = write([order(article="A, B; C\tD")], delimiter=delimiter)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    assert list(only(read_orders([path])).frame["article"]) == ["A, B; C\tD"]


def test_compressed_files_are_read(write, order, tmp_path):
    packed = tmp_path / "orders.csv.gz"
    packed.write_bytes(gzip.compress(write([order()]).read_bytes()))

    assert only(read_orders([packed])).rows == RowCounts(read=1, valid=1)


HEAD = ",".join(LEADDONE)
BROKEN = [
    (b"", "empty"),
    (b"\n\n", "empty"),
    (b"PK\x03\x04rest", "cannot be read"),
    (b"\xff\xfei\x00d", "breaks off within a letter"),
    (b"\x00\x01\x02,a\n", "binary"),
    (b"just a letter\nto someone\n", "no columns"),
    (f"{HEAD}\n1,Tapis é".encode() + b"\xe0 poils,199,0612345678,,,,\n", "not UTF-8"),
    (b"id,article,price,city\n1,A,1,B\n", "phone"),
    (b"id,id,article,price,phone\n1,1,A,1,0612345678\n", "twice"),
    (b"Name,Lineitem name,Lineitem price,Total\n#1,A,1,1\n", "Shipping Phone"),
    (b"1001,Tapis,199,0612345678\n", "no source"),
    (f"{HEAD}\n1,Tapis,199,0612345678,1,A,F,\n2,Tapis,1".encode(), "cut off within its last row"),
    (gzip.compress(b"id,article,price,phone\n" * 99, mtime=0)[:-9], "cut off"),
]


@pytest.mark.parametrize(("content", "told"), BROKEN)
def test_a_file_that_cannot_be_read_says_so_and_the_next_is_read(write, order, content, told):
    bad = write(content, name="bad.csv")

    broken, good = read_orders([bad, write([order()])])

    assert told in str(broken.broken)
    assert isinstance(broken.broken, IntakeError)
    assert "0612345678" not in str(broken.broken)
    assert broken.broken.file == "bad.csv"
    assert broken.broken.remedy
    assert broken.rows == RowCounts()
    assert good.rows == RowCounts(read=1, valid=1)
    ORDERS_SCHEMA.validate(broken.frame)


def test_a_missing_file_is_named_without_its_folder(tmp_path):
    (broken,) = read_orders([tmp_path / "nowhere.csv"])

    assert str(broken.broken).startswith("nowhere.csv: there is no such file")
    assert str(tmp_path) not in str(broken.broken)


def test_a_file_with_nothing_but_its_header_has_no_rows(write):
    for text in (HEAD, f"{HEAD}\n\n"):
        (part,) = read_orders([write(text)])
        assert (part.rows, part.about.source, part.broken) == (RowCounts(), "leaddone", None)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hits=st.lists(
        st.tuples(
            st.integers(0, 11),
            st.sampled_from(LEADDONE),
            st.one_of(
                st.text(max_size=12), st.sampled_from([v for change, _ in DAMAGE for v in change.values()])
            ),
        ),
        max_size=12,
    ),
    slice_rows=st.integers(1, 13),
)
def test_whatever_is_damaged_every_row_is_accounted_for(write, order, hits, slice_rows):
    rows = [order(id=str(at)) for at in range(12)]
    for at, column, text in hits:
        rows[at][column] = text.encode("utf-8", "replace").decode()

    frame, refused, counts = together(read_orders([write(rows)], slice_rows=slice_rows))

    assert counts.read == 12
    assert len(frame) == counts.valid
    assert len(refused) == counts.quarantined
    assert frame["id"].is_unique
    untouched = {str(at) for at in range(12)} - {str(at) for at, _, _ in hits}
    assert untouched <= set(frame["id"]) | set(refused["order_id"].dropna())


def test_a_frame_of_any_dtypes_is_checked():
    frame = pd.DataFrame(
        {
            "id": [1001.0, 1002.0, 1003.0],
            "article": ["A", "B", None],
            "price": [199.9, 68.66499999999999, 1.0],
            "phone": [612345678, 712345678, 612345678],
            "extra": [object(), None, 1],
        }
    )

    slice_ = check_orders(frame, name="mine")

    ORDERS_SCHEMA.validate(slice_.frame)
    # 68.665 keeps a fourth decimal, since as text it could be read as sixty-eight thousand.
    assert slice_.frame[["id", "price", "phone"]].to_numpy().tolist() == [
        ["1001", "199.9", "0612345678"],
        ["1002", "68.6650", "0712345678"],
    ]
    assert list(slice_.frame["source_row"]) == [1, 2]
    assert list(slice_.refused["source_file"]) == ["mine"]
    assert slice_.rows == RowCounts(read=3, quarantined=1, valid=2)


@pytest.mark.parametrize(
    ("price", "told"),
    [
        (Decimal("199.00"), "199"),
        (Decimal("68.665"), "68.6650"),
        (Decimal("NaN"), "missing"),
        (Decimal("Infinity"), "not_a_number"),
        (float("inf"), "not_a_number"),
    ],
)
def test_an_amount_of_a_frame_is_exact_or_refused(order, price, told):
    slice_ = check_orders(pd.DataFrame([{**order(), "price": price}]))
    assert [*slice_.frame["price"], *slice_.refused["code"]] == [told]


def test_an_id_that_a_float_could_not_hold_is_refused(order):
    """Its last digits are gone: 12345678901234567 would be sent as another order's id."""
    slice_ = check_orders(pd.DataFrame([order(id=12345678901234567.0), order(id=123456789012345.0)]))
    assert slice_.frame["id"].tolist() == ["123456789012345"]
    assert slice_.refused["code"].tolist() == ["scientific_notation"]


def test_a_frame_brings_its_own_rows_and_reasons(order):
    frame = pd.DataFrame(
        [
            {**order(id="1"), "skipped": "cancelled", "source_file": "x.csv", "source_row": 7, "phone": "?"},
            {**order(id="2"), "skipped": "", "source_file": "x.csv", "source_row": 9},
            {**order(id="3\ud800"), "skipped": "", "source_file": "x.csv", "source_row": 10},
        ],
        dtype=object,  # pandas 3 makes no text column of half a character
    )

    slice_ = check_orders(frame)

    assert slice_.frame["skipped"].tolist() == ["cancelled", ""]
    assert slice_.frame["source_row"].tolist() == [7, 9]
    assert slice_.frame["phone"][0] is pd.NA
    assert slice_.refused["code"].tolist() == ["not_text"]
    assert slice_.rows == RowCounts(read=3, quarantined=1, skipped=1, valid=1)


def test_a_frame_without_a_phone_column_is_refused_whole():
    with pytest.raises(IntakeError, match="phone"):
        check_orders(pd.DataFrame({"id": [1], "article": ["A"], "price": [1]}))


def test_checked_orders_are_checked_again_without_change(write, order):
    frame = only(read_orders([write([order(price="1.2340"), order(id="2", skipped="x")])])).frame

    pd.testing.assert_frame_equal(check_orders(frame).frame, frame)
