"""Refused rows on their way into files that a person can mend and send again."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from leaddone_pipeline.cli.files import unwritable
from leaddone_pipeline.intake import laid_out

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["QuarantineFiles"]

_OWNER_ONLY = 0o600
_TEXT = pd.StringDtype("pyarrow")


class QuarantineFiles:
    """Refused rows as they come: to one named file, or to `<file>.quarantine.csv` in the working directory.

    A file is made when its first row comes, and replaces one of an earlier run, but never one that is being read.
    Only its owner may read it, since it holds customers' data. It is laid out so that a person can mend it and
    send it again (intake.laid_out).
    """

    def __init__(self, named: Path | None, *, being_read: Sequence[Path | str] = ()) -> None:
        self._being_read = {Path(path).resolve() for path in being_read}
        self._named = named
        self._open: dict[Path, _RefusedRows] = {}

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
        path = self._named or self._place(Path(str(refused["source_file"].iloc[0])).name)
        try:
            if path not in self._open:
                self._open[path] = _ParquetRows(path) if path.suffix == ".parquet" else _CsvRows(path)
            self._open[path].add(laid_out(refused))
        except OSError as error:
            raise unwritable(path, error, "Name another place with --quarantine, then run again") from None

    def close(self) -> None:
        for file in self._open.values():
            file.close()

    def _place(self, name: str) -> Path:
        path, number = Path(f"{name}.quarantine.csv"), 2
        while path.resolve() in self._being_read:
            path, number = Path(f"{name}.quarantine.{number}.csv"), number + 1
        return path


class _RefusedRows(ABC):
    """One growing table; rows with other columns than those so far make it be written anew with all of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: list[str] = []
        os.close(_emptied(path))

    def add(self, rows: pd.DataFrame) -> None:
        new = [column for column in rows.columns if column not in self.columns]
        if new and self.columns:
            self.close()
            rows = pd.concat([self.so_far(), rows], ignore_index=True)
        if new:
            self.columns += new
            self.begin()
        self.append(rows.reindex(columns=self.columns).astype(_TEXT))

    @abstractmethod
    def so_far(self) -> pd.DataFrame: ...

    @abstractmethod
    def begin(self) -> None: ...

    @abstractmethod
    def append(self, rows: pd.DataFrame) -> None: ...

    @abstractmethod
    def close(self) -> None: ...


class _CsvRows(_RefusedRows):
    """As CSV with a byte order mark, by which spreadsheets know UTF-8."""

    def so_far(self) -> pd.DataFrame:
        return pd.read_csv(self.path, dtype=_TEXT, keep_default_na=False, encoding="utf-8-sig")

    def begin(self) -> None:
        self._file = os.fdopen(_emptied(self.path), "w", encoding="utf-8-sig", newline="")
        pd.DataFrame(columns=self.columns).to_csv(self._file, index=False)

    def append(self, rows: pd.DataFrame) -> None:
        rows.to_csv(self._file, index=False, header=False)
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class _ParquetRows(_RefusedRows):
    def so_far(self) -> pd.DataFrame:
        return pd.read_parquet(self.path).astype(_TEXT)

    def begin(self) -> None:
        self._schema = pa.schema([(name, pa.string()) for name in self.columns])
        self._writer = pq.ParquetWriter(self.path, self._schema)

    def append(self, rows: pd.DataFrame) -> None:
        self._writer.write_table(pa.Table.from_pandas(rows, schema=self._schema, preserve_index=False))

    def close(self) -> None:
        self._writer.close()


def _emptied(path: Path) -> int:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    os.fchmod(file, _OWNER_ONLY)
    return file
