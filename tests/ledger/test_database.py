"""The one door to the ledger, on each database."""

import pytest

from leaddone_pipeline.errors import LedgerError, SettingsError
from leaddone_pipeline.ledger import Ledger
from leaddone_pipeline.ledger.tables import messages


@pytest.mark.parametrize(
    "url", ["nonsense", "sqlite://", "oracle+nothing://x/y", "mysql://x/y", "postgresql+asyncpg://x/y"]
)
def test_a_url_of_no_ledger_is_a_settings_error(url):
    with pytest.raises(SettingsError, match="LEADDONE_LEDGER_URL"):
        Ledger(url)


@pytest.mark.parametrize("host", ["ss:w0rd@127.0.0.1/d", "ssw0rd@127.0.0.1:9/d", "ss/w0rd@127.0.0.1:9/d"])
def test_a_password_that_tears_its_url_is_shown_nowhere(host):
    with pytest.raises(SettingsError, match="%40") as refused:
        Ledger(f"postgresql://u:p@{host}")
    assert "w0rd" not in repr(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_new_file_is_its_owners_alone(tmp_path):
    """It holds hashes and the key to them (rule 3)."""
    with Ledger(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        ledger.write(lambda connection: connection.execute(messages.insert().values(text="words")))
        assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


def test_read_only_makes_nothing(tmp_path):
    with pytest.raises(LedgerError, match="there is no ledger"):
        Ledger(f"sqlite:///{tmp_path}/ledger.db", read_only=True)

    assert list(tmp_path.iterdir()) == []


def test_read_only_writes_nothing(place):
    place.open().close()

    with place.open(read_only=True) as ledger, pytest.raises(LedgerError, match="read-only"):
        ledger.write(lambda c: c.exec_driver_sql("UPDATE ledger SET next_number = 7"))


def test_a_failed_write_leaves_nothing(ledger):
    def half(connection):
        connection.exec_driver_sql("UPDATE ledger SET next_number = 7")
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        ledger.write(half)

    assert ledger.read(lambda c: c.exec_driver_sql("SELECT next_number FROM ledger").scalar()) == 1


def test_a_database_error_shows_no_parameter(ledger):
    twice = [{"id": 1, "text": "0612345678"}, {"id": 1, "text": "b"}]
    with pytest.raises(LedgerError, match=r"UNIQUE|unique") as failed:
        ledger.write(lambda c: c.execute(messages.insert(), twice))

    assert "0612345678" not in str(failed.value)
