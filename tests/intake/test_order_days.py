import json

import pytest

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake import order_days

LAGOS = "Africa/Lagos"  # +01, without summer time
SHOPIFY = "Name,Financial Status,Created at,Lineitem name,Lineitem price,Shipping Phone\n"
SHEET = "id commande,date,client,tel,produit,total\n"


@pytest.fixture
def days(tmp_path):
    def days(text, *, yaml=None, zone=LAGOS, name="orders.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        source = None
        if yaml:
            source = tmp_path / "mine.yaml"
            source.write_text(yaml, encoding="utf-8")
        found = order_days(tmp_path / name, source=source, zone=zone)
        return dict(zip(found["source_row"].tolist(), found["day"].fillna("").tolist(), strict=True))

    return days


def test_the_offset_counts_and_the_day_is_the_zones_own(days):
    """The offset changes inside one file (sources.md 2); 23:30 +0000 is the next day at +01."""
    text = (
        SHOPIFY
        + "#1,pending,2026-11-23 23:30:00 +0000,A,1,0612345678\n"
        + "#1,,2026-11-23 23:30:00 +0000,B,1,\n"
        + "#2,pending,2026-11-23 23:30:00 +0100,A,1,0612345678\n"
        + "#3,pending,,A,1,0612345678\n"
    )

    assert days(text) == {2: "2026-11-24", 4: "2026-11-23", 5: ""}
    assert days(text, zone="UTC")[2] == "2026-11-23"


def test_a_value_above_twelve_says_which_number_is_the_day(days):
    rows = "1,03/04/2026 09:17,N,0612345678,A,1\n2,{},N,0612345678,A,1\n"

    assert days(SHEET + rows.format("31/12/2026")) == {2: "2026-04-03", 3: "2026-12-31"}
    assert days(SHEET + rows.format("12/31/2026")) == {2: "2026-03-04", 3: "2026-12-31"}


@pytest.mark.parametrize("other", ["05/06/2026", "31/12/2026 10:00,N,0612345678,A,1\n3,12/31/2026"])
def test_a_file_that_does_not_show_it_is_refused_with_the_remedy(days, other):
    text = f"{SHEET}1,03/04/2026,N,0612345678,A,1\n2,{other},N,0612345678,A,1\n"

    with pytest.raises(IntakeError, match="day_first") as caught:
        days(text)

    assert (caught.value.file, caught.value.column) == ("orders.csv", "date")
    assert days(text, yaml="extends: sheet\norders: {dates: {order: day_first}}\n")[2] == "2026-04-03"


def test_seconds_since_1970_and_times_without_a_zone_are_read_as_the_source_says(days):
    """WooCommerce's date_created_gmt is UTC; YouCan's created_at ISO text or seconds (sources.md 3 and 4)."""
    item = {"price": 1, "quantity": 1, "variant": {"product": {"name": "A"}}}
    record = {
        "ref": "021",
        "variants": [item],
        "payment": {"status_text": "unpaid"},
        "customer": {"phone": "06"},
    }
    times = (1795476600, "2026-11-23T23:30:00Z", "2026-11-23 23:30:00")
    text = "\n".join(json.dumps(record | {"created_at": created}) for created in times)

    assert set(days(text, name="orders.jsonl").values()) == {"2026-11-24"}


def test_a_file_without_dates_is_refused(days):
    with pytest.raises(IntakeError, match="no column for the date"):
        days("id commande,client,tel,produit,total\n1,N,0612345678,A,1\n")
