import csv
import re
import subprocess
import sys
from collections import Counter
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaddone_pipeline.contract import ORDER_FIELDS, STATUS_RANK
from leaddone_pipeline.sandbox import REFUSED_CITY
from leaddone_pipeline.sandbox.sample import SHOPS, write_sample

DATA = Path(__file__).parents[2] / "data"
DAYS = [date(2026, 11, 16) + timedelta(days=i) for i in range(7)]
MOROCCO = timezone(timedelta(hours=1))


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.csv")}


def orders_by_id(rows):
    """First rows by order id."""
    found = {}
    for row in rows:
        found.setdefault(row.get("id") or row["Name"].removeprefix("#"), row)
    return found


def exports(shop, folder=DATA, days=DAYS):
    return [read(folder / shop.exports.format(date=day)) for day in days]


def courier_files(shop, folder=DATA, days=DAYS):
    return [read(folder / shop.courier_files.format(date=day)) for day in days]


def phone_of(row):
    if "phone" in row:
        return row["phone"]
    return row["Shipping Phone"] or row["Billing Phone"] or row["Phone"]


def digits_of(phone):
    return re.sub(r"^(\+?212|0)", "", re.sub(r"[' ]", "", phone))


def problems(row):
    """What intake must find in a row, by the kinds that data/README.md lists."""
    price = row.get("price", row.get("Lineitem price"))
    return [
        name
        for name, found in {
            "no phone": not phone_of(row),
            "short phone": len(phone_of(row)) == 7 and phone_of(row).isdigit(),
            "E-notation": "E+" in phone_of(row),
            "no price": price == "",
            "negative price": price.startswith("-"),
            "fraction": "." in row.get("qte", row.get("Lineitem quantity", "")),
            "no article": not row.get("article", row.get("Lineitem name")),
        }.items()
        if found
    ]


def test_the_files_in_the_repository_are_what_the_script_writes(tmp_path):
    subprocess.run([sys.executable, "-m", "leaddone_pipeline.sandbox.sample", str(tmp_path)], check=True)
    assert files(tmp_path) == files(DATA)
    assert sum(map(len, files(DATA).values())) < 2_000_000


def test_fewer_days_are_the_same_files_for_those_days(tmp_path):
    write_sample(tmp_path, days=3)
    whole = files(DATA)
    written = files(tmp_path)
    assert len(written) == 3 * 4
    assert written == {name: whole[name] for name in written}


def test_another_seed_is_other_orders(tmp_path):
    write_sample(tmp_path, days=1, seed=1)
    assert not set(files(tmp_path).values()) & set(files(DATA).values())


@pytest.mark.parametrize("shop", SHOPS, ids=lambda shop: shop.name)
class TestTheExports:
    def test_hold_30_to_300_orders_a_day(self, shop):
        counts = [len(orders_by_id(rows)) for rows in exports(shop)]
        assert all(30 <= count <= 300 for count in counts)
        assert max(counts) > 2 * min(counts)

    def test_hold_the_last_tenth_to_fifth_of_the_day_before_mostly_unchanged(self, shop):
        repeated = changed = 0
        new_before = set()
        before = {}
        for rows in exports(shop):
            today = orders_by_id(rows)
            again = today.keys() & before.keys()
            if before:
                assert 0.1 <= len(again) / len(new_before) <= 0.2
                assert again <= new_before
            repeated += len(again)
            changed += sum(today[each] != before[each] for each in again)
            new_before, before = today.keys() - again, today
        assert 0 < changed < repeated / 10

    def test_hold_one_to_three_percent_bad_orders_of_every_known_kind(self, shop):
        orders = [row for rows in exports(shop) for row in orders_by_id(rows).values()]
        bad = [problems(row) for row in orders if problems(row)]
        assert 0.01 <= len(bad) / len(orders) <= 0.03
        assert {name for names in bad for name in names} == {
            "no phone",
            "short phone",
            "E-notation",
            "no price",
            "negative price",
            "fraction",
            "no article",
        }
        assert all(len(names) == 1 for names in bad)

    def test_hold_phones_that_nobody_has_valid_in_form(self, shop):
        for rows in exports(shop):
            for row in orders_by_id(rows).values():
                if not problems(row):
                    assert re.fullmatch(r"(68[356]|79[1-9])\d{6}", digits_of(phone_of(row)))

    def test_hold_orders_to_a_city_that_the_sandbox_refuses(self, shop):
        cities = [row.get("city", row.get("Shipping City")) for rows in exports(shop) for row in rows]
        assert REFUSED_CITY in cities

    def test_hold_arabic_and_french(self, shop):
        text = "".join((DATA / shop.exports.format(date=day)).read_text(encoding="utf-8") for day in DAYS)
        assert re.search("[ء-ي]", text)
        assert re.search("[éèÉ]", text)


@pytest.mark.parametrize("shop", SHOPS, ids=lambda shop: shop.name)
class TestTheCourierFiles:
    def test_have_the_documented_columns_and_statuses(self, shop):
        rows = [row for rows in courier_files(shop) for row in rows]
        assert set(rows[0]) == {"id", "tracking_number", "status", "event_time"}
        assert {row["status"] for row in rows} == set(STATUS_RANK)

    def test_hold_no_event_of_a_later_day_and_a_few_of_earlier_ones(self, shop):
        late = total = 0
        for day, rows in zip(DAYS, courier_files(shop), strict=True):
            for row in rows:
                happened = datetime.fromisoformat(row["event_time"])
                assert happened.utcoffset() == timedelta(hours=1)
                assert happened < datetime.combine(day + timedelta(days=1), time(), MOROCCO)
                late += happened.date() < day
                total += 1
        assert 0.01 < late / total < 0.1

    def test_hold_some_rows_out_of_order(self, shop):
        for rows in courier_files(shop)[1:]:
            times = [row["event_time"] for row in rows]
            assert times != sorted(times)

    def test_name_orders_that_were_exported_and_never_two_events_of_one_time(self, shop):
        known = {each for rows in exports(shop) for each in orders_by_id(rows)}
        events = [(row["id"], row["event_time"]) for rows in courier_files(shop) for row in rows]
        assert {order_id for order_id, _ in events} <= known
        assert max(Counter(events).values()) == 1

    def test_tell_some_orders_newest_event_before_an_older_one(self, shop):
        newest = {}
        overtaken = 0
        for rows in courier_files(shop):
            for row in rows:
                overtaken += row["event_time"] < newest.get(row["id"], "")
                newest[row["id"]] = max(row["event_time"], newest.get(row["id"], ""))
        assert overtaken


def test_atlas_has_the_documented_columns():
    assert tuple(exports(SHOPS[0])[0][0]) == ORDER_FIELDS


class TestMedina:
    rows = [row for rows in exports(SHOPS[1]) for row in rows]  # noqa: RUF012 - read once, never changed

    def test_has_shopifys_79_columns(self):
        text = (DATA / SHOPS[1].exports.format(date=DAYS[0])).read_bytes()
        header = text.decode().split("\n", 1)[0].split(",")
        assert len(header) == len(set(header)) == 79
        assert header[:4] == ["Name", "Email", "Financial Status", "Paid at"]
        assert header[55:59] == ["Id", "Tags", "Risk Level", "Source"]
        assert header[-1] == "Payment References"
        assert b"\r" not in text
        assert not text.startswith(b"\xef\xbb\xbf")

    def test_has_orders_to_send_and_orders_not_to_send(self):
        first = [row for row in self.rows if row["Financial Status"]]
        assert {row["Financial Status"] for row in first} == {"pending", "paid", "refunded"}
        assert {row["Fulfillment Status"] for row in first} == {"unfulfilled", "fulfilled"}
        cancelled = [row for row in first if row["Cancelled at"]]
        assert 0 < len(cancelled) < len(first) / 10
        pending = [row for row in first if row["Financial Status"] == "pending"]
        assert len(pending) > len(first) * 0.75

    def test_has_an_order_cancelled_after_it_was_exported(self):
        cancelled = {row["Name"]: row["Cancelled at"] for row in self.rows if row["Cancelled at"]}
        assert [
            row["Name"]
            for row in self.rows
            if row["Name"] in cancelled and row["Financial Status"] and not row["Cancelled at"]
        ]

    def test_has_further_lines_with_name_email_date_and_line_columns_alone(self):
        further = [row for row in self.rows if not row["Financial Status"]]
        assert further
        for row in further:
            filled = {column for column, text in row.items() if text}
            assert {"Name", "Email", "Created at", "Vendor", "Lineitem name"} <= filled
            assert all(
                column in {"Name", "Email", "Created at", "Vendor"} or column.startswith("Lineitem")
                for column in filled
            )

    def test_has_the_rows_of_an_order_together_and_the_newest_first(self):
        for rows in exports(SHOPS[1]):
            created = [row["Created at"] for row in rows]
            assert created == sorted(created, reverse=True)
            names = [row["Name"] for row in rows]
            assert names == sorted(names, reverse=True)

    def test_has_totals_that_are_lines_less_discount_plus_shipping(self):
        sums = Counter()
        for row in exports(SHOPS[1])[3]:
            if row["Lineitem price"]:
                sums[row["Name"]] += float(row["Lineitem price"]) * float(row["Lineitem quantity"])
        for row in exports(SHOPS[1])[3]:
            if row["Total"] and not problems(row):
                total = sums[row["Name"]] - float(row["Discount Amount"]) + float(row["Shipping"])
                assert abs(total - float(row["Total"])) < 0.005


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9), start=st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_any_seed_and_start_gives_a_sample_of_the_same_shape(tmp_path_factory, seed, start):
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, days=2, seed=seed, start=start)
    days = [start, start + timedelta(days=1)]
    for shop in SHOPS:
        for rows in exports(shop, folder, days):
            orders = orders_by_id(rows).values()
            assert 30 <= len(orders) <= 300
            assert all(row.get("city", row.get("Shipping City")) for row in orders)
        assert all(courier_files(shop, folder, days))
