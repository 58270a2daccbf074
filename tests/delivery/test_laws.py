"""Laws that hold whatever LeadDone answers: one worker, several runs, a fault drawn for each request."""

from __future__ import annotations

import tempfile

import httpx
from hypothesis import given
from hypothesis import strategies as st

from leaddone_pipeline.delivery import OUTCOMES
from leaddone_pipeline.ledger import Ledger
from tests.support import PassingClock, ScriptedServer, delivery_to, ids, orders_frame

ANSWERS = {
    "busy": lambda: httpx.Response(429, headers={"retry-after": "3"}),
    "down": lambda: httpx.Response(503, headers={"retry-after": "5"}),
    "refused": lambda: httpx.Response(400, json={"message": "bad batch"}),
    "by index": lambda: httpx.Response(422, json={"message": "bad", "errors": {"0.price": ["too dear"]}}),
    "unauthorized": lambda: httpx.Response(401),
    "moved": lambda: httpx.Response(302),
}
FAULTS = ["lost_answer:1", "lost_request:1", "html_error:1", "truncated:1", "partly:1", "reversed:1"]
happenings = st.sampled_from(["fine", "fine", "unreached", *ANSWERS, *FAULTS])


class Fickle(ScriptedServer):
    """A server that treats each request as the next word says; a repeat makes a second order."""

    def __init__(self, words):
        super().__init__(self.answer)
        self.words = iter(words)

    def answer(self, _records):
        word = next(self.words, "fine")
        if word == "unreached":
            raise httpx.ConnectError("refused")
        if word in ANSWERS:
            return ANSWERS[word]()
        self.platform.set_faults([word] if word in FAULTS else [])
        return None


@given(words=st.lists(happenings, max_size=25), guarantee=st.sampled_from(["at_least_once", "at_most_once"]))
def test_no_order_is_lost_or_made_twice_and_every_count_adds_up(words, guarantee):
    clock = PassingClock()
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger(f"sqlite:///{folder}/ledger.db", clock=clock.now) as ledger,
    ):
        server = Fickle(words)
        delivery = delivery_to(server, ledger, clock=clock, guarantee=guarantee)
        wanted = ids(30)
        accepted: dict[str, str] = {}
        for _ in range(3):
            report = delivery.orders([orders_frame(wanted[:15]), orders_frame(wanted[15:])])
            links = delivery.links()
            now = dict(
                links[links["outcome"] == "accepted"][["order_id", "internal_id"]].itertuples(index=False)
            )

            assert report.counts["valid"] == 30 == sum(report.counts[o] for o in OUTCOMES[report.kind])
            assert sorted(links["order_id"]) == sorted(wanted)
            assert accepted.items() <= now.items()
            assert report.stopped is not None or report.counts["pending"] == 0 or "unreached" in words
            accepted = now

        known = {order_id: order["internal_id"] for order_id, order in server.orders.items()}
        assert accepted.items() <= known.items()
        if guarantee == "at_most_once":
            assert all(order["processed"] == 1 for order in server.orders.values())
        lost = set(known) - set(accepted)
        assert lost <= set(links[links["outcome"] == "unconfirmed"]["order_id"])
