"""Sources meet files: which source a header fits, and where in a row each of its columns stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from leaddone_pipeline.contract import ORDER_REQUIRED, TRACKING_FIELDS, Kind, trim
from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake.sources import built_in, source_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leaddone_pipeline.intake.sources import OrdersForm, Source, TrackingForm

__all__ = ["Bound", "bind", "fits", "recognise"]

_SHOWN_COLUMNS = 12
_FEW_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Bound:
    """A source tied to one file's header: field or column -> positions in the row."""

    source: Source
    header: tuple[str, ...]
    fields: dict[str, tuple[int, ...]]

    def position(self, column: str) -> int | None:
        """Where a column of the file stands; None if the file lacks it."""
        return next((at for at, name in enumerate(self.header) if _fold(name) == _fold(column)), None)

    @property
    def joins_lines(self) -> bool:
        """Whether an order may have several rows."""
        return self.source.orders is not None and self.source.orders.lines == "adjacent"

    def blind_spots(self) -> tuple[str, ...]:
        """Warn of columns that the source judges orders by and the file lacks."""
        form = self.source.orders
        if form is None:
            return ()
        asked = [*form.expects, *(column for rule in form.skip for column in rule.when)]
        missing = [column for column in dict.fromkeys(asked) if self.position(column) is None]
        if not missing:
            return ()
        return (
            f"without the columns {', '.join(missing)} it is not seen which orders are paid or cancelled",
        )

    def shown(self, field: str) -> str:
        """Name of the file's column that holds a field first, for messages."""
        at = self.fields.get(field)
        return self.header[at[0]] if at else field


def recognise(kind: Kind, header: Sequence[str], file: str) -> Source:
    """Pick the built-in source whose required columns the header has, one missing allowed (`bind` names it).

    Raises:
        IntakeError: no source fits, or several do equally well; the message lists what was seen.
    """
    scores: dict[str, int] = {}
    for name in source_names():
        form = built_in(name).form(kind)
        if form is not None:
            scores[name] = sum(bool(positions) for positions in _required(kind, form, header).values())
    needed = len(_required_fields(kind))
    best = max(scores.values())
    winners = [name for name, score in scores.items() if score == best]
    if best >= needed - 1 and len(winners) == 1:
        return built_in(winners[0])
    problem = (
        f"several sources fit ({', '.join(winners)})" if best >= needed - 1 else f"no source of {kind} fits"
    )
    raise IntakeError(
        f"{problem}; columns seen: {_seen(header)}",
        remedy=f"Name the source ({', '.join(scores)}, or a YAML of your own), or check the file",
        file=file,
    )


def bind(source: Source, kind: Kind, header: Sequence[str], file: str) -> Bound:
    """Tie a source's columns to a file's header.

    Raises:
        IntakeError: a required column is missing, or a column that is needed stands there twice.
    """
    form = source.form(kind)
    if form is None:
        raise IntakeError(f"the source {source.name} has no {kind}", remedy="Name another source", file=file)
    folded = [_fold(name) for name in header]
    columns = cast("dict[str, list[str]]", form.columns.model_dump())
    for field, positions in _required(kind, form, header).items():
        if not positions:
            raise IntakeError(
                f"the file has no column for {field}; columns seen: {_seen(header)}",
                remedy=f"Export it again with {_alternatives(columns[field])}",
                file=file,
                column=columns[field][0],
            )
    for name in dict.fromkeys(name for names in columns.values() for name in names):
        if folded.count(_fold(name)) > 1:
            raise IntakeError(
                "the column stands there twice", remedy="Rename or delete one of them", file=file, column=name
            )
    fields = {field: _positions(names, folded) for field, names in columns.items()}
    return Bound(
        source=source, header=tuple(header), fields={field: at for field, at in fields.items() if at}
    )


def fits(pattern: str) -> str:
    """Make a condition's pattern a regular expression over trimmed cells."""
    return f"(?is)^{re.escape(pattern)}$" if "*" not in pattern else f"(?i){_glob(pattern)}"


def _glob(pattern: str) -> str:
    parts = [re.escape(part) for part in re.split(r"\*+", pattern)]
    return f"(?s:^{'.*'.join(parts)}$)"


def _required_fields(kind: Kind) -> tuple[str, ...]:
    return ORDER_REQUIRED if kind is Kind.ORDERS else TRACKING_FIELDS


def _required(
    kind: Kind, form: OrdersForm | TrackingForm, header: Sequence[str]
) -> dict[str, tuple[int, ...]]:
    folded = [_fold(name) for name in header]
    return {field: _positions(getattr(form.columns, field), folded) for field in _required_fields(kind)}


def _positions(names: Sequence[str], folded: Sequence[str]) -> tuple[int, ...]:
    return tuple(folded.index(_fold(name)) for name in names if _fold(name) in folded)


def _fold(name: str) -> str:
    return " ".join(trim(name).casefold().split())


def _alternatives(names: Sequence[str]) -> str:
    return f"the column {names[0]}" if len(names) == 1 else f"one of the columns {', '.join(names)}"


def _seen(header: Sequence[str]) -> str:
    """List column names; where there is no header, its cells are somebody's data and are not shown."""
    if any(sum(letter.isdigit() for letter in name) > _FEW_DIGITS for name in header):
        return "numbers, so the first row seems to be no header"
    more = f" and {len(header) - _SHOWN_COLUMNS} more" if len(header) > _SHOWN_COLUMNS else ""
    return ", ".join(name or "(empty)" for name in header[:_SHOWN_COLUMNS]) + more
