"""Which source a file is of, by its header, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake.binding import (
    columns_of,
    folded_positions,
    lacking_needs,
    name_glob,
    places_of,
)
from leaddone_pipeline.intake.seen_columns import seen_columns
from leaddone_pipeline.intake.sources import built_in, source_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from leaddone_pipeline.contract import Kind
    from leaddone_pipeline.intake.binding import Form
    from leaddone_pipeline.intake.forms import Source

__all__ = ["known_header", "recognise"]

_DECISIVE = ("qte", "status", "owed", "discount", "currency", "payment")
"""A source that leaves one of these columns unread may send another amount, or an order that is cancelled."""

_SHOWN_MARKS = 5


def recognise(kind: Kind, header: Sequence[str], file: str) -> tuple[Source, str]:
    """Pick the built-in source that a header fits, and say why.

    Sources with marks of their own go before those that only know usual names, complete ones before those that
    miss a needed column (`bind` names it then).

    Raises:
        IntakeError: no source fits, or several do equally well; the message lists what was seen.
    """
    forms = {name: form for name in source_names() if (form := built_in(name).form(kind)) is not None}
    folded = set(folded_positions(header))
    marks = {name: _marks(form, folded) for name, form in forms.items()}
    lacking = {name: lacking_needs(form, header) for name, form in forms.items()}
    whole = [name for name in forms if not lacking[name]]
    marked = _most([name for name in forms if marks[name]], marks)
    plain = [name for name in whole if forms[name].recognised_by is None]
    best = [name for name in marked if name in whole] or plain or marked
    if not best:
        best = [name for name in forms if forms[name].recognised_by is None and len(lacking[name]) == 1]
    elif best[0] in marked and not lacking[best[0]]:
        best += [name for name in plain if _reads_more(forms[name], forms[best[0]], header)]
    if len(best) == 1:
        return built_in(best[0]), _why(forms[best[0]], marks[best[0]], header)
    problem, lacks = f"several sources fit ({', '.join(best)})", ""
    if not best:
        usual = min(
            (name for name in forms if forms[name].recognised_by is None), key=lambda name: len(lacking[name])
        )
        problem = f"no source of {kind} fits"
        lacks = f"; as {usual} it lacks columns for {', '.join(lacking[usual])}"
    raise IntakeError(
        f"{problem}; columns seen: {seen_columns(header)}{lacks}",
        remedy=f"Name the source ({', '.join(forms)}, or a YAML of your own), or check the file",
        file=file,
    )


def known_header(kind: Kind, header: Sequence[str]) -> bool:
    """Whether a row can be the header of a file of this kind: a source's marks, or columns for all that it needs."""
    forms = [form for name in source_names() if (form := built_in(name).form(kind)) is not None]
    folded = set(folded_positions(header))
    return any(_marks(form, folded) or not lacking_needs(form, header) for form in forms)


def _marks(form: Form, folded: Iterable[str]) -> int:
    """How many of its marks a header has; 0 if too few."""
    by = form.recognised_by
    if by is None:
        return 0
    seen = sum(any(mark.fullmatch(name) for name in folded) for mark in map(name_glob, by.of))
    return seen if seen >= by.at_least else 0


def _most(names: list[str], marks: Mapping[str, int]) -> list[str]:
    most = max((marks[name] for name in names), default=0)
    return [name for name in names if marks[name] == most]


def _reads_more(other: Form, taken: Form, header: Sequence[str]) -> bool:
    """Whether a source of usual names would read a column that decides and that the one taken leaves unread."""
    positions = folded_positions(header)
    read = {
        at for names in columns_of(taken).values() for place in places_of(names, positions) for at in place
    }
    columns = columns_of(other)
    decisive = {
        at for field in _DECISIVE for place in places_of(columns.get(field, []), positions) for at in place
    }
    return not decisive <= read


def _why(form: Form, marks: int, header: Sequence[str]) -> str:
    if form.recognised_by is None:
        return f"it has columns for {', '.join(form.needs)}, and no mark of a shop system"
    folded = set(folded_positions(header))
    seen = [name for name in form.recognised_by.of if any(name_glob(name).fullmatch(one) for one in folded)]
    more = f" and {marks - _SHOWN_MARKS} more" if marks > _SHOWN_MARKS else ""
    return f"it has the columns {', '.join(seen[:_SHOWN_MARKS])}{more}"
