"""A ledger that fails in the midst of a run, and is back before its end (delivery.md, rules 4 and 13)."""

import httpx
import pytest

from leaddone_pipeline.errors import LedgerError
from tests.delivery.test_again import Repeating, known
from tests.support import ScriptedServer, delivery_to, ids, orders_frame


@pytest.fixture
def fail_once(ledger, monkeypatch):
    """Let one write fail when `due` says so: before it is done, or after, so that only the COMMIT's answer is lost."""

    def prepare(due, *, committed):
        left, write = [1], ledger.write

        def failing(work):
            if not (left and due()):
                return write(work)
            left.clear()
            if committed:
                write(work)
            raise LedgerError("the ledger went away", remedy="Look", ledger="x")

        monkeypatch.setattr(ledger, "write", failing)

    return prepare


def test_an_answer_that_stands_already_is_not_taken_for_a_second_one(ledger, fail_once):
    """Rules 4 and 17: the answer of a COMMIT is lost while the probe is at its first answer."""
    server = Repeating("makes second orders")
    server.script = ["lost before"]
    delivery = delivery_to(server, ledger)
    fail_once(lambda: len(server.bodies) == 2, committed=True)
    with pytest.raises(LedgerError):
        delivery.orders([orders_frame(ids(10))])

    assert (len(server.bodies), known(ledger).repeats) == (2, None)

    report = delivery.orders([orders_frame(ids(10))])

    assert (report.counts["accepted"], report.counts["unconfirmed"]) == (1, 9)
    assert (server.times("A0"), len(server.made)) == (2, 2)


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("requests", [0, 1])
def test_what_never_left_is_pending_when_its_claim_is_not_told(ledger, fail_once, requests, committed):
    """Rules 4 and 13: of a batch, or of the halves that follow a refusal, the COMMIT's answer is lost."""
    server = ScriptedServer(lambda records: httpx.Response(413) if len(records) == 8 else None)
    delivery = delivery_to(server, ledger, guarantee="at_most_once")
    fail_once(lambda: len(server.bodies) == requests and not delivery.links().empty, committed=committed)
    with pytest.raises(LedgerError):
        delivery.orders([orders_frame(ids(8))])

    assert len(server.bodies) == requests
    assert delivery.orders([orders_frame(ids(8))]).counts["accepted"] == 8


@pytest.mark.parametrize("committed", [False, True])
def test_the_other_half_of_a_batch_goes_back_when_an_answer_cannot_be_written(ledger, fail_once, committed):
    """Rule 13: what was claimed and never left is pending again, and is nobody's to resolve."""
    server = ScriptedServer(lambda records: httpx.Response(413) if len(records) == 8 else None)
    delivery = delivery_to(server, ledger, guarantee="at_most_once")
    fail_once(lambda: len(server.bodies) == 2, committed=committed)
    with pytest.raises(LedgerError):
        delivery.orders([orders_frame(ids(8))])

    assert [len(body) for body in server.bodies] == [8, 4]
    assert delivery.links().set_index("order_id")["outcome"].tolist() == ["accepted"] * 4 + ["pending"] * 4
    assert delivery.orders([orders_frame(ids(8))]).counts["accepted"] == 8
