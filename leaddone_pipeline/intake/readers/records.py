"""JSON and JSON lines -> tables: one row an item of a record, nested objects under dotted names."""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake.readers import limits
from leaddone_pipeline.intake.readers.float_text import unambiguous
from leaddone_pipeline.intake.readers.table import TableFile, checked_header, of_rows
from leaddone_pipeline.intake.reasons import Code

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from leaddone_pipeline.intake.readers.content import Content

__all__ = ["as_json", "open_records"]

_ITEMS = ("line_items", "variants")
_LISTS = ("data", "orders")
_BATCH = 5_000
_SPACE = re.compile(r"[ \t\r\n]*")
_KEY = re.compile(r'[ \t\r\n]*"((?:[^"\\]|\\.)*)"[ \t\r\n]*:[ \t\r\n]*')
_DEPTH = 50


def open_records(content: Content) -> TableFile:
    """Read all records once: which columns they have, and whether the file is whole.

    Raises:
        IntakeError: not JSON, no records, or too many columns.
    """
    records = _Records(content)
    columns: dict[str, None] = {}
    for _, record in records.read():
        for row in _rows(record or {}):
            columns.update(dict.fromkeys(row))
        if len(columns) > limits.MAX_COLUMNS:
            break
    if not columns:
        raise IntakeError("holds no record", remedy="Export it again", file=content.name)
    header = checked_header(list(columns), content.name)
    return TableFile(
        name=content.name,
        header=header,
        modified=content.modified,
        tables=_Tables(records, tuple(columns)).read,
    )


@dataclass(frozen=True)
class _Tables:
    records: _Records
    columns: tuple[str, ...]

    def read(self) -> Iterator[pa.Table]:
        return of_rows(self._cells(), len(self.columns), _BATCH)

    def _cells(self) -> Iterator[tuple[int, list[str], Code | None]]:
        for number, record in self.records.read():
            if record is None:
                yield number, [], Code.BROKEN_RECORD
                continue
            for row in _rows(record):
                yield number, [row.get(column, "") for column in self.columns], None


