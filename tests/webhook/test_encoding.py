"""The bytes that are signed, against PHP: its vectors, and where it is installed PHP itself."""

import base64
import json
import os
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaddone_pipeline.contract import ORDER_FIELDS, ORDER_REQUIRED, TRACKING_FIELDS, price_problem, trim
from leaddone_pipeline.webhook import Order, TrackingUpdate, body, canonical, encode, sign

VECTORS = json.loads(
    Path(__file__).with_name("signature-vectors.json").read_text(encoding="utf-8"), parse_float=Decimal
)["vectors"]
BY_NAME = {each["name"]: each for each in VECTORS}
# Two vectors are no bodies of ours: an id that is a number, and another order of the fields.
NOT_OURS = {"integer id"}

AWKWARD = st.sampled_from(
    list("\x00\x01\x1f\x7f\"\\/<>&'\b\f\n\r\t \u00a0\u00ad\u200f\u2028\u2029\ufeff🎁é\u0627u007f")
)
TEXT = st.text(st.one_of(AWKWARD, st.characters(exclude_categories=["Cs"])), max_size=12)
FILLED = TEXT.filter(trim)
PRICES = st.builds(
    lambda digits, places: Decimal(digits).scaleb(-places),
    st.integers(0, 10**15 - 1),
    st.integers(-3, 15),
).filter(lambda price: price_problem(price) is None)
ORDERS = st.builds(
    Order,
    id=FILLED,
    article=FILLED,
    price=PRICES,
    phone=FILLED,
    qte=st.none() | st.integers(-(2**63), 2**63 - 1),
    receiver=st.none() | TEXT,
    city=st.none() | TEXT,
    address=st.none() | TEXT,
)
UPDATES = st.builds(TrackingUpdate, id=FILLED, tracking_number=FILLED, status=FILLED)


def record_of(fields):
    if "tracking_number" in fields:
        return TrackingUpdate(**fields)
    return Order(**{**fields, "price": Decimal(fields["price"])})


def in_our_order(fields):
    names = TRACKING_FIELDS if "tracking_number" in fields else ORDER_FIELDS
    return [name for name in names if name in fields] == list(fields)


@pytest.mark.parametrize("name", BY_NAME)
def test_the_canonical_form_is_what_php_wrote(name):
    assert canonical(BY_NAME[name]["payload"]) == BY_NAME[name]["body"].encode()


@pytest.mark.parametrize("name", BY_NAME)
def test_the_signature_is_what_php_signed(name):
    vector = BY_NAME[name]
    assert sign(vector["body"].encode(), vector["secret"]) == vector["signature"]


@pytest.mark.parametrize("name", [name for name in BY_NAME if name not in NOT_OURS])
def test_a_batch_of_records_is_what_php_wrote(name):
    payload = BY_NAME[name]["payload"]
    written = body([encode(record_of(fields)) for fields in payload])
    if all(map(in_our_order, payload)):
        assert written == BY_NAME[name]["body"].encode()
    else:
        assert json.loads(written, parse_float=Decimal) == payload


def test_an_empty_batch_is_an_empty_array():
    assert body([]) == b"[]"


@given(records=st.lists(st.one_of(ORDERS, UPDATES), max_size=3))
def test_a_body_keeps_every_rule_of_the_canonical_form(records):
    """design.md, "The request" 2."""
    written = body([encode(record) for record in records])
    assert all(0x20 <= byte <= 0x7F for byte in written)
    outside_strings = re.sub(rb'"(?:[^"\\]|\\.)*"', b"", written)
    assert b" " not in outside_strings
    assert b"\\u007f" not in re.sub(rb"\\\\", b"", written)
    assert not re.search(rb"(?<!\\)/", re.sub(rb"\\\\", b"", written))
    read = json.loads(written, parse_float=Decimal)
    assert canonical(read) == written
    for record, fields in zip(records, read, strict=True):
        assert fields == expected(record)


def expected(record):
    names, required = (
        (ORDER_FIELDS, ORDER_REQUIRED) if isinstance(record, Order) else (TRACKING_FIELDS, TRACKING_FIELDS)
    )
    values = {name: getattr(record, name) for name in names}
    trimmed = {name: trim(value) if isinstance(value, str) else value for name, value in values.items()}
    return {name: value for name, value in trimmed.items() if name in required or value not in {None, ""}}


@given(price=PRICES)
def test_a_price_is_written_exactly_without_exponent_or_trailing_zeros(price):
    written = json.loads(encode(order(price=price)), parse_int=str, parse_float=str)["price"]
    assert Decimal(written) == price
    assert re.fullmatch(r"(0|[1-9]\d*)(\.\d*[1-9])?", written)


