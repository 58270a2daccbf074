"""The ledger in SQLite: one file for one machine, as durable as SQLite can be (delivery.md, rules 2 and 4)."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, ColumnElement, Connection, Double, create_engine, event, func

from leaddone_pipeline.errors import LedgerError, SettingsError
from leaddone_pipeline.ledger import faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.exc import DBAPIError

__all__ = ["SQLite"]

_LOOK_AGAIN_SECONDS = 0.02


class SQLite:
    """A file. Every write takes the whole file's lock when it begins, so that what it reads cannot change.

    Attributes:
        turn: writers of one process queue here instead of polling the file's lock.
    """

    def __init__(self, url: URL, *, read_only: bool, clock: Callable[[], float], wait_seconds: float) -> None:
        if not url.database or url.database == ":memory:":
            raise SettingsError(
                "a ledger in memory forgets what was sent",
                remedy="Name a file: sqlite:////absolute/path/ledger.db",
                setting="LEADDONE_LEDGER_URL",
            )
        self._file = Path(url.database).absolute()
        self._found: tuple[int, int] | None = None
        self._read_only = read_only
        self._clock = clock
        self._wait_seconds = wait_seconds
        self._find_file()
        self.turn = threading.Lock()
        self.engine = create_engine(
            url, hide_parameters=True, connect_args={"timeout": wait_seconds, "check_same_thread": False}
        )
        self.reading = self.engine.execution_options(leaddone_reads=True)
        event.listen(self.engine, "do_connect", lambda *_: self.look())
        event.listen(self.engine, "connect", self._prepare)
        event.listen(self.engine, "begin", self._begin)

    def now(self) -> ColumnElement[float]:
        return func.leaddone_now(type_=Double)

    def lock_schema(self, _connection: Connection) -> None:
        """Nothing to do: a write has locked the whole file already."""

    def mark(self, _connection: Connection) -> None:
        """Nothing to note: SQLite knows by itself whether a COMMIT took place."""

    def committed(self, connection: Connection, _mark: str | None) -> bool:
        """A COMMIT that failed took no effect; what it left open is rolled back (sqlite.org, lang_transaction)."""
        raw = connection.connection.dbapi_connection
        if raw is not None and raw.in_transaction:
            raw.rollback()
        return False

    def fault(self, error: DBAPIError) -> faults.Fault:
        return faults.of_sqlite(error)

    def look(self) -> None:
        """See that the file is still the one that was opened; SQLite writes on into a file that was deleted.

        Raises:
            LedgerError: it was deleted, moved or replaced.
        """
        if self._found is None:
            return
        try:
            status = self._file.stat()
            same = (status.st_dev, status.st_ino) == self._found
        except OSError:
            same = False
        if not same:
            raise LedgerError(
                "its file was deleted, moved or replaced while it was open; what was sent since is recorded nowhere "
                "else",
                remedy="Stop all runs, put the file back with those named -wal and -shm beside it, and run again",
                ledger=str(self._file),
            )

    def _find_file(self) -> None:
        if self._read_only:
            if not self._file.exists():
                raise LedgerError("there is no ledger", remedy="Run a delivery first", ledger=str(self._file))
            return
        folder = self._file.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LedgerError(
                f"its folder cannot be made: {os.strerror(error.errno or 0)}",
                remedy="Make it, or name another place in LEADDONE_LEDGER_URL",
                ledger=str(folder),
            ) from None
        # Its own user's alone: it holds hashes and the key to them. What stands against it, SQLite will say.
        with suppress(OSError):
            self._file.touch(mode=0o600, exist_ok=False)

    def _prepare(self, connection: Any, _record: object) -> None:  # noqa: ANN401 - a sqlite3.Connection, typed by no stub
        connection.isolation_level = None  # our own BEGIN, below
        try:
            connection.create_function("leaddone_now", 0, self._clock)
            connection.execute("PRAGMA foreign_keys=ON")
            if self._read_only:
                connection.execute("PRAGMA query_only=ON")
            else:
                self._use_wal(connection)
                connection.execute("PRAGMA synchronous=FULL")
                connection.execute("PRAGMA secure_delete=ON")  # what is forgotten is overwritten too (rule 7)
        except BaseException:
            connection.close()  # SQLAlchemy does not
            raise
        if self._found is None:
            status = self._file.stat()
            self._found = status.st_dev, status.st_ino

    def _begin(self, connection: Connection) -> None:
        reads = self._read_only or connection.get_execution_options().get("leaddone_reads")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    def _use_wal(self, connection: Any) -> None:  # noqa: ANN401 - as above
        """Switch to WAL; SQLite does not wait by itself while another process is switching the same new file."""
        if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
            return
        deadline = time.monotonic() + self._wait_seconds
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
            except connection.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > deadline:
                    raise
                time.sleep(_LOOK_AGAIN_SECONDS)
            else:
                return
