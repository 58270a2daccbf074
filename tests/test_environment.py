import os

import pytest

from leaddone_pipeline import environment
from leaddone_pipeline.errors import SettingsError


def test_the_ledger_lives_in_the_nearest_project(tmp_path):
    """Rule 2."""
    (tmp_path / "pyproject.toml").touch()
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)

    assert environment.ledger_url(deep) == f"sqlite:///{tmp_path}/.leaddone/ledger.db"


def test_without_a_project_no_place_is_guessed(tmp_path):
    with pytest.raises(SettingsError, match="LEADDONE_LEDGER_URL") as refused:
        environment.ledger_url(tmp_path)

    assert "twice" in str(refused.value)


def test_a_folder_below_dagster_home_is_no_project(tmp_path, monkeypatch):
    """Rule 2: it may be temporary, and a ledger that vanishes sends everything twice."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "pyproject.toml").touch()

    assert environment.find_root(tmp_path / "run") is None


def test_the_variable_wins(tmp_path, monkeypatch):
    monkeypatch.setenv("LEADDONE_LEDGER_URL", "sqlite:////elsewhere/ledger.db")

    assert environment.ledger_url(tmp_path) == "sqlite:////elsewhere/ledger.db"


def test_the_projects_dotenv_is_read_and_what_is_set_already_wins(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / ".env").write_text("LEADDONE_CLIENT_ID=from-file\nLEADDONE_WEBHOOK_SECRET=whsec_file\n")
    monkeypatch.setenv("LEADDONE_CLIENT_ID", "from-shell")
    monkeypatch.setenv("LEADDONE_WEBHOOK_SECRET", "to be put back by monkeypatch")
    monkeypatch.delenv("LEADDONE_WEBHOOK_SECRET")

    environment.read_dotenv(tmp_path)

    found = environment.credentials()
    assert (found.client_id, found.webhook_secret) == ("from-shell", "whsec_file")


def test_address_and_ledger_of_the_projects_dotenv_are_found_and_the_process_is_left_as_it_is(
    tmp_path, monkeypatch
):
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / ".env").write_text(
        "LEADDONE_BASE_URL=https://sandbox.test/api\nLEADDONE_LEDGER_URL=sqlite:////file.db\n"
    )
    monkeypatch.delenv("LEADDONE_BASE_URL")

    assert environment.base_url(tmp_path) == "https://sandbox.test/api"
    assert environment.ledger_url(tmp_path) == "sqlite:////file.db"
    assert not {"LEADDONE_BASE_URL", "LEADDONE_LEDGER_URL"} & set(os.environ)
    monkeypatch.setenv("LEADDONE_BASE_URL", "https://shell.test/api")
    assert environment.base_url(tmp_path) == "https://shell.test/api"


@pytest.mark.parametrize("missing", ["LEADDONE_CLIENT_ID", "LEADDONE_WEBHOOK_SECRET"])
def test_a_missing_credential_is_named_with_its_remedy(monkeypatch, missing):
    monkeypatch.setenv("LEADDONE_CLIENT_ID", "c")
    monkeypatch.setenv("LEADDONE_WEBHOOK_SECRET", "planted")
    monkeypatch.delenv(missing)

    with pytest.raises(SettingsError, match=missing) as refused:
        environment.credentials()

    assert "planted" not in str(refused.value)


def test_a_secret_that_cannot_be_right_is_not_named():
    with pytest.raises(SettingsError) as refused:
        environment.credentials_of("c", "planted\n")

    assert "planted" not in str(refused.value)
    assert refused.value.setting == "webhook_secret"


def test_an_address_with_a_query_is_refused_with_the_remedy():
    with pytest.raises(SettingsError, match="Take it out"):
        environment.account_of("https://leaddone.test/api?x=1", "c")


def test_a_dotenv_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    """Another ledger than the one that it names would send everything twice."""
    monkeypatch.delenv("LEADDONE_LEDGER_URL", raising=False)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / ".env").write_bytes(b"# cl\xe9\nLEADDONE_LEDGER_URL=sqlite:///x.db\n")

    for read in (environment.ledger_url, environment.read_dotenv):
        with pytest.raises(SettingsError, match=r"\.env cannot be read") as refused:
            read(tmp_path)
        assert "UTF-8" in str(refused.value)
