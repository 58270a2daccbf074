"""One marked order, sent twice, to learn what LeadDone does with a repeat before real orders need it (rule 17)."""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import TYPE_CHECKING

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.ledger import Ledger, Repeats, concluding, recording
from leaddone_pipeline.webhook import Fate, Meaning, Order, body, encode, read_answer

if TYPE_CHECKING:
    from leaddone_pipeline.delivery.carriers import Client
    from leaddone_pipeline.settings import Account

__all__ = ["send_test_order"]

_NOBODY = "0600000000"


def send_test_order(client: Client, ledger: Ledger, account: Account) -> tuple[str, Repeats | None, str]:
    """Send a test order twice; what it shows stands in the ledger's account, with a row in its audit.

    Returns:
        Its order id, what LeadDone does with a repeat (None: the answers do not tell), and why not.

    Raises:
        LedgerError: the ledger cannot be written.
    """
    order_id = f"TEST-{secrets.token_hex(4)}"
    order = Order(
        id=order_id,
        article="TEST (leaddone-pipeline): do not confirm, do not ship",
        price=Decimal(1),
        phone=_NOBODY,
        receiver="TEST",
    )
    account_id = ledger.write(lambda connection: recording.open_account(connection, account))
    sent = body([encode(order)])
    internal_ids, words = [], ""
    for _ in range(2):
        verdict = read_answer(client.send(Kind.ORDERS, sent), [order_id])
        said = verdict.said[0] if verdict.meaning == Meaning.ANSWERED else None
        words = verdict.words if said is None else said.words
        if said is None or said.fate != Fate.ACCEPTED:
            break
        internal_ids.append(said.internal_id)
    repeats = Repeats.REFUSED if internal_ids and said is not None and said.fate == Fate.REFUSED else None
    if len(internal_ids) > 1:
        same = internal_ids[0] == internal_ids[1]
        repeats = Repeats.RECOGNISED if same else Repeats.SECOND_ORDERS
    ledger.write(
        lambda connection: concluding.note_repeats(
            connection,
            ledger.now(),
            account_id=account_id,
            order_id=order_id,
            repeats=repeats,
            command="doctor --send-test-order",
        )
    )
    return order_id, repeats, words
