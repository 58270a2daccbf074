"""JSON and JSON lines: shapes, rows an item, numbers as they stand, what is damaged."""

import json

import pytest

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake.readers import limits

WOOCOMMERCE = """{
 "id": 727, "number": "00727", "total": "29.350", "discount_total": 0.10, "shipping": 1e2, "paid": false,
 "customer_note": null, "big": 12345678901234567890.10, "tags": ["cod", 7], "fee_lines": [],
 "billing": {"first_name": "Amina", "phone": "0612345678", "address": []},
 "meta_data": [{"key": "x", "value": {"y": [1.50]}}],
 "line_items": [{"id": 315, "name": "Tapis", "quantity": 2, "price": 3.00, "taxes": []}, {"name": "Café"}]
}"""
HEADER = (
    *(
        "id",
        "number",
        "total",
        "discount_total",
        "shipping",
        "paid",
        "customer_note",
        "big",
        "tags",
        "fee_lines",
    ),
    *("billing.first_name", "billing.phone", "billing.address", "meta_data"),
    *("line_items.id", "line_items.name", "line_items.quantity", "line_items.price", "line_items.taxes"),
)
OWN = [
    *("727", "00727", "29.350", "0.10", "1e2", "false", "", "12345678901234567890.10", "cod, 7", ""),
    *("Amina", "0612345678", "", '[{"key": "x", "value": {"y": ["1.50"]}}]'),
]
ROWS = [(1, [*OWN, "315", "Tapis", "2", "3.00", ""]), (1, [*OWN, "", "Café", "", "", ""])]


@pytest.mark.parametrize("text", [f"[{WOOCOMMERCE}]", f'{{"data": [{WOOCOMMERCE}]}}', WOOCOMMERCE])
@pytest.mark.parametrize("slice_rows", [1, 2, 1000])
def test_a_record_is_a_row_an_item_each_with_the_records_own_fields(read, text, slice_rows):
    found = read(text, slice_rows=slice_rows)

    assert (found.header, found.rows, found.damaged) == (HEADER, ROWS, [])


YOUCAN = {
    "data": [
        {"ref": "021", "variants": [{"price": 10, "variant": {"sku": "S", "values": ["M", "Rouge"]}}]},
        {"ref": "021A", "variants": []},
        {"ref": "022", "customer": {"city": "Fès"}},
    ],
    "meta": {"pagination": {"total": 3, "links": [{"next": "x"}]}},
}


@pytest.mark.parametrize("turn", [lambda answer: answer, lambda answer: dict(reversed(answer.items()))])
def test_youcans_answer_has_its_records_at_data_wherever_that_stands(read, turn):
    found = read(json.dumps(turn(YOUCAN)))

    assert found.header == (
        "ref",
        "variants.price",
        "variants.variant.sku",
        "variants.variant.values",
        "customer.city",
    )
    assert found.rows == [
        (1, ["021", "10", "S", "M, Rouge", ""]),
        (2, ["021A", "", "", "", ""]),
        (3, ["022", "", "", "", "Fès"]),
    ]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("10.125", "10.1250"),
        ("-10.125", "-10.1250"),
        ('"10.125"', "10.125"),
        ("0.125", "0.125"),
        ("1234.125", "1234.125"),
        ("10.1250", "10.1250"),
    ],
)
def test_a_number_of_thousandths_is_never_taken_for_thousands_and_text_stays_as_it_is(read, written, text):
    assert read(f'[{{"id": "1", "prix": {written}}}]').rows == [(1, ["1", text])]


def test_an_item_without_fields_and_an_empty_record(read):
    found = read('[{"id": "1", "name": "a", "line_items": [{}, {"n": "b"}]}, {}, {"id": "3"}]')

    assert found.header == ("id", "name", "line_items.n")
    assert found.rows == [(1, ["1", "a", ""]), (1, ["1", "a", "b"]), (3, ["3", "", ""])]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_json_lines_are_numbered_by_their_lines(read, end, mark):
    lines = [
        '{"id": 1.0, "nom": "Été\\nFès"}',
        "",
        ' {"id": 2, "line_items": [{"n": 1}, {"n": 2}]} ',
        '{"id": "\\u0663"}',
    ]

    found = read(mark + end.join(lines))

    assert found.header == ("id", "nom", "line_items.n")
    assert found.rows == [
        (1, ["1.0", "Été\nFès", ""]),
        (3, ["2", "", "1"]),
        (3, ["2", "", "2"]),
        (4, ["\u0663", "", ""]),
    ]


