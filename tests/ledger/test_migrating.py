"""A ledger's schema and the package's: equal, older, newer; one process or two (delivery.md, rule 8)."""

import sqlite3
import time
from contextlib import closing, contextmanager

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from leaddone_pipeline.errors import LedgerError
from leaddone_pipeline.ledger import SCHEMA_VERSION
from leaddone_pipeline.ledger.tables import metadata
from tests import databases
from tests.ledger.old_ledgers import bring, go, openers, said


@pytest.fixture(params=databases.KINDS)
def empty(request, tmp_path):
    """A place without a ledger."""
    if request.param == "sqlite":
        yield databases.SQLitePlace(tmp_path)
    else:
        with request.getfixturevalue("cluster").place("template0") as made:
            yield made


@contextmanager
def beside(place):
    """A connection to what stands at the place, that commits each statement."""
    opened = (
        sqlite3.connect(place.path, isolation_level=None, timeout=30)
        if place.kind == "sqlite"
        else place.connect()
    )
    with closing(opened) as connection:
        yield connection


@contextmanager
def schema_locked(place):
    """Hold what migrations lock; on PostgreSQL until both openers wait for it, and SQLite tells nobody who waits."""
    with beside(place) as connection:
        if place.kind == "sqlite":
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
        else:
            connection.execute("SELECT pg_advisory_lock(hashtext('leaddone-pipeline ledger'))")
            yield
            deadline = time.monotonic() + 60
            while connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()[0] < 2:
                assert time.monotonic() < deadline, "nobody waits"


def set_version(place, version):
    with beside(place) as connection:
        connection.execute(f"UPDATE alembic_version SET version_num = '{version}'")


def versions(place):
    with beside(place) as connection:
        return [row[0] for row in connection.execute("SELECT version_num FROM alembic_version").fetchall()]


def test_a_new_ledger_says_so_and_an_old_one_does_not(empty):
    with empty.open() as first, empty.open() as second:
        assert (first.newly_made, second.newly_made) == (True, False)
        assert first.content_key == second.content_key


def test_the_migrations_make_exactly_the_tables_of_the_code(empty):
    empty.open().close()
    engine = create_engine(empty.url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()

    assert differences == []


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_schema_is_refused(place, read_only):
    place.open().close()
    set_version(place, "9999")

    with pytest.raises(LedgerError, match=f"newer than this package knows \\({SCHEMA_VERSION}\\)"):
        place.open(read_only=read_only)


def test_an_older_schema_is_brought_up_to_date(empty):
    bring(empty)
    empty.open().close()

    assert versions(empty) == [SCHEMA_VERSION]


def test_an_older_schema_that_may_only_be_read_says_what_to_do(place):
    place.open().close()
    set_version(place, "0000")

    with pytest.raises(LedgerError, match="version 0000, older than this package's") as failed:
        place.open(read_only=True)

    assert "run a delivery" in failed.value.remedy
    assert versions(place) == ["0000"]


def test_reading_where_there_is_no_ledger_makes_none(empty):
    with pytest.raises(LedgerError, match="there is no ledger"):
        empty.open(read_only=True)


def test_two_processes_that_make_a_ledger_at_once_make_one(empty):
    both = openers(empty.url)
    if empty.kind == "sqlite":
        go(both)
    else:
        with schema_locked(empty):
            go(both)
    made, keys = zip(*said(both), strict=True)

    assert sorted(made) == ["False", "True"]
    assert len(set(keys)) == 1


def test_two_processes_that_open_an_old_ledger_at_once_migrate_it_once(empty):
    """Done twice it would fail: a column that is there already is not added."""
    bring(empty)
    both = openers(empty.url)
    if versions(empty) == [SCHEMA_VERSION]:
        go(both)  # nothing to migrate yet, so nobody waits
    else:
        with schema_locked(empty):
            go(both)
    made, keys = zip(*said(both), strict=True)

    assert made == ("False", "False")
    assert len(set(keys)) == 1
    assert versions(empty) == [SCHEMA_VERSION]
