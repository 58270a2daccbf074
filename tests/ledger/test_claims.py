"""Claims, leases and answers in a real ledger (delivery.md B, C). Each test ends with the rows that remain."""

import pytest
from sqlalchemy import select

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.ledger import Outcome, State, claiming, leasing, person, reading, recording, settling
from leaddone_pipeline.ledger.tables import audit, batches, claims, records
from leaddone_pipeline.settings import Account


class House:
    """A ledger whose clock stands still, an account and some pending orders."""

    def __init__(self, place, count=5):
        self.wait = place.pass_time
        self.ledger = place.open_frozen()
        self.account = self.write(recording.open_account, Account("https://a.test", "c"), timed=False)
        self.numbers = list(range(1, count + 1))
        rows = [
            {
                "account_id": self.account,
                "kind": Kind.ORDERS,
                "order_id": f"A{number}",
                "shop": "s",
                "state": State.PENDING,
                "content_hash": b"h",
            }
            for number in self.numbers
        ]
        self.write(recording.add, rows, timed=False)

    def write(self, work, *arguments, timed=True, **named):
        now = (self.ledger.now(),) if timed else ()
        return self.ledger.write(lambda connection: work(connection, *now, *arguments, **named))

    def run(self):
        return self.write(
            leasing.start_run, account_id=self.account, kind=Kind.ORDERS, shop="s", lease_seconds=15
        )

    def claim(self, run, numbers=None, *, state=State.PENDING):
        wanted = [(number, b"h") for number in numbers or self.numbers]
        return self.write(claiming.claim, run_id=run, wanted=wanted, states={state})

    def settle(self, run, claim, outcomes, again=()):
        return self.write(settling.settle, run_id=run, held=claim, outcomes=outcomes, again=again)

    def take_over(self, hold=True):
        return self.write(leasing.take_over, account_id=self.account, kind=Kind.ORDERS, hold=hold, enough=5)

    def rows(self, table=records):
        return self.ledger.read(
            lambda connection: connection.execute(select(table).order_by(*table.primary_key)).all()
        )

    def states(self):
        return [row.state for row in self.rows()]

    def outcomes(self):
        frame = self.ledger.read(
            lambda connection: reading.links(connection, self.ledger.now(), account_id=self.account)
        )
        return frame["outcome"].tolist()


@pytest.fixture
def house(place):
    made = House(place)
    yield made
    made.ledger.close()


def accepted(number, internal_id="PLT-1"):
    return Outcome(number=number, state=State.ACCEPTED, internal_id=internal_id)


def test_a_record_is_claimed_once(house):
    """Rule 9."""
    first, second = house.claim(house.run()), house.claim(house.run())

    assert first.claim.numbers == tuple(house.numbers)
    assert (second.claim, second.busy) == (None, frozenset(house.numbers))
    assert [(row.first_number, row.last_number) for row in house.rows(claims)] == [(1, 5)]


def test_a_claim_covers_its_records_and_no_other(house):
    run = house.run()
    house.claim(run, [1, 2, 4])

    assert house.claim(run, [3]).claim.numbers == (3,)
    assert house.claim(run, [2, 4, 5]).claim.numbers == (5,)


def test_settling_ends_the_claim_and_claims_the_rest_anew(house):
    """Rule 13: under a new attempt number of the same run, in the same transaction."""
    run = house.run()
    held = house.claim(run).claim
    parts = house.settle(run, held, [accepted(1)], again=[[2, 3], [4, 5]])

    assert [part.attempt for part in parts] == [2, 2]
    assert [(row.first_number, row.last_number) for row in house.rows(claims)] == [(2, 3), (4, 5)]
    assert house.states() == ["accepted"] + ["pending"] * 4


def test_returned_records_are_pending_and_free(house):
    run = house.run()
    house.write(claiming.give_back, house.claim(run).claim)

    assert house.claim(house.run()).claim is not None
    assert [row.ending for row in house.rows(batches)] == ["returned", None]


def test_a_living_claim_is_not_taken_over_and_a_dead_one_is_of_unknown_fate(house):
    """Rules 10 and 12."""
    house.claim(house.run())
    house.wait(14)

    assert (house.take_over(), house.outcomes()) == (0, ["pending"] * 5)

    house.wait(2)

    assert house.outcomes() == ["unconfirmed"] * 5  # also before anyone takes it over
    assert (house.take_over(), house.states()) == (5, ["unconfirmed"] * 5)
    assert {row.held for row in house.rows()} == {True}
    assert house.rows(claims) == []


def test_a_renewed_lease_keeps_the_claim(house):
    run = house.run()
    house.claim(run)
    house.wait(10)
    house.write(leasing.renew, run_id=run, lease_seconds=15)
    house.wait(10)

    assert house.take_over() == 0


def test_an_ended_runs_claim_is_taken_over_at_once(house):
    run = house.run()
    house.claim(run)
    house.write(leasing.end_run, run_id=run, stopped=None)

    assert house.take_over() == 5


