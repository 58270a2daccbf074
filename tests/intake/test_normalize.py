import re
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaddone_pipeline.contract import trim
from leaddone_pipeline.intake import normalize, phones, times


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
    [
        ("1001.0", "1001"),
        ("00123", "00123"),
        ("021A", "021A"),
        ("1.0.0", "1.0.0"),
        ("1001.00", "1001.00"),
        ("١٠٠٣", "1003"),
        ("۱۰٫۰", "10٫0"),
        ("10\u200e06", "1006"),
        ("\u200e", None),
    ],
)
def test_ids_lose_exactly_a_float_ending_and_marks_and_have_ascii_digits(written, order_id):
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


def column(cells):
    return pd.Series(cells, dtype=normalize.STRING)


CONVENTIONS = [
    (["199.50"], "1,234", "1234"),
    (["199,50"], "1.234", "1234"),
    (["1,234.5"], "1,234", "1234"),
    (["1.234.567"], "1.234", "1234"),
    (["0.250"], "1.234", "1.2340"),
    (["1234,567"], "1,234", "1.2340"),
    (["199.50"], "1.234", None),
    (["199,50", "199.50"], "1.234", None),
    (["1.250", "250"], "1.234", None),
    (["12 DH", "5"], "1.234", None),
    (["١٩٩٫٥٠ DH"], "1,234", "1234"),
    (["199,50 DH"], "1.234 DH", "1234"),
]


@pytest.mark.parametrize(("sample", "written", "price"), CONVENTIONS)
def test_the_column_settles_an_ambiguous_amount_or_it_is_refused(sample, written, price):
    convention = normalize.Convention.of(column(sample))

    read = normalize.price(column([written]), convention=convention)

    assert read[0] == (price or written)
    assert normalize.is_amount(read)[0] == (price is not None)


def test_later_rows_that_contradict_the_sample_are_counted():
    convention = normalize.Convention.of(column(["199,50", None]))

    assert convention.contradicted(column(["5", "199.50", "1,5", None, "1.234", "99.9 DH"])) == 2
    assert normalize.Convention().contradicted(column(["199.50"])) == 0


amounts_as_written = st.sampled_from(
    ["199,50", "199.50", "1.234", "1,234", "0.250", "1 234,5", "12", "1.234.567", "5 DH", "-3", "1e5", None]
)


@given(st.lists(amounts_as_written, min_size=1, max_size=8), st.integers(1, 8))
def test_the_size_of_a_slice_changes_no_amount(cells, size):
    convention = normalize.Convention.of(column(cells))
    slices = [
        normalize.price(column(cells[at : at + size]), convention=convention)
        for at in range(0, len(cells), size)
    ]

    whole = normalize.price(column(cells), convention=convention)

    assert pd.concat(slices, ignore_index=True).equals(whole)
    assert normalize.price(whole, convention=convention).equals(whole)


@given(st.lists(messy, min_size=1, max_size=8), st.integers(1, 8), st.sampled_from(["MA", "FR"]))
def test_the_size_of_a_slice_changes_no_phone(cells, size, region):
    slices = [
        normalize.phone(column(cells[at : at + size]), region=region) for at in range(0, len(cells), size)
    ]

    assert pd.concat(slices, ignore_index=True).equals(normalize.phone(column(cells), region=region))


@given(st.integers(1, 10**11), st.integers(0, 4), st.integers(-60, 60))
def test_float_noise_is_taken_back_and_nothing_else(cents, places, away):
    amount = Decimal(cents) / 10**places
    noisy = repr(float(amount) * (1 + away * 2**-53))
    if "e" in noisy:
        return

    read = one(normalize.price, noisy)

    assert read == noisy or abs(Decimal(read) - Decimal(noisy)) <= Decimal(noisy) * Decimal("1e-14")
    if Decimal(noisy) == amount:
        assert Decimal(read) == amount


