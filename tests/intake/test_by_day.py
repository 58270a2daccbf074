"""Files of many days: each record stands with its day, and what has none is refused."""

import itertools
import json
import os
from datetime import UTC, datetime

import pandas as pd
import pytest

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake import RowCounts, Span, dated_orders, dated_updates, day_digests, files_by_day

LAGOS = "Africa/Lagos"  # +01, without summer time
SHOPIFY = "Name,Financial Status,Created at,Lineitem name,Lineitem price,Shipping Phone\n"
SHEET = "id commande,date,client,tel,produit,total\n"


DATED = "id,article,price,phone,date\n"
EVERY = [day.strftime("%Y-%m-%d") for day in pd.date_range("2026-01-01", "2026-12-31")]
YEAR = Span(EVERY[0], EVERY[-1], LAGOS)
EVENTS = "id,tracking_number,status,event_time\n"


@pytest.fixture
def write(tmp_path):
    def write(text, name="orders.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def read(write):
    """The files' records by day."""

    def read(*texts, span=YEAR, days=EVERY, source=None, name="orders.csv"):
        paths = [write(text, f"{number}-{name}") for number, text in enumerate(texts)]
        files = dated_orders(paths, source=source, settings=None, zone=span.zone)
        return list(files_by_day(files, days, span))

    return read


@pytest.fixture
def days(read, write):
    """Row -> day; empty for rows that belong to no day."""

    def days(text, *, yaml=None, zone=LAGOS, name="orders.csv"):
        source = write(yaml, "mine.yaml") if yaml else None
        (one,) = read(text, span=Span(EVERY[0], EVERY[-1], zone), source=source, name=name)
        if one.broken is not None:
            raise one.broken
        found = {
            row: day
            for day, part in one.slices.items()
            for row in (*part.frame["source_row"], *part.refused["source_row"])
        }
        return found | (dict.fromkeys(one.undated.refused["source_row"], "") if one.undated else {})

    return days


@pytest.fixture
def digests(write):
    def digests(text, span=YEAR, **bounds):
        files = dated_orders([write(text)], source=None, settings=None, zone=span.zone)
        return day_digests(files, span, **{"seconds": 1e9, **bounds})

    return digests


def order(number, day, phone="0612345678"):
    return f"{number},Lampe,199.90,{phone},{day}\n"


def test_each_day_has_its_own_counts_and_those_of_no_other(read):
    """Both laws hold of each day alone: its rows, and its records."""
    rows = order(1, "2026-11-16") + order(2, "2026-11-17") + order(3, "2026-11-16", phone="12")
    (one,) = read(DATED + rows + order(2, "2026-11-17"), days=["2026-11-16", "2026-11-17", "2026-11-18"])

    assert {day: part.rows for day, part in one.slices.items()} == {
        "2026-11-16": RowCounts(read=2, quarantined=1, valid=1),
        "2026-11-17": RowCounts(read=2, merged=1, valid=1),
    }
    assert one.undated is None
    assert one.newest == "2026-11-17"


def test_only_the_days_that_are_wanted_are_judged(read):
    (one,) = read(DATED + order(1, "2026-11-16") + order(2, "2026-11-17"), days=["2026-11-16"])

    assert list(one.slices) == ["2026-11-16"]
    assert one.newest == "2026-11-17"


def test_the_rows_of_an_order_stay_together_though_other_days_stand_between(read):
    head = "#{},pending,2026-11-{} 10:00:00 +0100,{},{},0612345678\n"
    text = SHOPIFY + head.format(1, 16, "A", 100) + head.format(2, 17, "B", 50) + "#1,,,C,20,\n"
    (one,) = read(text)

    assert one.undated is None
    assert one.slices["2026-11-16"].rows == RowCounts(read=2, merged=1, valid=1)
    assert one.slices["2026-11-16"].frame["article"].tolist() == ["1 × A + 1 × C"]


def test_an_id_is_good_once_a_day_among_all_files(read):
    """Rule 14."""
    first, second = read(
        DATED + order(1, "2026-11-16"),
        DATED + order(1, "2026-11-16", phone="0699999999") + order(1, "2026-11-17"),
    )

    assert first.slices["2026-11-16"].rows.valid == 1
    assert second.slices["2026-11-16"].refused["code"].tolist() == ["differs_from_earlier"]
    assert second.slices["2026-11-17"].rows.valid == 1


def test_an_order_without_a_day_up_to_today_is_refused_with_the_remedy(read):
    span = Span("2026-11-16", "2026-11-18", LAGOS)
    (one,) = read(
        DATED
        + order(1, "")
        + order(2, "soon")
        + order(3, "2026-11-19 00:00")
        + order(4, "2026-11-18 23:59")
        + order(5, "2026-11-15")
        + order(6, "", phone="12")
        + order(7, "9999-12-31"),
        span=span,
        days=["2026-11-18"],
    )

    refused = one.undated.refused
    assert refused[["source_row", "code", "column"]].to_numpy().tolist() == [
        [2, "no_day", "date"],
        [3, "no_day", "date"],
        [4, "in_the_future", "date"],
        [7, "wrong_length", "phone"],
        [8, "no_day", "date"],
    ]
    assert refused["remedy"].str.contains("taken on its day")[:3].all()
    assert one.undated.rows == RowCounts(read=5, quarantined=5)
    assert one.slices["2026-11-18"].rows == RowCounts(read=1, valid=1)
    assert (one.early, one.newest) == (1, "2026-11-18")


def test_a_file_tells_all_of_a_day_when_it_has_a_later_one_or_was_changed_later(write):
    path = write(DATED + order(1, "2026-11-16"))
    until = {}
    for day in ("2026-11-10", "2026-11-20"):
        changed = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC).timestamp()
        os.utime(path, (changed, changed))
        (one,) = files_by_day(dated_orders([path], source=None, settings=None, zone=LAGOS), [], YEAR)
        until[day] = one.until

    assert until == {"2026-11-10": "2026-11-16", "2026-11-20": "2026-11-19"}


