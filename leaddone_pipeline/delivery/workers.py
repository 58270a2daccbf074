"""Threads and the boxes through which they talk: the only place where a delivery waits for another thread.

A delivery shares no state between threads. The caller's thread reads and records, the engine's thread claims and
settles, the carriers' threads hold one request each; they hand each other messages. So the simulation in
tests/simulation runs the same code on virtual time by bringing its own `Workers`.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Inbox", "Thread", "Threads", "Workers"]


class Inbox(Protocol):
    """Messages for one thread, in the order in which they came."""

    def put(self, message: Any) -> None: ...  # noqa: ANN401 - each inbox has messages of its own

    def get(self, timeout: float | None = None) -> Any:  # noqa: ANN401
        """Wait for the next message; None after so many seconds, or for ever without a timeout."""
        ...


class Thread(Protocol):
    """Work under way."""

    def join(self) -> None: ...


class Workers(Protocol):
    """What starts threads and makes their inboxes."""

    def inbox(self) -> Inbox: ...

    def start(self, work: Callable[[], None], *, name: str) -> Thread: ...


class Threads:
    """Real threads; they are daemons, since whoever starts one also joins it."""

    def inbox(self) -> Inbox:
        return _Queue()

    def start(self, work: Callable[[], None], *, name: str) -> Thread:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        return thread


class _Queue:
    def __init__(self) -> None:
        self._messages: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def put(self, message: Any) -> None:  # noqa: ANN401
        self._messages.put(message)

    def get(self, timeout: float | None = None) -> Any:  # noqa: ANN401
        try:
            return self._messages.get(timeout=timeout)
        except queue.Empty:
            return None
