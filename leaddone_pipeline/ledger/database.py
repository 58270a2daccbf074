"""The ledger's database: opening, migrating, and the one door for writes.

What SQLite and PostgreSQL do each in its own way is in `sqlite.py` and `postgresql.py`, what their errors mean in
`faults.py`. Here is what holds for both: a write commits as a whole or leaves nothing, also when the connection is
lost in the middle or the answer to its COMMIT is (delivery.md, rule 4).
"""

from __future__ import annotations

import random
import secrets
import time
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    insert,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from leaddone_pipeline.errors import LedgerError, SettingsError
from leaddone_pipeline.ledger import faults, tables
from leaddone_pipeline.ledger.postgresql import PostgreSQL
from leaddone_pipeline.ledger.sqlite import SQLite

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

__all__ = ["SCHEMA_VERSION", "Ledger"]

SCHEMA_VERSION = "0002"
_CONTENT_KEY_BYTES = 32
_LOCK_WAIT_SECONDS = 30.0
_RETRY_INITIAL_SECONDS, _RETRY_MAX_SECONDS = 0.02, 1.0
"""Longer each time, and by chance: two writers that collided would else collide again."""

T = TypeVar("T")


class Database(Protocol):
    """What the ledger needs of a kind of database.

    Attributes:
        engine: for writes.
        reading: the same, for transactions that see one moment of the ledger.
        turn: held by a writer of this process from before its transaction until after it.
    """

    @property
    def engine(self) -> Engine: ...
    @property
    def reading(self) -> Engine: ...
    @property
    def turn(self) -> AbstractContextManager[Any]: ...
    def now(self) -> ColumnElement[float]: ...
    def lock_schema(self, connection: Connection) -> None: ...
    def mark(self, connection: Connection) -> str | None: ...
    def committed(self, connection: Connection, mark: str | None) -> bool: ...
    def fault(self, error: DBAPIError) -> faults.Fault: ...
    def look(self) -> None: ...


