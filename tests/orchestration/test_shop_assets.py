import subprocess
import sys
from decimal import Decimal

import dagster as dg
import pandas as pd
import pytest

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.orchestration import metadata
from leaddone_pipeline.sandbox import REFUSED_CITY

D16, D17, D18 = "2026-11-16", "2026-11-17", "2026-11-18"
EFFECTS = ("order_deliveries", "tracking_deliveries")
STORED = (
    "orders",
    "orders_quarantine",
    "order_links",
    "courier_updates",
    "courier_updates_quarantine",
    "tracking_results",
)


@pytest.fixture(scope="module")
def three_days(make_order, make_update):
    """Write three days with overlapping exports, a refused order, a bad row, late and repeated statuses."""

    def write(project):
        a, b, c = make_order("A1"), make_order("A2", price="1249"), make_order("A3", city=REFUSED_CITY)
        project.orders(D16, a, b, c, make_order("A4", phone="12"))
        project.orders(D17, b, make_order("A1", city="Fès"), make_order("B1", address="", price="0.05"))
        project.orders(D18, make_order("C1"), make_order("C2", qte=""))
        project.courier(D16, make_update("A1"), make_update("A3"))
        project.courier(
            D17, make_update("A1", "delivered", "2026-11-17T10:00:00Z"), make_update("A2"), make_update("A2")
        )
        project.courier(D18, make_update("A1", "out_for_delivery", "2026-11-16T20:00:00Z"), make_update("C9"))
        return project

    return write


@pytest.fixture(scope="module")
def delivered(shared_project, three_days):
    """The three days, delivered by one run."""
    result = three_days(shared_project).run(D16, D18)
    assert result.success
    return shared_project, result


def test_a_day_goes_from_its_file_to_links(project, three_days):
    three_days(project)
    result = project.run(D16)
    assert result.success
    assert set(project.links()) == {"A1", "A2"}
    assert project.links() == project.taken()
    links = project.table("order_links").set_index("order_id")
    assert links["outcome"].to_dict() == {"A1": "accepted", "A2": "accepted", "A3": "rejected"}
    assert set(links["partition_date"]) == {pd.Timestamp(D16)}
    refused = project.table("orders_quarantine")
    assert refused[["source_row", "code"]].to_numpy().tolist() == [[5, "wrong_length"]]


def test_a_range_run_and_one_run_a_day_leave_equal_ledgers_and_links(make_project, three_days, same_rows):
    at_once, day_by_day = three_days(make_project("at_once")), three_days(make_project("days"))
    assert at_once.run(D16, D18).success
    for day in (D16, D17, D18):
        assert day_by_day.run(day).success
    for kind in Kind:
        same_rows(at_once.ledger(kind), day_by_day.ledger(kind))
    assert set(at_once.taken()) == set(day_by_day.taken()) == set(at_once.links())
    columns = ["shop", "order_id", "outcome", "held", "message", "partition_date", "source_row"]
    tables = [one.table("order_links")[columns].sort_values("order_id") for one in (at_once, day_by_day)]
    same_rows(*(table.reset_index(drop=True) for table in tables))


def test_a_second_run_sends_nothing(project, three_days, store):
    three_days(project)
    project.deliver(store, D16, D17)
    requests = len(project.platform.requests)
    for days in ((D16, D17), (D17,)):
        assert all(result.success for result in project.deliver(store, *days))
    assert len(project.platform.requests) == requests
    assert [told[0]["sent"] for told in project.materializations("order_deliveries").values()] == [0, 0]


def test_each_day_of_a_range_has_its_own_counts(delivered):
    project, _ = delivered
    orders = {day: told[0] for day, told in project.materializations("orders").items()}
    counts = {day: (told["read"], told["quarantined"], told["valid"]) for day, told in orders.items()}
    assert counts == {D16: (4, 1, 3), D17: (3, 0, 3), D18: (2, 0, 2)}
    sent = {day: told[0]["sent"] for day, told in project.materializations("order_deliveries").items()}
    assert sent == {D16: 3, D17: 1, D18: 2}
    links = project.materializations("order_links")
    rows = {day: told[0]["dagster/partition_row_count"] for day, told in links.items()}
    assert rows == {D16: 3, D17: 1, D18: 2}
    assert all(
        len(project.materializations(name)[day]) == 1 for name in (*EFFECTS, *STORED) for day in orders
    )


