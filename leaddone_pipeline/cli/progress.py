"""Progress on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Self

from leaddone_pipeline.cli.words import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.progress import Progress, TaskID

__all__ = ["ShownProgress"]

_SECONDS_BETWEEN_LINES = 5.0


class ShownProgress:
    """Called with a stage and counts, as `Delivery` does."""

    def __init__(self) -> None:
        self._bar: tuple[Progress, TaskID] | None = None
        self._last = (time.monotonic(), "")

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._bar = _bar()
            self._bar[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar[0].stop()

    def __call__(self, stage: str, counts: Mapping[str, int]) -> None:
        text = f"{stage}: " + ", ".join(f"{count:,} {name}" for name, count in counts.items())
        if self._bar is not None:
            progress, task = self._bar
            progress.update(task, description=text)
            return
        then, stage_then = self._last
        now = time.monotonic()
        if now - then >= _SECONDS_BETWEEN_LINES or (stage_then and stage != stage_then):
            say(text)
            self._last = (now, stage)


def _bar() -> tuple[Progress, TaskID]:
    from rich.console import Console  # noqa: PLC0415 - only a terminal shows it
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (BarColumn(bar_width=20), TextColumn("{task.description}"), TimeElapsedColumn())
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    return progress, progress.add_task("reading", total=None)
