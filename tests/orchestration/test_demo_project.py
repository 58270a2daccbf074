"""The code location that ships with the repository, through the commands that its users type."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

ROOT = Path(__file__).parents[2]
DAY = "2026-11-16"


@pytest.fixture
def demo(project, monkeypatch, tmp_path):
    """`dagster_project`, with its ledger and tables in a temporary folder."""
    project.connect()
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("LEADDONE_TABLES", str(tmp_path / "tables.duckdb"))
    monkeypatch.setenv("LEADDONE_LEDGER_URL", f"sqlite:///{project.root}/.leaddone/ledger.db")
    return importlib.import_module("dagster_project.definitions").defs()


@pytest.mark.parametrize("shop", ["atlas", "medina"])
def test_a_day_of_each_shop_is_delivered_to_the_last_order(demo, project, shop):
    job = demo.resolve_job_def(f"{shop}_deliver")
    result = job.execute_in_process(instance=project.instance, partition_key=DAY)
    assert result.success
    told = project.materializations("order_deliveries", shop)[DAY][0]
    assert told["accepted"] == len(project.taken()) > 30
    assert told["rejected"] == 1
    laws = {key: passed for key, passed in project.verdicts(result).items() if key[1].endswith("_law")}
    assert len(laws) == 4
    assert all(laws.values())


def test_the_demo_loads_with_two_shops_and_another_teams_pipeline(demo):
    dg.Definitions.validate_loadable(demo)
    assert {key.path[0] for key in demo.resolve_all_asset_keys()} == {"atlas", "medina", "wholesale"}
    assert len(list(demo.resolve_all_asset_keys())) == 8 + 8 + 3


def test_another_teams_baskets_are_sent_once_and_get_their_links(demo, project):
    job = demo.resolve_job_def("wholesale")
    first = job.execute_in_process(instance=project.instance)
    confirmed = first.asset_value(dg.AssetKey(["wholesale", "confirmed_baskets"]))
    assert dict(zip(confirmed["basket"], confirmed["internal_id"], strict=True)) == project.taken()
    assert len(confirmed) == 3
    requests = len(project.platform.requests)
    again = job.execute_in_process(instance=project.instance)
    assert again.asset_value(dg.AssetKey(["wholesale", "confirmed_baskets"])).equals(confirmed)
    assert len(project.platform.requests) == requests
    told = project.materializations("links", "wholesale")[None]
    assert [(one["accepted"], one["sent"]) for one in told] == [(3, 0), (3, 3)]


def test_dg_finds_nothing_wrong(tmp_path):
    """`dg check defs` begins with what `dg check yaml` checks."""
    environment = os.environ | {"DAGSTER_HOME": str(tmp_path), "LEADDONE_TABLES": str(tmp_path / "t.duckdb")}
    dg_command = Path(sys.executable).with_name("dg")
    subprocess.run([dg_command, "check", "defs"], check=True, cwd=ROOT, env=environment, capture_output=True)
