"""Tables that a command writes: CSV or Parquet, by the ending of the name, whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from leaddone_pipeline.errors import LeadDoneError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["QuarantineFiles", "checked_table_path", "write_table"]

_ENDINGS = (".csv", ".parquet")
_OWNER_ONLY = 0o600


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
        raise _unwritable(
            path, error, "Mend that, then run `leaddone links --output` to have them again"
        ) from None


class QuarantineFiles:
    """Refused rows as they come: to one named file, or to `<file>.quarantine.csv` in the working directory.

    A file is made when its first row comes, and replaces one of an earlier run. Only its owner may read it,
    since it holds customers' data.
    """

    def __init__(self, named: Path | None) -> None:
        self._named = named
        self._open: dict[Path, Any] = {}

    @property
    def paths(self) -> list[Path]:
        """The files that were written."""
        return list(self._open)

    def add(self, refused: pd.DataFrame) -> None:
        """Append the refused rows of one file.

        Raises:
            LeadDoneError: they cannot be written.
        """
        if refused.empty:
            return
        path = self._named or Path(f"{Path(str(refused['source_file'].iloc[0])).name}.quarantine.csv")
        try:
            if path.suffix == ".parquet":
                self._append_parquet(path, refused)
            else:
                self._append_csv(path, refused)
        except OSError as error:
            raise _unwritable(path, error, "Name another place with --quarantine, then run again") from None

    def close(self) -> None:
        for file in self._open.values():
            file.close()

    def _append_csv(self, path: Path, refused: pd.DataFrame) -> None:
        first = path not in self._open
        if first:
            self._open[path] = os.fdopen(_emptied(path), "w", encoding="utf-8", newline="")
        refused.to_csv(self._open[path], index=False, header=first)
        self._open[path].flush()

    def _append_parquet(self, path: Path, refused: pd.DataFrame) -> None:
        import pyarrow as pa  # noqa: PLC0415 - most runs write no Parquet
        import pyarrow.parquet as pq  # noqa: PLC0415

        numbers = {"source_row": pa.int64()}
        schema = pa.schema([(name, numbers.get(name, pa.string())) for name in refused.columns])
        if path not in self._open:
            os.close(_emptied(path))
            self._open[path] = pq.ParquetWriter(path, schema)
        self._open[path].write_table(pa.Table.from_pandas(refused, schema=schema, preserve_index=False))


def _emptied(path: Path) -> int:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    os.fchmod(file, _OWNER_ONLY)
    return file


def _unwritable(path: Path, error: OSError, remedy: str) -> LeadDoneError:
    return LeadDoneError(f"{path} cannot be written: {os.strerror(error.errno or 0)}", remedy=remedy)
