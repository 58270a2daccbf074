"""CSV files -> tables of text in slices, every row with the number that a spreadsheet would show.

Every cell is text; nothing guesses that a phone is a number. A row that is damaged in itself (too many or too
few cells, a quote never closed, a NUL byte) stays in its place and is marked, so that what stands around it
can be judged rightly. A file that is no table at all raises.
"""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv

from leaddone_pipeline.contract import trim
from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake import damage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["TableFile", "open_table"]

_FIRST_DATA_ROW = 2
_BLOCK = 4 << 20
_HEADER_WITHIN = 1 << 20
_NO_TABLE = {
    b"PK\x03\x04": "an Excel, OpenDocument or zip file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"%PDF": "a PDF",
    b"PAR1": "a Parquet file",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}
_AS_CSV = "Save it as CSV (UTF-8)"


@dataclass(frozen=True, slots=True)
class TableFile:
    """An open file: its name without folders, its header, the time of its last change."""

    path: Path
    header: tuple[str, ...]
    delimiter: str
    modified: datetime
    look: damage.Look

    @property
    def only_header(self) -> bool:
        return self.look.line_ends == 0

    @property
    def name(self) -> str:
        return self.path.name

    def slices(self, rows: int) -> Iterator[pa.Table]:
        """Yield the data rows, at most so many at a time; blank rows are no rows.

        Each table has one text column a header cell, named by position, and damage.ROW, DAMAGE, LINE.

        Raises:
            IntakeError: the file breaks off within a row that is too long to be one.
        """
        kept: pa.Table | None = None
        for table in _tables(self):
            kept = table if kept is None else pa.concat_tables([kept, table])
            while kept.num_rows > rows:
                yield kept.slice(0, rows).combine_chunks()
                kept = kept.slice(rows)
        if kept is not None and kept.num_rows:
            yield damage.mark_cut_off(kept.combine_chunks(), self.look)


def open_table(path: str | Path) -> TableFile:
    """Read the header and check that the file is text all through.

    Raises:
        IntakeError: missing, a folder, empty, binary, or not UTF-8.
    """
    path = Path(path)
    try:
        modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        beginning, look = _looked_through(path)
    except FileNotFoundError:
        raise IntakeError(
            "there is no such file", remedy="Check the name and the folder", file=path.name
        ) from None
    except IsADirectoryError:
        raise IntakeError("a folder, not a file", remedy="Name the files in it", file=path.name) from None
    except (OSError, EOFError, pa.ArrowInvalid) as error:
        reason = getattr(error, "strerror", None) or "damaged"
        raise IntakeError(f"cannot be read ({reason})", remedy="Check the file", file=path.name) from None
    header, delimiter = _header(beginning, path.name)
    return TableFile(path=path, header=header, delimiter=delimiter, modified=modified, look=look)


def _open(path: Path) -> Any:  # noqa: ANN401 - pyarrow has no types
    return pa.input_stream(str(path), compression="gzip" if path.suffix == ".gz" else None)


def _looked_through(path: Path) -> tuple[str, damage.Look]:
    """Decode the whole file once, so that a wrong encoding refuses it before any of its rows is used."""
    if path.is_dir():
        raise IsADirectoryError
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    beginning, look = "", damage.Look()
    with _open(path) as stream:
        while chunk := stream.read(_HEADER_WITHIN):
            if not beginning:
                _refuse_no_table(chunk, path.name)
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                line = look.line_ends + 1 + chunk[: error.start].count(b"\n")
                raise IntakeError("not UTF-8 text", remedy=_AS_CSV, file=path.name, row=line) from None
            beginning = beginning or text
            look = look.then(chunk)
    if decoder.getstate()[0]:
        raise IntakeError("breaks off within a letter", remedy="Export or copy it again", file=path.name)
    return beginning, look


def _refuse_no_table(chunk: bytes, file: str) -> None:
    for magic, kind in _NO_TABLE.items():
        if chunk.startswith(magic):
            raise IntakeError(f"no CSV table but {kind}", remedy=_AS_CSV, file=file)
    if b"\x00" in chunk.split(b"\n", 1)[0]:
        raise IntakeError("no table, its first line is binary", remedy=_AS_CSV, file=file)


def _header(beginning: str, file: str) -> tuple[tuple[str, ...], str]:
    """Read the first record with the delimiter that gives it most cells."""
    if not trim(beginning):
        raise IntakeError("empty", remedy="Export it again", file=file)
    found: list[tuple[list[str], str]] = []
    for delimiter in ",;\t":
        try:
            found.append(
                (next(csv.reader(io.StringIO(beginning, newline=""), delimiter=delimiter)), delimiter)
            )
        except (csv.Error, StopIteration):
            continue
    header, delimiter = max(found, key=lambda read: len(read[0]), default=([], ","))
    if len(header) < 2:  # noqa: PLR2004 - one column is no table of ours
        raise IntakeError(
            "no table, its first row has no columns",
            remedy="Export it as CSV: the header in the first row, comma, semicolon or tab between cells",
            file=file,
        )
    return tuple(trim(name) for name in header), delimiter


def _tables(file: TableFile) -> Iterator[pa.Table]:
    width = len(file.header)
    names = [str(at) for at in range(width)]
    ragged: list[tuple[int, str]] = []

    def collect(row: Any) -> str:  # noqa: ANN401 - pyarrow has no types
        ragged.append((row.number, row.text))
        return "skip"

    following = _FIRST_DATA_ROW
    try:
        with _open(file.path) as stream, _reader(stream, file, names, collect) as reader:
            for batch in reader:
                placed = damage.place(pa.Table.from_batches([batch]), following, ragged, file.delimiter)
                following += placed.num_rows
                yield damage.marked(placed, delimiter=file.delimiter, look=file.look)
        nothing = pa.table({name: pa.array([], pa.string()) for name in names})
        yield damage.marked(
            damage.place(nothing, following, ragged, file.delimiter), delimiter=file.delimiter, look=file.look
        )
    except (OSError, EOFError, pa.ArrowInvalid):
        if following == _FIRST_DATA_ROW and file.only_header:
            return
        raise IntakeError(
            "breaks off, or holds a row of more than 4 MB: a quote is opened and never closed",
            remedy="Export it again, or find the stray quote at or below this row",
            file=file.name,
            row=following,
        ) from None


def _reader(stream: Any, file: TableFile, names: list[str], collect: Callable[[Any], str]) -> Any:  # noqa: ANN401
    return pyarrow.csv.open_csv(
        stream,
        read_options=pyarrow.csv.ReadOptions(
            use_threads=False, block_size=_BLOCK, column_names=names, skip_rows_after_names=1
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=file.delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=collect,
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )
