"""Signatures against literal vectors: RFC 4231 and those made by PHP (in test_encoding.py)."""

import hashlib
import hmac
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaddone_pipeline.errors import SignatureInvalid
from leaddone_pipeline.webhook import sign, verify

# RFC 4231, section 4: key, data, HMAC-SHA-256.
RFC_4231 = {
    1: (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    2: (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    3: (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    4: (
        bytes(range(1, 26)),
        b"\xcd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ),
    5: (b"\x0c" * 20, b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
    6: (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    7: (
        b"\xaa" * 131,
        (
            b"This is a test using a larger than block-size key and a larger than block-size data. "
            b"The key needs to be hashed before being used by the HMAC algorithm."
        ),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
}
TEXT_KEYS = [case for case, (key, _, _) in RFC_4231.items() if key.isascii()]


@pytest.mark.parametrize("case", TEXT_KEYS)
def test_a_signature_is_the_one_of_rfc_4231(case):
    key, data, expected = RFC_4231[case]
    # Case 5 gives the first 128 bits alone.
    assert sign(data, key.decode("ascii"))[: len(expected)] == expected


@pytest.mark.parametrize("case", sorted(set(RFC_4231) - set(TEXT_KEYS)))
def test_the_hash_beneath_is_the_one_of_rfc_4231_where_the_key_is_no_text(case):
    key, data, expected = RFC_4231[case]
    assert hmac.digest(key, data, hashlib.sha256).hex() == expected


def test_a_secret_is_taken_as_utf_8():
    assert sign(b"[]", "clé") == hmac.new(b"cl\xc3\xa9", b"[]", hashlib.sha256).hexdigest()


@given(body=st.binary(), secret=st.text())
def test_a_signature_verifies_its_own_body(body, secret):
    verify(body, sign(body, secret), secret)


@given(body=st.binary(min_size=1), at=st.integers(min_value=0), bit=st.integers(0, 7))
def test_any_changed_bit_of_the_body_is_noticed(body, at, bit):
    changed = bytearray(body)
    changed[at % len(body)] ^= 1 << bit
    with pytest.raises(SignatureInvalid):
        verify(bytes(changed), sign(body, "whsec"), "whsec")


@given(at=st.integers(0, 63), digit=st.sampled_from("0123456789abcdef"))
def test_any_changed_digit_of_the_signature_is_noticed(at, digit):
    signature = sign(b"[]", "whsec")
    changed = signature[:at] + digit + signature[at + 1 :]
    if changed != signature:
        with pytest.raises(SignatureInvalid):
            verify(b"[]", changed, "whsec")


@given(signature=st.text(st.characters()))
def test_nonsense_is_no_signature_and_no_other_error(signature):
    with pytest.raises(SignatureInvalid):
        verify(b"[]", signature, "whsec")


@pytest.mark.parametrize(
    "alter",
    [
        str.upper,
        lambda s: s + "\n",
        lambda s: f"sha256={s}",
        lambda s: f" {s}",
        lambda s: s[:-1],
        lambda s: s[:-1] + "\u0661",
    ],
    ids=["upper case", "line end", "prefix", "space", "cut off", "a digit that is not ASCII"],
)
def test_another_spelling_of_a_right_signature_is_refused(alter):
    signature = sign(b"[]", "whsec")
    with pytest.raises(SignatureInvalid):
        verify(b"[]", alter(signature), "whsec")


def test_the_error_tells_neither_secret_nor_signature_and_survives_pickling():
    with pytest.raises(SignatureInvalid) as caught:
        verify(b"[]", "0" * 64, "whsec_planted")
    text = str(pickle.loads(pickle.dumps(caught.value))) + repr(caught.value)
    assert "whsec_planted" not in text
    assert sign(b"[]", "whsec_planted") not in text
    assert "secret" in text
