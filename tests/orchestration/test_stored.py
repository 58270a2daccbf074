"""Stored tables: each shop's own, each day's own, and never a day of which the table is not what was read."""

import dagster as dg
import pandas as pd
import pytest
from dagster_duckdb_pandas import DuckDBPandasIOManager

DAY, NEXT = "2026-11-16", "2026-11-17"


@pytest.fixture
def shops(project, make_order):
    """Two shops that a project materializes in one run."""
    project.connect()
    project.write(f"atlas-{DAY}.csv", [make_order("A1"), make_order("A2")])
    project.write(f"boutique-{DAY}.csv", [make_order("B1"), make_order("B2"), make_order("B3")])
    each = [
        project.defs(shop=shop, orders_files=f"{shop}-{{date}}.csv", courier_files=None)
        for shop in ("atlas", "boutique")
    ]
    return dg.Definitions.merge(*each)


@pytest.mark.parametrize("settings", [{}, {"schema": "analytics"}], ids=["plain", "with a schema"])
def test_each_shop_has_tables_of_its_own(project, shops, settings):
    tables = DuckDBPandasIOManager(database=str(project.root / "tables.duckdb"), **settings)
    result = dg.materialize(
        list(shops.assets),
        instance=project.instance,
        resources={**shops.resources, "io_manager": tables},
        partition_key=DAY,
    )
    assert result.success
    for shop, ids in (("atlas", {"A1", "A2"}), ("boutique", {"B1", "B2", "B3"})):
        assert set(project.table("orders", shop)["id"]) == ids
        assert set(project.table("order_links", shop)["order_id"]) == ids
        assert project.materializations("order_deliveries", shop)[DAY][0]["accepted"] == len(ids)


class Forgetful(dg.ConfigurableIOManager):
    """Keeps one pickle an asset, whatever the day."""

    folder: str

    def handle_output(self, context, obj):
        obj.to_pickle(f"{self.folder}/{context.asset_key.path[-1]}")

    def load_input(self, context):
        return pd.read_pickle(f"{self.folder}/{context.asset_key.path[-1]}")


def test_a_table_that_does_not_keep_days_apart_stops_the_day(project, make_order, failures):
    """Each day would have the orders of both, and the second one would take them for its own."""
    project.orders(DAY, make_order("A1"))
    project.orders(NEXT, make_order("B1"), make_order("B2"))
    result = project.run(DAY, NEXT, io_manager=Forgetful(folder=str(project.root)), courier_files=None)
    assert not result.success
    told = failures(result)[0].description
    assert f"orders of {DAY}: 1 rows of the day were stored, and 3 come back" in told
    assert f"orders of {NEXT}: 2 rows of the day were stored, and 3 come back" in told
    assert not project.platform.requests


READ = ["orders", "orders_quarantine"]
EFFECT = ["order_deliveries"]


def test_a_day_that_this_dagster_has_not_read_is_not_delivered(project, make_order, failures, store):
    """Its table may be there, from another Dagster; how many of its rows were refused nobody knows."""
    project.orders(DAY, make_order("A1"))
    project.orders(NEXT, make_order("B1"))
    for result in project.deliver(store, DAY, only=READ):
        assert result.success
    results = project.deliver(store, DAY, NEXT, only=EFFECT)
    told = failures(results[-1])[0].description
    assert f"orders of {NEXT}: the day was not read in this Dagster" in told
    assert "Materialize orders of this day first" in told
    assert set(project.materializations("order_deliveries")) == {DAY}
    assert set(project.taken()) == {"A1"}

    assert all(result.success for result in project.deliver(store, NEXT, only=[*READ, *EFFECT]))
    assert set(project.taken()) == {"A1", "B1"}


@pytest.mark.parametrize("how", ["wiped", "reported", "another Dagster"])
def test_the_guard_lets_nothing_pass_of_which_it_knows_no_counts(project, make_order, failures, how):
    project.orders(DAY, *(make_order(f"A{n}", phone="12" if n else "0685123456") for n in range(20)))
    assert not project.run(DAY).success
    key = dg.AssetKey(["atlas", "orders"])
    if how == "wiped":
        project.instance.wipe_assets([key])
    elif how == "reported":
        project.instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=DAY))
    else:
        project.instance = project.stack.enter_context(dg.DagsterInstance.ephemeral())
    result = project.run(DAY, only=EFFECT)
    assert not result.success
    assert "was not read in this Dagster" in failures(result)[0].description
    assert not project.platform.requests


def test_statuses_that_this_dagster_has_not_read_are_not_delivered(
    project, make_order, make_update, failures
):
    project.orders(DAY, make_order("A1"))
    project.courier(DAY, make_update("A1"))
    assert project.run(DAY, courier_files=None).success
    result = project.run(DAY, only=["tracking_deliveries"])
    assert f"courier_updates of {DAY}: the day was not read" in failures(result)[0].description
    assert project.run(DAY).success
    assert project.platform.orders("atlas-client")["A1"]["status"] == "shipped"
