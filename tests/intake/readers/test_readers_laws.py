"""Laws: any table of text, written in any format, is read back equal, whatever the size of slices and blocks."""

import csv
import io
import json
import string

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaddone_pipeline.intake.readers import limits
from tests.intake.fuzz.seeds import workbook

LETTERS = string.ascii_letters + string.digits + " ,;|\t\"'.:#@-+=/()\n\réàçêôÉÀ€°"
ARABIC = "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي٠١٢٣؟،"
ENCODINGS = {
    "utf-8": LETTERS + ARABIC + "\u200f\u202a\u00a0😀\u2028\x0b",
    "utf-8-sig": LETTERS + ARABIC,
    "utf-16": LETTERS + ARABIC + "😀",
    "utf-16-le": LETTERS,
    "utf-16-be": LETTERS,
    "cp1252": string.ascii_letters + string.digits + " ,;|\t\"'.\n\réàçêô€°",
}
LAW = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def tables(draw, letters):
    """Rows of equal width; the first cell is a number, so that no row is blank, a total or a note."""
    width = draw(st.integers(2, 6))
    cell = st.text(st.sampled_from(letters), max_size=12)
    numbers = draw(st.lists(st.integers(0, 10**12), max_size=12))
    return width, [[str(number), *(draw(cell) for _ in range(width - 1))] for number in numbers]


def header_of(width):
    return [f"colonne {at}" for at in range(width)]


def swallows(cell, delimiter, width):
    """A cell with a line end and a whole row's delimiters is taken for an unclosed quote's; that is the rule."""
    return any(end in cell for end in "\r\n") and cell.count(delimiter) >= width - 1


@LAW
@given(data=st.data())
def test_delimited_text_is_read_back_equal_in_any_dialect(read, data):
    encoding = data.draw(st.sampled_from(sorted(ENCODINGS)))
    delimiter = data.draw(st.sampled_from(",;\t|"))
    end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    quoting = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    width, rows = data.draw(tables(ENCODINGS[encoding]))
    rows = [[("" if swallows(cell, delimiter, width) else cell) for cell in row] for row in rows]
    if any(end in cell for row in rows for cell in row for end in "\r\n"):
        quoting = csv.QUOTE_ALL  # Python's writer leaves an end of line bare that is not its own
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(
        [header_of(width), *rows]
    )
    content = out.getvalue().encode(encoding)

    found = read(content, slice_rows=data.draw(st.integers(1, 13)))

    assert found.header == tuple(header_of(width))
    assert found.damaged == []
    assert [cells for _, cells in found.rows] == rows
    assert [number for number, _ in found.rows] == list(range(2, len(rows) + 2))


@LAW
@given(data=st.data())
def test_records_are_read_back_equal(read, data):
    width, rows = data.draw(tables(ENCODINGS["utf-8"] + "\x01\\{}[]"))
    if not rows:
        return
    records = [dict(zip(header_of(width), row, strict=True)) for row in rows]
    shape = data.draw(st.sampled_from(["list", "data", "lines"]))
    ascii_only = data.draw(st.booleans())
    if shape == "lines":
        text = "\n".join(json.dumps(record, ensure_ascii=ascii_only) for record in records)
    else:
        text = json.dumps(
            records if shape == "list" else {"x": [], "data": records}, ensure_ascii=ascii_only, indent=1
        )

    found = read(text, slice_rows=data.draw(st.integers(1, 13)))

    assert found.header == tuple(header_of(width))
    assert found.rows == [(at, row) for at, row in enumerate(rows, start=1)]


@LAW
@given(data=st.data())
def test_parquet_is_read_back_equal(read, data):
    width, rows = data.draw(tables(ENCODINGS["utf-8"] + "\x01"))
    columns = {
        name: pa.array([row[at] for row in rows], pa.string()) for at, name in enumerate(header_of(width))
    }
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, row_group_size=data.draw(st.integers(1, 5)))

    found = read(out.getvalue(), slice_rows=data.draw(st.integers(1, 13)))

    assert found.header == tuple(header_of(width))
    assert found.rows == [(at, row) for at, row in enumerate(rows, start=1)]


def spaces_are_empty(row):
    return [cell if cell.strip() else "" for cell in row]


@settings(LAW, max_examples=15)
@given(data=st.data())
def test_workbooks_are_read_back_equal(read, data):
    letters = (LETTERS + ARABIC).replace("\r", "").replace("=", "").replace("#", "")
    width, rows = data.draw(tables(letters))
    names = header_of(width)

    found = read(workbook([names, *rows]), slice_rows=data.draw(st.integers(1, 13)))

    # A workbook does not always keep a cell of nothing but spaces, and trimming empties it anyway.
    assert found.header == tuple(names)
    assert [(at, spaces_are_empty(row)) for at, row in found.rows] == [
        (at, spaces_are_empty(row)) for at, row in enumerate(rows, start=2)
    ]


DAMAGED = "\r\n".join(
    ["Titre;;", "", "id;nom;prix"]
    + [
        line
        for at in range(40)
        for line in (f'{at};"a\nb {at}";1,5', f"{at};c", "", f"{at};d;e;f", f"{at};x\x00;1", f"{at};g;2")
    ]
    + ["Total;;5", ";;", "Source: x;;"]
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_neither_slices_nor_blocks_change_what_is_read(read, monkeypatch, encoding):
    content = DAMAGED.encode(encoding)
    whole = read(content)
    assert len(whole.rows) == 80
    assert len(whole.damaged) == 120
    for block in (40, 41, 43, 47, 64, 101, 512, 1000):
        monkeypatch.setattr(limits, "BLOCK_BYTES", block)
        for slice_rows in (1, 7, 199):
            assert read(content, slice_rows=slice_rows) == whole


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
def test_blocks_cut_no_line_end_in_two(read, monkeypatch, end):
    content = end.join(["id,nom", *(f'{at},"x{end}y"' for at in range(30)), ""])
    for block in range(20, 60):
        monkeypatch.setattr(limits, "BLOCK_BYTES", block)
        found = read(content)

        assert found.rows == [(at + 2, [str(at), f"x{end}y"]) for at in range(30)]
