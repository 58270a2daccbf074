"""Which rows are one order's: rows with one id, and rows without an id below them, put together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from leaddone_pipeline.intake.lines import Lines

__all__ = ["Groups", "ScatteredIds", "group", "starts"]


_WHOSE = ("phone", "receiver")
_GOODS = ("article", "price", "bare_price", "line_total", "items", "owed")


def starts(lines: Lines) -> NDArray[np.bool_]:
    """Say of each row whether another id begins there; a row without an id belongs to the order above it.

    Where a file does not say that several rows may be one order's (`unsaid`), a row without an id is alone unless
    it seems to be a further line of the order above; a record without one (`records`) always is.
    """
    how = lines.bound.orders.lines
    if how == "one":
        return np.ones(len(lines), dtype=bool)
    ids = lines.ids
    owner = ids.ffill() if how == "rows" else ids
    begins = (owner.fillna("") != owner.shift().fillna("")).to_numpy(dtype=bool)
    if how == "unsaid":
        begins = (begins | ids.isna().to_numpy()) & ~_seems_further(lines)
    if how == "records":
        begins |= ids.isna().to_numpy() & lines.begins_record
    begins[:1] = True
    return begins


def _seems_further(lines: Lines) -> NDArray[np.bool_]:
    """Say of each row whether it has goods or an amount, and nothing that tells whose order it is."""
    nobody = lines.ids.isna()
    if nobody.any():
        for name in _WHOSE:
            nobody &= lines.field(name).isna()
        goods = lines.field(_GOODS[0]).notna()
        for name in _GOODS[1:]:
            goods |= lines.field(name).notna()
        nobody &= goods
    return nobody.to_numpy(dtype=bool)


@dataclass(frozen=True)
class Groups:
    """Rows in an order in which each order's stand together.

    Attributes:
        lines: the rows, permuted where some stood apart.
        first: position of each order's first row.
        count: number of each order's rows.
        apart: orders whose rows stood apart, and nothing but their id says that they are one order's.
    """

    lines: Lines
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    apart: tuple[int, ...] = ()

    def part(self, orders: int) -> Groups:
        """Take the first so many orders."""
        if orders == len(self.first):
            return self
        stop = int(self.first[orders])
        kept = tuple(at for at in self.apart if at < orders)
        return Groups(self.lines.part(0, stop), self.first[:orders], self.count[:orders], kept)

    def only(self, kept: NDArray[np.bool_]) -> Groups:
        """Take some of the orders."""
        if kept.all():
            return self
        count, places = self.count[kept], np.cumsum(kept) - 1
        apart = tuple(int(places[at]) for at in self.apart if kept[at])
        rows = np.flatnonzero(np.repeat(kept, self.count))
        return Groups(self.lines.take(rows), np.cumsum(count) - count, count, apart)

    @cached_property
    def tellings(self) -> NDArray[np.int64]:
        """Where an order is told or told again: with each row (`unsaid`) or record (`records`), else once."""
        how = self.lines.bound.orders.lines
        if how == "records":
            return np.union1d(self.first, np.flatnonzero(self.lines.begins_record))
        return np.arange(len(self.lines)) if how == "unsaid" else self.first

    def told_first(self) -> Groups:
        """Leave each order the rows that tell it first; those that tell it again say the same, or it is refused."""
        if len(self.tellings) == len(self.first):
            return self
        ends = np.append(self.tellings, len(self.lines))
        count = ends[np.searchsorted(self.tellings, self.first) + 1] - self.first
        first = np.cumsum(count) - count
        rows = np.arange(count.sum()) + np.repeat(self.first - first, count)
        return Groups(self.lines.take(rows), first, count, self.apart)

    def after(self, earlier: Groups | None) -> Groups:
        """Put orders in front of these."""
        if earlier is None:
            return self
        rows, orders = len(earlier.lines), len(earlier.first)
        return Groups(
            self.lines.after(earlier.lines),
            np.append(earlier.first, self.first + rows),
            np.append(earlier.count, self.count),
            (*earlier.apart, *(at + orders for at in self.apart)),
        )


def group(lines: Lines) -> Groups:
    """Put the rows of each order together.

    Further rows that stand apart from their order come back to it. Rows that carry the order's own columns
    again (`head`) begin an order of their own, whatever their id: it is the same twice, or another.
    """
    begins = np.flatnonzero(starts(lines))
    if not lines.bound.joins_lines or not len(begins):
        return Groups(lines, begins, np.diff(np.append(begins, len(lines))))
    heads = _heads(lines)
    begins = _split_before_heads(begins, heads)
    sizes = np.diff(np.append(begins, len(lines)))
    ids = lines.ids
    ids = ids.ffill() if lines.bound.orders.lines == "rows" else ids
    keys = ids.iloc[begins].reset_index(drop=True)
    again = (keys.duplicated(keep=False) & keys.notna()).to_numpy(dtype=bool)
    if not again.any():
        return Groups(lines, begins, sizes)
    return _gathered(lines, begins, sizes, keys=keys, heads=heads[begins])


def _split_before_heads(begins: NDArray[np.int64], heads: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Part rows of an order that stand above its first row, as in a sorted sheet."""
    found = np.flatnonzero(heads)
    if not len(found):
        return begins
    run, first = np.unique(np.searchsorted(begins, found, side="right") - 1, return_index=True)
    return np.union1d(begins, found[first][~heads[begins[run]]])


