"""What stands in a ledger file, read past the code under test: plain SQL on a connection of its own."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from leaddone_pipeline.contract import Kind

__all__ = ["Claimant", "Standing", "Witness"]


class Standing(NamedTuple):
    """A row of `records`."""

    number: int
    order_id: str
    state: str
    held: bool
    forgotten: bool
    unknown_attempts: int
    internal_id: str | None
    accepted_status: str | None
    accepted_event_at: float | None
    has_words: bool

    @property
    def was_refused_alone(self) -> bool:
        """It is pending all the same, since nothing else was accepted in that run (rule 19)."""
        return self.state == "pending" and self.has_words


class Claimant(NamedTuple):
    """An open claim's run."""

    run_id: int
    ended: bool
    lease_until: float


_STANDING = (
    "SELECT number, order_id, state, held, forgotten, unknown_attempts, internal_id, accepted_status, "
    "accepted_event_at, message_id IS NOT NULL FROM records WHERE kind = ?"
)


class Witness:
    """Reads one moment of a ledger; the simulation never stands within a transaction when it asks."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)

    def close(self) -> None:
        self._connection.close()

    def records(self, kind: Kind, order_ids: Iterable[str] | None = None) -> dict[str, Standing]:
        query, ids = _STANDING, list(order_ids or ())
        if order_ids is not None:
            query += f" AND order_id IN ({','.join('?' * len(ids))})"
        return {row[1]: Standing(*row) for row in self._connection.execute(query, (kind.value, *ids))}

    def order_ids(self, numbers: Iterable[int]) -> set[str]:
        wanted = list(numbers)
        query = f"SELECT order_id FROM records WHERE number IN ({','.join('?' * len(wanted))})"
        return {row[0] for row in self._connection.execute(query, wanted)}

    def claims(self) -> list[tuple[range, Claimant]]:
        """Every open claim: the numbers that it holds, and whose it is."""
        rows = self._connection.execute(
            "SELECT first_number, last_number, run_id, runs.ended_at IS NOT NULL, lease_until FROM claims "
            "JOIN batches ON batches.id = claims.batch_id JOIN runs ON runs.id = batches.run_id"
        )
        return [(range(first, last + 1), Claimant(*whose)) for first, last, *whose in rows]

    def wait_until(self) -> float:
        """Before which no request may leave (rule 26)."""
        return max(
            (row[0] or 0.0 for row in self._connection.execute("SELECT wait_until FROM accounts")),
            default=0.0,
        )

    def open_probe(self) -> str | None:
        """The order of a probe that was interrupted (rule 17)."""
        row = self._connection.execute(
            "SELECT order_id FROM accounts JOIN records ON number = probe_number"
        ).fetchone()
        return None if row is None else row[0]
