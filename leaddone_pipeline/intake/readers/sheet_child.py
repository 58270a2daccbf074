"""A process of its own that reads a workbook, which is held whole: its memory and its crashes stay with it.

Run as `python sheet_child.py FILE MEMORY SECONDS ROWS [SHEET]`, in bytes of address space and seconds of CPU: without
a sheet, one JSON line for each sheet that is not empty, with its first ROWS rows; with one, a line for each of its
rows. Imports of ours only the small script beside it, since it starts for each file.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import resource
import sys
import zipfile
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from float_text import number_text  # type: ignore[import-not-found]  # it stands beside this script

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCKED = 3
_DAMAGED = 4
_OLE = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\x03\x04"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_ERROR = re.compile(
    rb'<c\b(?=[^>]*\br="([A-Z]{1,3})([0-9]{1,7})")(?=[^>]*\bt="e")[^>]*>'
    rb"(?:<f\b[^<]*(?:</f>)?)?<v>([^<]{1,20})</v>"
)
_FORMULA = re.compile(
    rb'<c\b(?=[^>]*\br="([A-Z]{1,3})([0-9]{1,7})")(?![^>]*\bt="str")[^>]*>'
    rb"<f\b(?:[^<>]*/>|[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>"
)
"""A formula that no program has computed; one whose result is empty text says so by its type."""
_NEVER_COMPUTED = "#FORMULA!"
_CHUNK = 4 << 20
_TAIL = 16 << 10


def main() -> int:
    """Do what the arguments say; the exit code tells what stood against it."""
    path, memory, seconds, rows, *sheet = sys.argv[1:]
    _limit(resource.RLIMIT_AS, int(memory))
    _limit(resource.RLIMIT_CPU, int(seconds))
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError  # noqa: PLC0415 - after the limit

    if _is_encrypted(path):
        return _LOCKED
    try:
        book = CalamineWorkbook.from_path(path)
        for line in _rows(book, path, sheet[0]) if sheet else _sheets(book, path, int(rows)):
            sys.stdout.write(json.dumps(line) + "\n")
    except PasswordError:
        return _LOCKED
    except (CalamineError, OSError, ValueError, LookupError, ET.ParseError, zipfile.BadZipFile):
        return _DAMAGED
    return 0


def _limit(what: int, most: int) -> None:
    soft, hard = resource.getrlimit(what)
    least = min(limit for limit in (most, soft, hard) if limit != resource.RLIM_INFINITY)
    resource.setrlimit(what, (least, hard))


def _is_encrypted(path: str) -> bool:
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib costs more to import than this process lives
        return file.read(4) == _OLE and _ENCRYPTED in file.read()


def _sheets(book: Any, path: str, rows: int) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - python-calamine's
    for sheet in book.sheets_metadata:
        if not str(sheet.typ).endswith("WorkSheet"):
            continue
        first = []
        for at, row in enumerate(_rows(book, path, sheet.name)):
            if at >= rows:
                break
            first.append(row)
        if any(map(any, first)):
            yield {"name": sheet.name, "visible": str(sheet.visible).endswith(".Visible"), "rows": first}


def _rows(book: Any, path: str, name: str) -> Iterator[list[str]]:  # noqa: ANN401 - python-calamine's
    """Rows from the sheet's first one on, from its leftmost filled column on."""
    errors = _errors_of(path, name)
    sheet = book.get_sheet_by_name(name)
    left = sheet.start[1] if sheet.start else 0
    for at, row in enumerate(sheet.iter_rows()):
        cells = [_text(cell) for cell in row]
        for column, text in errors.get(at, {}).items():
            if left <= column < left + len(cells):
                cells[column - left] = cells[column - left] or text
        yield cells


def _text(value: Any) -> str:  # noqa: ANN401 - python-calamine's
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float | int):
        return str(number_text(float(value)))
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(int(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(value.isoformat())


def _errors_of(path: str, name: str) -> dict[int, dict[int, str]]:
    """Where an .xlsx sheet shows an error such as #N/A, or no value of a formula: python-calamine leaves it empty."""
    with open(path, "rb") as file:  # noqa: PTH123 - as above
        if file.read(len(_ZIP)) != _ZIP:
            return {}
    found: dict[int, dict[int, str]] = {}
    with zipfile.ZipFile(path) as archive:
        part = _part_of(archive, name)
        if part is None:
            return {}
        with archive.open(part) as stream:
            kept = b""
            while chunk := stream.read(_CHUNK):
                kept += chunk
                if b't="e"' in kept:
                    for column, row, text in _ERROR.findall(kept):
                        found.setdefault(int(row) - 1, {})[_column(column)] = text.decode("utf-8", "replace")
                if b"<f" in kept:
                    for column, row in _FORMULA.findall(kept):
                        found.setdefault(int(row) - 1, {})[_column(column)] = _NEVER_COMPUTED
                kept = kept[-_TAIL:]
    return found


def _part_of(archive: zipfile.ZipFile, name: str) -> str | None:
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= set(archive.namelist()):
        return None
    book = ET.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - expat bounds entities, rlimit the rest
    links = ET.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - as above
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    for sheet in book.iterfind(".//{*}sheet"):
        if sheet.get("name") == name:
            link = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), None)
            target = targets.get(link, "")
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return part if part in archive.namelist() else None
    return None


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


if __name__ == "__main__":
    sys.exit(main())
