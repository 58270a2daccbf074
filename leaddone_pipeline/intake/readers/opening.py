"""Opening a table: what its bytes are decides who reads it, never its name."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake.readers.content import BROKEN, GZIP, ZIP, cannot_be_read, unzipped
from leaddone_pipeline.intake.readers.delimited import open_delimited
from leaddone_pipeline.intake.readers.encoding import wide_encoding
from leaddone_pipeline.intake.readers.places import fetched, tables_of_archive

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from leaddone_pipeline.intake.readers.content import Content
    from leaddone_pipeline.intake.readers.table import TableFile

__all__ = ["open_table"]

OLE = b"\xd0\xcf\x11\xe0"
_OTHERS = {
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"BZh": "a bzip2 file",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"SQLite format 3": "a database",
}
_MARKUP = (b"<!doctype", b"<html", b"<table", b"<?xml", b"<meta", b"<style")
_SNIFFED = 4096
_AS_TABLE = "Save it as CSV (UTF-8) or as an Excel workbook (.xlsx)"


def open_table(place: str | Path, *, fits: Callable[[Sequence[str]], bool] | None = None) -> TableFile:
    """Find a place's table and its header, and look the file through once before any row is used.

    Args:
        place: a path or an fsspec URL. `#` names what is inside: `orders.xlsx#Sheet1`, `export.zip#orders.csv`.
        fits: whether a row is the header of a known source; it decides between rows and between sheets.

    Raises:
        IntakeError: missing, a folder, empty, damaged, locked, too large, no table, or several to choose from.
    """
    content, inside = fetched(place)
    return _opened(_unpacked(content), inside, fits)


def _unpacked(content: Content) -> Content:
    return content.gunzipped() if content.head(len(GZIP)) == GZIP else content


def _opened(
    content: Content, inside: str, fits: Callable[[Sequence[str]], bool] | None, *, packed: bool = False
) -> TableFile:
    head = content.head(_SNIFFED)
    _refuse_others(head, content.name)
    if head.startswith(OLE) or (head.startswith(ZIP) and _is_workbook(content)):
        from leaddone_pipeline.intake.readers.workbook import open_workbook  # noqa: PLC0415 - seldom needed

        return open_workbook(content, inside, fits)
    if head.startswith((ZIP, b"PK\x05\x06")):
        if packed:
            raise IntakeError("an archive within an archive", remedy="Unpack it yourself", file=content.name)
        member, further = _member(content, inside)
        return _opened(_unpacked(unzipped(content, member)), further, fits, packed=True)
    if inside:
        raise IntakeError(
            f"has no parts to choose from, such as {inside}",
            remedy="Name the file without # and what follows it",
            file=content.name,
        )
    if head.startswith(b"PAR1"):
        from leaddone_pipeline.intake.readers.parquet import open_parquet  # noqa: PLC0415 - seldom needed

        return open_parquet(content)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"{", b"["}:
        from leaddone_pipeline.intake.readers.records import open_records  # noqa: PLC0415 - seldom needed

        return open_records(content)
    return open_delimited(content, fits)


def _refuse_others(head: bytes, file: str) -> None:
    for magic, kind in _OTHERS.items():
        if head.startswith(magic):
            raise IntakeError(f"not a table but {kind}", remedy=_AS_TABLE, file=file)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:12].lower().startswith(_MARKUP):
        raise IntakeError(
            "a web page or XML, whatever its name says", remedy=f"Open it in Excel. {_AS_TABLE}", file=file
        )
    first = head.split(b"\n", 1)[0]
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff")) or wide_encoding(head)
    if b"\x00" in first and not wide and not head.startswith((OLE, b"PK", b"PAR1")):
        raise IntakeError("not a table: its first line is binary", remedy=_AS_TABLE, file=file)


def _is_workbook(content: Content) -> bool:
    try:
        with zipfile.ZipFile(content.plain) as archive:
            names = archive.namelist()
            if "mimetype" in names and "content.xml" in names:
                return True
    except BROKEN as error:
        raise cannot_be_read(error, content.name) from None
    if "[Content_Types].xml" not in names:
        return False
    if not any(name.startswith("xl/") for name in names):
        raise IntakeError("not a workbook but a letter or slides", remedy=_AS_TABLE, file=content.name)
    return True


def _member(content: Content, inside: str) -> tuple[str, str]:
    """Which table of an archive is meant, and what is meant within it."""
    members = tables_of_archive(content)
    for member in sorted(members, key=len, reverse=True):
        if inside == member or inside.startswith(f"{member}#"):
            return member, inside[len(member) + 1 :]
    if len(members) == 1 and (not inside or "." not in inside):
        return members[0], inside
    if not members:
        raise IntakeError("holds no table", remedy="Look what is in it", file=content.name)
    shown = ", ".join(members[:10]) + (f" and {len(members) - 10} more" if len(members) > 10 else "")  # noqa: PLR2004
    raise IntakeError(
        f"has no {inside}, but {shown}" if inside else f"holds {len(members)} tables: {shown}",
        remedy=f"Name one of them: {content.name}#{members[0]}",
        file=content.name,
    )
