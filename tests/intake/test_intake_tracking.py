import os
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from leaddone_pipeline.intake import TRACKING_SCHEMA, RowCounts, check_tracking, read_orders, read_tracking

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
COLUMNS = ("id", "tracking_number", "status", "event_time")


def update(**changes):
    return {
        "id": "ORD-1",
        "tracking_number": "TRK1",
        "status": "shipped",
        "event_time": "2026-11-23T10:00:00+01:00",
        **changes,
    }


@pytest.fixture
def courier(write):
    def courier(rows, columns=COLUMNS, name="courier.csv"):
        path = write(rows, columns=columns, name=name)
        modified = (NOW - timedelta(hours=5)).timestamp()
        os.utime(path, (modified, modified))
        return path

    return courier


def test_rows_become_updates_in_utc(courier):
    (slice_,) = read_tracking([courier([update(status=" Shipped "), update(event_time="")])], now=NOW)

    TRACKING_SCHEMA.validate(slice_.frame)
    assert slice_.frame[["status", "event_time", "timed"]].to_numpy().tolist() == [
        ["shipped", "2026-11-23T09:00:00Z", True],
        ["shipped", "2026-11-23T07:00:00Z", False],
    ]


def test_without_a_time_column_the_files_time_counts(courier):
    (slice_,) = read_tracking([courier([update()], columns=COLUMNS[:3])], now=NOW)

    assert slice_.frame["event_time"].tolist() == ["2026-11-23T07:00:00Z"]
    assert not slice_.frame["timed"].any()


def test_a_total_that_was_left_out_is_said(courier):
    total = {"id": "Total", "tracking_number": "", "status": "", "event_time": ""}
    (slice_,) = read_tracking([courier([update(), total])], now=NOW)

    assert slice_.rows == RowCounts(read=1, valid=1)
    assert slice_.warnings == ("courier.csv: the total at its end is no order and was left out (row 3)",)


def test_a_file_without_rows_says_how_it_was_read(courier):
    (slice_,) = read_tracking([courier([])], now=NOW)

    TRACKING_SCHEMA.validate(slice_.frame)
    assert slice_.rows == RowCounts()
    assert slice_.about.file == "courier.csv"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": ""}, "unknown_parcel"),
        ({"tracking_number": ""}, "missing"),
        ({"tracking_number": "1.2E+10"}, "scientific_notation"),
        ({"status": ""}, "missing"),
        ({"status": "in_progres"}, "unknown_status"),
        ({"event_time": "2026-11-23 10:00:00"}, "no_offset"),
        ({"event_time": "yesterday"}, "not_a_time"),
        ({"event_time": "2026-11-24T12:00:01Z"}, "in_the_future"),
    ],
)
def test_a_bad_update_is_refused_alone(courier, change, code):
    (slice_,) = read_tracking([courier([update(**change), update(id="ORD-2")])], now=NOW)

    assert slice_.frame["id"].tolist() == ["ORD-2"]
    assert slice_.refused["code"].tolist() == [code]
    assert slice_.refused["column"].tolist() == [next(iter(change))]
    assert slice_.rows == RowCounts(read=2, quarantined=1, valid=1)


def test_an_unknown_status_names_the_nearest_known(courier):
    (slice_,) = read_tracking([courier([update(status="deliverd")])], now=NOW)

    assert slice_.refused["reason"][0].endswith('the nearest known is "delivered"')


def test_exact_repeats_are_merged_and_other_events_stay(courier):
    files = [
        courier([update(), update(), update(status="delivered")]),
        courier(
            [update(event_time="2026-11-23T09:00:00Z"), update(event_time="2026-11-23T09:00:01Z")],
            name="b.csv",
        ),
    ]

    rows = sum((part.rows for part in read_tracking(files, now=NOW, slice_rows=2)), RowCounts())

    assert rows == RowCounts(read=5, merged=2, valid=3)


def test_a_shops_own_words_are_mapped(courier, tmp_path):
    own = tmp_path / "courier.yaml"
    own.write_text(
        "name: courier\n"
        "tracking:\n"
        "  columns: {id: [Réf], tracking_number: [Code], status: [Statut]}\n"
        "  statuses: {delivered: [Livré], confirmed: [Confirmé]}\n",
        encoding="utf-8",
    )
    rows = [{"Réf": "1", "Code": "T", "Statut": word} for word in ("LIVRÉ", "confirmé", "Perdu")]

    (slice_,) = read_tracking([courier(rows, columns=("Réf", "Code", "Statut"))], source=own, now=NOW)

    assert slice_.frame["status"].tolist() == ["delivered", "confirmed"]
    assert slice_.refused["code"].tolist() == ["unknown_status"]


def test_the_limit_takes_the_first_rows(courier):
    files = [courier([update(id=str(n)) for n in range(3)])]

    assert [part.rows.read for part in read_tracking(files, limit=2, now=NOW)] == [2]


def test_a_courier_file_is_no_order_file(courier):
    (slice_,) = read_orders([courier([update()])])

    assert "no source of orders fits; columns seen: id, tracking_number" in str(slice_.broken)


def test_a_frame_of_updates_is_checked():
    frame = pd.DataFrame(
        {
            "id": [1, 2, 3],
            "tracking_number": ["T1", "T2", "T3"],
            "status": ["shipped", "delivered", "shipped"],
            "event_time": [pd.Timestamp("2026-11-23T10:00:00+01:00"), pd.NaT, "2026-11-23"],
        }
    )

    slice_ = check_tracking(frame, now=NOW)

    TRACKING_SCHEMA.validate(slice_.frame)
    assert slice_.frame["event_time"].tolist() == ["2026-11-23T09:00:00Z", "2026-11-23T12:00:00Z"]
    assert slice_.frame["timed"].tolist() == [True, False]
    assert slice_.refused["code"].tolist() == ["not_a_time"]
