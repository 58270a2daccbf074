"""A run over orders: recorded slice by slice, sent, and those of unknown fate dealt with at the end."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from leaddone_pipeline.delivery.again import send_again
from leaddone_pipeline.delivery.prepare import Item, orders_of
from leaddone_pipeline.delivery.record import record_orders
from leaddone_pipeline.ledger import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from leaddone_pipeline.delivery.run import Run
    from leaddone_pipeline.delivery.tally import Tally

__all__ = ["deliver_orders"]


def deliver_orders(run: Run, frames: Iterable[pd.DataFrame], tally: Tally, *, day: str | None) -> None:
    """Record and send the orders of these frames; a slice is recorded before its first batch leaves (rule 5)."""
    around, last = run.around, list[Item]()
    for frame in frames:
        prepared = orders_of(frame, around.ledger.content_key)
        recorded = around.ledger.write(
            partial(record_orders, orders=prepared, account_id=around.account_id, shop=around.shop, day=day)
        )
        tally.add(recorded)
        run.submit(recorded.to_send, State.PENDING)
        last += recorded.to_send_last
        run.report("sending", tally)
    unknown = run.settle(State.PENDING)
    if last:
        run.submit(last, State.PENDING)
        unknown += run.settle(State.PENDING)
    tally.waits_for = send_again(run, unknown)
