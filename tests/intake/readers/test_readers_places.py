"""Places: packed files, folders, globs, archives and URLs."""

import datetime as dt
import gzip
import http.server
import io
import json
import os
import threading
import zipfile
from pathlib import Path

import fsspec
import pytest

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake.readers import expand, limits, open_table
from tests.intake.fuzz.seeds import archive, workbook

TEXT = b"id,nom\n1,a\n"
ROWS = [(2, ["1", "a"])]


@pytest.fixture
def folder(tmp_path):
    """Put files into a folder."""

    def folder(**contents):
        for name, content in contents.items():
            path = tmp_path / name.replace("__", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return tmp_path

    return folder


@pytest.mark.parametrize("name", ["orders.csv", "orders.csv.gz"])
def test_gzip_is_known_by_its_content(read, name):
    assert read(gzip.compress(TEXT), name=name).rows == ROWS


@pytest.mark.parametrize(
    "content",
    [TEXT, gzip.compress(TEXT, mtime=0), json.dumps([{"id": "1", "nom": "a"}]).encode()],
    ids=["text", "gzip", "json"],
)
def test_the_one_table_of_an_archive_is_read(read, content):
    found = read(
        archive({"x/orders.csv": content, "__MACOSX/x/._orders.csv": "x", "x/": "", "x/lisez.pdf": "x"})
    )

    assert found.name == "orders.csv#x/orders.csv"
    assert [cells for _, cells in found.rows] == [["1", "a"]]


def test_several_tables_in_an_archive_are_a_question_and_expand_answers_it(read, tmp_path):
    members = {
        "orders_10.csv": TEXT,
        "orders_2.csv": b"id,nom\n2,b\n",
        "b#c.xlsx": workbook([["id", "nom"], [3, "c"]]),
    }
    with pytest.raises(IntakeError, match=r"holds 3 tables: b#c.xlsx, orders_2.csv, orders_10.csv") as error:
        read(archive(members), name="day.zip")
    assert error.value.remedy == "Name one of them: day.zip#b#c.xlsx"

    path = tmp_path / "day.zip"
    assert expand([path]) == [f"{path}#{name}" for name in ("b#c.xlsx", "orders_2.csv", "orders_10.csv")]
    assert [read(Path(place)).rows[0][1] for place in expand([path])] == [["3", "c"], ["2", "b"], ["1", "a"]]
    assert read(Path(f"{path}#b#c.xlsx#Commandes")).rows == [(2, ["3", "c"])]
    with pytest.raises(IntakeError, match=r"has no orders_3.csv"):
        read(Path(f"{path}#orders_3.csv"))


def zip_with_password():
    packed = bytearray(archive({"orders.csv": TEXT}))
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(magic) + at] |= 1
    return bytes(packed)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (gzip.compress(TEXT, mtime=0)[:-9], "cut off"),
        (gzip.compress(TEXT, mtime=0)[:-8] + bytes(8), "cannot be read"),
        (archive({"orders.csv": TEXT})[:-5], "cannot be read"),
        (b"PK\x03\x04rest", "cannot be read"),
        (zip_with_password(), "locked with a password"),
        (archive({"a.zip": archive({"b.csv": TEXT})}), "an archive within an archive"),
        (archive({}), "holds no table"),
        (archive({"x.pdf": "x"}), "holds no table"),
        (b"Rar!\x1a\x07\x00", "a RAR archive"),
        (gzip.compress(gzip.compress(TEXT)), "binary|no columns|plausible"),
    ],
    ids=range(10),
)
def test_what_cannot_be_unpacked_says_why(read, content, told):
    with pytest.raises(IntakeError, match=told):
        read(content)


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: archive({"orders.csv": content})])
def test_a_bomb_is_refused_while_it_unpacks(read, monkeypatch, pack):
    bomb = pack(TEXT + bytes(50 << 20))
    monkeypatch.setattr(limits, "RATIO_FROM_BYTES", 10 << 20)

    with pytest.raises(IntakeError, match=r"unpacks to more than 1\d MB out of \d+ KB"):
        read(bomb)


def test_a_size_beyond_the_limit_is_refused_whatever_the_ratio(read, monkeypatch):
    monkeypatch.setattr(limits, "MAX_BYTES", 1000)

    with pytest.raises(IntakeError, match="unpacks to more than"):
        read(gzip.compress(os.urandom(2000)))


def test_an_archive_of_too_many_files_is_refused(read):
    with pytest.raises(IntakeError, match="1,001 files"):
        read(archive({f"{at}.csv": "" for at in range(limits.MAX_TABLES + 1)}))


def test_a_folder_stands_for_its_tables_in_natural_order(folder):
    path = folder(
        orders_export_10__csv=TEXT,
        orders_export_2__csv=TEXT,
        orders_export_2__csv__quarantine__csv=TEXT,
        __hidden=TEXT,
        notes__pdf=TEXT,
        **{"~$book.xlsx": TEXT, "deeper/orders.csv": TEXT},
    )

    names = ["orders_export_2.csv", "orders_export_10.csv"]
    assert expand([path]) == [str(path / name) for name in names]
    assert expand([f"{path}/orders_*.csv"]) == [str(path / name) for name in names]
    assert expand([f"{path}/**/orders.csv"]) == [str(path / "deeper/orders.csv")]


