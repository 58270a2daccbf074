"""Ledgers written by earlier versions open with their data (delivery.md, rule 8).

The file in `fixtures/` was written by the version whose schema its name says, through deliveries, a person's words
and a run that died; the JSON beside it is what that version read from it. In PostgreSQL stand the same rows.
"""

import json
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial

import pytest
from sqlalchemy import select

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.ledger import read_status, reading
from leaddone_pipeline.ledger.tables import audit, runs
from leaddone_pipeline.settings import Account
from tests import databases
from tests.ledger.old_ledgers import FIXTURES, bring
from tests.support import LeadDoneSandbox, delivery_to, orders_frame


@pytest.fixture
def told():
    return json.loads((FIXTURES / "ledger-0001.json").read_text(encoding="utf-8"))


@pytest.fixture(params=databases.KINDS)
def old(request, tmp_path, told):
    with ExitStack() as stack:
        if request.param == "sqlite":
            place = databases.SQLitePlace(tmp_path)
        else:
            place = stack.enter_context(request.getfixturevalue("cluster").place("template0"))
        bring(place)
        ledger = stack.enter_context(place.open_frozen())
        place.pass_time(told["read_at"] - databases.FROZEN_AT)
        yield ledger


def as_json(frame):
    return json.loads(frame.to_json(orient="records", date_format="iso", date_unit="us"))


def rows(ledger, *columns):
    return [
        dict(row)
        for row in ledger.read(lambda c: c.execute(select(*columns).order_by("id")).mappings().all())
    ]


def test_the_results_and_the_status_of_each_account_are_as_they_were(old, told):
    for account in told["accounts"]:
        named = Account(account["base_url"], account["client_id"])
        number = old.read(partial(reading.find_account, account=named))
        for kind in Kind:
            which = {"account_id": number, "kind": kind}
            frame = old.read(lambda c, which=which: reading.links(c, old.now(), **which))
            assert as_json(frame) == account[kind]
        status = old.read(lambda c, number=number: read_status(c, old.now(), account_id=number))
        now = json.loads(json.dumps(asdict(status)))
        assert now == account["status"] | {"repeats": None, "probe_order_id": None}  # of later schemas


def test_the_key_of_the_hashes_the_audit_and_the_runs_are_as_they_were(old, told):
    audit_columns = ("at", "command", "kind", "order_id", "before", "after")
    run_columns = ("kind", "shop", "ended_at", "stopped")

    assert (old.newly_made, old.content_key.hex()) == (False, told["content_key"])
    assert rows(old, *(audit.c[name] for name in audit_columns)) == told["audit"]
    assert rows(old, *(runs.c[name] for name in run_columns)) == told["runs"]


def test_an_order_that_was_accepted_then_is_not_sent_now(old):
    sandbox = LeadDoneSandbox()
    report = delivery_to(sandbox, old).orders([orders_frame(["M1002", "M1001", "NEW"])])

    assert set(sandbox.orders) == {"NEW"}
    assert report.counts["accepted"] == 3
