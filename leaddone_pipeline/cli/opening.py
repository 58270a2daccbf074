"""What a command works on: the credentials, the account, and the ledger with a word about where it is."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from leaddone_pipeline.cli.words import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leaddone_pipeline.ledger import Ledger
    from leaddone_pipeline.settings import Account, Credentials
    from leaddone_pipeline.webhook import LeadDoneClient

__all__ = [
    "account",
    "account_number",
    "client",
    "credentials",
    "existing_ledger",
    "ledger",
    "ledger_if_any",
    "ledger_to_be_made",
    "webhook_secret",
]

_NO_ACCOUNT = 0
"""A number that no account has: accounts are counted from 1."""


def credentials() -> Credentials:
    """Client id and secret, from the environment or the project's `.env`.

    Raises:
        SettingsError: one is missing or cannot be right.
    """
    from leaddone_pipeline import environment  # noqa: PLC0415 - costs start-up time

    environment.read_dotenv(Path.cwd())
    return environment.credentials()


def account() -> Account:
    """The account of the environment; the secret is not needed to name it.

    Raises:
        SettingsError: no client id, or an address that may not be used.
    """
    from leaddone_pipeline import environment  # noqa: PLC0415

    environment.read_dotenv(Path.cwd())
    return environment.account_of(
        environment.base_url(Path.cwd()), environment.required(environment.CLIENT_ID)
    )


def webhook_secret() -> str:
    """The secret alone, for signing.

    Raises:
        SettingsError: it is missing or cannot be right.
    """
    from leaddone_pipeline import environment  # noqa: PLC0415

    environment.read_dotenv(Path.cwd())
    secret = environment.required(environment.WEBHOOK_SECRET)
    return environment.credentials_of(client_id="not-needed", webhook_secret=secret).webhook_secret


def client(signed_by: Credentials, to: Account, *, max_connections: int) -> LeadDoneClient:
    """What sends to the account.

    Raises:
        SettingsError: an address, a proxy or certificates that cannot be.
    """
    from leaddone_pipeline.environment import unusable  # noqa: PLC0415
    from leaddone_pipeline.webhook import LeadDoneClient  # noqa: PLC0415

    try:
        return LeadDoneClient(signed_by, to.base_url, max_connections=max_connections)
    except ValueError as error:
        raise unusable(error) from None


@contextmanager
def ledger() -> Iterator[Ledger]:
    """Open the ledger, making it where there is none, and say where it is (delivery.md, rule 2)."""
    from leaddone_pipeline.environment import ledger_url  # noqa: PLC0415
    from leaddone_pipeline.ledger import Ledger  # noqa: PLC0415

    with Ledger(ledger_url(Path.cwd())) as opened:
        say(f"ledger: {opened.place}{' (newly made)' if opened.newly_made else ''}")
        yield opened


@contextmanager
def existing_ledger(*, read_only: bool = True) -> Iterator[Ledger]:
    """Open a ledger that is there already; none is made.

    Raises:
        LedgerError: there is none.
    """
    from leaddone_pipeline.environment import ledger_url  # noqa: PLC0415
    from leaddone_pipeline.ledger import Ledger  # noqa: PLC0415

    url = ledger_url(Path.cwd())
    with Ledger(url, read_only=True) as found:
        say(f"ledger: {found.place}")
        if read_only:
            yield found
            return
    with Ledger(url) as writable:
        yield writable


@contextmanager
def ledger_if_any() -> Iterator[Ledger | None]:
    """Open the ledger for reading where there is one already."""
    file = ledger_to_be_made()
    if file is not None:
        say(f"ledger: none yet; the first delivery will make {file}")
        yield None
        return
    with existing_ledger() as found:
        yield found


def ledger_to_be_made() -> Path | None:
    """The SQLite file that the first delivery makes; None where there is a ledger, or opening it tells."""
    from sqlalchemy import make_url  # noqa: PLC0415
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    from leaddone_pipeline.environment import ledger_url  # noqa: PLC0415

    try:
        url = make_url(ledger_url(Path.cwd()))
    except (ArgumentError, ValueError):
        return None  # opening it says what is wrong
    file = Path(url.database) if url.drivername.startswith("sqlite") and url.database else None
    return file if file is not None and not file.exists() else None


def account_number(of: Account, found: Ledger) -> int:
    """The account's number in the ledger; one that no record has, if the ledger has never seen it."""
    from leaddone_pipeline.ledger import reading  # noqa: PLC0415

    number = found.read(lambda connection: reading.find_account(connection, of))
    if number is None:
        say(f"The ledger knows nothing of {of.client_id} at {of.base_url} yet.")
    return number or _NO_ACCOUNT
