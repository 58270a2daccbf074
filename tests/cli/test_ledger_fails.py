"""`send --json` when the ledger or a result's file fails: one object all the same, that claims nothing untrue."""

import contextlib
import sqlite3

import pytest

OUTCOMES = ("accepted", "rejected", "unconfirmed", "pending")
ROWS = ("quarantined", "skipped", "merged", "valid")


def assert_laws(counts):
    assert counts["read"] == sum(counts[name] for name in ROWS)
    assert counts["valid"] == sum(counts[name] for name in OUTCOMES)


@pytest.fixture
def ledger_without(leaddone, write, project):
    """A ledger that was used once, and refuses this statement from now on."""

    def spoil(condition):
        leaddone("send", "orders", write({"id": "first"}, name="first.csv"))
        path = project / ".leaddone" / "ledger.db"
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute(
                f"CREATE TRIGGER spoiled BEFORE INSERT ON batches WHEN {condition} "
                "BEGIN SELECT RAISE(ABORT, 'spoiled'); END"
            )
            connection.commit()

    return spoil


def test_a_ledger_that_fails_before_the_first_request_leaves_all_pending(
    leaddone, write, platform, ledger_without
):
    ledger_without("1")

    ran = leaddone("send", "orders", write({"id": "A-1"}, {"id": "A-2"}), "--json")

    assert ran.code == 1
    assert len(platform.requests) == 1
    assert_laws(ran.json)
    assert (ran.json["pending"], ran.json["unconfirmed"]) == (2, 0)
    assert (ran.json["sent"], ran.json["requests"]) == (0, 0)


def test_a_ledger_that_fails_in_between_tells_what_has_left_from_what_has_not(
    leaddone, write, platform, ledger_without
):
    ledger_without("(SELECT count(*) FROM batches) >= 3")
    orders = write(*({"id": f"A-{number}"} for number in range(9)), {"id": "A-10", "phone": "0791"})

    ran = leaddone("send", "orders", orders, "--batch-size", 2, "--max-concurrency", 1, "--json")

    left = [request.ids for request in platform.requests[1:]]
    assert ran.code == 1
    assert left
    assert_laws(ran.json)
    assert (ran.json["requests"], ran.json["sent"]) == (len(left), sum(map(len, left)))
    assert (ran.json["unconfirmed"], ran.json["pending"]) == (ran.json["sent"], 9 - ran.json["sent"])
    assert (ran.json["read"], ran.json["quarantined"]) == (10, 1)


def test_links_that_cannot_be_written_do_not_hide_what_was_delivered(leaddone, write, project):
    (project / "links.csv.new").mkdir()

    ran = leaddone("send", "orders", write({"id": "A-1"}), "--links", "links.csv", "--json")

    assert ran.code == 1
    assert (ran.json["accepted"], ran.json["sent"], ran.json["requests"]) == (1, 1, 1)
    assert "links.csv cannot be written" in ran.err
    assert "leaddone links --output" in ran.err


@pytest.fixture
def unusable(project, leaddone, write):
    """The URL of a ledger that is no database, or of an older schema."""

    def url(how):
        path = project / ".leaddone" / "ledger.db"
        if how == "older":
            leaddone("send", "orders", write({"id": "first"}, name="first.csv"))
            with contextlib.closing(sqlite3.connect(path)) as connection:
                connection.execute("UPDATE alembic_version SET version_num = '0000'")
                connection.commit()
        else:
            path.write_bytes(b"this is no database" * 100)
        return f"sqlite:///{path}"

    return url


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_a_courier_file_without_ids_and_a_ledger_that_cannot_be_asked(leaddone, project, unusable, dry):
    """Which order a parcel belongs to only the ledger knows, so that no row can be judged."""
    (project / "parcels.csv").write_text("Code suivi,Statut\nT-1,Livré\n", encoding="utf-8")
    env = {"LEADDONE_LEDGER_URL": unusable("broken")}

    ran = leaddone("send", "tracking", "parcels.csv", *dry, "--json", env=env)

    assert ran.code == 1
    assert (ran.json["kind"], ran.json["read"], ran.json["valid"], ran.json["sent"]) == ("tracking", 0, 0, 0)
    assert "ledger.db" in ran.err


@pytest.mark.parametrize("how", ["broken", "older"])
def test_a_dry_run_without_its_ledger_still_counts_the_rows(leaddone, write, unusable, how):
    env = {"LEADDONE_LEDGER_URL": unusable(how)}
    orders = write({"id": "A-1"}, {"id": "A-2", "phone": "0791"})

    ran = leaddone("send", "orders", orders, "--dry-run", "--json", env=env)

    assert ran.code == 1
    assert_laws(ran.json)
    assert (ran.json["read"], ran.json["quarantined"], ran.json["pending"]) == (2, 1, 1)
    assert (ran.json["sent"], ran.json["requests"]) == (0, 0)
    assert "ledger.db" in ran.err
