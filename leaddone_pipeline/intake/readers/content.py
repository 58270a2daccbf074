"""The bytes of a place, as a stream that can be read again from its beginning, whatever they are packed in."""

from __future__ import annotations

import gzip
import lzma
import os
import struct
import tempfile
import weakref
import zipfile
import zlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake.readers import limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["BROKEN", "GZIP", "ZIP", "Content", "Stream", "cannot_be_read", "local", "remove", "unzipped"]

BROKEN = (
    *(OSError, EOFError, ValueError, NotImplementedError, RuntimeError),
    *(zlib.error, lzma.LZMAError, zipfile.BadZipFile, struct.error),
)
"""What damaged bytes make the readers of the standard library raise."""

GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"
_CHUNK = 1 << 20


class Stream:
    """Bytes read once, counted: what is packed may not unpack without end."""

    def __init__(self, opened: Any, *, file: str, packed: int | None) -> None:  # noqa: ANN401 - any reader
        self._opened = opened
        self._file = file
        self._packed = packed
        self._size = 0

    def read(self, size: int) -> bytes:
        """Read so many bytes, fewer only at the end.

        Raises:
            IntakeError: damaged, or more than a limit allows.
        """
        try:
            chunk: bytes = self._opened.read(size)
        except BROKEN as error:
            raise cannot_be_read(error, self._file) from None
        self._size += len(chunk)
        if self._packed is not None and (
            self._size > limits.MAX_BYTES
            or self._size > max(limits.RATIO_FROM_BYTES, self._packed * limits.MAX_RATIO)
        ):
            raise IntakeError(
                f"unpacks to more than {self._size >> 20:,} MB out of {self._packed >> 10:,} KB",
                remedy="Unpack it yourself, and look whether it is what it should be",
                file=self._file,
            )
        return chunk

    def chunks(self) -> Iterator[bytes]:
        """Read to the end."""
        while chunk := self.read(_CHUNK):
            yield chunk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()


@dataclass(frozen=True)
class Content:
    """The bytes of one table.

    Attributes:
        name: for people, without folders.
        modified: time of the last change.
        file: the file that is opened.
        packed: size of what is unpacked; None where the bytes stand in the file as they are.
    """

    name: str
    modified: datetime
    file: Path
    packed: int | None = None
    _opener: Callable[[], Any] | None = field(default=None, repr=False)

    def open(self) -> Stream:
        """Open from the beginning.

        Raises:
            IntakeError: missing, a folder, or not to be opened.
        """
        try:
            opened = self._opener() if self._opener is not None else self.file.open("rb")
        except BROKEN as error:
            raise cannot_be_read(error, self.name) from None
        return Stream(opened, file=self.name, packed=self.packed)

    def head(self, size: int) -> bytes:
        """The first bytes."""
        with self.open() as stream:
            return stream.read(size)

    @cached_property
    def plain(self) -> Path:
        """The bytes as a file, for readers that jump about; what was packed lies in a temporary one.

        Raises:
            IntakeError: damaged, or too large.
        """
        if self.packed is None:
            return self.file
        number, name = tempfile.mkstemp(prefix="leaddone-")
        weakref.finalize(self, remove, name)
        with os.fdopen(number, "wb") as out, self.open() as stream:
            for chunk in stream.chunks():
                out.write(chunk)
        return Path(name)

    def gunzipped(self) -> Content:
        """What a gzip file holds."""
        size = self.file.stat().st_size if self.packed is None else self.packed

        def opener() -> Any:  # noqa: ANN401 - any reader
            under = self._opener() if self._opener is not None else self.file.open("rb")
            return _Closing(gzip.GzipFile(fileobj=under), under)

        return replace(self, packed=max(size, 1), _opener=opener)


def local(path: Path) -> Content:
    """A file of this machine.

    Raises:
        IntakeError: missing, a folder, or not to be opened.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError
        return Content(path.name, datetime.fromtimestamp(path.stat().st_mtime, UTC), path)
    except BROKEN as error:
        raise cannot_be_read(error, path.name) from None


def unzipped(content: Content, member: str) -> Content:
    """One table of an archive; the archive's name and its own are parted by `#`."""
    try:
        with zipfile.ZipFile(content.plain) as archive:
            entry = archive.getinfo(member)
    except BROKEN as error:
        raise cannot_be_read(error, content.name) from None
    name = f"{content.name}#{member}"
    if entry.flag_bits & 1:
        raise IntakeError("locked with a password", remedy="Unpack it, and name what was in it", file=name)

    def opener() -> Any:  # noqa: ANN401 - any reader
        archive = zipfile.ZipFile(content.plain)
        try:
            return _Closing(archive.open(member), archive)
        except BROKEN:
            archive.close()
            raise

    return replace(content, name=name, packed=max(entry.compress_size, 1), _opener=opener)


def cannot_be_read(error: BaseException, file: str) -> IntakeError:
    """Say in one sentence why bytes could not be had."""
    if isinstance(error, FileNotFoundError):
        return IntakeError("there is no such file", remedy="Check the name and the folder", file=file)
    if isinstance(error, IsADirectoryError):
        return IntakeError("a folder, not a file", remedy="Name the files in it", file=file)
    if isinstance(error, EOFError):
        return IntakeError(
            "cut off, and nobody knows what is missing", remedy="Export or copy it again", file=file
        )
    reason = (error.strerror if isinstance(error, OSError) else None) or "damaged"
    return IntakeError(f"cannot be read ({reason})", remedy="Check the file", file=file)


class _Closing:
    """A reader that closes what it reads from."""

    def __init__(self, reader: Any, under: Any) -> None:  # noqa: ANN401 - any reader
        self._reader = reader
        self._under = under
        self.read = reader.read

    def close(self) -> None:
        self._reader.close()
        self._under.close()


def remove(name: str) -> None:
    """Delete a temporary file of ours."""
    Path(name).unlink(missing_ok=True)
