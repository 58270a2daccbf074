"""A secret, a phone, a name and an address are planted, each kind of failure is provoked, and all that is left is
searched: the secret may stand nowhere, personal data only in the stored tables and in quarantine files."""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as it stands.
import csv
import logging
import re
import subprocess
import sys
import traceback
from decimal import Decimal

import dagster as dg
import httpx
import pandas as pd
import pytest

from leaddone_pipeline import LeadDoneResource, LeadDoneShopComponent
from leaddone_pipeline.delivery import Delivery
from leaddone_pipeline.errors import LeadDoneError
from leaddone_pipeline.intake import check_orders
from leaddone_pipeline.ledger import Ledger
from leaddone_pipeline.sandbox import Platform
from leaddone_pipeline.sandbox.app import serve
from leaddone_pipeline.settings import Account, Credentials, TimeoutSettings
from leaddone_pipeline.webhook import LeadDoneClient, Meaning, Order

SECRET = "whsec_plantedSECRETplanted"
CLIENT = "leak-shop"
PHONE, BAD_PHONE = "0685417263", "06854172639"
RECEIVER, ADDRESS, ARTICLE = "Plantée Personne", "77 rue de la Graine", "Théière plantée"
DAYS = ("2026-11-16", "2026-11-17", "2026-11-18")
PERSONAL = {
    "phone": re.compile(rb"6[\s.\-]*8[\s.\-]*5[\s.\-]*4[\s.\-]*1[\s.\-]*7[\s.\-]*2[\s.\-]*6[\s.\-]*3"),
    "receiver": re.compile("Plant(é|e\u0301|\\\\u00e9|\\\\xe9|Ã©)e Personne".encode()),
    "address": re.compile(rb"rue de la Graine"),
}
PLANTED = PERSONAL | {"secret": re.compile(SECRET.encode())}


def found_in(text, *, planted=PLANTED):
    """Name what of the planted stands in a text, however a log may have written it."""
    data = text if isinstance(text, bytes) else str(text).encode("utf-8", "surrogatepass")
    return {name for name, pattern in planted.items() if pattern.search(data)}


def order(order_id, **fields):
    given = {"id": order_id, "article": ARTICLE, "price": "199", "qte": "1", "receiver": RECEIVER}
    return given | {"phone": PHONE, "city": "Fès", "address": ADDRESS} | fields


