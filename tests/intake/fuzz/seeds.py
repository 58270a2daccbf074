"""What fuzzing begins with: small files of each format, whole and in the shapes that need care."""

import gzip
import io
import json
import zipfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

FILES = Path(__file__).parents[1] / "readers" / "files"
TEXT = 'id,nom,téléphone,prix\n1001,"Amina, Fès",0612345678,"199,50"\n1002,Été,0712345678,20\n'
ARABIC = "رقم;الاسم;الهاتف;السعر\r\n1;أمينة;0612345678;199\r\n2;يوسف;0712345678;20\r\n"
ORDERS = [
    {
        "id": 1001,
        "total": 199.50,
        "billing": {"first_name": "Amina", "phone": "0612345678"},
        "tags": ["a", "b"],
        "meta_data": [{"key": "x", "value": {"y": None}}],
        "line_items": [{"name": "Tapis", "quantity": 1, "price": 100}, {"name": "Cap", "quantity": 2}],
    },
    {"id": "1002", "billing": {}, "variants": [], "paid": True, "note": "\ud83d\ude00 \u0000"},
]


def _delimited():
    return [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.replace(",", "\t").encode("utf-16-be"),
        TEXT.encode("cp1252"),
        ARABIC.encode("cp1256"),
        b"sep=;\r\n" + ARABIC.encode(),
        f"Rapport,,,\n\n{TEXT},,,\nTotal,,,219.5\nSource: boutique,,,\n".encode(),
        TEXT.replace("\n", "\r").encode(),
        b'a|b\n1|"x\n2|y"\n3\n4|5|6\n\x00|1\n"',
    ]


def _json():
    return [
        json.dumps(ORDERS).encode(),
        json.dumps({"data": ORDERS, "meta": {"pagination": {"total": 2}}}, indent=1).encode(),
        json.dumps({"meta": 1, "orders": ORDERS}).encode("utf-8-sig"),
        json.dumps(ORDERS[0]).encode(),
        b'[{"a":1e400,"b":NaN,"c":-0.0},{"a":"\\ud800"}]',
    ]


def _json_lines():
    lines = [json.dumps(order) for order in ORDERS]
    return ["\n".join(lines).encode(), f"{lines[0]}\r\n\r\n{{]\r\n{lines[1]}\r\n".encode()]


def _parquet():
    table = pa.table(
        {
            "id": [1001, None],
            "nom": ["Amina", "Été"],
            "prix": pa.array([Decimal("199.50"), None], pa.decimal128(12, 2)),
            "f": [12.0, float("nan")],
            "quand": [datetime(2026, 11, 23, 10), None],  # noqa: DTZ001 - files have such times
            "s": [{"a": 1, "b": "x"}, None],
            "l": [["a", "b"], []],
            "b": [b"\xff", b"a"],
            "d": pa.array(["x", "y"]).dictionary_encode(),
        }
    )
    files = []
    for codec in ("none", "snappy", "gzip", "zstd"):
        out = io.BytesIO()
        pq.write_table(table, out, compression=codec)
        files.append(out.getvalue())
    return files


def workbook(rows, title="Commandes"):
    """An .xlsx file of one sheet."""
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def open_document(rows):
    """The least that is an .ods file."""
    lines = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
            for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    spaces = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for short, name in (("office", "office"), ("table", "table"), ("text", "text"))
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces}><office:body>'
        f'<office:spreadsheet><table:table table:name="Commandes">{lines}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>'
    )
    return archive({"mimetype": kind, "META-INF/manifest.xml": manifest, "content.xml": content})


def archive(members):
    """A zip file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return out.getvalue()


def _workbooks():
    rows = [["id", "nom", "prix"], [1001, "Amina", 199.5], ["1002", "Été", None], ["Total", None, 199.5]]
    texts = [["id", "nom", "prix"], ["1001", "Amina", "199.5"]]
    made = [workbook(rows), workbook([["Rapport"], [], *rows]), open_document(texts)]
    return [*made, *((FILES / name).read_bytes() for name in ("orders.xls", "any_sheets.xlsb"))]


def _archives():
    return [
        gzip.compress(TEXT.encode()),
        archive({"orders.csv": TEXT}),
        archive({"a/orders_2.csv": TEXT, "a/orders_10.csv": ARABIC, "__MACOSX/._a": "x"}),
        archive({"orders.json": json.dumps(ORDERS)}),
        archive({"orders.csv.gz": gzip.compress(TEXT.encode())}),
    ]


SEEDS = {
    "archives": _archives,
    "delimited": _delimited,
    "json": _json,
    "json_lines": _json_lines,
    "parquet": _parquet,
    "workbooks": _workbooks,
}
