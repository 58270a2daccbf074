"""What the ledger knows of parcels, for courier files that name no order: asked once a slice."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from leaddone_pipeline.intake import Known
from leaddone_pipeline.ledger import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from leaddone_pipeline.ledger import Ledger
    from leaddone_pipeline.settings import Account

__all__ = ["known_parcels"]


def known_parcels(opened: Callable[[], Ledger], account: Account) -> Known:
    """Answer intake's questions from the account's ledger, which is opened at the first of them."""

    def number(ledger: Ledger) -> int | None:
        return ledger.read(partial(reading.find_account, account=account))

    def order_ids(tracking_numbers: Sequence[str]) -> Mapping[str, str]:
        ledger = opened()
        account_id = number(ledger)
        ask = partial(reading.order_ids_of, tracking_numbers=tracking_numbers)
        return {} if account_id is None else ledger.read(partial(ask, account_id=account_id))

    def under_way(order_ids: Sequence[str]) -> Collection[str]:
        ledger = opened()
        account_id = number(ledger)
        ask = partial(reading.under_way, order_ids=order_ids)
        return () if account_id is None else ledger.read(partial(ask, account_id=account_id))

    return Known(order_ids=order_ids, under_way=under_way)