def test_a_late_acceptance_settles_and_a_late_refusal_changes_nothing(house):
    """Rules 10 and 20."""
    run = house.run()
    held = house.claim(run).claim
    house.wait(20)
    house.take_over()
    late = house.settle(
        run, held, [accepted(1), Outcome(number=2, state=State.REJECTED, words="no")], again=[[3, 4, 5]]
    )

    assert late is None
    assert house.states() == ["accepted"] + ["unconfirmed"] * 4
    assert house.rows(claims) == []


def test_the_first_internal_id_stays_and_the_second_is_reported(house):
    """Rule 20."""
    run = house.run()
    held = house.claim(run, [1]).claim
    house.wait(20)
    house.take_over(hold=False)
    other = house.run()
    again = house.claim(other, [1], state=State.UNCONFIRMED).claim
    house.settle(other, again, [accepted(1, "PLT-1")])
    house.settle(run, held, [accepted(1, "PLT-2")])

    assert house.rows()[0].internal_id == "PLT-1"
    assert [(row.command, row.before, row.after) for row in house.rows(audit)] == [
        ("second internal id", "PLT-1", "PLT-2")
    ]


def test_nothing_is_written_over_an_acceptance(house):
    """Rules 20 and 22: the dead run's answer comes while another run has the records."""
    run, other = house.run(), house.run()
    held = house.claim(run, [1, 2]).claim
    house.wait(20)
    house.take_over(hold=False)
    again = house.claim(other, [1, 2], state=State.UNCONFIRMED).claim
    house.settle(run, held, [accepted(1, "PLT-1"), accepted(2, "PLT-2")])
    house.settle(
        other,
        again,
        [
            Outcome(number=1, state=State.REJECTED, words="taken"),
            Outcome(number=2, state=State.UNCONFIRMED, held=True, unknown=True),
        ],
    )

    assert house.states()[:2] == ["accepted", "accepted"]
    assert [row.internal_id for row in house.rows()[:2]] == ["PLT-1", "PLT-2"]


def test_the_hash_of_the_content_that_is_sent_counts(house):
    """Rule 5."""
    run = house.run()
    house.write(claiming.claim, run_id=run, wanted=[(1, b"new")], states={State.PENDING})

    assert house.rows()[0].content_hash == b"new"


def test_an_update_that_was_replaced_since_it_was_read_is_not_claimed(house):
    """Rule 29."""
    run = house.run()
    wanted = [(1, b"older"), (2, b"h")]
    claimed = house.write(claiming.claim, run_id=run, wanted=wanted, states={State.PENDING}, as_recorded=True)

    assert claimed.claim.numbers == (2,)


class TestAPersonsWord:
    def resolve(self, house, ids, **word):
        return house.write(person.resolve, account_id=house.account, order_ids=ids, **word)

    def unconfirmed(self, house, numbers):
        run = house.run()
        outcomes = [Outcome(number=n, state=State.UNCONFIRMED, held=True, unknown=True) for n in numbers]
        house.settle(run, house.claim(run, numbers).claim, outcomes)

    def test_settles_unconfirmed_orders_with_an_audit_row(self, house):
        """Rule 24."""
        self.unconfirmed(house, [1, 2, 3])
        self.resolve(house, ["A1"], to=State.ACCEPTED, internal_id="PLT-9")
        self.resolve(house, ["A2"], to=State.REJECTED, reason="not in LeadDone")
        self.resolve(house, ["A3"], to=State.PENDING)

        assert house.states()[:3] == ["accepted", "rejected", "pending"]
        assert house.rows()[0].internal_id == "PLT-9"
        assert [(r.command, r.order_id, r.before, r.after) for r in house.rows(audit)] == [
            ("resolve", "A1", "unconfirmed", "accepted"),
            ("resolve", "A2", "unconfirmed", "rejected"),
            ("resolve", "A3", "unconfirmed", "pending"),
        ]

    def test_does_not_touch_an_accepted_an_unknown_or_a_claimed_order(self, house):
        run = house.run()
        house.settle(run, house.claim(run, [1]).claim, [accepted(1)])
        self.unconfirmed(house, [2])
        refused = self.resolve(house, ["A1", "NEVER-SEEN"], to=State.REJECTED, reason="x")
        house.write(settling.settle, run_id=run, held=house.claim(run, [3]).claim, outcomes=[], again=[[3]])
        refused |= self.resolve(house, ["A3"], to=State.PENDING)

        assert set(refused) == {"A1", "NEVER-SEEN", "A3"}
        assert "right now" in refused["A3"]
        assert house.states()[0] == "accepted"

    def test_forgets_all_but_a_tombstone_that_is_never_sent_again(self, house):
        """Rule 7."""
        self.unconfirmed(house, [1])
        house.write(person.forget, account_id=house.account, order_ids=["A1", "A2"])
        row = house.rows()[0]

        assert (row.order_id, row.state, row.forgotten, row.content_hash) == ("A1", "unconfirmed", True, None)
        assert house.claim(house.run(), [1, 2]).claim is None

    def test_forgets_nothing_under_a_live_claim(self, house):
        house.claim(house.run(), [1])

        assert "right now" in house.write(person.forget, account_id=house.account, order_ids=["A1"])["A1"]
