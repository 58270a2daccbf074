"""A shop whose ledger is in PostgreSQL, by the command line alone."""

import json
import os
import subprocess
import sys

import pytest

from leaddone_pipeline.sandbox import Platform
from leaddone_pipeline.sandbox.app import serve

HEADER = "id,article,price,phone,qte,receiver,city,address\n"


@pytest.fixture
def leaddone(cluster, tmp_path):
    """Run a command in a project of its own, against a sandbox; (exit code, stdout, stderr)."""
    (tmp_path / "orders.csv").write_text(
        HEADER
        + "".join(f"P-{n},Lampe,199.5,0612345678,1,Amina Essai,Fes,12 rue des Essais\n" for n in range(5))
    )
    with serve(Platform(credentials={"shop": "whsec_x"})) as running, cluster.place("template0") as place:
        settings = {
            "LEADDONE_CLIENT_ID": "shop",
            "LEADDONE_WEBHOOK_SECRET": "whsec_x",
            "LEADDONE_BASE_URL": running.base_url,
            "LEADDONE_LEDGER_URL": place.url.replace("postgres@", "postgres:s3cret@"),
        }

        def run(*arguments):
            done = subprocess.run(
                [sys.executable, "-m", "leaddone_pipeline.cli", *arguments],
                cwd=tmp_path,
                env={**os.environ, **settings},
                capture_output=True,
                text=True,
                check=False,
            )
            assert "s3cret" not in done.stdout + done.stderr
            return done.returncode, done.stdout, done.stderr

        yield run


def test_orders_are_sent_once_and_stand_in_status_and_links(leaddone, tmp_path):
    first = leaddone("send", "orders", "orders.csv", "--json")
    again = leaddone("send", "orders", "orders.csv", "--json")
    status = leaddone("status", "--json")
    links = leaddone("links", "--output", "links.csv")

    assert (first[0], json.loads(first[1])["accepted"], json.loads(first[1])["sent"]) == (0, 5, 5)
    assert (again[0], json.loads(again[1])["accepted"], json.loads(again[1])["sent"]) == (0, 5, 0)
    assert (status[0], links[0]) == (0, 0)
    assert len((tmp_path / "links.csv").read_text().splitlines()) == 6
    assert "newly made" in first[2]
    assert not (tmp_path / ".leaddone").exists()


def test_a_status_before_the_first_delivery_makes_nothing(leaddone):
    code, _, said = leaddone("status")

    assert code == 1
    assert "there is no ledger" in said
