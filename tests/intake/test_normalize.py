# ruff: noqa: RUF001 - Arabic digits and separators are what people write

import re
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaddone_pipeline.contract import trim
from leaddone_pipeline.intake import normalize


def one(function, cell):
    result = function(pd.Series([cell], dtype=normalize.STRING))
    assert result.dtype == normalize.STRING
    return None if result[0] is pd.NA else result[0]


PHONES = [
    ("0612345678", "0612345678"),
    ("612345678", "0612345678"),
    ("612345678.0", "0612345678"),
    ("+212612345678", "0612345678"),
    ("00212612345678", "0612345678"),
    ("212612345678", "0612345678"),
    ("+2120612345678", "0612345678"),
    ("+212 (0) 6 12 34 56 78", "0612345678"),
    ("06.12.34.56.78", "0612345678"),
    ("06-12-34-56-78", "0612345678"),
    ("06\u00a012\u202f34 56 78", "0612345678"),
    ("212-0612345678", "0612345678"),
    ("'+212 612 345678", "0612345678"),
    ("tel:+212612345678", "0612345678"),
    ("p: 0612345678", "0612345678"),
    ("\u202a+212 612-345678\u202c", "0612345678"),
    ("٠٦١٢٣٤٥٦٧٨", "0612345678"),
    ("۰۶۱۲۳۴۵۶۷۸", "0612345678"),
    ("0522 33 44 55", "0522334455"),
    ("+33 6 12 34 56 78", "+33612345678"),
    ("0034612345678", "+34612345678"),
    ("(+44)7400 123456", "+447400123456"),
    ("+33 (0)6 12 34 56 78", "+33612345678"),
    ("+330612345678", "+33612345678"),
    ("+1 202-555-0143 ext. 12345", "+12025550143"),
    ("０６１２３４５６７８", "0612345678"),
    ("＋２１２ ６１２ ３４５６７８", "0612345678"),
    ("0612345678 whatsapp", "0612345678"),
    ("0612345678 (Ahmed)", "0612345678"),
    ("0612345678, واتساب", "0612345678"),
    ("Tél : 06 12 34 56 78", "0612345678"),
    ("tel: '+212 612345678", "0612345678"),
    ("0612345678 / 0712345678", "0612345678"),
    ("06 12 34 56 78 - 07 12 34 56 78", "0612345678"),
    ("0612345678 و 0712345678", "0612345678"),
    ("06 - 12 - 34 - 56 - 78", "0612345678"),
    ('="0612345678"', "0612345678"),
    ("0683123456", "0683123456"),
    ("212612345678.0", "0612345678"),
]


@pytest.mark.parametrize(("written", "phone"), PHONES)
def test_phones_in_all_their_forms(written, phone):
    assert one(normalize.phone, written) == phone


@pytest.mark.parametrize(
    "written",
    [
        "6.12E+08",
        "O612345678",
        "061234567",
        "06123456789",
        "0112345678",
        "0912345678",
        "+212112345678",
        "0612345678 / 07123",
        "0612345678 / 0712345678 / poste 12",
        "06123O5678",
        "0612345678 O",
        "+33 6 12",
        "+3361234567",
        "999-999-9999",
        "INV0612345678",
        "0612345678 0712345678",
        "²612345678",
        "33612345678",
        "0000000000",
    ],
)
def test_what_is_no_phone_stays_as_it_stands(written):
    assert one(normalize.phone, written) == written
    assert not normalize.is_phone(pd.Series([written], dtype=normalize.STRING))[0]


PRICES = [
    ("199", "199"),
    ("199.00", "199"),
    ("199,50", "199.5"),
    ("007", "7"),
    (".5", "0.5"),
    ("0,250", "0.25"),
    ("199 DH", "199"),
    ("199,00 MAD", "199"),
    ("Dhs 199", "199"),
    ("199 د.م.\u200f", "199"),
    ("١٩٩٫٥٠", "199.5"),
    ("1 234,50", "1234.5"),
    ("1\u202f234", "1234"),
    ("1'234.50", "1234.5"),
    ("1,234.50", "1234.5"),
    ("1.234,50", "1234.5"),
    ("1.234.567", "1234567"),
    ("1234.567", "1234.567"),
    ("1.2340", "1.2340"),
    ("0.00", "0"),
]


@pytest.mark.parametrize(("written", "price"), PRICES)
def test_prices_in_all_their_forms(written, price):
    assert one(normalize.price, written) == price


