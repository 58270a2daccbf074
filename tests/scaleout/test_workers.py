"""The files of deploy/ at work: PostgreSQL, Redis and two workers; one of them dies with orders in its hands.

What an operator does here is what deploy/README.md says under "When a worker is gone".
"""

import os
import re
import sys
from contextlib import ExitStack

import dagster as dg
import httpx
import pandas as pd
import pytest

from leaddone_pipeline.cli import main
from leaddone_pipeline.sandbox.sample import write_sample
from tests.scaleout.deployment import DagsterWeb, Site, sample_variables
from tests.scaleout.programs import installed, postgres, redis, short_folder, started, wait_for

DAYS = ["2026-11-16", "2026-11-17", "2026-11-18"]
ASSETS = ["orders", "orders_quarantine", "order_deliveries", "order_links"]
SHOPS = {"atlas": "ATL", "medina": "MED"}
DONE = {"COMPLETED_SUCCESS", "COMPLETED_FAILED", "COMPLETED", "FAILED", "CANCELED"}
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


@pytest.fixture
def stack():
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def leaddone(stack, tmp_path):
    """`leaddone sandbox`, a process of its own."""
    running = stack.enter_context(
        started(
            [installed("leaddone"), "sandbox"], log=tmp_path / "sandbox.log", env=os.environ, cwd=tmp_path
        )
    )
    said = wait_for(lambda: "answers" in running.said() and running.said(), what="the sandbox")
    return LeadDone(dict(re.findall(r"export (\w+)=(\S+)", said)))


class LeadDone:
    def __init__(self, told):
        self.told = told
        self._steering = told["LEADDONE_BASE_URL"].replace("/api/webhook", "/sandbox")

    def steer(self, what):
        httpx.post(f"{self._steering}/{what}").raise_for_status()

    @property
    def state(self):
        return httpx.get(f"{self._steering}/state").json()

    def orders(self):
        return {order["order_id"]: order for order in self.state["orders"]}

    def held_of(self, shop):
        """Ids of a shop's orders that have come to LeadDone's door, and not in."""
        held = [id_ for request in self.state["held"] for id_ in request["ids"]]
        return [id_ for id_ in held if SHOPS[shop] in id_]


@pytest.fixture
def site(stack, leaddone):
    folder = stack.enter_context(short_folder())
    write_sample(folder / "files")
    database = stack.enter_context(postgres("dagster", "ledger"))
    broker = stack.enter_context(redis(folder))
    values = leaddone.told | {
        "DAGSTER_POSTGRES_URL": f"postgresql+psycopg2://postgres@127.0.0.1:{database}/dagster",
        "LEADDONE_LEDGER_URL": f"postgresql+psycopg://postgres@127.0.0.1:{database}/ledger",
        "CELERY_BROKER_URL": f"redis://127.0.0.1:{broker}/0",
        "CELERY_RESULT_BACKEND": f"redis://127.0.0.1:{broker}/1",
        "SHOPS_FILES": str(folder / "files"),
        "SHOPS_TABLES": str(folder / "tables"),
    }
    return Site(folder, values, stack)