def write(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A project with three days of planted orders, a LeadDone that misbehaves, and places to search."""
    for name in ("project", "dagster", "tables"):
        (tmp_path / name).mkdir()
    (tmp_path / "project" / "pyproject.toml").touch()
    (tmp_path / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    for number, day in enumerate(DAYS):
        good = [order(f"L{number}-{i}") for i in range(3)]
        bad = [order(f"L{number}-bad", phone=BAD_PHONE), order(f"L{number}-free", price="dear")]
        write(tmp_path / "project" / f"orders-{day}.csv", good + bad)
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    monkeypatch.setenv("LEADDONE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("LEADDONE_WEBHOOK_SECRET", SECRET)
    with serve(Platform(credentials={CLIENT: SECRET})) as running:
        monkeypatch.setenv("LEADDONE_BASE_URL", running.base_url)
        yield tmp_path, running


def run_day(tmp_path, instance, day):
    defs = LeadDoneShopComponent(
        shop="leaks", orders_files="orders-{date}.csv", start_date=DAYS[0], days_per_run=1
    ).build_defs(None)
    stored = dg.FilesystemIOManager(base_dir=str(tmp_path / "tables"))
    return dg.materialize(
        list(defs.assets),
        instance=instance,
        partition_key=day,
        resources={**defs.resources, "io_manager": stored},
        raise_on_error=False,
    )


def events_of(instance, result):
    return "\n".join(repr(entry) + entry.to_json() for entry in instance.all_logs(result.run_id))


def files_below(*folders):
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and path.suffix != ".csv":
                yield path


def test_nothing_leaks_from_dagster_whatever_fails(house, caplog, capfd):
    """A quarantined row, a 422 that echoes the phone, a cut connection, a 401: one day each."""
    tmp_path, running = house
    caplog.set_level(logging.DEBUG)
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster")) as instance:
        told = []
        for day, fault in zip(DAYS, ("echo", "lost_answer", "unauthorized"), strict=True):
            running.platform.set_faults([fault])
            told.append(events_of(instance, run_day(tmp_path, instance, day)))
        with Ledger(f"sqlite:///{tmp_path}/project/.leaddone/ledger.db") as ledger:
            account = Account(running.base_url, CLIENT)
            with LeadDoneClient(Credentials(CLIENT, SECRET), base_url=running.base_url) as client:
                links = Delivery(ledger, client, account).links()
                told += [repr(client), repr(vars(client)), repr(ledger)]

    assert links["outcome"].tolist() == ["rejected"] * 3 + ["unconfirmed"] * 3 + ["pending"] * 3
    assert all("***" in message for message in links["message"][:3])  # the echo was there, and was masked
    printed = capfd.readouterr()
    for text in (*told, caplog.text, printed.out, printed.err, links.to_csv()):
        assert found_in(text) == set()
    searched = list(files_below(tmp_path / "dagster", tmp_path / "project" / ".leaddone"))
    assert {"ledger.db"} < {path.name for path in searched}
    for path in searched:
        assert found_in(path.read_bytes()) == set(), path


def test_the_same_search_finds_a_phone_that_is_logged_on_purpose(house, caplog, capfd):
    tmp_path, _ = house
    caplog.set_level(logging.DEBUG)

    @dg.asset
    def careless(context: dg.AssetExecutionContext) -> None:
        context.log.info("calling %s at %s, who lives in %s", PHONE, RECEIVER, ADDRESS)
        context.add_output_metadata({"signed with": SECRET})

    with dg.DagsterInstance.from_config(str(tmp_path / "dagster")) as instance:
        events = events_of(instance, dg.materialize([careless], instance=instance))

    assert found_in(events) == set(PLANTED)
    assert found_in(capfd.readouterr().err) >= set(PERSONAL)
    stored = set().union(*(found_in(path.read_bytes()) for path in files_below(tmp_path / "dagster")))
    assert stored == set(PLANTED)


@pytest.mark.parametrize("fault", ["echo", "lost_answer", "unauthorized", "html_error"])
def test_nothing_leaks_from_the_command_line_whatever_fails(house, fault):
    tmp_path, running = house
    running.platform.set_faults([fault])
    done = subprocess.run(
        [sys.executable, "-m", "leaddone_pipeline.cli", "send", "orders", f"orders-{DAYS[0]}.csv", "--json"],
        capture_output=True,
        check=False,
    )

    assert done.returncode in {1, 3}
    assert found_in(done.stdout + done.stderr) == set()
    for path in files_below(tmp_path / "project" / ".leaddone"):
        assert found_in(path.read_bytes()) == set(), path
    quarantine = (tmp_path / "project" / f"orders-{DAYS[0]}.csv.quarantine.csv").read_bytes()
    assert found_in(quarantine) == set(PERSONAL)  # where the design keeps it, and never the secret


def test_a_timeout_and_a_schema_failure_say_nothing_of_the_customer(house, caplog):
    caplog.set_level(logging.DEBUG)
    _, running = house
    httpx.post(running.base_url.replace("/api/webhook", "/sandbox/hold")).raise_for_status()
    customer = {"phone": PHONE, "receiver": RECEIVER, "address": ADDRESS}
    with LeadDoneClient(
        Credentials(CLIENT, SECRET), base_url=running.base_url, timeouts=TimeoutSettings(read_seconds=0.2)
    ) as client:
        verdict = client.send_orders([Order(id="1", article=ARTICLE, price=Decimal(199), **customer)])
    refused = check_orders(pd.DataFrame([order("1", phone=BAD_PHONE), order("2", price="dear")])).refused
    explained = refused[["code", "reason", "remedy", "column"]].to_csv()

    assert len(refused) == 2
    assert (verdict.meaning, verdict.words) == (Meaning.UNKNOWN, "ReadTimeout")
    assert found_in(repr(verdict) + explained + caplog.text) == set()


def test_an_error_with_its_traceback_and_every_repr_keep_the_secret(house):
    _, running = house
    running.platform.set_faults(["unauthorized"])
    resource = LeadDoneResource(client_id=CLIENT, webhook_secret=SECRET, base_url=running.base_url)
    with pytest.raises(LeadDoneError) as stopped:
        resource.send_orders(pd.DataFrame([order("1")]))
    resource.close()
    shown = "".join(traceback.format_exception(stopped.value))

    assert found_in(shown + repr(stopped.value) + repr(resource) + repr(Credentials(CLIENT, SECRET))) == set()
    with pytest.raises(Exception, match="batch_size") as refused:
        LeadDoneResource(client_id=CLIENT, webhook_secret=SECRET, batch_size="many")
    assert found_in(str(refused.value)) == set()
