"""A LeadDone for your own tests, without a server: the sandbox behind an `httpx` transport.

Example:
    sandbox = LeadDoneSandbox(faults=["lost_answer:1"])
    with httpx.Client(transport=sandbox.transport) as client:
        ...  # what sends to sandbox.base_url, signed with sandbox.webhook_secret
    assert sandbox.orders["1001"]["internal_id"] == "PLT-56789"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from leaddone_pipeline.sandbox import BASE_PATH, Fault, LoggedRequest, Platform, Repeats, Request

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Fault", "LeadDoneSandbox", "sandbox_transport"]

TEST_CLIENT_ID = "test-shop"
TEST_SECRET = "whsec_test"  # noqa: S105 - opens nothing but this sandbox


def sandbox_transport(platform: Platform | None = None) -> httpx.MockTransport:
    """Mount a platform where httpx expects the network.

    A cut connection is an `httpx.ReadError`, as on a real one. Without a platform of yours, one that knows
    the client `test-shop` with the secret `whsec_test`.
    """
    served = platform if platform is not None else Platform(credentials={TEST_CLIENT_ID: TEST_SECRET})

    def handle(request: httpx.Request) -> httpx.Response:
        body = request.read()
        response = served.answer(Request(request.method, request.url.path, dict(request.headers), body))
        if response.lost or response.unread:
            raise httpx.ReadError("the sandbox cut the connection", request=request)
        return httpx.Response(response.status, headers=dict(response.headers), content=response.body)

    return httpx.MockTransport(handle)


class LeadDoneSandbox:
    """A LeadDone with one client.

    Attributes:
        base_url: where the two webhooks live; only `transport` leads there.
        client_id: the client that the sandbox knows.
        webhook_secret: its secret.
        platform: the LeadDone itself; `platform.set_faults([...])` switches faults on and off.
        transport: for `httpx.Client(transport=...)`.
    """

    def __init__(
        self,
        *,
        client_id: str = TEST_CLIENT_ID,
        webhook_secret: str = TEST_SECRET,
        faults: Sequence[str] = (),
        repeats: Repeats = "recognise",
    ) -> None:
        self.base_url = f"https://leaddone.test{BASE_PATH}"
        self.client_id = client_id
        self.webhook_secret = webhook_secret
        self.platform = Platform(credentials={client_id: webhook_secret}, faults=faults, repeats=repeats)
        self.transport = sandbox_transport(self.platform)

    @property
    def orders(self) -> dict[str, dict[str, Any]]:
        """The orders taken so far by id: fields as received, `internal_id`, `status`, `processed` ..."""
        return self.platform.orders(self.client_id)

    @property
    def requests(self) -> list[LoggedRequest]:
        """Every request so far, oldest first."""
        return self.platform.requests