def test_a_place_that_is_not_there_stays_and_says_so_when_it_is_opened(tmp_path):
    for place in (
        tmp_path / "no.csv",
        tmp_path / "no*.csv",
        tmp_path / "x.zip#a.csv",
        "memory://none/*.csv",
        tmp_path,
    ):
        assert expand([place]) == [str(place)]
        with pytest.raises(IntakeError) as error:
            open_table(place)
        assert str(tmp_path) not in str(error.value)


def test_names_with_signs_of_globs_and_anchors_are_names_first(tmp_path):
    for name in ("orders [1].csv", "orders#2.csv", "orders*.csv"):
        path = tmp_path / name
        path.write_bytes(TEXT)

        assert expand([path]) == [str(path)]
        assert open_table(path).name == name
    with pytest.raises(IntakeError, match="no parts to choose from"):
        open_table(f"{tmp_path}/orders#2.csv#Feuil1")


@pytest.fixture
def memory():
    system = fsspec.filesystem("memory")
    system.pipe({"/shop/orders_10.csv": TEXT, "/shop/orders_2.csv": TEXT, "/shop/a#b.csv": TEXT})
    system.pipe("/shop/book.xlsx", workbook([["id", "nom"], [1, "a"]]))
    system.pipe("/zips/day.zip", archive({"a_2.csv": TEXT, "a_1.csv": TEXT}))
    yield
    system.store.clear()
    system.pseudo_dirs[:] = [""]


@pytest.mark.usefixtures("memory")
def test_urls_are_read_by_their_file_system():
    names = ["a#b.csv", "book.xlsx", "orders_2.csv", "orders_10.csv"]

    assert [place.rpartition("/")[2] for place in expand(["memory://shop"])] == names
    assert [place.rpartition("/")[2] for place in expand(["memory://shop/orders_*.csv"])] == names[2:]
    assert [place.rpartition("/")[2] for place in expand(["memory://zips"])] == [
        "day.zip#a_1.csv",
        "day.zip#a_2.csv",
    ]
    for place in [*expand(["memory://shop", "memory://zips"]), "memory://shop/book.xlsx#Commandes"]:
        table = open_table(place)
        assert table.name == place.rpartition("/")[2]
        assert [part.to_pylist()[0]["1"] for part in table.slices(10)] == ["a"]
        assert dt.timedelta(0) <= dt.datetime.now(dt.UTC) - table.modified < dt.timedelta(minutes=10)


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("memory://shop/no.csv", "no such file"),
        ("memory://shop", "a folder"),
        ("nowhere://key:secret@x/orders.csv?sig=secret", "by nowhere"),
        ("nowhere://key:secret@host:9", "host:9"),
        ("memory://zips/day.zip", "holds 2 tables"),
    ],
)
def test_a_url_that_cannot_be_had_says_why_without_its_secrets(url, told):
    with pytest.raises(IntakeError, match=told) as error:
        open_table(url)

    assert "secret" not in str(error.value)


@pytest.fixture
def web():
    """A web server with one file; any other address is forbidden."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            found = self.path.startswith("/orders.csv?")
            self.send_response(200 if found else 403)
            self.send_header("Content-Length", str(len(TEXT) if found else 0))
            self.end_headers()
            if found and self.command == "GET":
                self.wfile.write(TEXT)

        def do_HEAD(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_key_in_an_address_is_no_part_of_the_files_name(web):
    table = open_table(f"{web}/orders.csv?X-Amz-Signature=secret")
    assert table.name == "orders.csv"
    assert [part.to_pylist()[0]["1"] for part in table.slices(10)] == ["a"]


def test_what_may_not_be_read_is_said_without_the_address(web, tmp_path):
    here = tmp_path / "orders.csv"
    here.write_bytes(TEXT)
    forbidden = f"{web}/other.csv?X-Amz-Signature=secret"

    assert expand([here, forbidden]) == [str(here), forbidden]
    with pytest.raises(IntakeError, match=r"other\.csv.*cannot be read") as error:
        open_table(forbidden)
    assert "secret" not in str(error.value)
    assert error.value.__suppress_context__


def test_a_file_url_is_a_path(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_bytes(TEXT)

    assert expand([f"file://{path}"]) == [str(path)]
    assert open_table(f"file://{path}").name == "orders.csv"


def test_temporary_copies_are_gone_with_the_table(read, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "copies"))
    (tmp_path / "copies").mkdir()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr("orders.xlsx", workbook([["id", "nom"], [1, "a"]]))

    assert read(packed.getvalue()).rows == ROWS
    assert list((tmp_path / "copies").iterdir()) == []
