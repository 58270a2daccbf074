"""A gate between the server and the platform, for tests that must know how far a request has come."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Gate"]


class Gate:
    """Withholds requests or answers until they are released. All of it happens in the server's event loop."""

    def __init__(self) -> None:
        self._open = {"request": asyncio.Event(), "answer": asyncio.Event()}
        self._waiting: dict[int, dict[str, Any]] = {}
        self._tickets = 0
        self.closed = False
        self.release()

    def hold(self, stage: str) -> None:
        self._open[stage].clear()

    def release(self) -> None:
        for event in self._open.values():
            event.set()

    def close(self) -> None:
        """Release everything for the server's end; requests not processed yet must not be any more."""
        self.closed = True
        self.release()

    @property
    def held(self) -> list[dict[str, Any]]:
        return list(self._waiting.values())

    async def passes(self, stage: str, describe: Callable[[], dict[str, Any]]) -> None:
        if self._open[stage].is_set():
            return
        self._tickets += 1
        ticket = self._tickets
        self._waiting[ticket] = {"stage": stage, **describe()}
        try:
            await self._open[stage].wait()
        finally:
            del self._waiting[ticket]
