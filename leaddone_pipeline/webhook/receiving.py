"""An answer's body, received and unfolded within its limits (delivery.md, rule 31)."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

__all__ = ["MAX_ANSWER_BYTES", "UnreadableAnswer", "receive"]

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""An answer beyond this is cut off; a compressed one also where it unfolds to more."""

_PLAIN = frozenset({"", "identity"})
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class UnreadableAnswer(Exception):
    """The body cannot be read to its end; the text is a word for why, and nothing of the body."""


def receive(response: httpx.Response) -> bytes:
    """Receive a body to its end. Never more than the limit is kept in memory, whatever it would unfold to.

    Raises:
        UnreadableAnswer: too large, damaged, cut off, or in an encoding that was not asked for.
        httpx.RequestError: the connection broke or took too long.
    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    # Only what was asked for: stacked or foreign encodings could unfold a few bytes without bound.
    if encoding not in _PLAIN and encoding != "gzip":
        raise UnreadableAnswer("UnknownEncoding")
    if response.is_stream_consumed:  # a transport without a network hands its answers over whole
        return response.content
    unfolding = zlib.decompressobj(_GZIP_WINDOW) if encoding == "gzip" else None
    content = bytearray()
    received = 0
    for chunk in response.iter_raw():
        received += len(chunk)
        if unfolding is None:
            content += chunk
        elif not unfolding.eof:  # what follows the end of the archive is no part of it
            content += _unfold(unfolding, chunk, room=MAX_ANSWER_BYTES + 1 - len(content))
        if max(received, len(content)) > MAX_ANSWER_BYTES:
            raise UnreadableAnswer("AnswerTooLarge")
    if unfolding is not None and received and not unfolding.eof:
        raise UnreadableAnswer("DecodingError")
    return bytes(content)


def _unfold(unfolding: zlib._Decompress, chunk: bytes, *, room: int) -> bytes:
    try:
        return unfolding.decompress(chunk, room)
    except zlib.error:
        raise UnreadableAnswer("DecodingError") from None
