from functools import partial

import pytest
from sqlalchemy import select

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.ledger import State, claiming, leasing, recording
from leaddone_pipeline.ledger.tables import records
from leaddone_pipeline.sandbox import REFUSED_CITY
from leaddone_pipeline.settings import Account


@pytest.fixture
def account(account, place):
    """The ledger is on each kind of database."""
    return {**account, "LEADDONE_LEDGER_URL": place.url}


@pytest.fixture
def sent(leaddone, write):
    orders = write({"id": "A-1"}, {"id": "A-2", "city": REFUSED_CITY})
    leaddone("send", "orders", orders, "--shop", "atlas")
    return orders


@pytest.mark.parametrize(
    "said",
    [
        [],
        ["--accepted", "PLT-1", "--resend"],
        ["--accepted", "PLT-1", "--rejected", "no"],
        ["--accepted", ""],
        ["--rejected", " "],
    ],
)
def test_resolve_takes_exactly_one_word(leaddone, said):
    ran = leaddone("resolve", "A-1", *said)
    assert ran.code == 2


def test_resolve_accepted_takes_one_order(leaddone):
    ran = leaddone("resolve", "A-1", "A-2", "--accepted", "PLT-1")
    assert ran.code == 2
    assert "exactly one order id" in ran.err


def test_resolve_resend_says_that_the_file_must_come_again(leaddone, sent):
    ran = leaddone("resolve", "A-2", "--resend")
    assert ran.code == 0
    assert "send the file again" in ran.err
    assert leaddone("status", "--json").json["orders"] == {"accepted": 1, "pending": 1}
    assert leaddone("send", "orders", sent, "--json").json["sent"] == 1


@pytest.mark.usefixtures("sent")
def test_resolve_names_what_it_did_not_settle(leaddone):
    ran = leaddone("resolve", "A-1", "A-9", "--rejected", "not there")
    assert ran.code == 3
    assert "A-1: it is accepted" in ran.err
    assert "A-9: the ledger does not know this order" in ran.err


def test_forget_erases_and_says_where_else_the_person_may_stand(leaddone, sent, project, read_csv):
    ran = leaddone("forget", "A-1")
    assert ran.code == 0
    for place in (
        "exports",
        "quarantine",
        "<shop>.orders_quarantine",
        "<shop>.courier_updates,",
        "<shop>.courier_updates_quarantine",
        "<shop>.order_links",
        "LeadDone itself",
    ):
        assert place in ran.out
    leaddone("links", "--output", "links.csv")
    forgotten = read_csv(project / "links.csv")[0]
    assert (forgotten["order_id"], forgotten["outcome"], forgotten["source_file"]) == ("A-1", "accepted", "")
    assert leaddone("send", "orders", sent, "--json").json["sent"] == 0


def test_what_a_person_wrote_of_an_order_is_masked_and_goes_with_it(leaddone, write, platform, place):
    """Rules 3 and 7; other orders keep the words that they share."""
    platform.set_faults(["lost_answer"])
    leaddone(
        "send", "orders", write({"id": "A-1"}, {"id": "A-2"}, {"id": "A-3"}), "--guarantee", "at_most_once"
    )
    leaddone("resolve", "A-1", "--rejected", "Salma wants none, call 0612 345 678")
    leaddone("resolve", "A-2", "A-3", "--rejected", "sold out")
    words = "SELECT text FROM messages WHERE text LIKE 'Salma%' OR text = 'sold out' ORDER BY text"
    assert place.rows(words) == [("Salma wants none, call ***",), ("sold out",)]

    leaddone("forget", "A-1", "A-2")
    assert place.rows(words) == [("sold out",)]
    leaddone("forget", "A-3")
    assert place.rows(words) == []


@pytest.mark.usefixtures("sent")
def test_forget_names_what_it_does_not_know(leaddone):
    ran = leaddone("forget", "A-9")
    assert ran.code == 3
    assert "A-9" in ran.err


@pytest.fixture
def claimed(place, served, client_id):
    """A-1, its status and A-2 are claimed by runs; those that hold A-1 are dead, the one that holds A-2 lives."""
    with place.open() as ledger:
        account_id = ledger.write(
            partial(recording.open_account, account=Account(served.base_url, client_id))
        )
        for order_id, kind, lease in (
            ("A-1", Kind.ORDERS, -1),
            ("A-1", Kind.TRACKING, -1),
            ("A-2", Kind.ORDERS, 600),
        ):
            row = {"account_id": account_id, "kind": kind, "order_id": order_id, "shop": "atlas"}
            row |= {"state": State.PENDING, "content_hash": b"h"}
            number = ledger.write(partial(recording.add, rows=[row]))
            start = partial(
                leasing.start_run, now=ledger.now(), account_id=account_id, kind=kind, shop="atlas"
            )
            run_id = ledger.write(partial(start, lease_seconds=lease))
            take = partial(claiming.claim, now=ledger.now(), run_id=run_id, wanted=[(number, b"h")])
            ledger.write(partial(take, states={State.PENDING}))


