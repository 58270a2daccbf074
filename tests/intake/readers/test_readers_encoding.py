"""Encodings: marked, unmarked, the two code pages of Moroccan Excel, and what cannot be decided."""

import codecs

import pytest

from leaddone_pipeline.errors import IntakeError

FRENCH = "réf;nom;prix\r\n1;Été à Fès, « Là-bas » n° 3;199 €\r\n2;ÉTÉ DÉJÀ VU;20\r\n"
ARABIC = "رقم;الاسم;السعر\r\n1;أمينة و يوسف من فاس;199\r\n2;Fès الرباط é;20\r\n"
BOTH = FRENCH.replace("Été", "أمينة")


def rows_of(text):
    header, *rows = [line.split(";") for line in text.split("\r\n")[:-1]]
    return tuple(header), [(at, row) for at, row in enumerate(rows, start=2)]


@pytest.mark.parametrize("text", [FRENCH, ARABIC, BOTH])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", "utf-16-le"),
        (b"", "utf-16-be"),
    ],
)
def test_unicode_is_read_with_its_mark_or_without(read, text, mark, encoding):
    found = read(mark + text.encode(encoding))

    assert (found.header, found.rows) == rows_of(text)
    assert found.notes == []


@pytest.mark.parametrize(("text", "encoding"), [(FRENCH, "cp1252"), (ARABIC, "cp1256")])
def test_windows_code_pages_are_told_apart_by_their_words_and_said(read, text, encoding):
    found = read(text.encode(encoding))

    assert (found.header, found.rows) == rows_of(text)
    (note,) = found.notes
    assert encoding in note


@pytest.mark.parametrize("word", ["Fès", "Kénitra, Salé", "à", "n° 3 – 5 €", "CAFÉ MAURE", "œuf", "Noël"])
def test_one_french_word_is_enough(read, word):
    found = read(f'id,ville\n1,"{word}"\n'.encode("cp1252"))

    assert found.rows == [(2, ["1", word])]


@pytest.mark.parametrize(
    "content",
    [
        b"id,ville\n1,\xc7\xe1\xd1\xc8\xc7\xd8\n2,D\xc9J\xc0 VU\n",
        "id,ville\n1,Fès\n".encode("cp850"),
        "id,ville\n1,Fès\n".encode("mac-roman"),
        "id,ville\n1,Fès\n".encode() + "2,Salé\n".encode("cp1252"),
        "id,ville\n1,الرباط\n".encode() + "2,الرباط\n".encode("cp1256"),
        "id,ville\n1,Москва\n".encode("cp1251"),
    ],
)
def test_what_cannot_be_decided_is_refused_with_the_remedy(read, content):
    with pytest.raises(IntakeError) as error:
        read(content)

    assert error.value.remedy == "Save it as CSV UTF-8"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("id,ville\n1,Fè".encode()[:-1], "breaks off within a letter"),
        ("id,ville\n1,Fès".encode("utf-16")[:-1], "breaks off within a letter"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8a\x00,\x00b\x00", "goes on as something else"),
        (codecs.BOM_UTF8 + b"id,ville\n1,F\xe8s\n", "goes on as something else"),
    ],
)
def test_a_cut_or_mixed_text_is_refused_before_a_row_is_used(read, content, told):
    with pytest.raises(IntakeError, match=told):
        read(content)
