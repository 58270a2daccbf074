"""Which source a file is of: taken with a reason, or asked with what was seen."""

import pytest

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake import SourceSettings, load_source, read_orders
from leaddone_pipeline.intake.recognition import known_header, recognise

HEADERS = {
    "shopify": "Name,Financial Status,Lineitem name,Lineitem price,Shipping Phone",
    "woocommerce": "id,number,status,total,billing.phone,billing.first_name,line_items.name,line_items.total",
    "woocommerce-advanced": "Order Number,Order Status,Phone (Billing),Item Name,Item Cost",
    "woocommerce-webtoffee": "order_number,order_total,billing_phone,wt_import_key,line_item_1",
    "woocommerce-skyverge": "order_number_formatted,order_total,billing_phone,line_items",
    "youcan": "ref,total,variants.price,variants.quantity,variants.variant.product.name,customer.phone",
    "sheet": "N° commande,Client,Téléphone,Produit,Prix",
    "leaddone": "id,article,price,phone,qte,receiver,city,address",
}


@pytest.mark.parametrize("name", HEADERS)
def test_each_source_knows_its_own_header_and_says_why(name):
    source, why = recognise(Kind.ORDERS, HEADERS[name].split(","), "orders.csv")

    assert source.name == name
    assert "columns" in why


@pytest.mark.parametrize("name", [name for name in HEADERS if name not in {"woocommerce", "youcan"}])
def test_case_accents_and_punctuation_of_a_header_do_not_matter(name):
    folded = [
        column.upper().replace("É", "E").replace("_", " ").replace(" ", "_")
        for column in HEADERS[name].split(",")
    ]

    assert recognise(Kind.ORDERS, folded, "orders.csv")[0].name == name


def test_a_known_source_that_lacks_a_column_is_still_taken_so_that_the_column_is_named(write):
    path = write("Name,Lineitem name,Lineitem quantity,Financial Status,Shipping Phone\n#1,A,1,pending,06\n")

    (part,) = read_orders([path])

    assert part.broken.problem.startswith(
        "the file has no column for price; columns seen: Name, Lineitem name"
    )
    assert part.broken.column == "Lineitem price"


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("Colonne A,Colonne B", "no source of orders fits; columns seen: 2, not shown"),
        ("N° commande,Nom,Téléphone,Ville", r"Ville; as sheet it lacks columns for article, price or bare"),
        ("id,article,price,phone,Remise", r"several sources fit \(leaddone, sheet\)"),
        ("id,article,price,phone,Statut", r"several sources fit \(leaddone, sheet\)"),
        ("Amina,0612345678", "the first row seems to be no header"),
        ("Amina,1001", "the first row seems to be no header"),
        ("Amina,Fès,Sac", "columns seen: 3, not shown, since the first row seems to be no header"),
    ],
)
def test_no_match_and_a_tie_list_what_was_seen(header, told):
    """Data of a person that stands where the header should is not shown."""
    with pytest.raises(IntakeError, match=told) as caught:
        recognise(Kind.ORDERS, header.split(","), "orders.csv")

    assert caught.value.file == "orders.csv"
    assert "0612345678" not in str(caught.value)
    assert "Amina" not in str(caught.value)


def test_the_header_is_told_from_rows_above_it():
    assert known_header(Kind.ORDERS, HEADERS["sheet"].split(","))
    assert not known_header(Kind.ORDERS, ["Commandes du 23 novembre", "", "", ""])


def test_settings_of_the_call_go_over_those_of_the_source():
    source = load_source("shopify").with_settings(SourceSettings(paid="send", price_is="total"))

    assert (source.paid, source.price_is, source.fulfilled, source.currency) == (
        "send",
        "total",
        "skip",
        "MAD",
    )


@pytest.mark.parametrize(
    ("text", "row", "told"),
    [
        ("extends: sheet\nprice_is: each\n", 2, "price_is"),
        ("extends: shopify\namount: all\n", 2, "amount"),
        ("extends: shopify\ncurrency: dirham\n", 2, "currency"),
        ("extends: shopify\nregion: Maroc\n", 2, "region"),
        ("extends: shopify\nfulfilled: yes\n", 2, "fulfilled"),
        ("extends: sheet\norders:\n  statuses:\n    shipped: [parti]\n", 4, "shipped"),
        ("extends: sheet\norders:\n  skip:\n    - reason: gone\n      when: {status: [x]}\n", 4, "reason"),
        ("extends: sheet\norders:\n  lines: many\n", 3, "lines"),
        ("extends: sheet\norders:\n  dates: {order: us}\n", 3, "order"),
        ("extends: mine.yaml\n", 1, "extends itself"),
    ],
)
def test_a_wrong_setting_is_named_with_file_and_line(tmp_path, text, row, told):
    own = tmp_path / "mine.yaml"
    own.write_text(text, encoding="utf-8")

    with pytest.raises(IntakeError, match=told) as caught:
        load_source(own)

    assert (caught.value.file, caught.value.row) == ("mine.yaml", row)


def test_a_shops_yaml_may_extend_one_beside_it(tmp_path):
    (tmp_path / "base.yaml").write_text("extends: sheet\nprice_is: unit\n", encoding="utf-8")
    (tmp_path / "mine.yaml").write_text("extends: base.yaml\nfulfilled: send\n", encoding="utf-8")

    source = load_source(tmp_path / "mine.yaml")

    assert (source.name, source.price_is, source.fulfilled) == ("mine", "unit", "send")
