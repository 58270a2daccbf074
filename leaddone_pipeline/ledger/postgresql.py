"""The ledger in PostgreSQL, for several machines; and what became of a COMMIT whose answer was lost (rule 4)."""

from __future__ import annotations

import random
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, ColumnElement, Connection, Double, create_engine, event, extract, func, text
from sqlalchemy.exc import DBAPIError

from leaddone_pipeline.errors import LedgerError, SettingsError
from leaddone_pipeline.ledger import faults

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PostgreSQL"]

_OLDEST = 130_000  # the first that tells under this name what became of a transaction
_POOLED = 8
_IDLE_SECONDS = 15
_LOOK_AGAIN_SECONDS = 0.1
"""A server that restarts, or is still at the transaction, tells nobody when it is done."""

# A server or a network that went silent is noticed within these, not after the system's two hours. A proxy before a
# dead server that goes on acknowledging (a balancer, pgbouncer) is not: its own time limits must end the connection.
_LIBPQ = {
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 11_000,
}

_SESSION = """
    SELECT set_config('idle_in_transaction_session_timeout', '{idle}s', false),
           set_config('lock_timeout', '{lock}ms', false),
           set_config('synchronous_commit',
                      CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply'
                           ELSE 'on' END,
                      false),
           current_setting('server_version_num')
"""
# remote_apply is stronger than on: then the server's owner has asked for more, not for less.


class PostgreSQL:
    """A server. Writers run side by side; each locks the rows that it decides about.

    Attributes:
        turn: nothing to queue for.
    """

    def __init__(self, url: URL, *, read_only: bool, clock: Callable[[], float], wait_seconds: float) -> None:
        del clock  # the server's own is the one that all machines share
        self._url = url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url
        self._wait_seconds = wait_seconds
        self._place = faults.place_of(url)
        self.turn = nullcontext()
        options: dict[str, Any] = {"hide_parameters": True, "isolation_level": "READ COMMITTED"}
        if self._url.get_driver_name() in {"psycopg", "psycopg2"}:
            options["connect_args"] = {name: value for name, value in _LIBPQ.items() if name not in url.query}
        try:
            engine = create_engine(self._url, pool_size=_POOLED, max_overflow=0, pool_timeout=None, **options)
        except ImportError:
            raise SettingsError(
                "a ledger in PostgreSQL needs a driver that is not installed",
                remedy="pip install 'leaddone-pipeline[postgresql]'",
                setting="LEADDONE_LEDGER_URL",
            ) from None
        event.listen(engine, "connect", self._prepare)
        self.reading = engine.execution_options(
            leaddone_reads=True, isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self.engine = engine.execution_options(postgresql_readonly=True) if read_only else engine

    def now(self) -> ColumnElement[float]:
        return extract("epoch", func.statement_timestamp()).cast(Double)

    def lock_schema(self, connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('leaddone-pipeline ledger'))"))

    def mark(self, connection: Connection) -> str | None:
        """The number of this transaction, by which its fate can be asked for; None if it has written nothing."""
        return connection.execute(text("SELECT CAST(pg_current_xact_id_if_assigned() AS text)")).scalar()

    def committed(self, connection: Connection, mark: str | None) -> bool:
        """Ask on a new connection what became of the transaction whose COMMIT failed.

        Raises:
            LedgerError: it cannot be found out in time. Within half a minute the server itself ends a transaction
                whose client is gone.
        """
        if not connection.invalidated:
            return False  # the server has answered: it refused
        if mark is None:
            return True  # nothing was written, so nothing can be missing
        connection.close()  # gives its place in the pool to the one that asks
        deadline = time.monotonic() + self._wait_seconds
        while (fate := self._fate(mark)) not in {"committed", "aborted"}:
            if time.monotonic() > deadline:
                raise LedgerError(
                    "the connection was lost while the server was to make a change final, and since then it cannot "
                    "be asked whether it did; records of that change may be shown as claimed or unconfirmed although "
                    "LeadDone has answered",
                    remedy="Check server and network, then run again: the ledger is read before anything is sent",
                    ledger=self._place,
                )
            time.sleep(random.random() * _LOOK_AGAIN_SECONDS)
        return fate == "committed"

    def fault(self, error: DBAPIError) -> faults.Fault:
        return faults.of_postgresql(error)

    def look(self) -> None:
        """Nothing to see: a server does not lose its tables unnoticed."""

    def _fate(self, mark: str) -> str | None:
        try:
            with self.engine.connect() as connection:
                asked = text("SELECT pg_xact_status(CAST(:mark AS xid8))")
                return connection.execute(asked, {"mark": mark}).scalar()
        except DBAPIError:
            return None

    def _prepare(self, connection: Any, _record: object) -> None:  # noqa: ANN401 - of whichever driver
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    _SESSION.format(idle=_IDLE_SECONDS, lock=max(1, round(self._wait_seconds * 1000)))
                )
                version = int(cursor.fetchone()[-1])
            connection.commit()
            self._check_version(version)
        except BaseException:
            connection.close()  # SQLAlchemy does not
            raise

    def _check_version(self, found: int) -> None:
        if found < _OLDEST:
            raise LedgerError(
                f"the server is PostgreSQL {found // 10_000}, and the ledger needs {_OLDEST // 10_000} or newer",
                remedy="Upgrade the server, or name another in LEADDONE_LEDGER_URL",
                ledger=self._place,
            )
