"""What only a ledger in PostgreSQL has: a server, several writers at a time, connections that are lost (rule 4)."""

import builtins
import threading
import time

import pytest
from sqlalchemy import select

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.errors import LedgerError, SettingsError
from leaddone_pipeline.ledger import Ledger, Outcome, State, claiming, leasing, recording, settling
from leaddone_pipeline.ledger.tables import messages, records
from leaddone_pipeline.settings import Account
from tests.support import ScriptedServer, delivery_to, ids, orders_frame


@pytest.fixture
def place(cluster):
    with cluster.place() as made:
        yield made


class Beside(threading.Thread):
    """Work in a transaction of another thread, which stays open until `let_go()`."""

    def __init__(self, ledger, work, *, stays=False):
        super().__init__(daemon=True)
        self._ledger, self._work = ledger, work
        self.done, self._may_end = threading.Event(), threading.Event()
        if not stays:
            self._may_end.set()
        self.result = None
        self.start()

    def run(self):
        self.result = self._ledger.write(self._stay)

    def _stay(self, connection):
        result = self._work(connection)
        self.done.set()
        assert self._may_end.wait(30)
        return result

    def let_go(self):
        self._may_end.set()

    def end(self):
        self.let_go()
        self.join(30)
        assert not self.is_alive()
        return self.result


