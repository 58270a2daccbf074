"""The ledger's database: opening, migrating, and the one door for writes.

SQLite runs with WAL and `synchronous=FULL` (delivery.md, rule 4); every write transaction takes the write lock
when it begins, so that what it reads first cannot change before it commits.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Double,
    Engine,
    create_engine,
    event,
    extract,
    func,
    insert,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from leaddone_pipeline.errors import LedgerError, SettingsError
from leaddone_pipeline.ledger import tables

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SCHEMA_VERSION", "Ledger"]

SCHEMA_VERSION = "0002"
_CONTENT_KEY_BYTES = 32
_LOCK_WAIT_SECONDS = 30.0

T = TypeVar("T")


class Ledger:
    """The SQL tables that hold the truth about delivery.

    Args:
        url: SQLAlchemy URL; `sqlite:///path` makes the file and its folder when they are missing.
        read_only: open an existing ledger without writing a byte to it.
        clock: seconds since 1970, for SQLite, which has no clock but this machine's.

    Raises:
        LedgerError: it cannot be opened, or its schema is newer than this package.
        SettingsError: the URL is none.
    """

    def __init__(
        self, url: str | URL, *, read_only: bool = False, clock: Callable[[], float] = time.time
    ) -> None:
        self.url = _checked(url)
        self.place = self.url.render_as_string(hide_password=True)
        self.read_only = read_only
        self.newly_made = False
        self._clock = clock
        self._turn = threading.Lock()  # writers of one process queue here instead of polling SQLite's lock
        if self.url.get_backend_name() == "sqlite":
            _find_file(self.url, make=not read_only)
        self._engine = self._connect()
        self._migrate()
        self.content_key: bytes = self.read(
            lambda connection: connection.execute(select(tables.ledger.c.content_key)).scalar_one()
        )

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction that sees one moment of the ledger and changes nothing."""
        return self._run(self._engine.execution_options(leaddone_reads=True), work)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one short transaction: it commits as a whole, or nothing of it stands.

        `work` may be run again after a deadlock, so it changes nothing outside the ledger.
        """
        with self._turn:
            return self._run(self._engine, work)

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        try:
            with engine.begin() as connection:
                return work(connection)
        except DBAPIError as error:
            raise self._unusable(error) from None

    def _unusable(self, error: DBAPIError) -> LedgerError:
        cause = str(error.orig).splitlines()[0]
        return LedgerError(
            f"the database says: {cause}; what was sent and not yet recorded is taken as unconfirmed",
            remedy="Mend the database (space, rights, connection), then run again",
            ledger=self.place,
        )

    def _connect(self) -> Engine:
        if self.url.get_backend_name() != "sqlite":
            return create_engine(self.url, hide_parameters=True)
        engine = create_engine(
            self.url,
            hide_parameters=True,
            connect_args={"timeout": _LOCK_WAIT_SECONDS, "check_same_thread": False},
        )

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _: object) -> None:  # noqa: ANN401 - a sqlite3.Connection, typed by no stub
            connection.isolation_level = None  # SQLAlchemy's own BEGIN, below
            connection.create_function("leaddone_now", 0, self._clock)
            connection.execute("PRAGMA foreign_keys=ON")
            if self.read_only:
                connection.execute("PRAGMA query_only=ON")
            else:
                _use_wal(connection)
                connection.execute("PRAGMA synchronous=FULL")

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            reads = self.read_only or connection.get_execution_options().get("leaddone_reads")
            connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

        return engine

    def now(self) -> ColumnElement[float]:
        """SQL for the database's clock: seconds since 1970, the moment of the statement."""
        if self.url.get_backend_name() == "sqlite":
            return func.leaddone_now(type_=Double)
        return extract("epoch", func.clock_timestamp()).cast(Double)

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
        if self.read_only:
            raise LedgerError(
                "there is no ledger, or one of an older schema",
                remedy="Run a delivery first",
                ledger=self.place,
            )
        self.write(self._upgrade)

    def _upgrade(self, connection: Connection) -> None:
        from alembic import command  # noqa: PLC0415 - costs start-up time, and most runs need no migration
        from alembic.config import Config  # noqa: PLC0415

        if self.url.get_backend_name() == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('leaddone-pipeline ledger'))"))
        before = _version(connection)
        if before == SCHEMA_VERSION:
            return  # another process was first
        config = Config()
        config.set_main_option("script_location", "leaddone_pipeline:ledger/migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, SCHEMA_VERSION)
        if before is None:
            key = secrets.token_bytes(_CONTENT_KEY_BYTES)
            connection.execute(insert(tables.ledger).values(id=1, content_key=key, next_number=1))
            self.newly_made = True


def _checked(url: str | URL) -> URL:
    try:
        checked = make_url(url)
        checked.get_dialect()
    except (ArgumentError, NoSuchModuleError):
        raise SettingsError(
            "this is no SQLAlchemy URL of a database that this package knows",
            remedy="Write it as sqlite:////absolute/path/ledger.db",
            setting="LEADDONE_LEDGER_URL",
        ) from None
    return checked


def _find_file(url: URL, *, make: bool) -> None:
    if not url.database or url.database == ":memory:":
        raise SettingsError(
            "a ledger in memory forgets what was sent",
            remedy="Name a file: sqlite:////absolute/path/ledger.db",
            setting="LEADDONE_LEDGER_URL",
        )
    file = Path(url.database).absolute()
    if not make:
        if not file.exists():
            raise LedgerError("there is no ledger", remedy="Run a delivery first", ledger=str(file))
        return
    folder = file.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(
            f"its folder cannot be made: {os.strerror(error.errno or 0)}",
            remedy="Make it, or name another place in LEADDONE_LEDGER_URL",
            ledger=str(folder),
        ) from None


def _use_wal(connection: Any) -> None:  # noqa: ANN401 - a sqlite3.Connection, typed by no stub
    """Switch to WAL; SQLite does not wait by itself while another process is switching the same new file."""
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        return
    deadline = time.monotonic() + _LOCK_WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except connection.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
