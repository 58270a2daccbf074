"""What a command says: the result on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leaddone_pipeline.errors import LeadDoneError

__all__ = ["counted", "say", "say_error", "show", "show_counts", "show_json", "show_table"]


def say(text: str) -> None:
    """Say something about the work, on stderr."""
    # Not typer.echo, which writes past the bar that rich keeps at the bottom of a terminal.
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def say_error(error: LeadDoneError) -> None:
    """Say where, what and what to do, in two lines."""
    place = error.where()
    say(f"Error: {place + ': ' if place else ''}{error.problem}.\n{error.remedy}.")


def counted(number: int, thing: str, things: str = "") -> str:
    """Name a number of things: `1 order`, `1,008 statuses`."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def show(text: str) -> None:
    """Show a result, on stdout."""
    typer.echo(text)


def show_json(value: Mapping[str, Any]) -> None:
    """Show a result as one JSON object on one line."""
    json.dump(value, sys.stdout, ensure_ascii=False)
    sys.stdout.write("\n")


def show_counts(counts: Mapping[str, int]) -> None:
    """Show counts under each other."""
    width = max((len(name) for name in counts), default=0)
    for name, count in counts.items():
        show(f"  {name.replace('_', ' '):<{width}}  {count:>12,}")


def show_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Show rows under a header; numbers stand to the right."""
    cells = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    widths = [max(len(line[at]) for line in [list(header), *cells]) for at in range(len(header))]
    numeric = [bool(rows) and all(isinstance(row[at], int) for row in rows) for at in range(len(header))]
    for line in [list(header), *cells]:
        aligned = zip(line, widths, numeric, strict=True)
        show(
            "  ".join(
                f"{cell:>{width}}" if right else f"{cell:<{width}}" for cell, width, right in aligned
            ).rstrip()
        )
