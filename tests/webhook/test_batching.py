from dataclasses import dataclass
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaddone_pipeline.webhook import batches, body


@dataclass(frozen=True)
class Encoded:
    id: str
    body: bytes


IDS = st.one_of(
    st.from_regex(r"0{0,3}[0-9]{1,2}", fullmatch=True), st.sampled_from(["A-1", "A-01", "ORD-7", "٣"])
)
RECORDS = st.lists(st.builds(Encoded, id=IDS, body=st.binary(min_size=1, max_size=30)), max_size=40)


def numbers(batch):
    return [int(each.id) if each.id.isascii() and each.id.isdigit() else each.id for each in batch]


@given(records=RECORDS, size=st.integers(1, 10), max_bytes=st.integers(1, 120))
def test_nothing_is_lost_doubled_or_moved_and_every_limit_holds(records, size, max_bytes):
    """Rule 14 among them: ids that a server may cast to one number never share a batch."""
    made = list(batches(iter(records), size=size, max_bytes=max_bytes))
    assert [each for batch in made for each in batch] == records
    for batch in made:
        assert 1 <= len(batch) <= size
        assert len(batch) == 1 or len(body([each.body for each in batch])) <= max_bytes
        assert len(set(numbers(batch))) == len(batch)


@given(records=RECORDS, size=st.integers(1, 10), max_bytes=st.integers(1, 120))
def test_no_batch_closes_before_it_must(records, size, max_bytes):
    made = list(batches(records, size=size, max_bytes=max_bytes))
    for batch, following in pairwise(made):
        one_more = [*batch, following[0]]
        assert (
            len(one_more) > size
            or len(body([each.body for each in one_more])) > max_bytes
            or len(set(numbers(one_more))) < len(one_more)
        )


def test_a_batch_may_fill_its_bytes_exactly():
    records = [Encoded(str(number), b"12345") for number in range(4)]
    exact = len(body([b"12345"] * 4))
    assert [len(batch) for batch in batches(records, size=10, max_bytes=exact)] == [4]
    assert [len(batch) for batch in batches(records, size=10, max_bytes=exact - 1)] == [3, 1]


def test_a_record_too_large_for_any_batch_goes_alone():
    records = [Encoded("1", b"1"), Encoded("2", b"2" * 100), Encoded("3", b"3")]
    assert [len(batch) for batch in batches(records, size=10, max_bytes=20)] == [1, 1, 1]


@pytest.mark.parametrize("other", ["123", "0123", "00123", " 123"])
def test_ids_that_become_one_number_go_in_different_batches(other):
    records = [Encoded("123", b"1"), Encoded("7", b"2"), Encoded(other, b"3")]
    assert [len(batch) for batch in batches(records, size=10, max_bytes=100)] == [2, 1]


@pytest.mark.parametrize("other", ["A-0123", "1230", "١٢٣"])
def test_ids_that_stay_different_share_a_batch(other):
    records = [Encoded("123", b"1"), Encoded(other, b"2")]
    assert [len(batch) for batch in batches(records, size=10, max_bytes=100)] == [2]


def test_no_more_is_read_than_the_batches_that_were_asked_for():
    read = []

    def endless():
        number = 0
        while True:
            read.append(number)
            yield Encoded(str(number), b"x")
            number += 1

    assert len(list(islice(batches(endless(), size=5, max_bytes=1000), 3))) == 3
    assert len(read) == 3 * 5 + 1