def test_every_status_has_an_outcome(delivered):
    project, _ = delivered
    results = project.table("tracking_results")
    told = results[["order_id", "status", "outcome"]].to_numpy().tolist()
    assert told == [
        ["A1", "shipped", "superseded"],
        ["A3", "shipped", "held_back"],
        ["A1", "delivered", "accepted"],
        ["A2", "shipped", "accepted"],
        ["A1", "out_for_delivery", "superseded"],
        ["C9", "shipped", "rejected"],
    ]
    assert results["partition_date"].dt.strftime("%d").tolist() == ["16", "16", "17", "17", "18", "18"]
    assert project.platform.orders("atlas-client")["A1"]["status"] == "delivered"


def test_a_day_without_files_is_materialized_empty_and_a_check_says_so(project, store):
    """On a fresh database, where DuckDB has no table before the first row comes."""
    results = project.deliver(store, D16, D17)
    assert all(result.success for result in results)
    assert not project.platform.requests
    for name in (*STORED, *EFFECTS):
        assert set(project.materializations(name)) == {D16, D17}, name
    assert {told[0]["files"] for told in project.materializations("orders").values()} == {0}
    checks = {key: passed for result in results for key, passed in project.verdicts(result).items()}
    assert [checks["orders", "export_present", day] for day in (D16, D17)] == [False, False]


def test_a_file_that_came_late_fills_its_day(project, make_order):
    project.run(D16, D17)
    project.orders(D16, make_order("A1"))
    assert project.run(D16).success
    assert set(project.links()) == {"A1"}
    assert project.run(D17).success


