"""Each way to be stopped: a few lines that name the remedy, no traceback, the right code."""

import pytest

FEW = 8


def assert_told(ran, *words):
    lines = ran.err.strip().splitlines()
    assert len(lines) <= FEW, ran.err
    for word in words:
        assert word in ran.err


@pytest.mark.parametrize("name", ["LEADDONE_CLIENT_ID", "LEADDONE_WEBHOOK_SECRET"])
def test_a_missing_credential(leaddone, write, name):
    ran = leaddone("send", "orders", write({"id": "A-1"}), env={name: None})
    assert (ran.code, ran.out) == (2, "")
    assert_told(ran, name, ".env")


def test_a_missing_file(leaddone, project):
    ran = leaddone("send", "orders", "nowhere.csv", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert_told(ran, "nowhere.csv: there is no such file", "Check the name")
    assert not list((project / ".leaddone").iterdir())


def test_a_file_that_is_no_table(leaddone, project):
    (project / "photo.csv").write_bytes(b"PK\x03\x04rest of a zip file")
    ran = leaddone("send", "orders", "photo.csv")
    assert ran.code == 2
    assert_told(ran, "photo.csv", "cannot be read")


def test_a_missing_required_column(leaddone, write):
    ran = leaddone("send", "orders", write({"id": "A-1"}, columns=("id", "article", "price", "city")))
    assert ran.code == 2
    assert_told(ran, "orders.csv", "phone")


def test_an_unknown_source(leaddone, write):
    ran = leaddone("send", "orders", write({"id": "A-1"}), "--source", "shopfy")
    assert ran.code == 2
    assert_told(ran, "shopfy", "shopify")


def test_an_address_without_https(leaddone, write):
    ran = leaddone(
        "send", "orders", write({"id": "A-1"}), env={"LEADDONE_BASE_URL": "http://example.com/api"}
    )
    assert ran.code == 2
    assert_told(ran, "base_url", "https")


def test_an_unreachable_server_leaves_the_orders_pending(leaddone, write):
    """Rule C: one batch tries for 20 seconds. Nothing listens on port 9 of this machine."""
    orders = write({"id": "A-1"})
    ran = leaddone(
        "send", "orders", orders, "--json", env={"LEADDONE_BASE_URL": "http://127.0.0.1:9/api/webhook"}
    )
    assert (ran.code, ran.json["pending"], ran.json["accepted"]) == (1, 1, 0)
    assert_told(ran, "run again")


def test_a_401_stops_and_leaves_the_orders_pending(leaddone, write):
    ran = leaddone("send", "orders", write({"id": "A-1"}), "--json", env={"LEADDONE_WEBHOOK_SECRET": "wrong"})
    assert (ran.code, ran.json["pending"]) == (1, 1)
    assert_told(ran, "401", "Intégrations > Webhook")
    assert "wrong" not in ran.err


def test_a_stop_wins_over_quarantined_rows(leaddone, write):
    orders = write({"id": "A-1"}, {"id": "A-2", "price": "-1"})
    ran = leaddone("send", "orders", orders, "--json", env={"LEADDONE_WEBHOOK_SECRET": "wrong"})
    assert (ran.code, ran.json["quarantined"], ran.json["pending"]) == (1, 1, 1)


def test_an_address_where_no_webhook_lives(leaddone, write, served):
    address = served.base_url.replace("/api/webhook", "/api/other")
    ran = leaddone("send", "orders", write({"id": "A-1"}), "--json", env={"LEADDONE_BASE_URL": address})
    assert (ran.code, ran.json["pending"]) == (1, 1)
    assert_told(ran, "404", "base URL")


def test_a_ledger_that_cannot_be_opened_counts_the_orders_as_pending(leaddone, write, project):
    (project / "broken.db").write_bytes(b"this is no database" * 100)
    url = f"sqlite:///{project / 'broken.db'}"
    ran = leaddone("send", "orders", write({"id": "A-1"}), "--json", env={"LEADDONE_LEDGER_URL": url})
    assert (ran.code, ran.json["valid"], ran.json["pending"], ran.json["sent"]) == (1, 1, 1, 0)
    assert_told(ran, "broken.db")


def test_no_project_no_ledger_no_guess(leaddone, write, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    ran = leaddone("send", "orders", write({"id": "A-1"}), cwd=elsewhere)
    assert ran.code == 2
    assert_told(ran, "LEADDONE_LEDGER_URL", "pyproject.toml")


@pytest.mark.parametrize(
    "command",
    [["status"], ["links", "--output", "links.csv"], ["resolve", "A-1", "--resend"], ["forget", "A-1"]],
    ids=lambda command: command[0],
)
def test_without_a_ledger_nothing_is_made(leaddone, project, command):
    ran = leaddone(*command)
    assert ran.code == 1
    assert_told(ran, "there is no ledger", "Run a delivery first")
    assert not list((project / ".leaddone").iterdir())


def test_an_unknown_fault_of_the_sandbox(leaddone):
    ran = leaddone("sandbox", "--fault", "meteor")
    assert ran.code == 2
    assert_told(ran, "meteor", "lost_answer")
