"""Excel and OpenDocument workbooks -> tables: which sheet, which row is the header, every cell as text."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leaddone_pipeline.contract import trim
from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake.readers import limits
from leaddone_pipeline.intake.readers.content import ZIP
from leaddone_pipeline.intake.readers.surroundings import find_header, is_units
from leaddone_pipeline.intake.readers.table import TableFile, checked_header, of_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    from leaddone_pipeline.intake.readers.content import Content
    from leaddone_pipeline.intake.reasons import Code

__all__ = ["open_workbook"]

_CHILD = Path(__file__).with_name("sheet_child.py")
_LOCKED = 3
_BATCH = 5_000


def open_workbook(content: Content, sheet: str, fits: Callable[[Sequence[str]], bool] | None) -> TableFile:
    """Choose the sheet and find its header.

    Raises:
        IntakeError: locked, damaged, too large, empty, or several sheets and none named.
    """
    _refuse_too_large(content)
    chosen = _chosen(list(_child(content)), sheet, fits, content.name)
    rows = chosen["rows"]
    at = find_header(rows, fits)
    if at is None:
        raise IntakeError("empty", remedy="Export it again", file=content.name)
    width = max(len(row) for row in rows)
    header = checked_header(rows[at] + [""] * (width - len(rows[at])), content.name)
    begins = at + 2 if at + 1 < len(rows) and is_units(rows[at + 1]) else at + 1
    named = replace(content, name=f"{content.name}#{chosen['name']}") if sheet else content
    return TableFile(
        name=named.name,
        header=header,
        modified=content.modified,
        tables=_Rows(content, chosen["name"], begins, len(header)).read,
    )


@dataclass(frozen=True)
class _Rows:
    content: Content
    sheet: str
    begins: int
    width: int

    def read(self) -> Iterator[pa.Table]:
        return of_rows(self._cells(), self.width, _BATCH)

    def _cells(self) -> Iterator[tuple[int, list[str], Code | None]]:
        for at, cells in enumerate(_child(self.content, self.sheet)):
            if at >= self.begins:
                yield at + 1, cells, None


def _child(content: Content, *sheet: str) -> Iterator[Any]:
    """Read in a process of its own: what a hostile workbook may do to memory, it does there.

    Raises:
        IntakeError: locked, damaged, or more than the process may hold.
    """
    bounds = (_memory(content), limits.CHILD_SECONDS, limits.HEADER_ROWS)
    command = [sys.executable, str(_CHILD), str(content.plain), *map(str, bounds), *sheet]
    with subprocess.Popen(  # noqa: S603 - our own script, the paths are its arguments
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdout is not None  # noqa: S101 - asked for above
        try:
            for line in child.stdout:
                if line.endswith(b"\n"):
                    yield json.loads(line)
        except GeneratorExit:
            child.kill()
            raise
        code = child.wait()
    if code == _LOCKED:
        raise IntakeError(
            "locked with a password", remedy="Open it, save it without its password", file=content.name
        )
    if code:
        raise IntakeError(
            "a damaged workbook, or one too large to be held",
            remedy="Open it in Excel, and save the sheet with the orders as CSV UTF-8",
            file=content.name,
        )


def _memory(content: Content) -> int:
    """What the process may hold: less for an .xls, which is about as large in memory as it is on disk."""
    if content.head(len(ZIP)) == ZIP:
        return limits.CHILD_BYTES
    return min(limits.CHILD_BYTES, limits.OLD_BYTES + limits.OLD_RATIO * content.plain.stat().st_size)


def _refuse_too_large(content: Content) -> None:
    path = content.plain
    size = path.stat().st_size
    # Not zipfile.is_zipfile, which looks at the end: an .xls may end with what it holds of another program.
    if content.head(len(ZIP)) == ZIP:
        with zipfile.ZipFile(path) as parts:
            size = sum(part.file_size for part in parts.infolist())
    if size > limits.WORKBOOK_BYTES:
        raise IntakeError(
            f"a workbook of {size >> 20:,} MB unpacked",
            remedy="Save the sheet with the orders as CSV UTF-8, which is read in slices",
            file=content.name,
        )


def _chosen(
    sheets: list[dict[str, Any]], wanted: str, fits: Callable[[Sequence[str]], bool] | None, file: str
) -> dict[str, Any]:
    """The sheet that is named, the only one, or the only one with a known source's header."""
    if not sheets:
        raise IntakeError("empty", remedy="Export it again", file=file)
    names = ", ".join(sheet["name"] for sheet in sheets)
    if wanted:
        named = [sheet for sheet in sheets if sheet["name"].casefold() == wanted.casefold()]
        if not named:
            raise IntakeError(
                f"has no sheet {wanted} with anything on it, but {names}",
                remedy="Name one of them",
                file=file,
            )
        return named[0]
    seen = [sheet for sheet in sheets if sheet["visible"]] or sheets
    known = [
        sheet for sheet in seen if fits is not None and any(fits(_trimmed(row)) for row in sheet["rows"])
    ]
    for candidates in (seen, known):
        if len(candidates) == 1:
            return candidates[0]
    raise IntakeError(
        f"has several sheets, and it is unclear which of them holds the orders: {names}",
        remedy=f"Name it, as in {file}#{(known or seen)[0]['name']}",
        file=file,
    )


def _trimmed(row: list[str]) -> list[str]:
    return [trim(cell) for cell in row]
