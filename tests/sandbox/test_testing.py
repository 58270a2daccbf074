import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from leaddone_pipeline.testing import LeadDoneSandbox, sandbox_transport
from leaddone_pipeline.webhook.signing import sign

BODY = b'[{"id":"A","article":"Sac","price":199,"phone":"0685123456"}]'


def post(sandbox, client):
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "X-Webhook-ClientId": sandbox.client_id,
        "X-Webhook-Signature": sign(BODY, sandbox.webhook_secret),
    }
    return client.post(f"{sandbox.base_url}/orders", headers=headers, content=BODY)


def test_a_sandbox_takes_orders_and_shows_them():
    sandbox = LeadDoneSandbox()
    with httpx.Client(transport=sandbox.transport) as client:
        assert post(sandbox, client).json()[0]["internal_id"] == "PLT-56789"
    assert sandbox.orders["A"]["internal_id"] == "PLT-56789"
    assert sandbox.orders["A"]["status"] is None
    assert [each.ids for each in sandbox.requests] == [("A",)]


@pytest.mark.parametrize(("fault", "taken"), [("lost_answer:1", {"A"}), ("lost_request:1", set())])
def test_a_cut_connection_is_a_read_error(fault, taken):
    sandbox = LeadDoneSandbox(faults=[fault])
    with httpx.Client(transport=sandbox.transport) as client:
        with pytest.raises(httpx.ReadError):
            post(sandbox, client)
        assert set(sandbox.orders) == taken
        assert post(sandbox, client).status_code == 200


def test_the_transport_may_be_shared_by_threads():
    sandbox = LeadDoneSandbox(repeats="second_order")
    with httpx.Client(transport=sandbox.transport) as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(sandbox, client), range(50)))
    assert len({each.json()[0]["internal_id"] for each in answers}) == 50
    assert sandbox.orders["A"]["processed"] == 50


def test_a_transport_without_a_platform_knows_the_test_client():
    with httpx.Client(transport=sandbox_transport()) as client:
        assert post(LeadDoneSandbox(), client).status_code == 200


def test_the_secret_stands_in_no_repr():
    assert "planted" not in repr(LeadDoneSandbox(webhook_secret="planted"))


def test_it_needs_neither_starlette_nor_dagster():
    script = (
        "import sys, leaddone_pipeline.testing\n"
        "print([name for name in ('starlette', 'uvicorn', 'dagster') if name in sys.modules])\n"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
