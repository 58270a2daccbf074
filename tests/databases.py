"""The databases that a ledger is tested on: a SQLite file, and a PostgreSQL cluster of the tests' own.

A place is where one test's ledger lives. Its clock, which is the database's own, can be made to stand still and be
moved by hand.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
from functools import partial
from itertools import count
from pathlib import Path

import psycopg
import pytest

from leaddone_pipeline.ledger import Ledger

KINDS = ("sqlite", "postgresql")
FROZEN_AT = 1_795_000_000.0


class SQLitePlace:
    kind = "sqlite"

    def __init__(self, folder):
        self.path = folder / "ledger.db"
        self.url = f"sqlite:///{self.path}"
        self.time = FROZEN_AT

    def open(self, **options):
        return Ledger(self.url, **options)

    def open_frozen(self, **options):
        return Ledger(self.url, clock=lambda: self.time, **options)

    def pass_time(self, seconds):
        self.time += seconds

    def rows(self, query):
        """Look from beside, while others write."""
        with contextlib.closing(sqlite3.connect(self.path, timeout=30)) as connection:
            return connection.execute(query).fetchall()

    def change(self, statement):
        with contextlib.closing(sqlite3.connect(self.path, timeout=30)) as connection, connection:
            connection.execute(statement)

    @contextlib.contextmanager
    def batches_locked(self):
        """Let nobody end a claim, as a slow neighbour might."""
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.rollback()
            connection.close()


class PostgreSQLPlace:
    kind = "postgresql"

    def __init__(self, cluster, name):
        self.cluster = cluster
        self.name = name
        self.url = cluster.url(name)

    def open(self, **options):
        return Ledger(self.url, **options)

    def open_frozen(self, **options):
        """A function of the database's own name, found before it, is the clock that stands still."""
        with self.connect() as connection:
            connection.execute("CREATE SCHEMA IF NOT EXISTS clock")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS clock.time AS SELECT %s::float8 AS now", [FROZEN_AT]
            )
            connection.execute(
                "CREATE OR REPLACE FUNCTION clock.statement_timestamp() RETURNS timestamptz STABLE"
                " LANGUAGE sql AS 'SELECT to_timestamp(now) FROM clock.time'"
            )
        return Ledger(f"{self.url}&options=-csearch_path%3Dpublic,clock,pg_catalog", **options)

    def pass_time(self, seconds):
        with self.connect() as connection:
            connection.execute("UPDATE clock.time SET now = now + %s", [seconds])

    def rows(self, query):
        """Look from beside, while others write."""
        with self.connect() as connection:
            return connection.execute(query).fetchall()

    def change(self, statement):
        with self.connect() as connection:
            connection.execute(statement)

    @contextlib.contextmanager
    def batches_locked(self):
        """Let nobody end a claim, as a slow neighbour might."""
        with self.connect() as connection, connection.transaction(force_rollback=True):
            connection.execute("LOCK TABLE batches IN SHARE ROW EXCLUSIVE MODE")
            yield

    def connect(self):
        """A connection beside the ledger's, that commits each statement."""
        return psycopg.connect(self.url, autocommit=True)


class Cluster:
    """A PostgreSQL server that only this test session knows, on a socket in its own folder."""

    def __init__(self, binaries):
        self._binaries = binaries
        self.folder = Path(tempfile.mkdtemp(prefix="leaddone-pg-"))
        self._names = partial(next, count(1))
        if os.geteuid() == 0:  # PostgreSQL does not run as root
            user = _plain_user()
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        else:
            self._as_user = {}
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        settings = [
            "listen_addresses = ''",
            f"unix_socket_directories = '{self.folder}'",
            "fsync = off",  # what a power failure leaves is not what these tests are about
            "deadlock_timeout = 50ms",
        ]
        with (self.folder / "data" / "postgresql.conf").open("a") as file:
            file.write("\n".join(settings) + "\n")
        hba = self.folder / "data" / "pg_hba.conf"
        hba.write_text("local all guarded scram-sha-256\n" + hba.read_text())
        self.start()
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE ROLE guarded LOGIN PASSWORD 'right'")
            connection.execute("CREATE DATABASE ready")
        Ledger(self.url("ready")).close()

    def url(self, name):
        return f"postgresql://postgres@/{name}?host={self.folder}"

    @contextlib.contextmanager
    def place(self, template="ready"):
        """A database of its own, gone afterwards; `template0` for one without tables."""
        name = f"ledger_{self._names()}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield PostgreSQLPlace(self, name)
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def start(self):
        self._run("pg_ctl", "start", "-w", "-l", str(self.folder / "log"))

    def stop(self):
        self._run("pg_ctl", "stop", "-w", "-m", "immediate")

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder)

    def _run(self, program, *arguments):
        done = subprocess.run(
            [self._binaries / program, "-D", self.folder / "data", *arguments],
            check=False,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the server inherits it
            stderr=subprocess.DEVNULL,
            **self._as_user,
        )
        if done.returncode:
            log = self.folder / "log"
            raise RuntimeError(f"{program} failed: {log.read_text() if log.exists() else 'no log'}")


def _plain_user():
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("this system has neither a user postgres nor nobody")


def binaries():
    """Where PostgreSQL's programs are. CI must have them; elsewhere the tests that need them are skipped."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    for folder in reversed(folders):
        if (folder / "initdb").exists():
            return folder
    missing = "PostgreSQL's server programs are not installed (Debian: apt-get install postgresql)"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)