def test_an_unreadable_file_is_quarantined_and_the_other_one_delivered(project, make_order):
    project.orders(f"{D16}-a", make_order("A1"))
    (project.root / f"orders-{D16}-b.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    result = project.run(D16, orders_files="orders-{date}*.csv")
    assert result.success
    assert set(project.taken()) == {"A1"}
    refused = project.table("orders_quarantine")
    assert refused["code"].tolist() == ["unreadable_file"]
    assert refused["source_file"].tolist() == [f"orders-{D16}-b.csv"]
    checks = project.verdicts(result)
    assert not checks["orders", "files_readable", D16]
    assert checks["orders", "rows_law", D16]


def test_stored_orders_survive_the_round_trip_to_the_cent(project, make_order, store):
    prices = {D16: ["199.90", "0.01"], D17: ["1249"], D18: ["19.98755"]}
    for day, its in prices.items():
        project.orders(day, *(make_order(f"{day}-{n}", price=price) for n, price in enumerate(its)))
    reading = {"only": ["orders", "orders_quarantine"]}
    project.deliver(store, D16, D17, D18, **reading)
    first = project.stored(store, "orders")
    assert sorted(first["price"]) == ["0.01", "1249", "19.98755", "199.9"]
    assert first["partition_date"].dt.strftime("%d").tolist() == ["16", "16", "17", "18"]
    project.deliver(store, D16, D17, D18, **reading)
    pd.testing.assert_frame_equal(project.stored(store, "orders"), first)
    for day, its in prices.items():
        tenfold = [f"{(Decimal(price) * 10).normalize():f}" for price in its]
        project.orders(day, *(make_order(f"{day}-{n}", price=price) for n, price in enumerate(tenfold)))
    assert all(result.success for result in project.deliver(store, D16, D17, D18))
    assert sorted(project.stored(store, "orders")["price"]) == ["0.1", "12490", "199.8755", "1999"]
    sent = {name: str(one["price"]) for name, one in project.platform.orders("atlas-client").items()}
    assert sent == {f"{D16}-0": "1999", f"{D16}-1": "0.1", f"{D17}-0": "12490", f"{D18}-0": "199.8755"}


def test_no_metadata_holds_personal_data_or_the_secret(delivered):
    project, result = delivered
    told = repr(
        [
            event.asset_materialization
            for record in STORED + EFFECTS
            for event in project.instance.fetch_materializations(
                dg.AssetKey(["atlas", record]), limit=10
            ).records
        ]
    ) + repr(result.get_asset_check_evaluations())
    for secret in ("0685123456", "Oliviers", "whsec_0a1b2c3d", "Amal"):
        assert secret not in told
    assert "A1" in told


def test_a_phone_or_a_name_in_the_place_of_an_id_is_in_no_page_and_no_log(project, make_order):
    """A shifted row has another column's cell there, and some shops take the phone for the order's id."""
    project.orders(
        D16, make_order("0685123456"), make_order("Benani / 0685123456", phone="12"), make_order("A1")
    )
    result = project.run(D16)
    assert result.success
    told = {name: project.materializations(name)[D16][0]["preview"] for name in (*STORED, "order_deliveries")}
    assert "| *** | accepted |" in told["order_links"]
    assert "| A1 | accepted |" in told["order_links"]
    assert f"| orders-{D16}.csv | 3 | phone | wrong_length |" in told["orders_quarantine"]
    log = repr(project.instance.all_logs(result.run_id))
    assert not [word for word in ("685123456", "Benani") if word in log]


@pytest.mark.parametrize(
    ("phone", "order_id"),
    [
        ("0612345678", "612345678"),
        ("0612345678", "06/12/34/56/78"),
        ("0612345678", "(06)12345678"),
        ("0612345678", "+212 (0)6 12 34 56 78"),
        ("0612345678", "06_12_34_56_78"),
        ("+33612345678", "+33 6 12 34 56 78"),
        ("+33612345678", "0033612345678"),
        ("0612345678", "00 33 6 98 76 54 32"),
    ],
)
def test_an_id_that_is_a_phone_is_in_no_preview_however_it_is_written(phone, order_id):
    plain = ["5812345678901", "000012345", "001234567"]
    frame = pd.DataFrame({"id": [order_id, *plain], "phone": phone, "skipped": ""})
    shown = metadata.preview(frame).md_str
    assert [f"| {one} |" in shown for one in plain] == [True] * len(plain)
    assert shown.count("| *** |") == 1
    assert order_id not in shown


def test_where_the_ledger_is_and_that_it_is_new_stand_in_log_and_metadata(project, make_order):
    """Rule 2."""
    logs = []
    for day in (D16, "2026-11-17"):
        project.orders(day, make_order(day))
        result = project.run(day)
        told = project.materializations("order_deliveries")[day][0]["ledger"]
        assert told.endswith("/project/.leaddone/ledger.db")
        logs.append(
            [e.user_message for e in project.instance.all_logs(result.run_id) if told in e.user_message]
        )
    assert [any("newly made" in message for message in of_a_run) for of_a_run in logs] == [True, False]
    assert all(logs)


def test_the_catalog_shows_the_columns_of_every_stored_table(project):
    defs = project.defs()
    for name in STORED:
        schema = (
            defs.resolve_asset_graph().get(dg.AssetKey(["atlas", name])).metadata["dagster/column_schema"]
        )
        assert schema.columns[-1].name == "partition_date"
        assert all(column.description for column in schema.columns), name
    orders = project.defs().resolve_asset_graph().get(dg.AssetKey(["atlas", "orders"]))
    price = next(c for c in orders.metadata["dagster/column_schema"].columns if c.name == "price")
    assert "price_is_above_zero_and_exact" in price.constraints.other


def test_a_shop_without_courier_files_has_no_tracking_assets(project, make_order):
    project.orders(D16, make_order("A1"))
    keys = {key.path[-1] for asset in project.defs(courier_files=None).assets for key in asset.keys}
    assert keys == {"orders", "orders_quarantine", "order_deliveries", "order_links"}
    assert project.run(D16, courier_files=None).success


def test_order_links_can_be_made_again_and_send_nothing(project, three_days):
    three_days(project)
    project.run(D16, only=["orders", "orders_quarantine", "order_deliveries"])
    project.platform.set_faults(["unauthorized"])
    assert project.run(D16, only=["order_links"]).success
    assert project.links() == project.taken()


def test_what_the_command_line_has_sent_dagster_does_not_send_again(project, three_days):
    """Rule 1: the shop's name and the way are labels."""
    three_days(project)
    project.connect()
    command = [sys.executable, "-m", "leaddone_pipeline.cli", "send", "orders", f"orders-{D16}.csv"]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    sent = len(project.platform.requests)

    result = project.run(D16, only=["orders", "orders_quarantine", "order_deliveries", "order_links"])

    assert result.success
    assert sent == len(project.platform.requests) == 1
    assert project.links() == project.taken()
