"""Delimited text: what parts the cells, where the table begins and ends, what is damaged."""

import pytest

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake.readers import limits, open_table

HEADER = ("id", "nom", "prix")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiter_and_line_end_are_seen(read, delimiter, end):
    lines = ["id|nom|prix", '1|"Amina, Fès; ""Médina"" | \tx"|199', "2|Youssef|20"]
    text = end.join(line if '"' in line else line.replace("|", delimiter) for line in lines)
    quoted = '1|"Amina, Fès; ""Médina"" | \tx"|199'
    text = text.replace(quoted, quoted.replace("1|", f"1{delimiter}").replace("|199", f"{delimiter}199"))

    found = read(text)

    assert found.header == HEADER
    assert found.rows == [(2, ["1", 'Amina, Fès; "Médina" | \tx', "199"]), (3, ["2", "Youssef", "20"])]


def test_the_delimiter_is_decided_on_several_lines_not_on_the_header_alone(read):
    found = read("id;nom, prénom;prix\n1;Alaoui, Amina;199,50\n2;Bennani, Youssef;20,00\n")

    assert found.header == ("id", "nom, prénom", "prix")
    assert found.rows[0] == (2, ["1", "Alaoui, Amina", "199,50"])


def test_a_sep_line_says_the_delimiter_and_is_no_row(read):
    """Source: Excel takes the line for itself, so that the header stands in its row 1."""
    found = read("sep=;\r\nid;nom;prix\r\n1;A,B,C,D,E;199\r\n")

    assert found.header == HEADER
    assert found.rows == [(2, ["1", "A,B,C,D,E", "199"])]


def test_mixed_line_ends_each_end_a_row(read):
    found = read("id,nom,prix\r\n1,a,1\n2,b,2\r3,c,3\r\n4,d,4")

    assert found.rows == [(at + 1, [str(at), "abcd"[at - 1], str(at)]) for at in (1, 2, 3, 4)]


def test_line_ends_within_quotes_belong_to_the_cell(read):
    found = read('id,nom,prix\r\n1,"a\nb\r\nc\rd",1\r\n2,e,2\r\n')

    assert found.rows == [(2, ["1", "a\nb\r\nc\rd", "1"]), (3, ["2", "e", "2"])]


def test_what_stands_around_the_table_is_left_out(read):
    """sources.md 6: title rows, units row, blank rows, total and footer, all in one file."""
    found = read(
        "Rapport des ventes,,\n"
        "Novembre 2026,,\n"
        "\n"
        "id,nom,prix\n"
        ",,DH\n"
        '1,"Amina\nFès","1,200"\n'
        "\n"
        ",,\n"
        "2,Youssef,20\n"
        'TOTAL,,"1,220.00 DH"\n'
        ",,\n"
        "Source: la boutique,,\n"
    )

    assert found.header == HEADER
    assert found.rows == [(6, ["1", "Amina\nFès", "1,200"]), (9, ["2", "Youssef", "20"])]
    assert found.damaged == []
    assert found.notes == ["orders.csv: the total at its end is no order and was left out (row 10 to 12)"]


@pytest.mark.parametrize(
    "total",
    [
        "Total,,5",
        "TOTAL :,,5",
        "Total général,,5",
        "المجموع,,5",
        "الإجمالي,,٥",
        "Nombre,2,",
        ",Total,5",
        "Somme,5",
        "Total",
    ],
)
def test_a_total_in_any_words_is_no_order(read, total):
    found = read(f"id,nom,prix\n1,a,2\n2,b,3\n{total}\n")

    assert [row for row, _ in found.rows] == [2, 3]
    assert found.damaged == []
    assert len(found.notes) == 1


@pytest.mark.parametrize(
    "row",
    ["Total,Amina,5", "Total,0612345678,", "Totally,,5", "3,,5", "3,Total,"],
)
def test_an_order_that_looks_like_a_total_stays(read, row):
    found = read(f"id,nom,prix\n1,a,2\n{row}\n")

    assert [number for number, _ in found.rows] == [2, 3]
    assert found.notes == []


def test_a_total_above_further_orders_stays(read):
    found = read("id,nom,prix\n1,a,2\nTotal,,5\n2,b,3\n")

    assert [number for number, _ in found.rows] == [2, 3, 4]


def test_a_title_of_another_width_stands_above_the_header(read):
    found = read("Rapport; boutique\n\nid,nom,prix\n1,a,2\n")

    assert (found.header, found.rows) == (HEADER, [(4, ["1", "a", "2"])])


def test_the_header_of_a_known_source_is_found_under_fuller_rows(read):
    text = "Client,,,Commande\nx,y,z,w\nid,nom,,prix\n1,a,b,2\n"

    found = read(text, fits=lambda header: "id" in header)

    assert (found.header, found.rows) == (("id", "nom", "", "prix"), [(4, ["1", "a", "b", "2"])])


