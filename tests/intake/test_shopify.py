import json
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaddone_pipeline.intake import ORDERS_SCHEMA, RowCounts, SourceSettings, read_orders
from leaddone_pipeline.intake.amounts import Item, fit

FIELDS = ["id", "article", "price", "qte", "skipped"]


@pytest.fixture
def read(write, shopify_columns):
    """Read rows in Shopify's layout as one frame, one quarantine, the counts and the warnings."""

    def read(rows, *, columns=None, **how):
        path = write(rows, columns=columns or shopify_columns, name="orders_export_1.csv")
        slices = list(read_orders([path], **how))
        assert [part.broken for part in slices if part.broken] == []
        frame = pd.concat([part.frame for part in slices], ignore_index=True)
        refused = pd.concat([part.refused for part in slices], ignore_index=True)
        ORDERS_SCHEMA.validate(frame)
        rows = sum((part.rows for part in slices), RowCounts())
        assert rows.read == rows.quarantined + rows.skipped + rows.merged + rows.valid
        return frame, refused, rows, [text for part in slices for text in part.warnings]

    return read


def test_a_pending_order_is_one_record_with_the_shipping_phone(read, first_row):
    frame, _, rows, warnings = read([first_row(**{"Billing Phone": "0711111111"})])

    assert frame.iloc[0].drop(["source_file", "source_row"]).to_dict() == {
        "id": "1001",
        "article": "Tee - M / Red",
        "price": "100",
        "qte": "1",
        "receiver": "Youssef",
        "phone": "0612345678",
        "city": "Rabat",
        "address": "3 avenue Annakhil",
        "skipped": "",
    }
    assert rows == RowCounts(read=1, valid=1)
    assert warnings == []


@pytest.mark.parametrize("slice_rows", [1, 2, 3, 50_000])
def test_lines_become_one_order_even_across_slices(read, first_row, further_row, slice_rows):
    rows = [
        first_row("#1", "330.00", **{"Lineitem quantity": "2"}),
        further_row("#1", Phone="0699999999"),
        further_row(""),
        first_row("#2", "200.00", **{"Lineitem quantity": "2"}),
        first_row("#3", "215.00", **{"Lineitem quantity": "2"}),
        first_row("#4", "200.01", **{"Lineitem quantity": "2"}),
    ]

    frame, _, counts, _ = read(rows, slice_rows=slice_rows)

    assert frame[FIELDS].to_numpy().tolist() == [
        ["1", "2 × Tee - M / Red + 1 × Cap + 1 × Cap", "330", "1", ""],
        ["2", "Tee - M / Red", "100", "2", ""],
        ["3", "Tee - M / Red", "107.5", "2", ""],
        ["4", "2 × Tee - M / Red", "200.01", "1", ""],
    ]
    assert list(frame["source_row"]) == [2, 5, 6, 7]
    assert counts == RowCounts(read=6, merged=2, valid=4)


SKIPPED = [
    ({"Cancelled at": "2026-04-06 01:48:03 +0100"}, "cancelled"),
    ({"Financial Status": "refunded"}, "refunded"),
    ({"Financial Status": "voided"}, "voided"),
    ({"Financial Status": "paid", "Payment Method": "Stripe"}, "already paid"),
    ({"Financial Status": "authorized", "Payment Method": ""}, "already paid"),
    ({"Financial Status": "paid"}, "already collected on delivery"),
    ({"Fulfillment Status": "fulfilled"}, "already fulfilled"),
    ({"Outstanding Balance": "0.00", "Total": "0.00"}, "nothing to collect"),
]


@pytest.mark.parametrize(("change", "reason"), SKIPPED)
def test_an_order_is_skipped_as_a_whole_with_its_reason(read, first_row, further_row, change, reason):
    frame, _, rows, _ = read([first_row(**change), further_row(), first_row("#1002")])

    assert frame[["id", "skipped"]].to_numpy().tolist() == [["1001", reason], ["1002", ""]]
    assert rows == RowCounts(read=3, skipped=2, valid=1)


def test_a_skipped_order_needs_no_phone(read, first_row):
    frame, refused, _, _ = read([first_row(**{"Cancelled at": "2026-04-06", "Shipping Phone": "?"})])

    assert frame["phone"][0] is pd.NA
    assert len(refused) == 0


def test_skipping_as_paid_is_loud_until_the_shop_has_decided(read, first_row):
    rows = [
        first_row(f"#{n}", "1700.00", **{"Financial Status": "paid", "Payment Method": "Card"})
        for n in (1, 2)
    ]

    (warning,) = read(rows)[3]
    assert warning.startswith("2 orders worth 3,400 MAD skipped as already paid; set paid")
    assert read(rows, settings=SourceSettings(paid="skip"))[3] == [
        "2 orders worth 3,400 MAD skipped as already paid"
    ]
    frame, _, counts, warnings = read(rows, settings=SourceSettings(paid="send"))
    assert counts == RowCounts(read=2, valid=2)
    assert warnings == []
    assert list(frame["price"]) == ["1700", "1700"]


def test_paid_on_delivery_is_never_sent_again(read, first_row):
    assert (
        read([first_row(**{"Financial Status": "paid"})], settings=SourceSettings(paid="send"))[2].skipped
        == 1
    )


