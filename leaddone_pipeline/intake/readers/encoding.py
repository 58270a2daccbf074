"""Which letters a file's bytes are: UTF-8, UTF-16, or one of the two code pages that Moroccan Excel writes."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake.damage import Look

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leaddone_pipeline.intake.readers.content import Content, Stream

__all__ = ["Text", "encoding_of", "wide_encoding"]

AS_UTF8 = "Save it as CSV UTF-8"

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_SIGNS = frozenset(
    b"\x80\x85\x91\x92\x93\x94\x95\x96\x97\xa0\xa7\xa8\xa9\xab\xad\xae\xb0"
    b"\xb1\xb2\xb3\xb4\xb5\xb7\xba\xbb\xbc\xbd\xbe"
)
"""Euro, quotes, dashes, NBSP, degree and the like: the same in both code pages, or harmless in either."""
_FRENCH = frozenset("àâçèéêëîïôùûüÿœæÀÂÇÈÉÊËÎÏÔÙÛÜŒŸÆñÑáíóúäößÖÄ\u00d7".encode("cp1252"))
_BOTH = frozenset("àâçèéêëîïôùûüœ\u00d7".encode("cp1252"))
"""French letters that stand at the same byte in both code pages."""
_ARABIC = frozenset("ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژگک،؛؟ـًٌٍَُِّْ".encode("cp1256"))
_HIGH = frozenset(
    [0x00, 0x01, 0x06, 0x20, 0x21, 0x22, 0x25, 0x26, 0x27, *range(0xD8, 0xE0), 0xFB, 0xFC, 0xFD, 0xFE]
)
"""High bytes of Latin, Arabic, punctuation, signs and surrogates."""
_CLEAR = 20
_CHUNK = 1 << 20
_MIXED = "begins as text of one encoding and goes on as something else"


@dataclass(frozen=True)
class Text:
    """A file as text; `stream` gives it as UTF-8 from its beginning, the byte order mark left off."""

    content: Content
    encoding: str
    mark: int = 0
    look: Look = field(default_factory=Look)

    def stream(self) -> Utf8Stream:
        return Utf8Stream(self)

    @property
    def note(self) -> str | None:
        """What a person should know of the choice."""
        if self.encoding in {"cp1252", "cp1256"}:
            script = "French" if self.encoding == "cp1252" else "Arabic"
            return f"{self.content.name}: not UTF-8, read as {script} Windows text ({self.encoding})"
        return None


class Utf8Stream:
    """The text of a file as UTF-8 bytes, checked on the way."""

    def __init__(self, text: Text) -> None:
        self._file = text.content.name
        self._encoding = text.encoding
        self._stream: Stream = text.content.open()
        self._decoder = codecs.getincrementaldecoder(text.encoding)()
        # A text that was looked through once need not be decoded again only to be encoded as it was.
        self._as_it_stands = text.encoding == "utf-8" and text.look.size > 0
        self._kept = b""
        self._ended = False
        self.closed = False
        self._stream.read(text.mark)

    def read(self, size: int = _CHUNK) -> bytes:
        """Read at most so many bytes (more than one), none only at the end.

        No part ends between a carriage return and its line feed: pyarrow drops a line feed that begins a block,
        even within quotes, if the block before ends in a carriage return (measured with 26.0).

        Raises:
            UnicodeDecodeError: the bytes are none of the encoding's.
            IntakeError: damaged, too large, or broken off within a letter.
        """
        while not self._ended and len(self._kept) <= size:
            self._kept += self._decoded(self._stream.read(_CHUNK))
        cut = size - 1 if self._kept[size - 1 : size + 1] == b"\r\n" else size
        given, self._kept = self._kept[:cut], self._kept[cut:]
        return given

    def _decoded(self, chunk: bytes) -> bytes:
        if self._as_it_stands:
            self._ended = not chunk
            return chunk
        text = self._decoder.decode(chunk, final=False)
        self._ended = not chunk
        if self._ended and self._decoder.getstate()[0]:
            raise IntakeError("breaks off within a letter", remedy="Export or copy it again", file=self._file)
        return text.encode()

    def skip(self, size: int) -> Utf8Stream:
        """Leave out the first bytes."""
        while not self._ended and len(self._kept) < size:
            self._kept += self._decoded(self._stream.read(_CHUNK))
        self._kept = self._kept[size:]
        return self

    def chunks(self) -> Iterator[bytes]:
        while chunk := self.read():
            yield chunk

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self._stream.__exit__()
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def encoding_of(content: Content) -> Text:
    """Decide on the encoding by the whole file, so that a wrong one refuses it before any row is used.

    Raises:
        IntakeError: it cannot be decided, or the file is no text of one encoding.
    """
    beginning = content.head(1 << 16)
    for mark, encoding in _MARKS.items():
        if beginning.startswith(mark):
            return _looked_through(Text(content, encoding, len(mark)))
    wide = wide_encoding(beginning)
    if wide is not None:
        return _looked_through(Text(content, wide))
    try:
        return _looked_through(Text(content, "utf-8"))
    except IntakeError as error:
        if error.problem != _MIXED:
            raise
    return _looked_through(Text(content, _code_page(content)))


def _looked_through(text: Text) -> Text:
    look = Look()
    with text.stream() as stream:
        try:
            for chunk in stream.chunks():
                look = look.then(chunk)
        except UnicodeDecodeError:
            raise IntakeError(_MIXED, remedy=AS_UTF8, file=text.content.name) from None
    return replace(text, look=look)


def wide_encoding(beginning: bytes) -> str | None:
    """Tell UTF-16 without its mark: its high bytes are zero for ASCII, and of a few values for other letters."""
    pairs = len(beginning) // 2
    low, high = beginning[: 2 * pairs : 2], beginning[1 : 2 * pairs : 2]
    for bytes_, encoding in ((high, "utf-16-le"), (low, "utf-16-be")):
        zeros = bytes_.count(0)
        others = sum(byte in _HIGH for byte in bytes_) if zeros * 20 > pairs else 0
        if pairs and others * 20 > pairs * 19:
            return encoding
    return None


@dataclass(slots=True)
class _Evidence:
    """Words with letters beyond ASCII, by the code page that makes them plausible."""

    french: int = 0
    arabic: int = 0
    neither: int = 0

    def add(self, word: bytes) -> None:
        letters = [byte for byte in word if byte >= 0x80 and byte not in _SIGNS]  # noqa: PLR2004 - ASCII ends there
        if all(letter in _BOTH for letter in letters):
            return
        latin = any(byte < 0x80 for byte in word)  # noqa: PLR2004 - ASCII ends there
        if all(letter in _ARABIC for letter in letters) and not latin:
            # A lone letter says nothing: the Arabic word for "and" is a French ligature.
            self.arabic += len(letters) > 1
        elif all(letter in _FRENCH for letter in letters) and latin:
            self.french += 1
        else:
            self.neither += 1


def _code_page(content: Content) -> str:
    """Decide between cp1252 and cp1256 by which of them makes words of the bytes."""
    found = _Evidence()
    with content.open() as stream:
        for chunk in stream.chunks():
            for word in _WORD.findall(chunk):
                found.add(word)
    if found.arabic > _CLEAR * (found.french + found.neither):
        return "cp1256"
    if found.french >= _CLEAR * (found.arabic + found.neither) and not found.arabic:
        return "cp1252"
    raise IntakeError(
        "not UTF-8, and its letters are plausible neither as French nor as Arabic Windows text",
        remedy=AS_UTF8,
        file=content.name,
    )
