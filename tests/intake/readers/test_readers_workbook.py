"""Workbooks: which sheet, and each cell as a person reads it."""

import datetime as dt
import io
import struct
import zipfile
from pathlib import Path

import openpyxl
import pytest

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake.readers import limits
from tests.intake.fuzz.seeds import archive, open_document, workbook

FILES = Path(__file__).with_name("files")
ROWS = [["id", "nom", "prix"], ["1001", "Amina", "199.5"], ["021A", "Été", "20"]]
EXPECTED = [(2, ["1001", "Amina", "199.5"]), (3, ["021A", "Été", "20"])]


def sheets(**contents):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in contents.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return book


def saved(book):
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


CELLS = [
    (12.0, "12"),
    (1001, "1001"),
    (212612345678.0, "212612345678"),
    (5277630000123, "5277630000123"),
    (0.1, "0.1"),
    (68.66499999999999, "68.6650"),
    (-10.125, "-10.1250"),
    (0.1 + 0.2, "0.3"),
    (1e-7, "0.0000001"),
    (-3.0, "-3"),
    (1.5e16, "1.5E+16"),
    (123456789012345678, "1.23456789012346E+17"),
    (199.90, "199.9"),
    (True, "TRUE"),
    (dt.datetime(2026, 11, 23, 10, 5), "2026-11-23T10:05:00"),  # noqa: DTZ001 - as workbooks have them
    (dt.date(2026, 11, 23), "2026-11-23"),
    (dt.time(10, 5), "10:05:00"),
    (dt.timedelta(hours=30, minutes=5), "30:05:00"),
    ("0612345678", "0612345678"),
    ("00123", "00123"),
    ("'+212 6", "'+212 6"),
    (" x\ny ", " x\ny "),
    ("#N/A", "#N/A"),
    ("#DIV/0!", "#DIV/0!"),
    ("=1+2", "#FORMULA!"),
    ('=IF(A1<2,"a","b")', "#FORMULA!"),
    (None, ""),
]


def test_cells_are_the_text_that_a_person_reads(read):
    found = read(workbook([["id", "v"], *([str(at), value] for at, (value, _) in enumerate(CELLS))]))

    assert [cells[1] for _, cells in found.rows] == [text for _, text in CELLS]
    assert found.damaged == []


@pytest.mark.parametrize(
    ("computed", "text"),
    [
        (b'<c r="A2"><f>1+2</f></c>', "#FORMULA!"),
        (b'<c r="A2" s="1"><f t="shared" si="0"/><v></v></c>', "#FORMULA!"),
        (b'<c r="A2"><f>1+2</f><v>3</v></c>', "3"),
        (b'<c r="A2" t="str"><f>""</f><v></v></c>', ""),
    ],
)
def test_a_formula_without_its_value_is_not_read_as_empty(read, computed, text):
    """Excel writes the value beside it, and of empty text the type; programs that compute nothing write neither."""
    written = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook([["id", "nom"], ["=1+2", "a"]]))) as book,
        zipfile.ZipFile(written, "w") as out,
    ):
        for name in book.namelist():
            content = book.read(name).replace(b'<c r="A2"><f>1+2</f><v /></c>', computed)
            out.writestr(name, content)

    assert read(written.getvalue()).rows == [(2, [text, "a"])]


@pytest.mark.parametrize("name", ["orders.csv", "orders.xlsx", "orders"])
def test_a_workbook_is_known_by_its_content(read, name):
    found = read(workbook(ROWS), name=name)

    assert (found.header, found.rows, found.name) == (("id", "nom", "prix"), EXPECTED, name)


def test_an_open_document_is_read(read):
    assert read(open_document(ROWS)).rows == EXPECTED


def test_old_excel_is_read(read):
    """The file was made once with xlwt 1.3."""
    assert read(FILES / "orders.xls").rows == EXPECTED


def test_old_excel_that_ends_as_an_archive_does_is_read(read):
    """Found by fuzzing; a sheet that holds another program's document may look so."""
    end_of_archive = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 46, 0, 0)

    assert read((FILES / "orders.xls").read_bytes() + end_of_archive).rows == EXPECTED


@pytest.mark.parametrize("name", ["any_sheets.xlsb", "any_sheets.ods"])
def test_workbooks_that_office_programs_wrote_are_read(read, name):
    """Excel and LibreOffice wrote them.

    Source: tests/data of python-calamine (MIT, Copyright (c) 2021 dimastbk).
    """
    found = read(FILES / name)

    assert found.header == ("1", "2")
    assert found.rows[:2] == [(2, ["3", "4"]), (3, ["5", "6"])]
    assert found.damaged == []


