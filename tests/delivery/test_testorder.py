"""A test order sent twice (delivery.md, rule 17): its verdict stands in the account and in the audit."""

import httpx
import pytest
from sqlalchemy import select

from leaddone_pipeline.delivery.testorder import send_test_order
from leaddone_pipeline.ledger import Repeats, probing
from leaddone_pipeline.ledger.tables import audit
from leaddone_pipeline.settings import Account, Credentials
from leaddone_pipeline.webhook import LeadDoneClient
from tests.support import ScriptedServer


def sent(ledger, *answers):
    """Each answer is an internal id, a refusal's words, or a status."""
    script = list(answers)

    def answer(records):
        word = script.pop(0)
        if isinstance(word, int):
            return httpx.Response(word)
        result = {"success": word.startswith("PLT"), "message": word, "order_id": records[0]["id"]}
        return httpx.Response(200, json=[{**result, "internal_id": word if result["success"] else None}])

    server = ScriptedServer(answer)
    account = Account(server.base_url, server.client_id)
    credentials = Credentials(server.client_id, server.webhook_secret)
    with LeadDoneClient(credentials, server.base_url, transport=server.transport) as client:
        return server, send_test_order(client, ledger, account)


@pytest.mark.parametrize(
    ("answers", "repeats", "words"),
    [
        (["PLT-1", "PLT-1"], Repeats.RECOGNISED, "PLT-1"),
        (["PLT-1", "PLT-2"], Repeats.SECOND_ORDERS, "PLT-2"),
        (["PLT-1", "already taken"], Repeats.REFUSED, "already taken"),
        (["closed today"], None, "closed today"),
        (["PLT-1", 500], None, "HTTP 500"),
        ([401], None, "HTTP 401"),
    ],
)
def test_the_verdict_stands_in_the_account_and_the_audit(ledger, answers, repeats, words):
    server, (order_id, found, said) = sent(ledger, *answers)

    assert (found, said) == (repeats, words)
    assert server.bodies == [[order_id]] * len(answers)
    assert ledger.read(lambda c: probing.read_repeats(c, 1)) == probing.Standing(repeats, None)
    (row,) = ledger.read(lambda c: c.execute(select(audit)).all())
    assert (row.command, row.order_id, row.before) == ("doctor --send-test-order", order_id, "not known")
    assert row.after == (repeats or "nothing found out")
