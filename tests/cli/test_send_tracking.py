import pytest


@pytest.fixture
def account(account, place):
    """The ledger is on each kind of database."""
    return {**account, "LEADDONE_LEDGER_URL": place.url}


OUTCOMES = ("accepted", "rejected", "unconfirmed", "pending", "unchanged", "superseded", "held_back")
MORNING, NOON, NIGHT = (f"2026-11-20T{hour}:00:00+01:00" for hour in ("08", "12", "20"))


def assert_laws(counts):
    assert counts["read"] == sum(counts[name] for name in ("quarantined", "skipped", "merged", "valid"))
    assert counts["valid"] == sum(counts[name] for name in OUTCOMES)


def test_of_each_order_the_newest_status_leaves(leaddone, write, write_statuses, platform, client_id):
    leaddone("send", "orders", write({"id": "A-1"}))
    statuses = write_statuses(
        ("A-1", "T1", "delivered", NIGHT),
        ("A-1", "T1", "shipped", MORNING),
        ("A-1", "T1", "out_for_delivery", NOON),
    )
    ran = leaddone("send", "tracking", statuses, "--json")
    assert ran.code == 0
    assert_laws(ran.json)
    assert (ran.json["kind"], ran.json["accepted"], ran.json["superseded"]) == ("tracking", 1, 2)
    assert platform.orders(client_id)["A-1"]["status"] == "delivered"
    again = leaddone("send", "tracking", statuses, "--json")
    assert_laws(again.json)
    assert (again.code, again.json["sent"], again.json["unchanged"]) == (0, 0, 1)


def test_dry_run_counts_what_would_leave(leaddone, write, write_statuses):
    statuses = write_statuses(("A-1", "T1", "shipped", MORNING), ("A-1", "T1", "delivered", NIGHT))
    leaddone("send", "orders", write({"id": "A-1"}))
    ahead = leaddone("send", "tracking", statuses, "--dry-run", "--json")
    assert (ahead.code, ahead.json["would_send_records"], ahead.json["superseded"]) == (0, 1, 1)
    assert_laws(ahead.json)
    leaddone("send", "tracking", statuses)
    after = leaddone("send", "tracking", statuses, "--dry-run", "--json")
    assert (after.json["would_send_records"], after.json["unchanged"]) == (0, 1)
    assert_laws(after.json)


def test_an_unknown_status_is_quarantined_and_code_3(leaddone, write_statuses):
    ran = leaddone("send", "tracking", write_statuses(("A-1", "T1", "levitating", MORNING)), "--json")
    assert ran.code == 3
    assert_laws(ran.json)
    assert ran.json["quarantined"] == 1
    assert "[unknown_status]" in ran.err