@pytest.mark.parametrize("written", ["1.234", "1,234", "12,345", "1e3", "-5", "12.3.4", "free", "1 23", "5."])
def test_a_price_with_no_or_two_meanings_stays_and_is_no_amount(written):
    kept = normalize.price(pd.Series([written], dtype=normalize.STRING))

    assert kept[0] == written
    assert not normalize.is_amount(kept)[0]


@pytest.mark.parametrize(
    ("written", "qte"),
    [
        ("1", "1"),
        ("2.0", "2"),
        ("2,00", "2"),
        ("03", "3"),
        ("٣", "3"),
        ("1.5", "1.5"),
        ("0", "0"),
        (" ", None),
    ],
)
def test_quantities(written, qte):
    assert one(normalize.qte, written) == qte


@pytest.mark.parametrize(
    ("written", "order_id"),
    [("1001.0", "1001"), ("00123", "00123"), ("021A", "021A"), ("1.0.0", "1.0.0"), ("1001.00", "1001.00")],
)
def test_ids_lose_exactly_a_float_ending(written, order_id):
    assert one(normalize.order_id, written) == order_id


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z"),
        ("2026-11-23T10:00:00+01:00", "2026-11-23T09:00:00Z"),
        ("2026-11-23 10:00:00.123 +0100", "2026-11-23T09:00:00Z"),
        ("2026-11-23 10:00 +01", "2026-11-23T09:00:00Z"),
        ("1970-01-01T00:00:00Z", None),
        ("", None),
        ("2026-11-23 10:00:00", "2026-11-23 10:00:00"),
        ("23/11/2026 10:00", "23/11/2026 10:00"),
        ("2026-02-31T10:00:00Z", "2026-02-31T10:00:00Z"),
    ],
)
def test_times_are_utc_to_the_second(written, time):
    assert one(normalize.event_time, written) == time


messy = st.text(
    alphabet=st.one_of(
        st.sampled_from("0123456789٠٥۶.,'+-() eE/\u00a0\u202f\u200f\u202aDHdhمد\x00\n"),
        st.characters(codec="utf-8"),
    ),
    max_size=20,
)


@settings(max_examples=60, deadline=None)
@given(cells=st.lists(st.one_of(st.none(), messy), max_size=5))
@pytest.mark.parametrize(
    "function",
    [
        normalize.text,
        normalize.phone,
        normalize.price,
        normalize.qte,
        normalize.order_id,
        normalize.event_time,
    ],
)
def test_normalizing_twice_is_normalizing_once(function, cells):
    once = function(pd.Series(cells, dtype=normalize.STRING))

    pd.testing.assert_series_equal(function(once), once)


@given(messy)
def test_text_is_trimmed_as_laravel_would(cell):
    assert (one(normalize.text, cell) or "") == _composed(trim(cell))


def _composed(text):
    import unicodedata  # noqa: PLC0415 - used by this law alone

    return unicodedata.normalize("NFC", text)


separators = st.sampled_from(["", " ", "-", ".", "\u00a0", "\u202f", "\u200e"])


@given(st.from_regex(r"0[5-8][0-9]{8}", fullmatch=True), st.lists(separators, min_size=9, max_size=9))
def test_a_valid_phone_keeps_its_digits(number, between):
    written = number[0] + "".join(mark + digit for mark, digit in zip(between, number[1:], strict=True))

    assert one(normalize.phone, written) == number


@given(messy)
def test_a_phone_that_was_understood_has_the_digits_that_were_written(cell):
    phone = one(normalize.phone, cell) or ""
    if re.fullmatch(r"0[5-8][0-9]{8}", phone):
        digits = "".join(str(int(letter)) for letter in cell if letter.isdecimal())
        assert phone[1:] in digits


amounts = st.decimals(min_value=0, max_value=10**9, places=2)


@given(amounts, st.sampled_from(["{}", "{} DH", "MAD {}", "{}\u00a0د.م."]), st.sampled_from(".,"))
def test_money_never_changes_value(amount, form, point):
    written = form.format(f"{amount:f}".replace(".", point))

    assert Decimal(one(normalize.price, written)) == amount


@given(st.decimals(min_value=0, max_value=10**6, places=4))
def test_an_amount_is_written_and_read_back(amount):
    text = normalize.amount_text(amount)

    assert Decimal(text) == amount
    assert one(normalize.price, text) == text
    assert normalize.is_amount(pd.Series([text], dtype=normalize.STRING))[0] == (
        amount == 0 or amount >= Decimal("0.0001")
    )
