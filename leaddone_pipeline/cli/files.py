"""Tables that a command writes: CSV or Parquet, by the ending of the name, whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING

import typer

from leaddone_pipeline.errors import LeadDoneError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["checked_table_path", "unwritable", "write_table"]

_ENDINGS = (".csv", ".parquet")


def checked_table_path(path: Path | None) -> Path | None:
    """Refuse a name that no table can be written to, before anything is sent (an option's callback)."""
    if path is None:
        return None
    if path.suffix not in _ENDINGS:
        raise typer.BadParameter(f"{path.name} ends neither in .csv nor in .parquet; name it so")
    if not path.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {path.parent}; make it first")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise typer.BadParameter(f"{path} cannot be written; name another place")
    return path


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table in one step: a reader sees the old file or the new one.

    Raises:
        LeadDoneError: the file cannot be written.
    """
    fresh = path.with_name(f"{path.name}.new")
    try:
        if path.suffix == ".parquet":
            frame.to_parquet(fresh, index=False)
        else:
            frame.to_csv(fresh, index=False)
        fresh.replace(path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        raise unwritable(
            path, error, "Mend that, then run `leaddone links --output` to have them again"
        ) from None


def unwritable(path: Path, error: OSError, remedy: str) -> LeadDoneError:
    """Say that a file cannot be written, and why."""
    return LeadDoneError(f"{path} cannot be written: {os.strerror(error.errno or 0)}", remedy=remedy)
