"""Delimited text -> tables: parsed by blocks, damaged rows kept in their places and marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake import damage
from leaddone_pipeline.intake.readers import limits
from leaddone_pipeline.intake.readers.dialect import dialect_of
from leaddone_pipeline.intake.readers.encoding import encoding_of
from leaddone_pipeline.intake.readers.ending import ends_within_a_row
from leaddone_pipeline.intake.readers.table import TableFile, checked_header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from leaddone_pipeline.intake.readers.content import Content
    from leaddone_pipeline.intake.readers.encoding import Text

__all__ = ["open_delimited"]

_NOTHING = "Empty CSV file"
"""Source: what pyarrow says of a stream without a row."""


def open_delimited(content: Content, fits: Callable[[Sequence[str]], bool] | None) -> TableFile:
    """Decide on encoding, delimiter and header.

    Raises:
        IntakeError: empty, no table, cut off within a row, or of no known encoding.
    """
    text = encoding_of(content)
    beginning = b""
    with text.stream() as stream:
        while len(beginning) < limits.HEADER_BYTES and (chunk := stream.read()):
            beginning += chunk
    whole = len(beginning) == text.look.size
    decoded = beginning.decode("utf-8", "ignore")
    dialect = dialect_of(decoded, whole=whole, file=content.name, fits=fits)
    header = checked_header(dialect.header, content.name)
    head = decoded[: dialect.ends].encode()
    rows = _Rows(
        text=text,
        width=len(header),
        delimiter=dialect.delimiter,
        begins=len(head),
        header_row=dialect.row,
        look=text.look.below(head),
    )
    if ends_within_a_row(rows.look, rows.width, rows.delimiter):
        raise IntakeError(
            "cut off within its last row, and nobody knows what is missing",
            remedy="Export or copy it again; if nothing is missing, complete the last row",
            file=content.name,
        )
    return TableFile(
        name=content.name,
        header=header,
        modified=content.modified,
        tables=rows.tables,
        notes=[text.note] if text.note else [],
    )


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """The rows below a header, read anew at each call of `tables`."""

    text: Text
    width: int
    delimiter: str
    begins: int
    header_row: int
    look: damage.Look

    def tables(self) -> Iterator[pa.Table]:
        last: pa.Table | None = None
        for table in self._marked():
            if last is not None:
                yield last
            last = table
        if last is not None:
            yield damage.mark_cut_off(last, self.look)

    def _marked(self) -> Iterator[pa.Table]:
        for table in self._placed():
            marked = damage.marked(table, delimiter=self.delimiter, look=self.look)
            if marked.num_rows:
                yield marked

    def _placed(self) -> Iterator[pa.Table]:
        ragged: list[tuple[int, str]] = []

        def collect(row: Any) -> str:  # noqa: ANN401 - pyarrow has no types
            ragged.append((row.number + self.header_row, row.text))
            return "skip"

        following = self.header_row + 1
        try:
            with self.text.stream() as stream, self._reader(stream.skip(self.begins), collect) as reader:
                for batch in reader:
                    table = pa.Table.from_batches([batch])
                    placed = damage.place(table, following, ragged, self.delimiter)
                    following += placed.num_rows
                    yield placed
        except pa.ArrowInvalid as error:
            if _NOTHING not in str(error):
                raise self._breaks_off(following) from None
        except (UnicodeDecodeError, OSError):
            raise self._breaks_off(following) from None
        nothing = pa.table({str(at): pa.array([], pa.string()) for at in range(self.width)})
        yield damage.place(nothing, following, ragged, self.delimiter)

    def _breaks_off(self, row: int) -> IntakeError:
        return IntakeError(
            "breaks off, or holds a row of more than 512 KB: a quote is opened and never closed",
            remedy="Export it again, or find the stray quote at or below this row",
            file=self.text.content.name,
            row=row,
        )

    def _reader(self, stream: Any, collect: Callable[[Any], str]) -> Any:  # noqa: ANN401 - pyarrow has no types
        names = [str(at) for at in range(self.width)]
        return pyarrow.csv.open_csv(
            stream,
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False, block_size=limits.BLOCK_BYTES, column_names=names
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=self.delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=collect,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
