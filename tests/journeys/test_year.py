"""A backfill of many days, as the UI asks for it and a daemon works it off; three of its days are bad.

`--backfill-days 365` makes it a year.
"""

from pathlib import Path

import dagster as dg
import duckdb
import pytest

from benchmarks.backfill import BAD_ROWS, CLIENT, FIRST, ORDERS_A_DAY, Year, days_from, wait_for
from leaddone_pipeline.ledger import Ledger, reading
from leaddone_pipeline.settings import Account

DELIVERIES, LINKS = dg.AssetKey(["atlas", "order_deliveries"]), dg.AssetKey(["atlas", "order_links"])


@pytest.fixture
def days(request):
    return days_from(FIRST, request.config.getoption("backfill_days"))


@pytest.fixture
def bad(days):
    return tuple(sorted((days[9], days[10], days[-15])))


@pytest.fixture
def year(tmp_path, days, bad):
    made = Year(tmp_path, days)
    for day in days:
        made.write_day(day, bad_rows=BAD_ROWS if day in bad else 0)
    with made.running():
        yield made


def test_a_year_is_one_run_its_bad_days_are_red_alone_and_are_sent_alone_when_mended(year, days, bad):
    good = [day for day in days if day not in bad]
    assert year.backfill(days) == "COMPLETED_FAILED"
    with year.instance() as instance:
        assert sum("dagster/backfill" in run.tags for run in instance.get_runs()) == 1
        assert instance.get_materialized_partitions(DELIVERIES) == set(good)
        statuses = instance.get_status_by_partition(DELIVERIES, days, partitions(days))
        assert {day for day, status in statuses.items() if status.name == "FAILED"} == set(bad)
        counts = delivered(instance)
        assert counts == dict.fromkeys(good, (ORDERS_A_DAY, ORDERS_A_DAY, 1))
        # The red days kept the links of all days from being made; the sensor, on by default, asks for them.
        wait_for(lambda: instance.get_materialized_partitions(LINKS) == set(good), within=600)
    assert links(year.folder) == ledger(year) == taken(year)
    assert len(taken(year)) == len(good) * ORDERS_A_DAY

    before = len(year.platform.requests)
    for day in bad:
        year.write_day(day)
    assert year.backfill(bad) == "COMPLETED_SUCCESS"
    sent = [name for request in year.platform.requests[before:] for name in request.ids]
    assert sorted(sent) == sorted(f"{day}-{number}" for day in bad for number in range(ORDERS_A_DAY))
    assert links(year.folder) == ledger(year) == taken(year)
    assert {one["processed"] for one in year.platform.orders(CLIENT).values()} == {1}
    print(f"{len(year.platform.requests)} requests, {year.runs()} runs, peak {year.peak_kb // 1024} MB a run")


def partitions(days):
    return dg.DailyPartitionsDefinition(days[0], timezone="Africa/Casablanca", end_offset=1)


def delivered(instance):
    """Day -> (accepted, sent, times it was materialized)."""
    found = {}
    for record in instance.fetch_materializations(DELIVERIES, limit=1_000).records:
        event = record.asset_materialization
        times = found.get(event.partition, (0, 0, 0))[2]
        found[event.partition] = (event.metadata["accepted"].value, event.metadata["sent"].value, times + 1)
    return found


def links(folder):
    with duckdb.connect(str(folder / "tables.duckdb"), read_only=True) as connection:
        return dict(connection.execute("select order_id, internal_id from atlas.order_links").fetchall())


def ledger(year):
    file = Path(year.folder, ".leaddone", "ledger.db")
    with Ledger(f"sqlite:///{file}", read_only=True) as opened:
        account = Account(year.base_url, CLIENT)
        number = opened.read(lambda c: reading.find_account(c, account))
        rows = opened.read(lambda c: reading.links(c, opened.now(), account_id=number))
    return dict(zip(rows["order_id"], rows["internal_id"], strict=True))


def taken(year):
    return {name: one["internal_id"] for name, one in year.platform.orders(CLIENT).items()}
