"""What the ledger knows of parcels, asked while a courier file is read; where there is no ledger yet, nothing."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from leaddone_pipeline.cli.opening import ledger_to_be_made
from leaddone_pipeline.environment import ledger_url
from leaddone_pipeline.intake import Known
from leaddone_pipeline.ledger import Ledger, reading

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from leaddone_pipeline.settings import Account

__all__ = ["known_parcels"]


def known_parcels(account: Account) -> Known:
    """Answer intake's questions from the account's ledger, opened for reading at each of them."""

    def order_ids(tracking_numbers: Sequence[str]) -> Mapping[str, str]:
        with _ledger() as ledger:
            number = _account(ledger, account)
            if ledger is None or number is None:
                return {}
            ask = partial(reading.order_ids_of, account_id=number, tracking_numbers=tracking_numbers)
            return ledger.read(ask)

    def under_way(order_ids: Sequence[str]) -> Collection[str]:
        with _ledger() as ledger:
            number = _account(ledger, account)
            if ledger is None or number is None:
                return ()
            return ledger.read(partial(reading.under_way, account_id=number, order_ids=order_ids))

    return Known(order_ids=order_ids, under_way=under_way)


@contextmanager
def _ledger() -> Iterator[Ledger | None]:
    if ledger_to_be_made():
        yield None
        return
    with Ledger(ledger_url(Path.cwd()), read_only=True) as ledger:
        yield ledger


def _account(ledger: Ledger | None, account: Account) -> int | None:
    if ledger is None:
        return None
    return ledger.read(partial(reading.find_account, account=account))
