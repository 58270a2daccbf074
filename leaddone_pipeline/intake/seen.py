"""Which records of a day were read already, as 64-bit hashes in sorted arrays (delivery.md, rule 14)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["DIFFERS", "NEW", "REPEAT", "Seen"]

NEW, REPEAT, DIFFERS = 0, 1, 2


_LARGE_RUN = 500_000


class Seen:
    """Keys and contents of the records so far, 16 bytes each.

    Two keys of ten million share a hash with a chance of 1 in 400,000; the later one would then stand in the
    quarantine as differing from an earlier row, so nothing is lost unseen.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[NDArray[np.uint64], NDArray[np.uint64]]] = []

    def judge(self, keys: Sequence[pd.Series[Any]], contents: Sequence[pd.Series[Any]]) -> NDArray[np.int8]:
        """Say of each record: NEW, an exact REPEAT, or it DIFFERS from the one that had its key first."""
        key, content = _hashes(keys), _hashes(contents)
        verdict = np.full(len(key), NEW, dtype=np.int8)
        for known, known_content in self._runs:
            at = np.minimum(np.searchsorted(known, key), len(known) - 1)
            found = known[at] == key
            verdict[found] = np.where(known_content[at[found]] == content[found], REPEAT, DIFFERS)
        first, group = np.unique(key, return_index=True, return_inverse=True)[1:]
        again = (verdict == NEW) & (first[group] != np.arange(len(key)))
        verdict[again] = np.where(content[first[group]][again] == content[again], REPEAT, DIFFERS)
        self._add(key[verdict == NEW], content[verdict == NEW])
        return verdict

    def _add(self, key: NDArray[np.uint64], content: NDArray[np.uint64]) -> None:
        if not len(key):
            return
        # Runs at least double in size, so each hash is moved log(n) times and looked up in log(n) runs; but a
        # large one is left alone, since sorting it anew takes as much memory again.
        while self._runs and len(self._runs[-1][0]) <= min(2 * len(key), _LARGE_RUN):
            older_key, older_content = self._runs.pop()
            key, content = np.concatenate([older_key, key]), np.concatenate([older_content, content])
        order = np.argsort(key, kind="stable")
        self._runs.append((key[order], content[order]))


def _hashes(columns: Sequence[pd.Series[Any]]) -> NDArray[np.uint64]:
    arrays = [pa.array(column, type=pa.large_string(), from_pandas=True) for column in columns]
    joined = (
        arrays[0]
        if len(arrays) == 1
        else pc.binary_join_element_wise(
            *arrays, pa.scalar("\x1f", pa.large_string()), null_handling="replace", null_replacement=""
        )
    )
    return pd.util.hash_array(joined.to_numpy(zero_copy_only=False), categorize=False)
