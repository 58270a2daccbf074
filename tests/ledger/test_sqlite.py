"""What only a ledger in a SQLite file has: a disk, rights, a file that can be deleted (rule 4). Faults are real."""

import contextlib
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from leaddone_pipeline.errors import LedgerError
from leaddone_pipeline.ledger import Ledger
from leaddone_pipeline.ledger.tables import messages
from tests.support import ScriptedServer, delivery_to, ids, orders_frame

NOBODY = 65534


def note(text):
    return lambda connection: connection.execute(messages.insert().values(text=text))


def padding(megabytes):
    """Work that writes so much into the ledger."""
    return lambda c: c.execute(
        messages.insert(), [{"text": f"{n}" + "x" * 100_000} for n in range(10 * megabytes)]
    )


@pytest.fixture
def folder():
    """A folder that other users may enter too."""
    made = Path(tempfile.mkdtemp(prefix="leaddone-test-"))
    made.chmod(0o777)
    yield made
    made.chmod(0o777)
    shutil.rmtree(made)


@contextlib.contextmanager
def a_plain_user():
    """Rights do not bind root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextlib.contextmanager
def no_file_above(size):
    """What a quota does: the system refuses to let any file grow beyond this."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def tiny_disk(tmp_path):
    """A disk of 400 KB, where this user may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", place], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a disk; the quota below stands for it")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def refused(work, match):
    with pytest.raises(LedgerError, match=match) as failed:
        work()
    assert len(failed.value.remedy) > 10
    return failed.value


class TestAFileThatCannotBeWritten:
    def test_read_only_file(self, folder):
        Ledger(f"sqlite:///{folder}/ledger.db").close()
        (folder / "ledger.db").chmod(0o444)

        with a_plain_user():
            error = refused(lambda: Ledger(f"sqlite:///{folder}/ledger.db").write(note("a")), "read-only")
        assert "right to write" in error.remedy

    def test_read_only_folder(self, folder):
        folder.chmod(0o555)

        with a_plain_user():
            refused(lambda: Ledger(f"sqlite:///{folder}/ledger.db"), "cannot be opened")
            refused(lambda: Ledger(f"sqlite:///{folder}/deeper/ledger.db"), "folder cannot be made")

    def test_a_file_that_is_no_database_is_left_alone(self, tmp_path):
        path = tmp_path / "ledger.db"
        path.write_text("order,phone\n1,0600000000\n" * 100)

        refused(lambda: Ledger(f"sqlite:///{path}"), "not a database")
        assert path.read_text().startswith("order,phone")

    def test_a_damaged_page(self, tmp_path):
        path = tmp_path / "ledger.db"
        with Ledger(f"sqlite:///{path}") as ledger:
            ledger.write(padding(1))
        with path.open("r+b") as file:
            file.seek(4096 * 40)
            file.write(b"\xff" * 4096 * 40)
        with Ledger(f"sqlite:///{path}") as ledger:
            error = refused(lambda: ledger.read(lambda c: c.execute(messages.select()).all()), "damaged")
        assert "backup" in error.remedy

    def test_a_lock_that_another_process_keeps_for_too_long(self, tmp_path):
        path = tmp_path / "ledger.db"
        code = (
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
            "c.execute('BEGIN IMMEDIATE'); print('locked', flush=True); sys.stdin.read()"
        )
        with Ledger(f"sqlite:///{path}", wait_seconds=0.05) as ledger:
            keeper = subprocess.Popen(
                [sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            assert keeper.stdout.readline() == "locked\n"
            refused(lambda: ledger.write(note("a")), "locked for too long")
            keeper.communicate()
            ledger.write(note("a"))


class TestAFaultInTheMiddleOfARun:
    """What was claimed before it is accepted or unconfirmed afterwards; the rest was never sent."""

    def after(self, url, server):
        """The next run, once the fault is mended: the outcomes by order id."""
        sent = {order for body in server.bodies for order in body}
        server.bodies.clear()
        with Ledger(url, clock=lambda: 4e9) as ledger:
            delivery = delivery_to(server, ledger, guarantee="at_most_once")
            report = delivery.orders([orders_frame(ids(30))])
        outcomes = dict(report.links[["order_id", "outcome"]].itertuples(index=False))
        again = {order for body in server.bodies for order in body}

        assert not again & sent
        assert {outcomes[order] for order in sent} <= {"accepted", "unconfirmed"}
        assert set(outcomes) == set(ids(30))
        assert {order["processed"] for order in server.orders.values()} == {1}
        return outcomes

    def run(self, ledger, happens, match):
        """Deliver 30 orders; something happens while LeadDone has the second ten."""

        def script(records):
            if records[0]["id"] == "A10":
                happens()

        server = ScriptedServer(script)
        delivery = delivery_to(server, ledger)
        with pytest.raises(LedgerError, match=match):
            delivery.orders([orders_frame(ids(30))])
        assert [body[0] for body in server.bodies] == ["A0", "A10"]
        return server

    def test_a_full_disk(self, tiny_disk):
        url = f"sqlite:///{tiny_disk}/ledger.db"
        filler = tiny_disk / "filler"

        def fill():
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                while file.write(b"x" * 512):
                    pass

        with Ledger(url) as ledger:
            server = self.run(ledger, fill, "disk is full")
            filler.unlink()
        assert set(list(self.after(url, server).values())[10:20]) == {"unconfirmed"}

    def test_a_quota(self, tmp_path):
        url = f"sqlite:///{tmp_path}/ledger.db"
        wal = tmp_path / "ledger.db-wal"
        with contextlib.ExitStack() as limits:
            with Ledger(url) as ledger:
                server = self.run(
                    ledger,
                    lambda: limits.enter_context(no_file_above(wal.stat().st_size)),
                    "disk failed|disk is full",
                )
                limits.close()
            assert set(list(self.after(url, server).values())[10:20]) == {"unconfirmed"}

    def test_a_file_that_was_deleted(self, tmp_path):
        """SQLite itself would write on into a file that is nowhere any more."""
        path, aside = tmp_path / "ledger.db", tmp_path / "aside"
        aside.mkdir()

        def move(source, target):
            for file in source.glob("ledger.db*"):
                file.rename(target / file.name)

        with Ledger(f"sqlite:///{path}") as ledger:
            server = self.run(ledger, lambda: move(tmp_path, aside), "deleted, moved or replaced")
            assert not path.exists()
        move(aside, tmp_path)
        self.after(f"sqlite:///{path}", server)

    def test_a_file_that_was_replaced(self, tmp_path):
        path, other = tmp_path / "ledger.db", tmp_path / "other.db"
        Ledger(f"sqlite:///{other}").close()
        with Ledger(f"sqlite:///{path}") as ledger:
            self.run(ledger, lambda: other.replace(path), "deleted, moved or replaced")


def test_a_commit_that_failed_leaves_nothing_and_the_next_one_succeeds(tmp_path):
    """Rule 4: here an error at COMMIT is certain, and what it left open is rolled back."""
    with Ledger(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        size = (tmp_path / "ledger.db-wal").stat().st_size
        with no_file_above(size):
            refused(lambda: ledger.write(note("lost")), "disk failed|disk is full")
        ledger.write(note("kept"))

        assert ledger.read(lambda c: c.execute(messages.select()).all()) == [(1, "kept")]


def test_it_is_as_durable_as_sqlite_can_be(tmp_path):
    """Rule 4."""
    with Ledger(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        shown = [
            ledger.write(lambda c, name=name: c.exec_driver_sql(f"PRAGMA {name}").scalar())
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]

    assert shown == ["wal", 2, 1]


def test_opening_costs_a_few_statements(tmp_path):
    """Start-up time: a schema that is up to date is seen so, and nothing is migrated."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    Ledger(url).close()
    seen = []
    honest = sqlite3.connect

    def connect(*arguments, **named):
        connection = honest(*arguments, **named)
        connection.set_trace_callback(seen.append)
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3.dbapi2, "connect", connect)
        patch.setattr(sqlite3, "connect", connect)
        Ledger(url).close()

    assert 0 < len(seen) <= 20
