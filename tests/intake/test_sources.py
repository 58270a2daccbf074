import pytest

from leaddone_pipeline.contract import SkipReason
from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake import load_source, source_names

SHOPS = [
    "leaddone",
    "sheet",
    "shopify",
    "woocommerce",
    "woocommerce-advanced",
    "woocommerce-skyverge",
    "woocommerce-webtoffee",
    "youcan",
]


def test_every_built_in_source_fits_its_own_form():
    assert [name for name in source_names() if load_source(name).orders] == SHOPS
    for name in source_names():
        assert load_source(name).name == name
        assert load_source(name).title


def test_a_shops_yaml_extends_a_built_in_one(tmp_path):
    own = tmp_path / "my-shop.yaml"
    own.write_text("extends: shopify\npaid: send\norders: {id_prefix: 'XX'}\n", encoding="utf-8")

    source = load_source(own)

    assert (source.name, source.paid, source.orders.id_prefix) == ("my-shop", "send", "XX")
    assert source.orders.columns == load_source("shopify").orders.columns


@pytest.mark.parametrize(
    ("text", "row", "told"),
    [
        ("extends: shopify\npaid: maybe\n", 2, "paid"),
        ("extends: shopify\n\nprices: unit\n", 3, "prices"),
        ("name: x\norders:\n  columns: {id: [a], article: [b], price: [c]}\n", 3, "phone"),
        ("name: [x\n", 2, "not YAML"),
        ("- a\n", None, "not a source file"),
        ("extends: nothing\n", None, "no source of this name"),
    ],
)
def test_a_wrong_yaml_is_refused_with_file_and_line(tmp_path, text, row, told):
    own = tmp_path / "own.yaml"
    own.write_text(text, encoding="utf-8")

    with pytest.raises(IntakeError, match=told) as caught:
        load_source(own)

    assert caught.value.row == row
    assert caught.value.remedy


def test_an_unknown_source_lists_the_known_ones():
    with pytest.raises(IntakeError, match=r"leaddone.*shopify, woocommerce"):
        load_source("woo")


def test_what_the_setting_paid_decides_has_one_reason():
    rules = [rule for name in SHOPS for rule in load_source(name).orders.skip if "paid" in rule.unless]

    assert {rule.reason for rule in rules} == {SkipReason.PAID}
