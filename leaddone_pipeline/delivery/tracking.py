"""A run over statuses: recorded, the newest of each order sent, once more where nobody knows (rules 28-30)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from leaddone_pipeline.delivery.decide import MAX_UNKNOWN_ATTEMPTS
from leaddone_pipeline.delivery.pace import backoff_seconds
from leaddone_pipeline.delivery.prepare import Item, PreparedUpdate, content_hash, updates_of
from leaddone_pipeline.delivery.record import record_updates
from leaddone_pipeline.delivery.run import LOOK_AGAIN_SECONDS
from leaddone_pipeline.ledger import State, reading, recording
from leaddone_pipeline.webhook import TrackingUpdate, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from leaddone_pipeline.delivery.run import Run
    from leaddone_pipeline.delivery.tally import Tally

__all__ = ["deliver_tracking"]

_UPDATES_A_READ = 10_000


def deliver_tracking(run: Run, frames: Iterable[pd.DataFrame], tally: Tally, *, day: str | None) -> None:
    """Record and send the statuses of these frames, and those that waited in the ledger for their order (rule 30)."""
    around = run.around
    around.ledger.write(lambda connection: recording.reopen_updates(connection, around.account_id))
    waiting: list[PreparedUpdate] = []
    for frame in frames:
        waiting += _record(run, tally, updates_of(frame), day)
    _send(run, tally)
    while waiting and not run.stopped:
        around.clock.sleep(LOOK_AGAIN_SECONDS)
        run.take_over()
        waiting = _record(run, tally, waiting, day)
        _send(run, tally)
    tally.left = len(waiting)


def _record(
    run: Run, tally: Tally, prepared: Sequence[PreparedUpdate], day: str | None
) -> list[PreparedUpdate]:
    """Record statuses; those of orders with an update in flight come back, to be recorded later (rule 29)."""
    around = run.around
    recorded = around.ledger.write(
        partial(
            record_updates,
            updates=prepared,
            account_id=around.account_id,
            shop=around.shop,
            day=day,
            mine=tally.numbers,
            key=around.ledger.content_key,
        )
    )
    tally.add(recorded)
    return recorded.waiting


def _send(run: Run, tally: Tally) -> None:
    """Send what may leave, then once more what had no clear answer, as often as rule 18 allows."""
    around = run.around
    for again in range(MAX_UNKNOWN_ATTEMPTS):
        after = sent = 0
        while not run.stopped and (rows := _updates(run, after, again=again > 0)):
            after = rows[-1].number
            sent += len(rows)
            items = [_item(row, key=around.ledger.content_key, again=again > 0) for row in rows]
            run.submit(items, State.PENDING, State.UNCONFIRMED)
            run.report("sending", tally)
        run.settle(State.PENDING, State.UNCONFIRMED)
        if run.stopped or not sent:
            return
        around.clock.sleep(backoff_seconds(again + 1, around.chance(), around.retry))


def _updates(run: Run, after: int, *, again: bool) -> list[Any]:
    return run.around.ledger.read(
        lambda connection: reading.updates(
            connection, run.around.account_id, after=after, limit=_UPDATES_A_READ, only_unknown=again
        )
    )


def _item(row: Any, *, key: bytes, again: bool) -> Item:  # noqa: ANN401 - a row of reading.updates
    record = TrackingUpdate(id=row.order_id, tracking_number=row.tracking_number, status=row.status)
    body = encode(record)
    return Item(row.number, record, body, content_hash(body, key), row.unknown_attempts, again)
