"""Files as shops and couriers make them, each with what must become of it; files/README.md says how."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from leaddone_pipeline.intake import (
    ORDERS_SCHEMA,
    QUARANTINE_SCHEMA,
    TRACKING_SCHEMA,
    Known,
    RowCounts,
    SourceSettings,
    load_source,
    read_orders,
    read_tracking,
)

FILES = Path(__file__).with_name("files")
EXPECTED = sorted(FILES.rglob("*.expected.json"))
KEYS = {"fact", "kind", "source", "settings", "yaml", "rows", "refused", "warnings", "broken"} | {
    "now",
    "modified",
    "known",
}


def file_of(expected):
    return expected.with_name(expected.name.removesuffix(".expected.json"))


def moment(text):
    return datetime.fromisoformat(text).astimezone(UTC)


def plain(frame):
    """Rows as dicts of text, numbers and None."""
    return [
        {name: None if pd.isna(cell) else cell for name, cell in row.items()}
        for row in frame.to_dict("records")
    ]


def read(expected, said, tmp_path, **how):
    path = tmp_path / file_of(expected).name
    path.write_bytes(file_of(expected).read_bytes())
    modified = moment(said.get("modified", "2026-11-23T07:00:00Z")).timestamp()
    os.utime(path, (modified, modified))
    source = None
    if "yaml" in said:
        source = tmp_path / "my-shop.yaml"
        source.write_text(said["yaml"], encoding="utf-8")
    if said.get("kind", "orders") == "orders":
        settings = SourceSettings(**said["settings"]) if "settings" in said else None
        return list(read_orders([path], source=source, settings=settings, **how))
    told = said.get("known", {})
    known = Known(
        order_ids=lambda numbers: {n: i for n, i in told.get("order_ids", {}).items() if n in numbers},
        under_way=lambda ids: [i for i in told.get("under_way", []) if i in ids],
    )
    now = moment(said.get("now", "2026-11-23T12:00:00Z"))
    return list(read_tracking([path], source=source, now=now, known=known, **how))


@pytest.mark.parametrize("slice_rows", [50_000, 2])
@pytest.mark.parametrize(
    "expected", EXPECTED, ids=lambda path: str(path.relative_to(FILES)).removesuffix(".expected.json")
)
def test_a_file_becomes_what_is_written_beside_it(expected, slice_rows, tmp_path):
    said = json.loads(expected.read_text(encoding="utf-8"))
    assert set(said) <= KEYS

    slices = read(expected, said, tmp_path, slice_rows=slice_rows)

    broken = [part.broken for part in slices if part.broken is not None]
    assert len(broken) == (0 if said.get("broken") is None else 1), broken
    assert (said.get("broken") or "") in "".join(map(str, broken))
    # An order whose rows stand apart comes with the last slice.
    frame = pd.concat([part.frame for part in slices], ignore_index=True).sort_values(
        "source_row", kind="stable"
    )
    refused = pd.concat([part.refused for part in slices], ignore_index=True).sort_values(
        "source_row", kind="stable"
    )
    QUARANTINE_SCHEMA.validate(refused)
    (ORDERS_SCHEMA if said.get("kind", "orders") == "orders" else TRACKING_SCHEMA).validate(frame)
    rows = sum((part.rows for part in slices), RowCounts())
    assert rows.read == rows.quarantined + rows.skipped + rows.merged + rows.valid
    names = set(frame["source_file"]) | set(refused["source_file"])
    assert all(name.startswith(file_of(expected).name.split(".")[0]) for name in names)
    assert plain(frame.drop(columns="source_file")) == said.get("rows", [])
    told = refused[["source_row", "column", "code"]].rename(columns={"source_row": "row"})
    assert plain(told) == [{"column": None} | one for one in said.get("refused", [])]
    warnings = [text for part in slices for text in part.warnings]
    parts = said.get("warnings", [])
    assert len(warnings) == len(parts), warnings
    assert [text for text, part in zip(warnings, parts, strict=True) if part not in text] == []
    if "source" in said:
        assert {part.about.source for part in slices if part.about} == {said["source"]}
        assert load_source(said["source"]).name == said["source"]


def test_there_are_sixty_files():
    assert len(EXPECTED) >= 60