def test_paid_in_part_collects_what_is_left_or_is_refused(read, first_row):
    part = {"Financial Status": "partially_paid"}

    frame, refused, _, _ = read(
        [
            first_row("#1", **part, **{"Outstanding Balance": "40.00"}),
            first_row("#2", **part, **{"Outstanding Balance": ""}),
            first_row("#3", **part, **{"Outstanding Balance": "0.00"}),
        ]
    )

    assert frame[["id", "price", "skipped"]].fillna("none").to_numpy().tolist() == [
        ["1", "40", ""],
        ["3", "none", "nothing to collect"],
    ]
    assert refused["code"].tolist() == ["balance_unknown"]


REFUSED = [
    ({"Financial Status": "strange"}, "unknown_status", "Financial Status"),
    ({"Currency": "EUR"}, "foreign_currency", "Currency"),
    (
        {"Lineitem price": "12 or so", "Total": "", "Outstanding Balance": ""},
        "not_a_number",
        "Lineitem price",
    ),
    ({"Lineitem quantity": "1.5"}, "fraction", "Lineitem quantity"),
    ({"Outstanding Balance": "1.234"}, "ambiguous_number", "Outstanding Balance"),
    ({"Shipping Phone": "9.2E+11"}, "scientific_notation", "Shipping Phone"),
]


def test_another_currency_in_a_cell_is_told_in_the_shops_own(read, first_row):
    _, refused, _, _ = read(
        [first_row(**{"Currency": "EUR", "Total": "100 USD", "Outstanding Balance": "100 USD"})],
        settings=SourceSettings(currency="EUR"),
    )
    assert refused["reason"].tolist() == ["currency: not EUR, and LeadDone would take the amount for EUR"]


@pytest.mark.parametrize("change_code_column", REFUSED)
def test_an_order_is_refused_with_all_its_rows(read, first_row, further_row, change_code_column):
    change, code, column = change_code_column
    frame, refused, rows, _ = read([first_row(**change), further_row(), first_row("#1002")])

    assert frame["id"].tolist() == ["1002"]
    assert refused["code"].tolist() == [code, "with_order"]
    assert refused["column"].tolist() == [column, pd.NA]
    assert refused["source_row"].tolist() == [2, 3]
    assert json.loads(refused["raw"][1])["Lineitem name"] == "Cap"
    assert rows == RowCounts(read=3, quarantined=2, valid=1)


def test_a_repeated_first_row_is_not_guessed_at(read, first_row):
    _, refused, _, _ = read([first_row(), first_row()])

    assert refused["code"].tolist() == ["order_twice_in_a_row", "with_order"]


def test_lines_that_disagree_about_the_city_are_refused(read, first_row, further_row):
    _, refused, _, _ = read([first_row(), further_row(**{"Shipping City": "Agadir"})])

    assert refused["code"].tolist() == ["lines_disagree", "with_order"]


def test_a_torn_row_takes_its_whole_order_with_it(write, first_row, further_row, shopify_columns):
    """A line that cannot be read must neither vanish from its order nor leave others to the order above."""
    path = write([first_row("#1", "150.00"), further_row("#1"), first_row("#2")], columns=shopify_columns)
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[2] = "#1,cut"
    path.write_text(
        "\n".join([*lines, "#3,cut", "#3" + "," * (len(shopify_columns) - 1), ""]), encoding="utf-8"
    )

    (slice_,) = read_orders([path])

    assert slice_.frame["id"].tolist() == ["2"]
    assert slice_.refused["order_id"].tolist() == ["1", "1", "3", "3"]
    assert slice_.refused["code"].tolist() == ["ragged", "with_order", "ragged", "with_order"]


def test_without_totals_the_lines_less_discounts_are_the_amount(
    read, first_row, further_row, shopify_columns
):
    columns = [name for name in shopify_columns if name not in {"Total", "Outstanding Balance", "Subtotal"}]

    frame, _, _, _ = read(
        [first_row(**{"Discount Amount": "10.00", "Lineitem discount": "10.00"}), further_row()],
        columns=columns,
    )

    assert frame["price"].tolist() == ["140"]


def test_a_file_that_hides_what_is_paid_says_so(read, first_row, shopify_columns):
    columns = [name for name in shopify_columns if name != "Financial Status"]

    (warning,) = read([first_row()], columns=columns)[3]

    assert "Financial Status" in warning


def test_amount_items_leaves_the_shipping_out(read, first_row, tmp_path):
    own = tmp_path / "my-shop.yaml"
    own.write_text("extends: shopify\namount: items\npaid: send\n", encoding="utf-8")

    frame, _, _, _ = read([first_row(total="130.00", Subtotal="100.00")], source=own)

    assert frame["price"].tolist() == ["100"]


cents = st.decimals(min_value=0, max_value=10**7, places=2)
items = st.builds(Item, article=st.sampled_from(["A", "B"]), price=cents, qte=st.integers(1, 999))


@given(lines=st.lists(items, min_size=1, max_size=6), amount=cents)
def test_price_times_quantity_is_the_amount_to_the_cent(lines, amount):
    fitted = fit(lines, amount)

    assert fitted.price * fitted.qte == amount
    assert all(item.article in fitted.article for item in lines)
    if len(lines) > 1:
        assert fitted.article.count("×") == len(lines)


@given(item=items)
def test_a_line_that_gives_the_amount_stands_as_it_is(item):
    fitted = fit([item], Decimal(item.price * item.qte))

    assert (fitted.article, fitted.price, fitted.qte) == (item.article, item.price, item.qte)