class _Buffer:
    """The text of a file from a moving position on, so much of it as a record needs."""

    def __init__(self, content: Content) -> None:
        self._stream = content.open()
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._file = content.name
        self.text = ""
        self.at = 0
        self.ended = False

    def more(self) -> bool:
        """Read on; say whether there was anything."""
        if self.ended:
            return False
        chunk = self._stream.read(max(1 << 20, len(self.text) - self.at))
        try:
            self.text = self.text[self.at :] + self._decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError:
            raise IntakeError(
                "JSON that is not UTF-8 text", remedy="Export it again", file=self._file
            ) from None
        self.at = 0
        self.ended = not chunk
        return True

    def peek(self) -> str:
        """The next sign that is no space, empty at the end."""
        while True:
            found = _SPACE.match(self.text, self.at)
            self.at = found.end() if found else self.at
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more():
                return ""

    def line(self) -> str:
        """The rest of the line."""
        while (end := self.text.find("\n", self.at)) < 0 and len(
            self.text
        ) - self.at < limits.MAX_RECORD_BYTES:
            if not self.more():
                break
        end = len(self.text) if end < 0 else end
        line, self.at = self.text[self.at : end], min(end + 1, len(self.text))
        return line

    @property
    def after_line_end(self) -> bool:
        """Whether the last line that was read ended with a line end."""
        return self.text[: self.at].endswith("\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.__exit__()


@dataclass(frozen=True)
class _Records:
    """The records of a file, numbered from 1; None for a line that holds none."""

    content: Content

    def read(self) -> Iterator[tuple[int, dict[str, Any] | None]]:
        with _Buffer(self.content) as buffer:
            begins = buffer.peek()
            if begins == "[":
                buffer.at += 1
                yield from self._list(buffer)
            elif _is_lines(buffer):
                yield from self._lines(buffer)
            else:
                yield from self._answer(buffer)

    def _list(self, buffer: _Buffer) -> Iterator[tuple[int, dict[str, Any]]]:
        number = 0
        if buffer.peek() == "]":
            buffer.at += 1
            return
        while True:
            number += 1
            buffer.peek()
            record = self._value(buffer, number)
            if not isinstance(record, dict):
                raise self._no_json(number)
            yield number, record
            follows = buffer.peek()
            buffer.at += 1
            if follows == "]":
                return
            if follows != ",":
                raise self._no_json(number + 1)

    def _lines(self, buffer: _Buffer) -> Iterator[tuple[int, dict[str, Any] | None]]:
        number = 0
        while buffer.at < len(buffer.text) or buffer.more():
            line = buffer.line()
            number += 1
            if not line.strip():
                continue
            try:
                record = _DECODER.decode(line.strip())
            except (ValueError, RecursionError):
                record = None
            if record is None and not buffer.after_line_end and not buffer.more():
                raise self._no_json(number)
            yield number, record if isinstance(record, dict) else None

    def _answer(self, buffer: _Buffer) -> Iterator[tuple[int, dict[str, Any]]]:
        """Take the list at `data` or `orders` of an object, wherever it stands; without one, the object itself."""
        alone: dict[str, Any] = {}
        found = False
        buffer.at += 1
        follows = buffer.peek()
        while follows != "}":
            key = self._key(buffer)
            if key in _LISTS and buffer.peek() == "[" and not found:
                buffer.at += 1
                found = True
                yield from self._list(buffer)
            else:
                alone[key] = self._value(buffer, 1)
            follows = buffer.peek()
            if follows == ",":
                buffer.at += 1
            elif follows != "}":
                raise self._no_json(1)
        buffer.at += 1
        if buffer.peek():
            raise self._no_json(1)
        if not found:
            yield 1, alone

    def _key(self, buffer: _Buffer) -> str:
        while (found := _KEY.match(buffer.text, buffer.at)) is None or found.end() == len(buffer.text):
            if len(buffer.text) - buffer.at > limits.MAX_CELL or not buffer.more():
                raise self._no_json(1)
        buffer.at = found.end()
        return found.group(1)

    def _value(self, buffer: _Buffer, number: int) -> Any:  # noqa: ANN401 - JSON
        while True:
            try:
                value, ends = _DECODER.raw_decode(buffer.text, buffer.at)
            except (ValueError, RecursionError) as error:
                too_long = len(buffer.text) - buffer.at > limits.MAX_RECORD_BYTES
                if isinstance(error, RecursionError) or too_long or not buffer.more():
                    raise self._no_json(number) from None
                continue
            # A number that ends where the text ends may go on.
            if ends == len(buffer.text) and buffer.more():
                continue
            buffer.at = ends
            return value

    def _no_json(self, number: int) -> IntakeError:
        return IntakeError(
            "no JSON from this record on: it breaks off, or holds something else",
            remedy="Export it again",
            file=self.content.name,
            row=number,
        )


_DECODER = json.JSONDecoder(parse_float=unambiguous, parse_int=str, parse_constant=str)


def _is_lines(buffer: _Buffer) -> bool:
    """Whether a second record begins on a line of its own after a first that ends where its line ends."""
    while "\n" not in buffer.text[buffer.at :] and len(buffer.text) - buffer.at < limits.MAX_RECORD_BYTES:
        if not buffer.more():
            return False
    first, _, rest = buffer.text[buffer.at :].partition("\n")
    try:
        _DECODER.decode(first.strip())
    except (ValueError, RecursionError):
        return rest.lstrip()[:1] == "{" and first.lstrip()[:1] == "{" and first.strip() != "{"
    return True


def _rows(record: dict[str, Any]) -> list[dict[str, str]]:
    own: dict[str, str] = {}
    items: list[tuple[str, dict[str, Any]]] = []
    for key, value in record.items():
        if key in _ITEMS and isinstance(value, list) and all(isinstance(item, dict) for item in value):
            items += [(key, item) for item in value]
        else:
            _flatten(key, value, own, 0)
    if not items:
        return [own]
    rows: list[dict[str, str]] = []
    for key, item in items:
        row = dict(own)
        _flatten(key, item, row, 0)
        rows.append(row)
    return rows


def _flatten(name: str, value: Any, into: dict[str, str], depth: int) -> None:  # noqa: ANN401 - JSON
    if isinstance(value, dict) and depth < _DEPTH:
        for key, inner in value.items():
            _flatten(f"{name}.{key}", inner, into, depth + 1)
    elif isinstance(value, list) and not any(isinstance(inner, dict | list) for inner in value):
        into[name] = ", ".join(_scalar(inner) for inner in value)
    elif isinstance(value, dict | list):
        into[name] = as_json(value)
    else:
        into[name] = _scalar(value)


def _scalar(value: Any) -> str:  # noqa: ANN401 - JSON
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def as_json(value: Any) -> str:  # noqa: ANN401 - JSON
    """Write what has no shape of its own here as JSON text, cut where it is too long to be a cell."""
    return json.dumps(value, ensure_ascii=False, default=str)[: limits.MAX_CELL]
