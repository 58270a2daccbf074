"""Parquet: any type as a person would write it."""

import datetime as dt
import io
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake.readers import limits

UTC = dt.UTC
TYPES = [
    (pa.string(), "0612345678", "0612345678"),
    (pa.large_string(), "é", "é"),
    (pa.string_view(), "é", "é"),
    (pa.int64(), 212612345678, "212612345678"),
    (pa.uint8(), 7, "7"),
    (pa.float64(), 12.0, "12"),
    (pa.float64(), 68.66499999999999, "68.6650"),
    (pa.float64(), float("nan"), ""),
    (pa.float32(), 0.5, "0.5"),
    (pa.decimal128(12, 2), Decimal("199.50"), "199.50"),
    (pa.decimal128(12, 3), Decimal("10.125"), "10.1250"),
    (pa.decimal256(40, 3), Decimal("1234567890123456789012345678.125"), "1234567890123456789012345678.125"),
    (pa.bool_(), True, "true"),
    (pa.date32(), dt.date(2026, 11, 23), "2026-11-23"),
    (pa.timestamp("us"), dt.datetime(2026, 11, 23, 10, 5), "2026-11-23T10:05:00"),  # noqa: DTZ001
    (pa.timestamp("ms", "UTC"), dt.datetime(2026, 11, 23, 10, 5, tzinfo=UTC), "2026-11-23T10:05:00+00:00"),
    (pa.time64("us"), dt.time(10, 5), "10:05:00"),
    (pa.binary(), "é".encode(), "é"),
    (pa.dictionary(pa.int32(), pa.string()), "x", "x"),
    (pa.list_(pa.string()), ["a", "b"], "a, b"),
    (pa.list_(pa.string()), [], ""),
    (pa.list_(pa.struct([("a", pa.int64())])), [{"a": 1}], '[{"a": 1}]'),
    (pa.map_(pa.string(), pa.int64()), [("a", 1)], '[["a", 1]]'),
    (pa.null(), None, ""),
]


def written(table, **how):
    out = io.BytesIO()
    pq.write_table(table, out, **how)
    return out.getvalue()


@pytest.mark.parametrize(("kind", "value", "text"), TYPES, ids=lambda value: str(value)[:20])
def test_any_type_is_text(read, kind, value, text):
    table = pa.table({"id": ["1", "2"], "v": pa.array([value, None], kind)})

    found = read(written(table))

    assert found.header == ("id", "v")
    assert found.rows == [(1, ["1", text]), (2, ["2", ""])]
    assert found.damaged == []


def test_structs_have_dotted_names(read):
    table = pa.table({"id": ["1", "2"], "b": [{"name": "Amina", "c": {"city": "Fès"}}, None]})

    found = read(written(table))

    assert found.header == ("id", "b.name", "b.c.city")
    assert found.rows == [(1, ["1", "Amina", "Fès"]), (2, ["2", "", ""])]


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd"])
@pytest.mark.parametrize("slice_rows", [1, 7, 1000])
def test_compression_and_slices_change_nothing(read, compression, slice_rows):
    table = pa.table({"id": [str(at) for at in range(20)], "n": list(range(20))})

    found = read(written(table, compression=compression, row_group_size=6), slice_rows=slice_rows)

    assert found.rows == [(at + 1, [str(at), str(at)]) for at in range(20)]


def test_bytes_that_are_no_text_a_nul_and_a_long_cell_mark_their_rows(read):
    cells = [b"\xff", b"a\x00", b"x" * (limits.MAX_CELL + 1), b"ok", b""]
    table = pa.table({"id": ["1", "2", "3", "4", ""], "v": pa.array(cells, pa.binary())})

    found = read(written(table))

    assert found.damaged == [(1, "not_text"), (2, "nul_byte"), (3, "too_long")]
    assert found.rows == [(4, ["4", "ok"])]


def test_a_damaged_file_is_refused_before_a_row_is_used(read):
    content = written(pa.table({"id": [str(at) for at in range(1000)], "n": list(range(1000))}))

    for broken in (
        content[:-1],
        content[:200],
        b"PAR1" + bytes(200) + b"PAR1",
        content[:4] + bytes(500) + content[504:],
    ):
        with pytest.raises(IntakeError, match="damaged"):
            read(broken)


def test_a_file_that_would_unpack_beyond_the_limit_is_refused(read, monkeypatch):
    monkeypatch.setattr(limits, "MAX_BYTES", 100)

    with pytest.raises(IntakeError, match="unpacks to"):
        read(written(pa.table({"id": [str(at) for at in range(1000)], "n": list(range(1000))})))