def until_one_waits(place, how_many=1):
    """Look until the server says that so many sessions of this database wait for a lock."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    deadline = time.monotonic() + 60
    with place.connect() as connection:
        while connection.execute(asked).fetchone()[0] < how_many:
            assert time.monotonic() < deadline, "nobody waits"


@pytest.fixture
def account(ledger):
    number = ledger.write(lambda c: recording.open_account(c, Account("https://a.test", "c")))
    row = {
        "account_id": number,
        "kind": Kind.ORDERS,
        "shop": "s",
        "state": State.PENDING,
        "content_hash": b"h",
    }
    ledger.write(lambda c: recording.add(c, [row | {"order_id": f"A{n}"} for n in range(1, 6)]))
    return number


def run_of(ledger, account):
    named = {"account_id": account, "kind": Kind.ORDERS, "shop": "s", "lease_seconds": 60}
    return ledger.write(lambda c: leasing.start_run(c, ledger.now(), **named))


def claiming_of(ledger, run, numbers=(1, 2, 3, 4, 5)):
    wanted = [(number, b"h") for number in numbers]
    return lambda c: claiming.claim(c, ledger.now(), run_id=run, wanted=wanted, states={State.PENDING})


class TestSeveralWriters:
    def test_of_two_claimers_the_second_waits_and_gets_what_the_first_left(self, ledger, place, account):
        """Rule 9: two connections, each under READ COMMITTED."""
        runs = [run_of(ledger, account) for _ in range(2)]
        first = Beside(ledger, claiming_of(ledger, runs[0], (2, 3, 4)), stays=True)
        assert first.done.wait(30)
        second = Beside(ledger, claiming_of(ledger, runs[1]))
        until_one_waits(place)
        assert not second.done.is_set()

        assert first.end().claim.numbers == (2, 3, 4)
        late = second.end()
        assert (late.claim.numbers, late.busy) == ((1, 5), frozenset({2, 3, 4}))

    def test_an_answer_waits_while_its_order_is_being_recorded_anew(self, ledger, place, account):
        """Else an acceptance could come between what recording reads and what it writes (rule 22)."""
        run = run_of(ledger, account)
        held = ledger.write(claiming_of(ledger, run, (1,))).claim
        recorded = Beside(ledger, lambda c: recording.find(c, account, Kind.ORDERS, ["A1", "A2"]), stays=True)
        assert recorded.done.wait(30)
        outcome = Outcome(number=1, state=State.ACCEPTED, internal_id="PLT-1")
        settled = Beside(
            ledger,
            lambda c: settling.settle(c, ledger.now(), run_id=run, held=held, outcomes=[outcome]),
        )
        until_one_waits(place)

        assert recorded.end()["A1"].state == State.PENDING
        settled.end()
        assert ledger.read(
            lambda c: c.execute(select(records.c.state).where(records.c.number == 1)).scalar()
        ) == (State.ACCEPTED)

    def test_what_is_found_has_waited_for_the_answer_before_it(self, ledger, place, account):
        run = run_of(ledger, account)
        held = ledger.write(claiming_of(ledger, run, (1,))).claim
        outcome = Outcome(number=1, state=State.ACCEPTED, internal_id="PLT-1")
        settled = Beside(
            ledger,
            lambda c: settling.settle(c, ledger.now(), run_id=run, held=held, outcomes=[outcome]),
            stays=True,
        )
        assert settled.done.wait(30)
        recorded = Beside(ledger, lambda c: recording.find(c, account, Kind.ORDERS, ["A1"]))
        until_one_waits(place)
        settled.end()

        assert recorded.end()["A1"].state == State.ACCEPTED

    def test_a_dry_run_waits_for_nobody(self, ledger, account):
        recorded = Beside(ledger, lambda c: recording.find(c, account, Kind.ORDERS, ["A1"]), stays=True)
        assert recorded.done.wait(30)

        found = ledger.read(lambda c: recording.find(c, account, Kind.ORDERS, ["A1", "A9"]))

        assert list(found) == ["A1"]
        recorded.end()

    @pytest.mark.usefixtures("account")
    def test_a_deadlock_is_resolved_by_running_one_of_the_two_again(self, ledger):
        meet = threading.Barrier(2)
        tries = []

        def crosswise(first, second):
            def work(connection):
                tries.append(first)
                change = [(first, {"shop": f"by {first}"})]
                recording.change(connection, change)
                if len(tries) <= 2:
                    meet.wait(30)
                recording.change(connection, [(second, {"shop": f"by {first}"})])

            return work

        both = [Beside(ledger, crosswise(1, 2)), Beside(ledger, crosswise(2, 1))]
        for one in both:
            one.end()

        shops = ledger.read(
            lambda c: c.execute(select(records.c.shop).where(records.c.number.in_([1, 2]))).scalars().all()
        )
        assert len(set(shops)) == 1
        assert len(tries) == 3

    @pytest.mark.usefixtures("account")
    def test_a_read_sees_one_moment(self, ledger):
        def twice(connection):
            count = "SELECT count(*) FROM records WHERE state = 'pending'"
            before = connection.exec_driver_sql(count).scalar()
            Beside(ledger, lambda c: recording.change(c, [(1, {"state": State.SKIPPED})])).end()
            return before, connection.exec_driver_sql(count).scalar()

        assert ledger.read(twice) == (5, 5)

    def test_a_lock_that_another_keeps_for_too_long_is_said(self, place, ledger, account):
        keeper = Beside(ledger, lambda c: recording.find(c, account, Kind.ORDERS, ["A1"]), stays=True)
        assert keeper.done.wait(30)
        with (
            Ledger(place.url, wait_seconds=0.05) as hasty,
            pytest.raises(LedgerError, match="locked for too long"),
        ):
            hasty.write(lambda c: recording.find(c, account, Kind.ORDERS, ["A1"]))
        keeper.end()


class TestAServerThatFails:
    def test_a_run_goes_on_after_a_restart_in_its_middle(self, place, cluster):
        """The server dies at once while an answer is on its way; what it had committed, it keeps."""
        restarts = []

        def script(records):
            if not restarts and records[0]["id"] == "A10":
                restarts.append(1)
                cluster.stop()
                cluster.start()

        server = ScriptedServer(script)
        with place.open() as ledger:
            report = delivery_to(server, ledger).orders([orders_frame(ids(30))])

            assert (report.counts["accepted"], report.requests, report.stopped) == (30, 3, None)
        assert {order["processed"] for order in server.orders.values()} == {1}
        assert restarts == [1]

    def test_a_server_that_stays_away_ends_the_run_and_nothing_sent_is_forgotten(self, place, cluster):
        def script(records):
            if records[0]["id"] == "A10":
                cluster.stop()

        server = ScriptedServer(script)
        with place.open_frozen(wait_seconds=0.2) as ledger:
            try:
                with pytest.raises(LedgerError, match=r"reached|ended|lost"):
                    delivery_to(server, ledger).orders([orders_frame(ids(30))])
            finally:
                cluster.start()
            place.pass_time(3600)
            server.bodies.clear()
            report = delivery_to(server, ledger, guarantee="at_most_once").orders([orders_frame(ids(30))])
            outcomes = report.links.set_index("order_id")["outcome"]

        assert set(outcomes[ids(30)[:10]]) == {"accepted"}
        assert {order for order, outcome in outcomes.items() if outcome != "accepted"} <= set(ids(30)[10:30])
        assert set(outcomes[ids(30)[10:20]]) == {"unconfirmed"}
        assert not {order for body in server.bodies for order in body} & set(ids(20))
        assert {order["processed"] for order in server.orders.values()} == {1}

    def test_a_transaction_that_surely_did_not_commit_is_run_again(self, ledger, place):
        tries = []

        def work(connection):
            tries.append(1)
            connection.execute(messages.insert().values(text=f"try {len(tries)}"))
            if len(tries) == 1:
                pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
                with place.connect() as other:
                    other.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
            return connection.execute(select(messages.c.text)).scalars().all()

        assert ledger.write(work) == ["try 2"]

    def test_sessions_wait_for_the_disk_and_not_for_ever(self, place):
        """`synchronous_commit` is on whatever the server's default is; a client that is gone keeps no lock."""
        with place.connect() as connection:
            connection.execute(f"ALTER DATABASE {place.name} SET synchronous_commit = off")
        with place.open() as ledger:
            names = ("synchronous_commit", "idle_in_transaction_session_timeout", "lock_timeout")
            shown = [ledger.write(lambda c, n=n: c.exec_driver_sql(f"SHOW {n}").scalar()) for n in names]

        assert shown == ["on", "15s", "30s"]


