"""What an attempt does on its connection: whether its body left, whether it was answered, when it must end."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Wire"]

_PIECE_BYTES = 64 * 1024


class Wire:
    """One connection, as one attempt after the other uses it. httpx calls it as the `trace` of each request.

    The time limits of httpx are for each single wait, so that a server that gives a byte now and then is never
    done with, and one that sends interim answers without end neither. Here every read and write is bounded by
    what is left of the attempt's own time as well.

    Source: the documentation of httpx (extensions: trace) and of httpcore (trace events, `NetworkStream`).
    """

    def __init__(self) -> None:
        self.begin(math.inf)

    def begin(self, seconds: float) -> None:
        """A new attempt, to end within these seconds."""
        self._ends_at = time.monotonic() + seconds
        self._seen = self._body_began = self._heard = False

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        self._seen = True
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._bound(info["return_value"])
        elif event == "http11.send_request_body.started":
            # What asks a proxy for a tunnel is a request too, and has no body.
            self._body_began = self._body_began or info["request"].method != b"CONNECT"

    @property
    def kept_the_body(self) -> bool:
        """Surely no byte of the body left; False where the transport tells nothing."""
        return self._seen and not self._body_began

    @property
    def was_silent(self) -> bool:
        """No byte has come since the attempt began: what looks like its answer was sent before."""
        return self._seen and not self._heard

    def _bound(self, stream: Any) -> None:  # noqa: ANN401 - httpcore's NetworkStream, which httpx does not export
        read, write = stream.read, stream.write

        def bounded_read(max_bytes: int, timeout: float | None = None) -> bytes:
            data: bytes = read(max_bytes, timeout=self._left(timeout, httpx.ReadTimeout))
            self._heard = self._heard or bool(data)
            return data

        def bounded_write(buffer: bytes, timeout: float | None = None) -> None:
            for start in range(0, len(buffer), _PIECE_BYTES):
                write(buffer[start : start + _PIECE_BYTES], timeout=self._left(timeout, httpx.WriteTimeout))

        stream.read, stream.write = bounded_read, bounded_write

    def _left(self, timeout: float | None, error: type[httpx.TimeoutException]) -> float:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise error("the attempt as a whole took too long")
        return left if timeout is None else min(left, timeout)