def test_the_table_is_found_under_titles_and_its_row_numbers_are_excels(read):
    book = sheets(Commandes=[])
    sheet = book["Commandes"]
    sheet["C3"] = "Rapport"
    sheet.merge_cells("C3:E3")
    table = [
        ["id", "nom", "prix"],
        [None, None, "DH"],
        [1, "a", 2.0],
        [None] * 3,
        [2, "b", 3.0],
        ["Total", None, 5.0],
    ]
    for at, row in enumerate(table, start=5):
        for column, value in enumerate(row, start=3):
            sheet.cell(at, column, value)
    sheet.row_dimensions[9].hidden = True

    found = read(saved(book))

    assert found.header == ("id", "nom", "prix")
    assert found.rows == [(7, ["1", "a", "2"]), (9, ["2", "b", "3"])]
    assert len(found.notes) == 1


def test_of_a_merged_cell_the_first_has_the_text(read):
    book = sheets(Commandes=[["id", "nom", "prix"], [1, "a", 2], [None, "b", 3]])
    book["Commandes"].merge_cells("A2:A3")

    assert read(saved(book)).rows == [(2, ["1", "a", "2"]), (3, ["", "b", "3"])]


def test_the_one_sheet_that_is_not_empty_is_taken(read):
    assert read(saved(sheets(Vide=[], Commandes=ROWS, Aussi=[]))).rows == EXPECTED


def test_a_hidden_sheet_is_read_only_when_it_is_named(read, tmp_path):
    book = sheets(Listes=[["ville"], ["Fès"]], Commandes=ROWS)
    book["Listes"].sheet_state = "hidden"
    book["Listes"]["B1"] = "code"

    assert read(saved(book)).rows == EXPECTED
    assert read(Path(f"{tmp_path}/orders.csv#Listes")).rows == [(2, ["Fès", ""])]


def test_of_several_sheets_the_one_with_a_sources_header_is_taken(read):
    content = saved(sheets(Notes=[["x", "y"], ["1", "2"]], Commandes=[["Rapport"], [], *ROWS]))

    found = read(content, fits=lambda header: "prix" in header)

    assert [cells for _, cells in found.rows] == [cells for _, cells in EXPECTED]


def test_several_sheets_are_a_question_that_names_them(read, tmp_path):
    content = saved(sheets(Mars=ROWS, Avril=ROWS[:2]))

    for fits in (None, lambda header: "prix" in header):
        with pytest.raises(IntakeError, match="Mars, Avril") as error:
            read(content, name="orders.xlsx", fits=fits)
        assert error.value.remedy == "Name it, as in orders.xlsx#Mars"
    named = read(Path(f"{tmp_path}/orders.xlsx#avril"))
    assert (named.name, named.rows) == ("orders.xlsx#Avril", EXPECTED[:1])
    with pytest.raises(IntakeError, match="no sheet Mai"):
        read(Path(f"{tmp_path}/orders.xlsx#Mai"))


def encrypted():
    return (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(480)
    )


def in_a_circle():
    """An .xls whose chain of directory sectors comes back to its first one; found by fuzzing."""
    content = bytearray((FILES / "orders.xls").read_bytes())
    (directory,), (table,) = struct.unpack_from("<I", content, 48), struct.unpack_from("<I", content, 76)
    struct.pack_into("<I", content, (table + 1) * 512 + 4 * directory, directory)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (in_a_circle(), "a damaged workbook"),
        (encrypted(), "locked with a password"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a damaged workbook"),
        (workbook(ROWS)[:-700], "cannot be read"),
        (archive({"[Content_Types].xml": "", "xl/workbook.xml": "<"}), "a damaged workbook"),
        (archive({"[Content_Types].xml": "", "word/document.xml": "<"}), "a letter or slides"),
        (saved(sheets(Vide=[])), "empty"),
    ],
)
def test_a_workbook_that_cannot_be_read_says_why(read, content, told):
    with pytest.raises(IntakeError, match=told):
        read(content)


def test_a_sheet_that_claims_to_be_huge_ends_its_own_process_alone(read, monkeypatch):
    """Two cells at the corners of a sheet are 17 thousand million cells, if they are held as a table."""
    monkeypatch.setattr(limits, "CHILD_BYTES", 1 << 30)
    book = sheets(Commandes=ROWS)
    book["Commandes"]["XFD1048576"] = "x"

    with pytest.raises(IntakeError, match="too large to be held"):
        read(saved(book))


def test_a_workbook_beyond_the_limit_is_refused_before_it_is_unpacked(read, monkeypatch):
    monkeypatch.setattr(limits, "WORKBOOK_BYTES", 1000)

    with pytest.raises(IntakeError, match="unpacked"):
        read(workbook(ROWS))
