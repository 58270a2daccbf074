"""A year from a backfill, as the UI asks for it and a daemon works it off; three of its days are bad."""

from pathlib import Path

import dagster as dg
import duckdb
import pytest

from benchmarks.backfill import BAD_ROWS, CLIENT, FIRST, ORDERS_A_DAY, Year, days_from, wait_for
from leaddone_pipeline.ledger import Ledger, reading
from leaddone_pipeline.settings import Account

DELIVERIES, LINKS = dg.AssetKey(["atlas", "order_deliveries"]), dg.AssetKey(["atlas", "order_links"])
DAYS = days_from(FIRST, 365)
BAD = (DAYS[9], DAYS[10], DAYS[200])
GOOD = [day for day in DAYS if day not in BAD]


@pytest.fixture
def year(tmp_path):
    made = Year(tmp_path, DAYS)
    for day in DAYS:
        made.write_day(day, bad_rows=BAD_ROWS if day in BAD else 0)
    with made.running():
        yield made


def test_a_year_is_one_run_its_bad_days_are_red_alone_and_are_sent_alone_when_mended(year):
    assert year.backfill(DAYS) == "COMPLETED_FAILED"
    with year.instance() as instance:
        assert instance.get_runs_count() == 1
        assert instance.get_materialized_partitions(DELIVERIES) == set(GOOD)
        statuses = instance.get_status_by_partition(DELIVERIES, DAYS, partitions(DAYS))
        assert {day for day, status in statuses.items() if status.name == "FAILED"} == set(BAD)
        counts = delivered(instance)
        assert counts == dict.fromkeys(GOOD, (ORDERS_A_DAY, ORDERS_A_DAY, 1))
        # The red days kept the links of all days from being made; the sensor, on by default, asks for them.
        wait_for(lambda: instance.get_materialized_partitions(LINKS) == set(GOOD), within=600)
    assert links(year.folder) == ledger(year) == taken(year)
    assert len(taken(year)) == len(GOOD) * ORDERS_A_DAY

    before = len(year.platform.requests)
    for day in BAD:
        year.write_day(day)
    assert year.backfill(BAD) == "COMPLETED_SUCCESS"
    sent = [name for request in year.platform.requests[before:] for name in request.ids]
    assert sorted(sent) == sorted(f"{day}-{number}" for day in BAD for number in range(ORDERS_A_DAY))
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
        number = opened.read(
            lambda c: reading.find_account(c, base_url=account.base_url, client_id=account.client_id)
        )
        rows = opened.read(lambda c: reading.links(c, opened.now(), account_id=number))
    return dict(zip(rows["order_id"], rows["internal_id"], strict=True))


def taken(year):
    return {name: one["internal_id"] for name, one in year.platform.orders(CLIENT).items()}
