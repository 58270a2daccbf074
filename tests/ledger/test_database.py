import sqlite3
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from leaddone_pipeline.errors import LedgerError, SettingsError
from leaddone_pipeline.ledger import SCHEMA_VERSION, Ledger
from leaddone_pipeline.ledger.tables import metadata


def test_a_new_ledger_says_so_and_an_old_one_does_not(tmp_path):
    url = f"sqlite:///{tmp_path}/deep/er/ledger.db"
    with Ledger(url) as first, Ledger(url) as second:
        assert (first.newly_made, second.newly_made) == (True, False)
        assert first.content_key == second.content_key


def test_the_migrations_make_exactly_the_tables_of_the_code(tmp_path):
    """Rule 8."""
    Ledger(f"sqlite:///{tmp_path}/ledger.db").close()
    engine = create_engine(f"sqlite:///{tmp_path}/ledger.db")
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()

    assert differences == []


def test_it_is_as_durable_as_sqlite_can_be(ledger):
    """Rule 4."""
    mode, synchronous = ledger.read(
        lambda c: (
            c.exec_driver_sql("PRAGMA journal_mode").scalar(),
            c.exec_driver_sql("PRAGMA synchronous").scalar(),
        )
    )

    assert (mode, synchronous) == ("wal", 2)


def test_a_newer_schema_is_refused(tmp_path):
    """Rule 8."""
    path = tmp_path / "ledger.db"
    Ledger(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(LedgerError, match=f"newer than this package knows \\({SCHEMA_VERSION}\\)"):
        Ledger(f"sqlite:///{path}")


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "ledger.db"
    path.write_text("order,phone\n1,0600000000\n" * 100)

    with pytest.raises(LedgerError, match="not a database"):
        Ledger(f"sqlite:///{path}")

    assert path.read_text().startswith("order,phone")


@pytest.mark.parametrize("url", ["nonsense", "sqlite://", "oracle+nothing://x/y"])
def test_a_url_of_no_ledger_is_a_settings_error(url):
    with pytest.raises(SettingsError, match="LEADDONE_LEDGER_URL"):
        Ledger(url)


def test_read_only_makes_nothing(tmp_path):
    with pytest.raises(LedgerError, match="there is no ledger"):
        Ledger(f"sqlite:///{tmp_path}/ledger.db", read_only=True)

    assert list(tmp_path.iterdir()) == []


def test_read_only_writes_nothing(tmp_path):
    url = f"sqlite:///{tmp_path}/ledger.db"
    Ledger(url).close()

    with Ledger(url, read_only=True) as ledger, pytest.raises(LedgerError, match="readonly"):
        ledger.write(lambda c: c.exec_driver_sql("UPDATE ledger SET next_number = 7"))


def test_a_failed_write_leaves_nothing(ledger):
    def half(connection):
        connection.exec_driver_sql("UPDATE ledger SET next_number = 7")
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        ledger.write(half)

    assert ledger.read(lambda c: c.exec_driver_sql("SELECT next_number FROM ledger").scalar()) == 1


def test_a_database_error_shows_no_parameter(ledger):
    with pytest.raises(LedgerError) as failed:
        ledger.write(
            lambda c: c.exec_driver_sql(
                "INSERT INTO messages (id, text) VALUES (1, ?), (1, ?)", ("0612345678", "b")
            )
        )

    assert "0612345678" not in str(failed.value)