def test_no_header_is_sought_beyond_the_first_rows(read):
    text = "x,\n" * limits.HEADER_ROWS + "id,nom\n1,a\n"

    assert read(text, fits=lambda header: "id" in header).header == ("x", "")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_of_another_width_are_marked_where_they_stand(read, end):
    found = read(end.join(["id,nom,prix", "1,a,2", "2,b", "", "3,c,3,4", "4,d,4"]))

    assert found.rows == [(2, ["1", "a", "2"]), (6, ["4", "d", "4"])]
    assert found.damaged == [(3, "ragged"), (5, "ragged")]


@pytest.mark.parametrize(
    ("text", "sound", "damaged"),
    [
        ('id,nom,prix\n1,a,1\n2,"b,2\n3,c,3\n', [2], [3]),
        ('id,nom,prix\n1,a,1\n2,"b,2\n3,c",3\n4,d,4\n', [2, 4], [3]),
        ('id,nom,prix\r1,a,1\r2,b,"2\r3,c,3\r', [2], [3]),
    ],
)
def test_an_unclosed_quote_is_marked_with_what_it_swallowed(read, text, sound, damaged):
    found = read(text)

    assert [row for row, _ in found.rows] == sound
    assert found.damaged == [
        (row, code) for row, code in found.damaged if code in {"unclosed_quote", "ragged"}
    ]
    assert [row for row, _ in found.damaged] == damaged


WHOLE = "id,nom,ville,prix\n1,a,Fès,1\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("rows", [0, 5_000])
@pytest.mark.parametrize(
    "last", ["2", "2,b", '2,"b', '2,"b ""c""', '2,b,"12 rue\nporte 3', '2,"x\ny",F', '2,"b"', "2,b,Fès"]
)
def test_a_file_that_is_cut_off_within_a_row_is_refused_whole(read, last, end, rows):
    text = WHOLE + "7,quelqu'un,Meknès,99\n" * rows + last

    with pytest.raises(IntakeError, match="cut off within its last row") as error:
        read(text.replace("\n", end))

    assert "complete the last row" in error.value.remedy


@pytest.mark.parametrize(
    ("last", "damaged"),
    [
        ("2,b,Fès,2", []),
        ('2,b,Fès,"2"', []),
        ('2,"Tuyau 5"" dur",Fès,2', []),
        ('2,Tuyau 5" dur,Fès,2', []),
        ('2,"b\nc",Fès,2', []),
        ("2,b\n", [(3, "ragged")]),
        ("2,b,Fès,2,extra", [(3, "ragged")]),
        ('2,"b\n3,c,Fès,3\n4,d,Fès,4', [(3, "ragged")]),
        ("2,b,Fès,2\nTotal,,,3\nSource: la boutique", []),
        ("2,b,Fès,2\nTotal", []),
        ("2,b,Fès,2\n,,", []),
    ],
)
def test_a_last_row_without_a_line_end_does_not_make_a_file_cut_off(read, last, damaged):
    found = read(WHOLE + last)

    assert found.rows[0] == (2, ["1", "a", "Fès", "1"])
    assert found.damaged == damaged


def test_a_nul_byte_marks_its_row_alone(read):
    found = read("id,nom,prix\n1,a\x00b,1\n2,c,2\n")

    assert (found.rows, found.damaged) == ([(3, ["2", "c", "2"])], [(2, "nul_byte")])


def test_a_cell_longer_than_excels_is_marked(read):
    found = read(f"id,nom,prix\n1,{'é' * limits.MAX_CELL},1\n2,{'é' * (limits.MAX_CELL + 1)},2\n3,a,3\n")

    assert [row for row, _ in found.rows] == [2, 4]
    assert found.damaged == [(3, "too_long")]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"\n\r\n \n", "empty"),
        (b"just a letter\nto someone\n", "no columns"),
        (b"\x00\x01\x02,a\n", "binary"),
        (",".join(f"c{at}" for at in range(limits.MAX_COLUMNS + 1)).encode(), "columns, more than 2,000"),
        (b'id,nom\n1,"' + b"x" * (3 * limits.BLOCK_BYTES), "a quote is opened and never closed"),
        (b'"' + b"x" * (limits.HEADER_BYTES + 10) + b'",nom\n', "no columns"),
        (b"%PDF-1.7,a\n", "a PDF"),
        (b"\n <table><tr><td>id</td></tr></table>", "web page"),
        (b"<?xml version='1.0'?><Workbook/>", "web page or XML"),
    ],
)
def test_what_is_no_table_is_refused_whole(read, content, told):
    with pytest.raises(IntakeError, match=told) as error:
        read(content)

    assert error.value.remedy


def test_a_file_with_nothing_but_its_header_has_no_rows(read):
    for text in ("id,nom", "id,nom\n", "id,nom\n\n", "sep=,\nid,nom\r\n"):
        assert (read(text).header, read(text).rows) == (("id", "nom"), [])


def test_slices_can_be_read_again(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text("id,nom\n1,a\n2,b\nTotal,\n")
    table = open_table(path)

    first, second = ([part.to_pylist() for part in table.slices(1)] for _ in range(2))

    assert first == second
    assert len(first) == 2
    assert len(table.notes) == 1
