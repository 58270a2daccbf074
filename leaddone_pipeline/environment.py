"""Settings from the surroundings: environment variables, the project's `.env`, and where the ledger lives."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dotenv import dotenv_values, load_dotenv
from sqlalchemy import URL

from leaddone_pipeline.errors import SettingsError
from leaddone_pipeline.settings import DEFAULT_BASE_URL, Account, Credentials

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "BASE_URL",
    "CLIENT_ID",
    "LEDGER_URL",
    "WEBHOOK_SECRET",
    "account_of",
    "base_url",
    "credentials",
    "credentials_of",
    "find_root",
    "ledger_url",
    "read_dotenv",
    "required",
    "unusable",
]

CLIENT_ID = "LEADDONE_CLIENT_ID"
WEBHOOK_SECRET = "LEADDONE_WEBHOOK_SECRET"  # noqa: S105 - a variable's name
BASE_URL = "LEADDONE_BASE_URL"
LEDGER_URL = "LEADDONE_LEDGER_URL"


def find_root(start: Path) -> Path | None:
    """Find the project: the nearest folder upward with a `pyproject.toml` or a `.leaddone/` folder (rule 2).

    A folder below DAGSTER_HOME is none: it may be temporary, and a ledger that vanishes sends everything twice.
    """
    home = os.environ.get("DAGSTER_HOME")
    temporary = Path(home).resolve() if home else None
    place = start.resolve()
    for folder in (place, *place.parents):
        if temporary and folder.is_relative_to(temporary):
            continue
        if (folder / "pyproject.toml").is_file() or (folder / ".leaddone").is_dir():
            return folder
    return None


def read_dotenv(start: Path) -> None:
    """Read the project's `.env`; variables that are set already win.

    Raises:
        SettingsError: it cannot be read.
    """
    root = find_root(start)
    if root is not None:
        with _readable(root / ".env"):
            load_dotenv(root / ".env")


def credentials() -> Credentials:
    """Read client id and secret from the environment.

    Raises:
        SettingsError: one is missing or cannot be right; its value is never named.
    """
    return credentials_of(required(CLIENT_ID), required(WEBHOOK_SECRET))


def required(name: str) -> str:
    """Read one of the two values that LeadDone gives a shop.

    Raises:
        SettingsError: it is missing.
    """
    value = os.environ.get(name)
    if not value:
        raise SettingsError(
            "it is not set",
            remedy=f"Set {name} in the environment or in the project's .env; LeadDone shows it under "
            "Intégrations > Webhook",
            setting=name,
        )
    return value


def credentials_of(client_id: str, webhook_secret: str) -> Credentials:
    """Check credentials that someone typed.

    Raises:
        SettingsError: they cannot be right.
    """
    try:
        return Credentials(client_id, webhook_secret)
    except ValueError as error:
        raise unusable(error) from None


def base_url(start: Path) -> str:
    """Say where the two webhooks live: LEADDONE_BASE_URL, else LeadDone's own address."""
    return _setting(BASE_URL, start) or DEFAULT_BASE_URL


def account_of(base_url: str, client_id: str) -> Account:
    """Check an address that someone typed, and name the account there.

    Raises:
        SettingsError: it is none that customers' data may be sent to.
    """
    try:
        return Account(base_url, client_id)
    except ValueError as error:
        raise unusable(error) from None


def ledger_url(start: Path) -> str:
    """Say where the ledger is: LEADDONE_LEDGER_URL, else `.leaddone/ledger.db` in the project of `start` (rule 2).

    Raises:
        SettingsError: neither is to be found; no place is guessed.
    """
    named = _setting(LEDGER_URL, start)
    if named:
        return named
    root = find_root(start)
    if root is None:
        raise SettingsError(
            f"there is no project around {start}, so the ledger has no place; without its ledger a delivery would "
            "send everything twice",
            remedy=f"Run inside your project (a folder with pyproject.toml), make a .leaddone folder where the "
            f"ledger is to live, or set {LEDGER_URL}",
            setting=LEDGER_URL,
        )
    return URL.create("sqlite", database=str(root / ".leaddone" / "ledger.db")).render_as_string()


def _setting(name: str, start: Path) -> str | None:
    """A variable of this process, else of the `.env` in the project of `start`; a library sets none itself."""
    root = None if name in os.environ else find_root(start)
    if root is None:
        return os.environ.get(name)
    with _readable(root / ".env"):
        return dotenv_values(root / ".env").get(name)


@contextmanager
def _readable(dotenv: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{dotenv} cannot be read ({type(error).__name__})",
            remedy="Make it readable, in UTF-8, or remove it and set the variables in the environment",
            setting=".env",
        ) from None


def unusable(error: ValueError) -> SettingsError:
    """Say for users what settings.py, or the client, says of a value: `setting problem; remedy`."""
    setting, _, rest = str(error).partition(" ")
    problem, _, remedy = rest.partition("; ")
    remedy = remedy or "correct it"
    return SettingsError(problem, remedy=remedy[0].upper() + remedy[1:], setting=setting)