NO_OBJECTS = ['{"id": 2, "nom"', '{"id": 2} {"id": 3}', "{" * 100_000, "[1]", "null", "2,b"]


@pytest.mark.parametrize(
    ("line", "at"),
    [*((line, 1) for line in NO_OBJECTS[:3]), *((line, 2) for line in NO_OBJECTS)],
    ids=range(9),
)
def test_a_line_that_is_no_object_is_marked_and_the_others_stand(read, line, at):
    lines = ['{"id": 1, "nom": "a"}', '{"id": 3, "nom": "c"}']
    lines.insert(at - 1, line)

    found = read("\n".join(lines))

    assert [cells for _, cells in found.rows] == [["1", "a"], ["3", "c"]]
    assert found.damaged == [(at, "broken_record")]


def test_half_a_character_and_a_nul_mark_their_rows(read):
    found = read(
        '[{"id": "\\ud800", "n": "1"}, {"id": "\\u0000", "n": "2"}, {"id": "\\ud83d\\ude00", "n": "3"}]'
    )

    assert found.damaged == [(1, "not_text"), (2, "nul_byte")]
    assert found.rows == [(3, ["\U0001f600", "3"])]


def test_a_long_cell_is_marked(read):
    found = read(
        json.dumps([{"id": "x" * (limits.MAX_CELL + 1), "n": "1"}, {"id": "x" * limits.MAX_CELL, "n": "2"}])
    )

    assert found.damaged == [(1, "too_long")]
    assert [number for number, _ in found.rows] == [2]


def test_a_record_longer_than_a_chunk_is_whole(read):
    items = [{"n": str(at), "note": "é" * 500} for at in range(5000)]

    found = read(json.dumps([{"id": "1", "line_items": items}, {"id": "2"}]))

    assert len(found.rows) == 5001
    assert found.rows[4999] == (1, ["1", "4999", "é" * 500])
    assert found.rows[5000] == (2, ["2", "", ""])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[{"id": 1, "n": 2}, {"id": 3', "no JSON from this record on"),
        ('[{"id": 1, "n": 2}, {"id": 3, "n": 4}', "no JSON from this record on"),
        ('[{"id": 1, "n": 2} {"id": 3}]', "no JSON from this record on"),
        ('[{"id": 1, "n": 2}, 7]', "no JSON from this record on"),
        ('{"data": [{"id": 1, "n": 2}], "meta": ', "no JSON from this record on"),
        ('{"data": [{"id": 1, "n": 2}]} x', "no JSON from this record on"),
        ('{"data" 1}', "no JSON from this record on"),
        ('{"id": 1, "n": 2}\n{"id": 2, "n": 3}\n{"id": 3, "', "no JSON from this record on"),
        ("{nonsense", "no JSON from this record on"),
        ("[" * 100_000, "no JSON from this record on"),
        ("[" + '{"a":' * 100_000, "no JSON from this record on"),
        ("[]", "no record"),
        ('{"data": []}', "no record"),
        ("[{}]", "no record"),
        (b'[{"id": "\xe9", "n": 1}]', "not UTF-8"),
        (json.dumps([{f"c{at}": 1 for at in range(limits.MAX_COLUMNS + 1)}]), "columns, more than 2,000"),
        ('[{"id": "' + "x" * (limits.MAX_RECORD_BYTES + (1 << 20)), "no JSON from this record on"),
    ],
    ids=range(17),
)
def test_a_file_that_is_not_whole_is_refused_before_a_row_is_used(read, text, told):
    with pytest.raises(IntakeError, match=told):
        read(text)