def _gathered(
    lines: Lines,
    begins: NDArray[np.int64],
    sizes: NDArray[np.int64],
    *,
    keys: pd.Series[Any],
    heads: NDArray[np.bool_],
) -> Groups:
    told = bool(lines.bound.orders.head) and bool(heads.any())
    owner = np.arange(len(begins))
    doubtful: set[int] = set()
    again = np.flatnonzero(keys.duplicated(keep=False) & keys.notna())
    for runs in pd.Series(again).groupby(keys.iloc[again].to_numpy()).agg(list):
        with_head = [run for run in runs if heads[run]]
        if told and not with_head:
            with_head = runs[:1]
        for run in runs:
            if told:
                earlier = [head for head in with_head if head <= run]
                owner[run] = earlier[-1] if earlier else with_head[0]
            else:
                owner[run] = runs[0]
                doubtful.add(runs[0])
    # The row with the order's own columns comes first, then its further rows as they stood.
    order = np.lexsort((np.arange(len(begins)), owner != np.arange(len(begins)), begins[owner]))
    rows = np.concatenate([np.arange(begins[run], begins[run] + sizes[run]) for run in order])
    owners = owner[order]
    first_runs = np.flatnonzero(np.diff(owners, prepend=-1))
    count = np.add.reduceat(sizes[order], first_runs)
    first = np.append(0, np.cumsum(count)[:-1])
    apart = tuple(at for at, run in enumerate(owners[first_runs]) if run in doubtful)
    return Groups(lines.take(rows), first, count, apart)


def _heads(lines: Lines) -> NDArray[np.bool_]:
    """Say of each row whether it carries one of the columns that only an order's first row fills."""
    result = np.zeros(len(lines), dtype=bool)
    for column in lines.bound.orders.head:
        position = lines.bound.position(column)
        if position is not None:
            result |= lines.cells(position).notna().to_numpy(dtype=bool)
    return result


class ScatteredIds:
    """Ids whose rows stand apart in a file that is larger than a slice, found before it is read for good."""

    def __init__(self, parts: Iterable[Lines]) -> None:
        seen: list[NDArray[np.uint64]] = []
        rows: list[NDArray[np.int32]] = []
        last: pd.Series[Any] | None = None
        for lines in parts:
            begins = np.flatnonzero(starts(lines))
            keys = lines.ids.iloc[begins].reset_index(drop=True)
            sizes = np.diff(np.append(begins, len(lines)))
            goes_on = last is not None and len(keys) > 0 and (keys.isna()[0] or keys[0] == last.iloc[0])
            hashes = _hashes(keys)
            kept = slice(1, None) if goes_on else slice(None)
            seen.append(hashes[kept])
            rows.append(sizes[kept].astype(np.int32))
            last = keys.iloc[-1:] if len(keys) and keys.notna().iloc[-1] else last
        every = np.concatenate(seen) if seen else np.array([], dtype=np.uint64)
        # Sorted in its place: ten million ids are 80 MB, and every copy would be as much again.
        every.sort()
        again = np.unique(every[1:][every[1:] == every[:-1]])
        self.ids = again[again != _NO_ID]
        self.rows = sum(
            int(sizes[np.isin(hashes, self.ids)].sum()) for hashes, sizes in zip(seen, rows, strict=True)
        )

    def of(self, lines: Lines) -> NDArray[np.bool_]:
        """Say of each row whether its order has rows elsewhere."""
        if not len(self.ids):
            return np.zeros(len(lines), dtype=bool)
        begins = starts(lines)
        hashes = _hashes(lines.ids.iloc[np.flatnonzero(begins)])
        scattered: NDArray[np.bool_] = np.isin(hashes, self.ids)
        of_row: NDArray[np.bool_] = scattered[np.cumsum(begins) - 1]
        return of_row


_NO_ID = np.uint64(0)


def _hashes(keys: pd.Series[Any]) -> NDArray[np.uint64]:
    hashed = pd.util.hash_array(keys.fillna("").to_numpy(dtype=object), categorize=False)
    return np.where(keys.isna().to_numpy(dtype=bool), _NO_ID, hashed)