@pytest.mark.parametrize(
    ("price", "written"),
    [
        ("199.0", "199"),
        ("199.90", "199.9"),
        ("1E+3", "1000"),
        ("-0", "0"),
        ("0.00", "0"),
        ("0E+9", "0"),
        ("1E-4", "0.0001"),
    ],
)
def test_a_price_has_one_spelling(price, written):
    assert f'"price":{written},'.encode() in encode(order(price=Decimal(price)))


@pytest.mark.parametrize(
    "price",
    [
        "NaN",
        "sNaN",
        "Infinity",
        "-1",
        "1E+15",
        "0.00009",
        "1.234567890123456",
        "1.00000000000000000000000000000001",
    ],
)
def test_a_price_that_php_would_write_differently_is_refused_without_its_value(price):
    with pytest.raises(ValueError, match=r"^price is ") as caught:
        encode(order(price=Decimal(price)))
    assert price not in str(caught.value)


@pytest.mark.parametrize("field", ["id", "article", "phone", "receiver", "city", "address"])
def test_a_lone_surrogate_is_refused_by_field_without_its_value(field):
    with pytest.raises(ValueError, match=f"^{field} ") as caught:
        encode(order(**{field: "planted\ud83d"}))
    assert "planted" not in repr(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("field", ["id", "article", "phone"])
@pytest.mark.parametrize("nothing", ["", "  ", "\u200f\x00\ufeff"])
def test_a_required_field_with_nothing_in_it_is_refused_by_name(field, nothing):
    with pytest.raises(ValueError, match=f"^{field} is empty$"):
        encode(order(**{field: nothing}))


@pytest.mark.parametrize("quantity", [2**63, -(2**63) - 1])
def test_a_quantity_beyond_64_bits_is_refused(quantity):
    with pytest.raises(ValueError, match=r"^qte .*64 bits"):
        encode(order(qte=quantity))


@pytest.mark.parametrize("order_id", ["00123", "9007199254740993", "1e3"])
def test_an_id_that_looks_like_a_number_stays_text(order_id):
    assert f'"id":"{order_id}",'.encode() in encode(order(id=order_id))


def test_nothing_that_names_the_customer_stands_in_a_repr():
    shown = repr(order(phone="0612345678", receiver="Salma Idrissi", address="3 rue des Orangers"))
    assert "'1001'" in shown
    assert not re.search("0612345678|Salma|Orangers", shown)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({}, b"[]"),
        ({"0": 1, "1": True}, b"[1,true]"),
        ({"1": None}, b'{"1":null}'),
        ({"a/b": ""}, b'{"a\\/b":""}'),
        (Decimal("-1.50"), b"-1.5"),
        ([" a ", False], b'[" a ",false]'),
    ],
)
def test_other_values_are_written_as_php_writes_its_arrays(value, written):
    assert canonical(value) == written


@pytest.mark.parametrize("value", [2**63, Decimal("1E+20"), "\ud800", {"\udfff": 1}, Decimal("NaN")])
def test_a_value_that_php_would_not_write_back_is_refused(value):
    with pytest.raises(ValueError, match=r"^a (number|text|key) "):
        canonical([value])


def order(**fields):
    return Order(**{"id": "1001", "article": "Lampe", "price": Decimal(199), "phone": "0600000000", **fields})


PHP = shutil.which("php")
ECHO = """
while (($line = fgets(STDIN)) !== false) {
    $body = base64_decode(trim($line));
    echo base64_encode((string) json_encode(json_decode($body, true))), "\\n";
}
"""
needs_php = pytest.mark.skipif(
    PHP is None and os.environ.get("CI") != "true",
    reason="php is not installed; CI, which installs it, would fail",
)


def through_php(bodies):
    lines = b"".join(base64.b64encode(each) + b"\n" for each in bodies)
    done = subprocess.run([PHP, "-n", "-r", ECHO], input=lines, capture_output=True, check=True, timeout=60)
    return [base64.b64decode(line) for line in done.stdout.split(b"\n")[:-1]]


def drawn(strategy, count):
    """Values of a strategy, the same ones in every run."""
    values = []

    @settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value):
        values.append(value)

    collect()
    return values


@needs_php
def test_php_writes_our_records_back_byte_for_byte():
    bodies = [
        body([encode(each) for each in records])
        for records in drawn(st.lists(ORDERS | UPDATES, max_size=3), 400)
    ]
    assert len(bodies) > 300
    assert through_php(bodies) == bodies


@needs_php
def test_php_writes_our_prices_back_byte_for_byte():
    bodies = [body([encode(order(price=price))]) for price in drawn(PRICES, 800)]
    assert through_php(bodies) == bodies


@needs_php
def test_php_writes_other_values_back_byte_for_byte():
    scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | PRICES | TEXT
    # PHP makes numbers of keys that look like one, and writes such an array in its own order.
    keys = TEXT.filter(lambda key: not key.lstrip("-").isdigit())
    values = st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)
    )
    bodies = [canonical([value]) for value in drawn(values, 400)]
    assert through_php(bodies) == bodies