class Ledger:
    """The SQL tables that hold the truth about delivery.

    Args:
        url: SQLAlchemy URL; `sqlite:///path` makes the file and its folder when they are missing, `postgresql://`
            takes psycopg 3 unless it names a driver.
        read_only: open an existing ledger without writing a byte to it.
        clock: seconds since 1970, for SQLite, which has no clock but this machine's.
        wait_seconds: how long to wait for another's lock, for a server that is away, or for its word on a COMMIT.

    Raises:
        LedgerError: it cannot be opened, or its schema is newer than this package.
        SettingsError: the URL is none, or its driver is not installed.
    """

    def __init__(
        self,
        url: str | URL,
        *,
        read_only: bool = False,
        clock: Callable[[], float] = time.time,
        wait_seconds: float = _LOCK_WAIT_SECONDS,
    ) -> None:
        self.url = _checked(url)
        self.place = faults.place_of(self.url)
        self.read_only = read_only
        self.newly_made = False
        self._wait_seconds = wait_seconds
        kind = SQLite if self.url.get_backend_name() == "sqlite" else PostgreSQL
        self._database: Database = kind(self.url, read_only=read_only, clock=clock, wait_seconds=wait_seconds)
        self._opened = False
        try:
            self._migrate()
            self.content_key: bytes = self.read(
                lambda connection: connection.execute(select(tables.ledger.c.content_key)).scalar_one()
            )
        except BaseException:
            self.close()
            raise
        self._opened = True

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction that sees one moment of the ledger and changes nothing."""
        return self._run(self._database.reading, work)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one short transaction: it commits as a whole, or nothing of it stands.

        `work` is run again after a deadlock or a lost connection, so it changes nothing outside the ledger.

        Raises:
            LedgerError: the database failed; nothing of `work` stands, unless the error says that this is unknown.
        """
        with self._database.turn:
            return self._run(self._database.engine, work)

    def now(self) -> ColumnElement[float]:
        """SQL for the database's clock: seconds since 1970, the moment of the statement."""
        return self._database.now()

    def close(self) -> None:
        self._database.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        """Run `work` until it is committed, or cannot be, or the time for trying is over."""
        deadline = None
        for tries in count():
            try:
                result = self._once(engine, work)
            except DBAPIError as error:
                fault = self._database.fault(error)
                again = fault.collided or (fault.lost and self._opened)
                deadline = deadline or time.monotonic() + self._wait_seconds
                if not again or time.monotonic() > deadline:
                    raise self._unusable(error, fault) from None
            else:
                self._database.look()
                return result
            time.sleep(random.random() * min(_RETRY_MAX_SECONDS, _RETRY_INITIAL_SECONDS * 2**tries))
        raise AssertionError("unreachable")

    def _once(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        with engine.connect() as connection, connection.begin() as transaction:
            result = work(connection)
            mark = None if engine is self._database.reading else self._database.mark(connection)
            try:
                transaction.commit()
            except DBAPIError:
                if not self._database.committed(connection, mark):
                    raise
            return result

    def _unusable(self, error: DBAPIError, fault: faults.Fault) -> LedgerError:
        sent = (
            "what was sent and not yet recorded is taken as unconfirmed"
            if self._opened
            else "nothing was sent"
        )
        return LedgerError(
            f"{fault.problem} (the database says: {faults.first_line(error)}); {sent}",
            remedy=fault.remedy,
            ledger=self.place,
        )

    def _migrate(self) -> None:
        """Bring the schema up to date under the database's own lock (rule 8)."""
        found = self.read(_version)
        if found is not None and found > SCHEMA_VERSION:
            raise LedgerError(
                f"its schema is version {found}, newer than this package knows ({SCHEMA_VERSION})",
                remedy="Install the leaddone-pipeline that wrote it, or a newer one",
                ledger=self.place,
            )
        if found == SCHEMA_VERSION:
            return
        if self.read_only and found is None:
            raise LedgerError("there is no ledger", remedy="Run a delivery first", ledger=self.place)
        if self.read_only:
            raise LedgerError(
                f"its schema is version {found}, older than this package's ({SCHEMA_VERSION}), and it was opened "
                "to be read only",
                remedy="Back it up, then run a delivery, which brings it up to date",
                ledger=self.place,
            )
        self.newly_made = self.write(self._upgrade)

    def _upgrade(self, connection: Connection) -> bool:
        """Migrate, unless another process was first; True if there was no ledger before."""
        from alembic import command  # noqa: PLC0415 - costs start-up time, and most runs need no migration
        from alembic.config import Config  # noqa: PLC0415

        self._database.lock_schema(connection)
        before = _version(connection)
        if before == SCHEMA_VERSION:
            return False
        config = Config()
        config.set_main_option("script_location", "leaddone_pipeline:ledger/migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, SCHEMA_VERSION)
        if before is None:
            key = secrets.token_bytes(_CONTENT_KEY_BYTES)
            connection.execute(insert(tables.ledger).values(id=1, content_key=key, next_number=1))
        return before is None


def _checked(url: str | URL) -> URL:
    try:
        checked = make_url(url)
        known = checked.get_backend_name() in {"sqlite", "postgresql"} and not checked.get_dialect().is_async
    except (ArgumentError, NoSuchModuleError, ValueError):
        known = False
    else:
        # What stands there was meant for the password, and would be shown as host or database.
        torn = "@" in (checked.host or "") or (checked.host and "@" in (checked.database or ""))
        known = known and not torn
    if not known:
        raise SettingsError(
            "this is not a SQLAlchemy URL of SQLite or PostgreSQL",
            remedy="Write it as sqlite:////absolute/path/ledger.db or postgresql://user:password@host/database; "
            "an @ in the password is written %40",
            setting="LEADDONE_LEDGER_URL",
        )
    return checked


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