def test_a_worker_that_dies_costs_no_order_and_doubles_none(site, leaddone, monkeypatch):
    """2 shops x 3 days over two workers; one is killed while LeadDone has not answered (rules 12 and 15)."""
    # Nothing else is set than what the sample names, but for the sandbox's address and the test project's folders.
    assert sample_variables() == set(site.told) - {"LEADDONE_BASE_URL", "SHOPS_FILES", "SHOPS_TABLES"}
    for name, value in site.told.items():
        monkeypatch.setenv(name, value)
    leaddone.steer("hold-requests")
    site.start("leaddone-code.service")
    site.start("leaddone-webserver.service")
    workers = {name: site.start("leaddone-worker@.service", name) for name in ("w1", "w2")}
    web = DagsterWeb(site.port)
    wait_for(lambda: web.loads(["atlas", "orders"]), what="the web server")
    site.start("leaddone-daemon.service")
    backfills = [web.backfill([[shop, name] for name in ASSETS], DAYS) for shop in SHOPS]

    at_the_door(leaddone)
    leaddone.steer("release")
    leaddone.steer("hold-requests")
    held = at_the_door(leaddone)
    assert leaddone.orders(), "nothing was taken before: this is not the middle"
    lost = running(web, "atlas")
    killed = worker_of(lost, workers)
    assert worker_of(running(web, "medina"), workers) != killed
    workers[killed].kill()
    leaddone.steer("release")
    # LeadDone takes what had come to its door; the worker will never know.
    wait_for(lambda: held <= set(leaddone.orders()), what="orders whose answer nobody reads")

    let_its_time_run_out(lost["runId"])
    for backfill in backfills:
        wait_for(lambda b=backfill: web.backfill_status(b) in DONE, what="the backfill", within=400)
    runs = [run for run in web.runs() if run["tags"].get("dagster/backfill") in backfills]
    retried = [run for run in runs if run["tags"].get("dagster/parent_run_id") == lost["runId"]]
    assert [run["status"] for run in runs if run["runId"] == lost["runId"]] == ["FAILURE"]
    assert [run["status"] for run in retried] == ["SUCCESS"]
    assert {worker_of(run, workers) for run in runs} == {"w1", "w2"}
    assert len(runs) == len(SHOPS) * len(DAYS) + 1
    assert {web.backfill_status(backfill) for backfill in backfills} == {"COMPLETED_SUCCESS"}

    wait_for(lambda: all(run["status"] in ENDED for run in web.runs()), what="the end of all runs")
    settle(site, leaddone, monkeypatch)
    again = web.backfill([["atlas", name] for name in ASSETS], [day_of(lost)])
    wait_for(lambda: web.backfill_status(again) in DONE, what="the day again")
    links = linked(site)
    taken = {order_id: order["internal_ids"] for order_id, order in leaddone.orders().items()}
    assert taken == {order_id: [internal_id] for order_id, internal_id in links.items()}
    assert held <= set(links)
    assert len(links) > 500


def at_the_door(leaddone):
    """Both shops' runs are in the middle: the ids of atlas that have come to LeadDone's door, and not in."""
    return wait_for(
        lambda: all(leaddone.held_of(shop) for shop in SHOPS) and set(leaddone.held_of("atlas")),
        what="orders of both shops at LeadDone",
    )


def running(web, shop):
    (run,) = [run for run in web.runs() if run["status"] == "STARTED" and f"{shop}/orders" in run["assets"]]
    return run


def day_of(run):
    tags = run["tags"]
    return tags.get("dagster/partition") or tags["dagster/asset_partition_range_start"]


def worker_of(run, workers):
    """The worker that took the run's task."""
    task = run["tags"]["dagster-celery/task_id"]
    (name,) = [name for name, worker in workers.items() if task in worker.said()]
    return name


def let_its_time_run_out(run_id):
    """As if max_runtime_seconds of deploy/dagster.yaml had passed for this run, and for no other."""
    with dg.DagsterInstance.get() as instance:
        instance.add_run_tags(run_id, {"dagster/max_runtime": "1"})


def settle(site, leaddone, monkeypatch):
    """What is still of unknown fate is settled by a person who looks into LeadDone."""
    links = site.folder / "links.csv"
    type_in(monkeypatch, "leaddone", "links", "--output", str(links))
    known = pd.read_csv(links, dtype=str)
    unknown = set(known.loc[known["outcome"] == "unconfirmed", "order_id"])
    taken = leaddone.orders()
    for order_id in unknown & set(taken):
        type_in(monkeypatch, "leaddone", "resolve", order_id, "--accepted", taken[order_id]["internal_id"])
    if absent := unknown - set(taken):
        type_in(monkeypatch, "leaddone", "resolve", *absent, "--resend")
    print(f"{len(unknown)} orders were of unknown fate; LeadDone had {len(unknown & set(taken))} of them")


def type_in(monkeypatch, *command):
    """What an operator types, here in this process: an interpreter for each would only cost its start."""
    monkeypatch.setattr(sys, "argv", [*command])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code, command


def linked(site):
    """Order id to internal id, from the stored tables of all shops and days."""
    files = [site.folder / "tables" / shop / "order_links" / day for shop in SHOPS for day in DAYS]
    rows = pd.concat([pd.read_pickle(file) for file in files])
    assert rows["order_id"].is_unique
    assert set(rows["outcome"]) <= {"accepted", "rejected", "skipped"}
    accepted = rows[rows["outcome"] == "accepted"]
    return dict(zip(accepted["order_id"], accepted["internal_id"], strict=True))
