"""The whole way with whichever versions are installed: the oldest and the newest that pyproject.toml admits.

`.ci/versions` runs this and the rest of suite.txt in environments of their own; nothing here needs the extra `demo`.
"""

import csv

import dagster as dg
import pandas as pd
import pytest

from leaddone_pipeline import LeadDoneResource, LeadDoneShopComponent
from leaddone_pipeline.sandbox import Platform
from leaddone_pipeline.sandbox.app import serve

CLIENT, SECRET = "versions-shop", "whsec_versions"
DAYS = ("2026-11-16", "2026-11-17")
COLUMNS = ("id", "article", "price", "phone", "city")


@pytest.fixture
def platform():
    return Platform(credentials={CLIENT: SECRET})


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture
def project(tmp_path, monkeypatch, platform):
    """A project's root, with a LeadDone in its environment."""
    (tmp_path / ".leaddone").mkdir()
    monkeypatch.chdir(tmp_path)
    with serve(platform) as running:
        monkeypatch.setenv("LEADDONE_CLIENT_ID", CLIENT)
        monkeypatch.setenv("LEADDONE_WEBHOOK_SECRET", SECRET)
        monkeypatch.setenv("LEADDONE_BASE_URL", running.base_url)
        yield tmp_path


def rows(prefix, count=30):
    return [
        {
            "id": f"{prefix}-{number:03}",
            "article": "Théière « Fès »",
            "price": f"{100 + number}.90",
            "phone": f"06123456{number:02}",
            "city": "مراكش",
        }
        for number in range(count)
    ]


def write(file, orders):
    with file.open("w", newline="", encoding="utf-8") as out:
        form = csv.DictWriter(out, COLUMNS)
        form.writeheader()
        form.writerows(orders)


def internal_ids(platform):
    return {order_id: order["internal_id"] for order_id, order in platform.orders(CLIENT).items()}


def test_two_days_of_a_shop_reach_leaddone_and_their_links_come_back(project, platform, instance):
    for number, day in enumerate(DAYS):
        write(project / f"orders-{day}.csv", [*rows(f"D{number}"), {"id": "BAD", "article": "x"}])
    defs = dg.Definitions.merge(
        LeadDoneShopComponent(
            shop="atlas",
            orders_files=str(project / "orders-{date}.csv"),
            source="leaddone",
            start_date=DAYS[0],
            days_per_run=1,
        ).build_defs(None),
        dg.Definitions(resources={"io_manager": dg.FilesystemIOManager(base_dir=str(project / "tables"))}),
    )
    job = defs.resolve_job_def("atlas_deliver")
    for _ in range(2):
        assert all(job.execute_in_process(instance=instance, partition_key=day).success for day in DAYS)

    links = pd.concat(pd.read_pickle(project / "tables" / "atlas" / "order_links" / day) for day in DAYS)
    refused = pd.read_pickle(project / "tables" / "atlas" / "orders_quarantine" / DAYS[0])
    assert dict(zip(links["order_id"], links["internal_id"], strict=True)) == internal_ids(platform)
    assert len(links) == 60
    assert {order["processed"] for order in platform.orders(CLIENT).values()} == {1}
    assert len(refused) == 1


@pytest.mark.usefixtures("project")
def test_a_frame_as_pandas_makes_it_is_sent_from_any_asset(platform, instance):
    """Strings are objects in pandas 2 and `str` in pandas 3; numbers are numbers in both."""

    @dg.asset
    def sent(leaddone: LeadDoneResource) -> pd.DataFrame:
        frame = pd.DataFrame(rows("F")).assign(qte=1)
        return leaddone.send_orders(frame.assign(price=frame["price"].astype(float))).links

    resource = LeadDoneResource(client_id=CLIENT, webhook_secret=SECRET)
    result = dg.materialize([sent], resources={"leaddone": resource}, instance=instance)

    links = result.output_for_node("sent")
    assert dict(zip(links["order_id"], links["internal_id"], strict=True)) == internal_ids(platform)
    assert {str(order["price"]) for order in platform.orders(CLIENT).values()} >= {"100.9", "129.9"}
