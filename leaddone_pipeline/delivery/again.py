"""Orders of unknown fate are sent again, or left to a person (delivery.md, rules 16 to 18).

They are sent again only where LeadDone is known to recognise a repeat. Until then one probe finds it out.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from leaddone_pipeline.delivery.pace import backoff_seconds
from leaddone_pipeline.delivery.probe import Finding
from leaddone_pipeline.delivery.run import LOOK_AGAIN_SECONDS
from leaddone_pipeline.ledger import Repeats, State, concluding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leaddone_pipeline.delivery.prepare import Item
    from leaddone_pipeline.delivery.run import Run

__all__ = ["send_again"]

_PROBES = 3
"""So many refused probes, and the orders of unknown fate are left to a person (rule 17)."""


def send_again(run: Run, unknown: Sequence[Item]) -> str | None:
    """Deal with the orders of unknown fate that a run has found, after all its first sendings.

    Returns:
        The order id of another run's interrupted probe, where these orders wait for its end.
    """
    refused = 0
    for tries in count(1):
        if not unknown or run.stopped:
            return None
        known = run.repeats()
        if run.hold_unknown or known not in {None, Repeats.RECOGNISED} or refused == _PROBES:
            _hold(run, unknown)
            return None
        if known == Repeats.RECOGNISED:
            around = run.around
            around.clock.sleep(backoff_seconds(tries, around.chance(), around.retry))
            run.submit(unknown, State.UNCONFIRMED)
            unknown = run.settle(State.UNCONFIRMED)
            continue
        news = run.probe(unknown)
        unknown = news.unknown
        if isinstance(news.probe, Finding):
            refused += news.probe.refused
            if news.probe.repeats is None and not news.probe.refused:
                return None  # its answers were lost: the next run tries again, LeadDone is in no state to be asked
        elif news.probe is not None and news.probe.busy:
            run.around.progress("waiting for another run's probe", {"records": len(unknown)})
            run.around.clock.sleep(LOOK_AGAIN_SECONDS)
            run.take_over()
        elif news.probe is not None and news.probe.elsewhere is not None:
            return news.probe.elsewhere
    return None


def _hold(run: Run, unknown: Sequence[Item]) -> None:
    numbers = [item.number for item in unknown]
    ledger, account_id = run.around.ledger, run.around.account_id
    ledger.write(lambda connection: concluding.hold(connection, ledger.now(), account_id, numbers))
