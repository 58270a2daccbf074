import json
from datetime import UTC, datetime

import pytest

from leaddone_pipeline.sandbox import Platform, Request
from leaddone_pipeline.webhook.signing import sign

CLIENT = "atlas-client"
SECRET = "whsec_5f1d2c"
NOON = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)


@pytest.fixture
def make_platform():
    def make(**given):
        return Platform(**{"credentials": {CLIENT: SECRET}, "clock": lambda: NOON, **given})

    return make


@pytest.fixture
def platform(make_platform):
    return make_platform()


@pytest.fixture
def signed():
    """A request with the headers that the documentation demands."""

    def make(records, *, path="/api/webhook/orders", client_id=CLIENT, secret=SECRET, **headers):
        body = records if isinstance(records, bytes) else json.dumps(records).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Request(
            "POST",
            path,
            {
                "content-type": "application/json",
                "accept": "application/json",
                "x-webhook-clientid": client_id,
                "x-webhook-signature": sign(body, secret),
                **named,
            },
            body,
        )

    return make


@pytest.fixture
def order():
    def make(order_id, **fields):
        return {"id": order_id, "article": "Sac", "price": 199.9, "phone": "0685123456", **fields}

    return make


@pytest.fixture
def update():
    def make(order_id, status="shipped"):
        return {"id": order_id, "tracking_number": f"TRK-{order_id}", "status": status}

    return make
