"""Eight processes deliver overlapping files at once, one of them is killed: each order is made once."""

from __future__ import annotations

from collections import Counter

import pytest

from leaddone_pipeline.sandbox import Platform
from leaddone_pipeline.sandbox.app import serve
from tests.journeys import deliverer
from tests.journeys.test_kills import control, eventually, held, last_counts
from tests.support import ids, orders_frame

WRITERS = 8
ORDERS = 160
A_FILE = 80


@pytest.fixture(scope="module")
def running():
    with serve(Platform(credentials={deliverer.CLIENT_ID: deliverer.SECRET})) as served:
        yield served


def file_of(writer, every):
    """Each file shares half of its orders with the next one."""
    start = writer * ORDERS // WRITERS
    return (every + every)[start : start + A_FILE]


def owner_of(place, order_id):
    """The writer whose claim an order is under."""
    ((shop,),) = place.rows(
        "SELECT runs.shop FROM records JOIN claims ON number BETWEEN first_number AND last_number"
        " JOIN batches ON batches.id = claims.batch_id JOIN runs ON runs.id = batches.run_id"
        f" WHERE order_id = '{order_id}'"
    )
    return int(shop.removeprefix("writer"))


def test_eight_writers_one_of_them_killed_make_each_order_once(running, place):
    """The answers are withheld until requests of two writers are seen under way; one of these is killed."""
    every = ids(ORDERS, f"M{place.kind[0]}-")
    place.open().close()
    control(running, "hold")
    writers = [
        deliverer.start(place.url, running.base_url, "at_least_once", file_of(at, every), shop=f"writer{at}")
        for at in range(WRITERS)
    ]

    def overlapping():
        found = {owner_of(place, one["ids"][0]): one["ids"] for one in held(running)}
        return found if len(found) > 1 else None

    under_way = eventually(overlapping, within=60)
    victim, lost = min(under_way.items())
    writers[victim][0].kill()
    writers[victim][0].join()
    claimed = {i for one in held(running) for i in one["ids"] if owner_of(place, i) == victim}
    control(running, "release")
    counts = [last_counts(said) for at, (_, said) in enumerate(writers) if at != victim]
    for process, _ in writers:
        process.kill()
        process.join()
    with deliverer.delivery(place.url, running.base_url, "at_least_once") as delivery:
        report = delivery.orders([orders_frame(every)])
        links = delivery.links().set_index("order_id")["internal_id"].to_dict()

    arrived = Counter(i for one in running.platform.requests for i in one.ids if i in set(every))
    orders = running.platform.orders(deliverer.CLIENT_ID)
    assert set(lost) <= claimed
    assert {i for i, times in arrived.items() if times > 1} <= claimed
    assert {len(orders[i]["internal_ids"]) for i in every} == {1}
    assert report.counts["accepted"] == ORDERS
    assert links == {i: orders[i]["internal_id"] for i in every}
    assert {count["pending"] for count in counts} == {0}