@pytest.mark.usefixtures("claimed")
@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        (["--accepted", "PLT-1"], "accepted"),
        (["--rejected", "not there"], "rejected"),
        (["--resend"], "pending"),
    ],
)
def test_what_a_killed_run_left_can_be_resolved_and_what_a_living_one_holds_cannot(leaddone, word, outcome):
    """Rules 12 and 24: `status` shows it as unconfirmed, and the word on it is a person's."""
    assert leaddone("status", "--json").json["orders"]["unconfirmed"] == 1

    ran = leaddone("resolve", "A-1", *word)

    assert (ran.code, ran.err.count("a run holds it")) == (0, 0)
    assert leaddone("status", "--json").json["orders"].get("unconfirmed", 0) == 0
    assert leaddone("status", "--json").json["orders"][outcome] >= 1
    held = leaddone("resolve", "A-2", "--resend")
    assert held.code == 3
    assert "A-2: a run holds it right now" in held.err


@pytest.mark.usefixtures("claimed")
def test_what_a_killed_run_left_can_be_forgotten_with_its_status(leaddone, place):
    """Rule 7: only a living claim is refused."""
    ran = leaddone("forget", "A-1")

    assert ran.code == 0
    assert leaddone("forget", "A-2").code == 3
    assert {(row.order_id, row.forgotten) for row in rows_of(place)} == {("A-1", True), ("A-2", False)}


def rows_of(place):
    with place.open() as ledger:
        return ledger.read(lambda connection: connection.execute(select(records)).all())


def test_forget_leaves_of_an_order_and_its_status_nothing_but_a_tombstone(leaddone, write, platform, place):
    """Rule 7; what another order has stays."""
    platform.set_faults(["partly:1"])  # one of the two orders has words to its name
    leaddone("send", "orders", write({"id": "A-1"}, {"id": "A-2"}), "--guarantee", "at_most_once")
    leaddone("resolve", "A-1", "A-2", "--rejected", "sold out")
    tracking = write(
        *({"id": f"A-{n}", "tracking_number": f"TRK-{n}", "status": "shipped"} for n in (1, 2)),
        columns=("id", "tracking_number", "status"),
        name="tracking.csv",
    )
    platform.set_faults([])
    leaddone("send", "tracking", tracking)
    leaddone("forget", "A-1")

    erased = [
        *("source_file", "source_row", "content_hash", "message_id", "tracking_number", "status", "event_at"),
        *("accepted_tracking_number", "accepted_status", "accepted_event_at"),
    ]
    left = {(row.order_id, row.kind): {getattr(row, name) for name in erased} for row in rows_of(place)}
    assert left["A-1", "orders"] == left["A-1", "tracking"] == {None}
    assert left["A-2", "orders"] > {None}


@pytest.mark.usefixtures("sent")
def test_status_counts_by_outcome_and_says_where_the_ledger_is(leaddone, place, client_id):
    ran = leaddone("status", "--json")
    assert ran.code == 0
    assert ran.json["orders"] == {"accepted": 1, "rejected": 1}
    assert (str(place.path) if place.kind == "sqlite" else place.name) in ran.json["ledger"]
    assert ran.json["client_id"] == client_id
    assert ran.json["last_run"]["stopped"] is None
    assert leaddone("status", "--shop", "other", "--json").json["orders"] == {}
    assert "accepted" in leaddone("status").out


@pytest.mark.usefixtures("sent")
def test_status_and_links_need_no_secret(leaddone):
    assert leaddone("status", env={"LEADDONE_WEBHOOK_SECRET": None}).code == 0
    assert leaddone("links", "--output", "l.csv", env={"LEADDONE_WEBHOOK_SECRET": None}).code == 0
    assert leaddone("status", env={"LEADDONE_CLIENT_ID": None}).code == 2


@pytest.mark.usefixtures("sent")
def test_links_of_a_shop_are_those_under_its_label(leaddone, project, read_csv):
    leaddone("links", "--shop", "atlas", "--output", "atlas.csv")
    leaddone("links", "--shop", "other", "--output", "other.csv")
    assert [link["order_id"] for link in read_csv(project / "atlas.csv")] == ["A-1", "A-2"]
    assert read_csv(project / "other.csv") == []


@pytest.mark.usefixtures("sent")
def test_an_account_that_the_ledger_has_never_seen_has_no_links(leaddone, project, read_csv):
    ran = leaddone("links", "--output", "l.csv", env={"LEADDONE_CLIENT_ID": "someone-else"})
    assert ran.code == 0
    assert "knows nothing of someone-else" in ran.err
    assert read_csv(project / "l.csv") == []
