"""What a database's errors mean, and what to do about them.

The codes are SQLite's result codes (sqlite.org/rescode.html) and PostgreSQL's SQLSTATEs (its manual, appendix A).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import URL
    from sqlalchemy.exc import DBAPIError

__all__ = ["Fault", "first_line", "of_postgresql", "of_sqlite", "place_of"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong with the database.

    Attributes:
        problem: what happened, without its full stop.
        remedy: what to do about it, without its full stop.
        collided: another transaction came first, and this one was undone as a whole; it may be run again at once.
        lost: the connection is gone, or was never there; a new one may do.
    """

    problem: str
    remedy: str
    collided: bool = False
    lost: bool = False


_UNEXPECTED = "Mend the database (space, rights, connection), then run again"
_ROOM = "Make room on that disk, then run again"
_RESTORE = (
    "Stop all runs, keep a copy of what is there, and restore the newest backup; orders accepted since it was made "
    "are unknown to it and must not be sent from an older file"
)

_SQLITE = {
    "SQLITE_BUSY": Fault(
        "another process has kept the ledger locked for too long",
        "See which process holds it open (a run that hangs, a database browser in a transaction), end it, then run "
        "again",
    ),
    "SQLITE_CANTOPEN": Fault(
        "it cannot be opened",
        "Give this user the right to read and write the file and its folder, where SQLite keeps two more files",
    ),
    "SQLITE_CORRUPT": Fault("its file is damaged", _RESTORE),
    "SQLITE_FULL": Fault("the disk is full", _ROOM),
    "SQLITE_IOERR": Fault(
        "the disk failed to read or write",
        "Check the disk (space, quota, health, a network drive), then run again",
    ),
    "SQLITE_NOTADB": Fault(
        "this file is not a database",
        "Name another place in LEADDONE_LEDGER_URL, or restore the ledger from a backup",
    ),
    "SQLITE_READONLY": Fault(
        "it is read-only",
        "Give this user the right to write the file and its folder, or mount the disk for writing, then run again",
    ),
}


def of_sqlite(error: DBAPIError) -> Fault:
    """Say what an error of SQLite means, by its result code."""
    name = getattr(error.orig, "sqlite_errorname", "")
    for known, fault in _SQLITE.items():
        if name == known or name.startswith(f"{known}_"):
            return fault
    return Fault("the database failed", _UNEXPECTED)


_POSTGRESQL = {
    "25006": Fault(
        "the server or this session is read-only",
        "Name the primary server in LEADDONE_LEDGER_URL, not a standby, then run again",
    ),
    "28": Fault("the server refuses this user or password", "Check user and password in LEADDONE_LEDGER_URL"),
    "3D000": Fault(
        "the server has no database of this name", "Make it with `createdb`, or correct LEADDONE_LEDGER_URL"
    ),
    "40": Fault("other transactions came first, again and again", "Run again", collided=True),
    "42501": Fault(
        "this user lacks a right in the database",
        "Let it own the ledger's tables, or grant it all rights on them and CREATE on the schema",
    ),
    "53100": Fault("the server's disk is full", _ROOM),
    "53300": Fault(
        "the server has no connection to spare",
        "End some, or raise max_connections, then run again",
        lost=True,
    ),
    "55P03": Fault(
        "another transaction has kept the ledger locked for too long",
        "See pg_stat_activity for the session that is idle in a transaction, end it, then run again",
    ),
    "57P": Fault("the server ended the connection", "Run again when the server is up", lost=True),
    "08": Fault(
        "the connection to the server was lost", "Check server and network, then run again", lost=True
    ),
    "XX001": Fault("the server's data are damaged", _RESTORE),
    "XX002": Fault("an index of the server is damaged", "Let its owner REINDEX it, then run again"),
}

# The server's words when it refuses a connection: libpq hands on no SQLSTATE for these. A server that speaks another
# language is not understood; then its words themselves are all that is told.
_REFUSALS = {
    'database ".*" does not exist': "3D000",
    "password|authentication|pg_hba.conf|role": "28",
    "too many|remaining connection slots": "53300",
}


def of_postgresql(error: DBAPIError) -> Fault:
    """Say what an error of PostgreSQL means, by its SQLSTATE, or by its words where there was no connection yet."""
    state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None) or ""
    if not state and not error.connection_invalidated:
        return _of_refusal(first_line(error))
    for known, fault in _POSTGRESQL.items():
        if state.startswith(known):
            return fault
    if error.connection_invalidated:
        return _POSTGRESQL["08"]
    return Fault("the database failed", _UNEXPECTED)


def _of_refusal(words: str) -> Fault:
    said = words.partition("FATAL:")[2] or words.partition("fe_sendauth:")[2]
    if not said:
        return Fault(
            "the server cannot be reached",
            "Check host and port in LEADDONE_LEDGER_URL, and that the server is up",
            lost=True,
        )
    for known, state in _REFUSALS.items():
        if re.search(known, said):
            return _POSTGRESQL[state]
    return Fault("the server refuses the connection", "Run again when the server is up", lost=True)


def first_line(error: DBAPIError) -> str:
    """The database's own words, without the lines below, which may quote values."""
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__


def place_of(url: URL) -> str:
    """The URL as it may be shown: without the password, wherever it stands."""
    return url.set(query={}).render_as_string(hide_password=True)