def test_events_stand_with_the_day_on_which_they_happened(write):
    text = EVENTS + (
        "1,T1,shipped,2026-11-16T23:30:00Z\n2,T2,shipped,2026-11-16T10:00:00Z\n3,T3,shipped,\n4,T4,shipped,soon\n"
    )
    files = dated_updates([write(text)], source=None, zone=LAGOS)
    (one,) = files_by_day(files, EVERY, YEAR)

    assert {day: part.frame["id"].tolist() for day, part in one.slices.items()} == {
        "2026-11-16": ["2"],
        "2026-11-17": ["1"],
    }
    assert one.undated.refused[["order_id", "code", "column"]].to_numpy().tolist() == [
        ["3", "no_day", "event_time"],
        ["4", "not_a_time", "event_time"],
    ]


def test_a_courier_file_without_times_is_refused_as_a_whole(write):
    text = "id,tracking_number,status\n1,T1,shipped\n"
    (one,) = files_by_day(dated_updates([write(text)], source=None, zone=LAGOS), EVERY, YEAR)

    assert "no column for the time" in one.broken.problem
    assert "{date}" in one.broken.remedy
    assert not one.slices


def test_the_digest_of_a_day_is_that_of_its_rows_wherever_they_stand(digests):
    rows = [order(1, "2026-11-16"), order(2, "2026-11-17"), order(3, "2026-11-17")]
    before = digests(DATED + "".join(rows))

    assert digests(DATED + order(4, "2026-11-18") + "".join(reversed(rows))).items() > before.items()
    changed = digests(DATED + "".join(rows[:2]) + order(3, "2026-11-17", phone="0699999999"))
    assert [day for day in before if changed[day] != before[day]] == ["2026-11-17"]
    assert digests(DATED + "".join(rows), Span("2026-11-17", "2026-12-31", LAGOS)).keys() == {"2026-11-17"}


def test_a_row_of_no_day_counts_for_the_newest_day(digests):
    rows = order(1, "2026-11-16") + order(2, "2026-11-17")
    before, after = digests(DATED + rows), digests(DATED + rows + order(3, ""))

    assert [day for day in before if after[day] != before[day]] == ["2026-11-17"]
    assert digests(DATED + order(3, "")).keys() == {"2026-12-31"}


def test_digests_are_not_told_when_the_time_is_over(digests):
    assert digests(DATED + order(1, "2026-11-16"), seconds=0.5, clock=itertools.count().__next__) is None


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

    assert (caught.value.file, caught.value.column) == ("0-orders.csv", "date")
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
