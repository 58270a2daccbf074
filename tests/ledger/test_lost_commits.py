"""A COMMIT whose answer never came is read back before anything is sent or reported (delivery.md, rule 4).

A real proxy stands between the ledger and a real PostgreSQL, and cuts the connection at a COMMIT: before the server
has it, or after the server has answered it.
"""

import threading
from itertools import count

import pytest
from sqlalchemy import func, select

from leaddone_pipeline.errors import LedgerError
from leaddone_pipeline.ledger import Ledger
from leaddone_pipeline.ledger.tables import batches, claims, messages, runs
from tests.ledger.proxy import Proxy
from tests.support import ScriptedServer, delivery_to, ids, orders_frame


@pytest.fixture
def place(cluster):
    with cluster.place() as made:
        yield made


@pytest.fixture
def proxy(cluster):
    made = Proxy(cluster.folder / ".s.PGSQL.5432")
    yield made
    made.close()


@pytest.fixture
def ledger(place, proxy):
    with Ledger(proxy.url(place.name)) as opened:
        yield opened


def note(text):
    return lambda connection: connection.execute(
        messages.insert().values(text=text).returning(messages.c.text)
    ).scalar_one()


def noted(place):
    with place.connect() as connection:
        return [row[0] for row in connection.execute("SELECT text FROM messages ORDER BY id")]


def count_of(ledger, table):
    return ledger.read(lambda c: c.execute(select(func.count()).select_from(table)).scalar_one())


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_write_stands_once_whichever_side_of_its_commit_the_connection_dies(ledger, place, proxy, when):
    proxy.cut(1, when)

    assert ledger.write(note("kept")) == "kept"
    assert (noted(place), proxy.cuts) == (["kept"], 1)


def test_work_is_run_again_only_when_the_server_says_that_it_was_undone(ledger, proxy):
    runs_of = []

    def work(connection):
        runs_of.append(1)
        return note(f"run {len(runs_of)}")(connection)

    proxy.cut(1, "after")
    assert ledger.write(work) == "run 1"
    proxy.cut(1, "before")
    assert ledger.write(work) == "run 3"
    assert len(runs_of) == 3


def test_a_write_that_changed_nothing_needs_no_answer(ledger, proxy):
    proxy.cut(1, "before")

    assert ledger.write(lambda c: c.exec_driver_sql("SELECT 7").scalar()) == 7
    assert proxy.cuts == 1


def test_a_transaction_whose_client_is_gone_unnoticed_is_waited_for(ledger, place, proxy):
    """It may still be made final, as far as anyone can see, until the server has ended it."""
    proxy.cut(1, "unnoticed")
    writing = threading.Thread(target=ledger.write, args=[note("kept")])
    writing.start()
    with place.connect() as connection:
        asked = (
            "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_xact_status(%' AND pid <> pg_backend_pid()"
        )
        while not connection.execute(asked).fetchone():
            assert writing.is_alive()
    assert noted(place) == []
    proxy.let_go()
    writing.join(30)

    assert (noted(place), writing.is_alive()) == (["kept"], False)


def test_a_fate_that_cannot_be_found_out_is_said(place, proxy):
    with Ledger(proxy.url(place.name), wait_seconds=0.3) as ledger:
        proxy.cut(1, "after", and_shut=True)

        with pytest.raises(LedgerError, match="cannot be asked whether it did"):
            ledger.write(note("kept"))

    assert noted(place) == ["kept"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_whichever_commit_of_a_run_is_cut_every_order_is_sent_once_and_linked(ledger, proxy, when):
    server = ScriptedServer(lambda _: None)
    for nth in count(1):
        wanted = ids(10, f"R{nth}-")
        proxy.cut(nth, when)
        report = delivery_to(server, ledger).orders([orders_frame(wanted)])
        if proxy.cuts < nth:
            break  # the run had no more
        assert (report.counts["accepted"], report.requests, report.stopped) == (10, 1, None)
        assert dict(report.links[["order_id", "internal_id"]].itertuples(index=False)) == {
            name: server.orders[name]["internal_id"] for name in wanted
        }
        assert [count_of(ledger, table) for table in (runs, batches, claims)] == [nth, nth, 0]

    assert nth > 7  # account, take-over, run, orders, claim, outcome, end of the run
    assert {order["processed"] for order in server.orders.values()} == {1}