@pytest.mark.parametrize(
    ("written", "currency", "price"),
    [
        ("199 €", "EUR", "199"),
        ("199 EUR", "EUR", "199"),
        ("199 €", "MAD", "199 €"),
        ("$199", "MAD", "$199"),
        ("199 DH", "EUR", "199 DH"),
        ("199 TND", "TND", "199"),
        ("199 ⴰⴷⵔⵉⵎ", "MAD", "199"),
    ],
)
def test_only_words_of_the_shops_currency_are_dropped(written, currency, price):
    assert normalize.price(column([written]), currency=currency)[0] == price


@pytest.mark.parametrize(
    ("written", "region", "phone"),
    [
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("0612345678", "FR", "+33612345678"),
        ("+212 612345678", "FR", "+212612345678"),
        ("+212 612345678", "MA", "0612345678"),
        ("(202) 555-0143", "US", "+12025550143"),
        ("12", "FR", "12"),
    ],
)
def test_the_region_says_where_a_number_without_a_country_code_belongs(written, region, phone):
    read = normalize.phone(column([written]), region=region)

    assert read[0] == phone
    assert normalize.phone(read, region=region)[0] == phone
    assert normalize.is_phone(read)[0] == (phone != "12")


e164 = st.sampled_from(
    ["+33612345678", "+34612345678", "+447400123456", "+12025550143", "+393123456789", "+971501234567"]
)


@given(
    e164,
    st.lists(separators, min_size=14, max_size=14),
    st.sampled_from(["{}", "'{}", "tel:{}", "{} ext. 12"]),
)
def test_a_foreign_number_keeps_its_digits(number, between, form):
    spread = number[0] + "".join(digit + mark for mark, digit in zip(between, number[1:], strict=False))

    assert one(normalize.phone, form.format(spread)) == number


def test_a_range_that_nobody_has_yet_is_told_from_the_others():
    known = phones.unassigned(
        column(["0612345678", "0790123456", "0683123456", "0522334455", "+33612345678", None])
    )

    assert known.tolist() == [False, True, True, False, False, False]


CASABLANCA = times.Clock(zone="Africa/Casablanca", order="day_first")


@pytest.mark.parametrize(
    ("written", "clock", "time"),
    [
        ("23/11/2026 10:00", CASABLANCA, "2026-11-23T09:00:00Z"),
        ("23-11-26 10h05", CASABLANCA, "2026-11-23T09:05:00Z"),
        ("2026-11-23 10:00:59", CASABLANCA, "2026-11-23T09:00:59Z"),
        ("26/07/2026 21:46:21 +00:00", CASABLANCA, "2026-07-26T21:46:21Z"),
        ("03/04/2026 10:00", CASABLANCA, "2026-04-03T09:00:00Z"),
        (
            "03/04/2026 10:00",
            times.Clock(zone="Africa/Casablanca", order="month_first"),
            "2026-03-04T10:00:00Z",
        ),
        ("03/04/2026 10:00", times.Clock(zone="Africa/Casablanca"), "03/04/2026 10:00"),
        ("23/11/2026 10:00", times.Clock(zone="Africa/Casablanca"), "2026-11-23T09:00:00Z"),
        ("23/11/2026", CASABLANCA, "2026-11-23T22:59:59Z"),
        ("٢٣/١١/٢٠٢٦ ١٠:٠٠", CASABLANCA, "2026-11-23T09:00:00Z"),
        ("1795345200", CASABLANCA, "2026-11-22T11:00:00Z"),
        ("1795345200000", CASABLANCA, "2026-11-22T11:00:00Z"),
        ("01/01/1970 00:00", CASABLANCA, None),
        ("01/01/1970 01:00", CASABLANCA, None),
        ("0000-00-00 00:00:00", CASABLANCA, None),
        ("31/02/2026 10:00", CASABLANCA, "31/02/2026 10:00"),
        ("23/11/2026 25:00", CASABLANCA, "23/11/2026 25:00"),
    ],
)
def test_times_as_a_file_writes_them(written, clock, time):
    assert one(lambda cells: normalize.event_time(cells, clock=clock), written) == time