class TestAUrlThatLeadsNowhere:
    def refused(self, url, match):
        with pytest.raises(LedgerError, match=match) as failed:
            Ledger(url)
        assert "s3cret" not in str(failed.value) + repr(failed.value)
        return failed.value

    def test_a_wrong_password(self, cluster):
        error = self.refused(f"postgresql://guarded:s3cret@/ready?host={cluster.folder}", "user or password")
        assert "password in LEADDONE_LEDGER_URL" in error.remedy

    def test_a_password_beside_the_others(self, cluster):
        self.refused(
            f"postgresql:///ready?host={cluster.folder}&user=guarded&password=s3cret", "user or password"
        )

    def test_a_database_that_is_missing(self, cluster):
        error = self.refused(
            f"postgresql://postgres:s3cret@/missing?host={cluster.folder}", "no database of this name"
        )
        assert "createdb" in error.remedy

    def test_a_server_that_is_not_there(self, tmp_path):
        self.refused(f"postgresql://u:s3cret@/d?host={tmp_path}", "cannot be reached")

    def test_a_user_without_rights(self, cluster):
        with cluster.place("template0") as empty:
            url = empty.url.replace("postgres@", "guarded:right@")
            self.refused(url, "lacks a right")

    def test_a_driver_that_is_missing(self, monkeypatch):
        honest = builtins.__import__

        def without_psycopg(name, *arguments, **named):
            if name.split(".")[0] == "psycopg":
                raise ModuleNotFoundError("No module named 'psycopg'")
            return honest(name, *arguments, **named)

        monkeypatch.setattr(builtins, "__import__", without_psycopg)
        with pytest.raises(SettingsError, match="pip install 'leaddone-pipeline\\[postgresql\\]'"):
            Ledger("postgresql://u@localhost/d")
