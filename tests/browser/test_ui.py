"""Dagster's UI over `dagster_project`, as someone sees it: the graph, a backfill from it, what a day's page says.

With SCREENSHOTS=docs/images in the environment it also makes the README's pictures.
"""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from leaddone_pipeline.sandbox import Platform
from leaddone_pipeline.sandbox.app import serve
from tests.scaleout.programs import LOOPBACK, answers, free_port, installed, needed, started, wait_for

ROOT = Path(__file__).parents[2]
CLIENT, SECRET = "browser-shop", "whsec_browser"
DAYS = ["2026-11-16", "2026-11-17", "2026-11-18"]
QUIET = "telemetry: {enabled: false}\nnux: {enabled: false}\n"
SEEN_WITHIN = 180_000  # milliseconds; bounds a failure, never a success


@pytest.fixture
def platform():
    return Platform(credentials={CLIENT: SECRET})


@pytest.fixture
def ui(tmp_path, platform):
    """`dagster dev` on the repository's code location: web server, daemon, code server."""
    home, port = tmp_path / "home", free_port()
    home.mkdir()
    (home / "dagster.yaml").write_text(QUIET)
    with serve(platform) as running:
        env = os.environ | {
            "DAGSTER_HOME": str(home),
            "LEADDONE_TABLES": "tables.duckdb",  # as the page shows it
            "LEADDONE_LEDGER_URL": f"sqlite:///{tmp_path}/ledger.db",
            "LEADDONE_BASE_URL": running.base_url,
            "LEADDONE_CLIENT_ID": CLIENT,
            "LEADDONE_WEBHOOK_SECRET": SECRET,
        }
        command = [
            installed("dagster"),
            "dev",
            "-w",
            str(ROOT / "workspace.yaml"),
            "-h",
            LOOPBACK,
            "-p",
            str(port),
        ]
        with started(command, log=tmp_path / "dagster.log", env=env, cwd=tmp_path):
            wait_for(lambda: answers(port), what="Dagster's UI")
            yield f"http://{LOOPBACK}:{port}"


@pytest.fixture
def page(ui):
    chromium = needed("chromium", package="chromium")
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not run as root, and no page but ours is opened.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(base_url=ui, viewport={"width": 1400, "height": 880})
        page.set_default_timeout(SEEN_WITHIN)
        expect.set_options(timeout=SEEN_WITHIN)
        yield page
        browser.close()


def test_a_backfill_from_the_graph_brings_every_order_and_its_count_to_the_page(page, platform):
    open_graph(page)
    launch_backfill(page, f"[{DAYS[0]}...{DAYS[-1]}]")
    page.goto("/assets/atlas/order_links?view=partitions")
    expect(page.get_by_text(f"Materialized ({len(DAYS)})")).to_be_visible()
    counts = [accepted_on_page(page, "order_links", day) for day in DAYS]
    assert sum(counts) == len(platform.orders(CLIENT)) > 300
    table = page.get_by_role("table").first
    expect(table).to_contain_text(re.compile(r"PLT-\d+"))  # the preview is drawn a moment after the rest
    shown = table.inner_text()
    taken = {order["internal_id"] for order in platform.orders(CLIENT).values()}
    assert set(re.findall(r"PLT-\d+", shown)) <= taken
    assert len(re.findall(r"PLT-\d+", shown)) > 3

    open_graph(page)
    expect(page.get_by_text(re.compile(r"^\d+% filled"))).to_have_count(8)
    expect(page.get_by_text("0% filled", exact=True)).to_have_count(0)
    picture(page, "assets.png")
    accepted_on_page(page, "order_links", DAYS[-1])
    picture(page, "partition.png")


def picture(page, name):
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.screenshot(path=ROOT / folder / name)


def open_graph(page):
    page.goto("/locations/dagster_project/asset-groups/atlas/lineage")
    for name in ("orders", "orders_quarantine", "order_deliveries", "order_links"):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()


def launch_backfill(page, days):
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.get_by_role("dialog")
    chosen = dialog.locator("input[type=text]").first
    chosen.fill(days)
    chosen.press("Enter")
    expect(dialog.get_by_text(f"{len(DAYS)} partitions", exact=True)).to_be_visible()
    dialog.get_by_role("button", name="Launch backfill").click()
    expect(dialog).to_be_hidden()


def accepted_on_page(page, asset, day):
    """What the page of a day's partition says under `accepted`."""
    page.goto(f"/assets/atlas/{asset}?view=partitions&partition={day}")
    expect(page.get_by_text(f"Materialized ({len(DAYS)})")).to_be_visible()
    row = page.get_by_role("row").filter(has=page.get_by_text("accepted", exact=True)).first
    return int(re.sub(r"\D", "", row.get_by_role("cell").nth(1).inner_text()))
