"""Sources meet files: which source a header fits and why, and where in a row each of its columns stands."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake.folding import fold_name, glob
from leaddone_pipeline.intake.forms import OrdersForm
from leaddone_pipeline.intake.sources import built_in, source_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from leaddone_pipeline.contract import Kind
    from leaddone_pipeline.intake.forms import Source, TrackingForm

    Form = OrdersForm | TrackingForm

__all__ = ["ITEM_FIELDS", "Bound", "Place", "bind", "known_header", "recognise"]

ITEM_FIELDS = ("article", "price", "bare_price", "qte", "line_total", "line_discount")
"""What each line item of an order has for itself."""

_DECISIVE = ("qte", "status", "owed", "discount", "currency", "payment")
"""A source that leaves one of these columns unread may send another amount, or an order that is cancelled."""

_SHOWN_COLUMNS = 12
_SHOWN_ALTERNATIVES = 5
_FEW_DIGITS = 4

Place = tuple[int, ...]
"""Where a text stands in a row: one position, or several that are joined."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A source tied to one file's header.

    Attributes:
        fields: field -> the places where it may stand, the first that is not empty counts.
        groups: the same of the item fields, once for each group of item columns.
        cells: positions of the columns that hold items as text.
    """

    source: Source
    header: tuple[str, ...]
    fields: dict[str, tuple[Place, ...]]
    groups: tuple[dict[str, tuple[Place, ...]], ...] = ({},)
    cells: tuple[int, ...] = ()

    def position(self, column: str) -> int | None:
        """Where a column of the file stands; None if the file lacks it."""
        return _folded_positions(self.header).get(fold_name(column))

    def places(self, name: str) -> tuple[Place, ...]:
        """Where a field, or else a column of the file, stands."""
        if name in self.fields:
            return self.fields[name]
        position = self.position(name)
        return () if position is None else ((position,),)

    @property
    def orders(self) -> OrdersForm:
        if self.source.orders is None:
            raise TypeError("a source without orders")
        return self.source.orders

    @property
    def joins_lines(self) -> bool:
        """Whether an order may have several rows."""
        return self.source.orders is not None and self.source.orders.lines != "one"

    def blind_spots(self) -> tuple[str, ...]:
        """Warn of columns that the source judges orders by and the file lacks."""
        form = self.source.orders
        if form is None:
            return ()
        judging = [rule.when for rule in form.skip if rule.warn]
        asked = [*form.expects, *(column for condition in judging for column in condition)]
        fields = set(type(form.columns).model_fields)
        missing = [
            name for name in dict.fromkeys(asked) if name not in fields and self.position(name) is None
        ]
        if form.statuses and form.recognised_by is not None and not self.fields.get("status"):
            missing.append(form.columns.status[0])
        if not missing:
            return ()
        return (
            f"without the columns {', '.join(missing)} it is not seen which orders are paid or cancelled",
        )

    def shown(self, field: str) -> str:
        """Name of the file's column that holds a field first, for messages."""
        places = self.fields.get(field) or (
            ((self.cells[0],),) if self.cells and field in ITEM_FIELDS else ()
        )
        return self.header[places[0][0]] if places else field

    def mapping(self) -> tuple[tuple[str, str], ...]:
        """Field and the file's columns that it is read from, for people."""
        told = [
            (field, " | ".join(" + ".join(self.header[at] for at in place) for place in places))
            for field, places in self.fields.items()
        ]
        if self.cells:
            told.append(("items", " | ".join(self.header[at] for at in self.cells)))
        if len(self.groups) > 1:
            told.append(("items", f"{len(self.groups)} groups of the item columns"))
        return tuple(told)


def recognise(kind: Kind, header: Sequence[str], file: str) -> tuple[Source, str]:
    """Pick the built-in source that a header fits, and say why.

    Sources with marks of their own go before those that only know usual names, complete ones before those that
    miss a needed column (`bind` names it then).

    Raises:
        IntakeError: no source fits, or several do equally well; the message lists what was seen.
    """
    forms = {name: form for name in source_names() if (form := built_in(name).form(kind)) is not None}
    folded = set(_folded_positions(header))
    marks = {name: _marks(form, folded) for name, form in forms.items()}
    lacking = {name: _lacking(form, header) for name, form in forms.items()}
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
    problem = f"several sources fit ({', '.join(best)})" if best else f"no source of {kind} fits"
    raise IntakeError(
        f"{problem}; columns seen: {_seen(header)}",
        remedy=f"Name the source ({', '.join(forms)}, or a YAML of your own), or check the file",
        file=file,
    )


def known_header(kind: Kind, header: Sequence[str]) -> bool:
    """Whether a row can be the header of a file of this kind: a source's marks, or columns for all that it needs."""
    forms = [form for name in source_names() if (form := built_in(name).form(kind)) is not None]
    folded = set(_folded_positions(header))
    return any(_marks(form, folded) or not _lacking(form, header) for form in forms)


def bind(source: Source, kind: Kind, header: Sequence[str], file: str) -> Bound:
    """Tie a source's columns to a file's header.

    Raises:
        IntakeError: a needed column is missing, or a column that is needed stands there twice.
    """
    form = source.form(kind)
    if form is None:
        raise IntakeError(f"the source {source.name} has no {kind}", remedy="Name another source", file=file)
    columns = _columns(form)
    for need in _lacking(form, header):
        wanted = [name for field in need.split(" or ") for name in columns.get(field, [])]
        raise IntakeError(
            f"the file has no column for {need}; columns seen: {_seen(header)}",
            remedy=f"Export it again with {_alternatives(wanted)}",
            file=file,
            column=wanted[0] if wanted else None,
        )
    groups = _groups(form, header, file)
    _refuse_repeated(form, header, file, grouped=len(groups) > 1)
    positions = _folded_positions(header)
    fields = {field: _places(names, positions) for field, names in columns.items()}
    # An id is never taken from another column where the first is empty: that one may number something else.
    fields["id"] = fields["id"][:1]
    return Bound(
        source=source,
        header=tuple(header),
        fields={field: places for field, places in fields.items() if places},
        groups=groups,
        cells=_cells(form, header),
    )


def _columns(form: Form) -> dict[str, list[str]]:
    return cast("dict[str, list[str]]", form.columns.model_dump())


def _folded_positions(header: Sequence[str]) -> dict[str, int]:
    """Folded name -> where it first stands."""
    positions: dict[str, int] = {}
    for at, name in enumerate(header):
        positions.setdefault(fold_name(name), at)
    return positions


def _places(names: Iterable[str], positions: Mapping[str, int]) -> tuple[Place, ...]:
    joined = (
        tuple(positions[fold_name(part)] for part in name.split(" + ") if fold_name(part) in positions)
        for name in names
    )
    return tuple(dict.fromkeys(place for place in joined if place))


def _cells(form: Form, header: Sequence[str]) -> tuple[int, ...]:
    if not isinstance(form, OrdersForm) or form.cells is None:
        return ()
    patterns = [glob("*".join(map(fold_name, name.split("*")))) for name in form.cells.columns]
    return tuple(
        at
        for at, name in enumerate(header)
        if any(pattern.fullmatch(fold_name(name)) for pattern in patterns)
    )


def _lacking(form: Form, header: Sequence[str]) -> list[str]:
    """The needs of a form that a header does not meet."""
    columns, positions = _columns(form), _folded_positions(header)
    in_cells = (
        set(form.cells.keys)
        if isinstance(form, OrdersForm) and form.cells and _cells(form, header)
        else set()
    )
    if "line_total" in in_cells:
        in_cells.add("price")
    return [
        need
        for need in form.needs
        if not any(
            field in in_cells or _places(columns.get(field, []), positions) for field in need.split(" or ")
        )
    ]


def _marks(form: Form, folded: Iterable[str]) -> int:
    """How many of its marks a header has; 0 if too few."""
    by = form.recognised_by
    if by is None:
        return 0
    seen = sum(any(glob_name.fullmatch(name) for name in folded) for glob_name in map(_name_glob, by.of))
    return seen if seen >= by.at_least else 0


def _name_glob(name: str):  # noqa: ANN202 - re.Pattern, said by glob
    return glob("*".join(map(fold_name, name.split("*"))))


def _most(names: list[str], marks: Mapping[str, int]) -> list[str]:
    most = max((marks[name] for name in names), default=0)
    return [name for name in names if marks[name] == most]


def _reads_more(other: Form, taken: Form, header: Sequence[str]) -> bool:
    """Whether a source of usual names would read a column that decides and that the one taken leaves unread."""
    positions = _folded_positions(header)
    read = {at for names in _columns(taken).values() for place in _places(names, positions) for at in place}
    columns = _columns(other)
    decisive = {
        at for field in _DECISIVE for place in _places(columns.get(field, []), positions) for at in place
    }
    return not decisive <= read


def _why(form: Form, marks: int, header: Sequence[str]) -> str:
    if form.recognised_by is None:
        return f"it has columns for {', '.join(form.needs)}, and no mark of a shop system"
    folded = set(_folded_positions(header))
    seen = [name for name in form.recognised_by.of if any(_name_glob(name).fullmatch(one) for one in folded)]
    more = f" and {marks - _SHOWN_ALTERNATIVES} more" if marks > _SHOWN_ALTERNATIVES else ""
    return f"it has the columns {', '.join(seen[:_SHOWN_ALTERNATIVES])}{more}"


def _groups(form: Form, header: Sequence[str], file: str) -> tuple[dict[str, tuple[Place, ...]], ...]:
    """Find the groups of item columns: the n-th column of each name belongs to the n-th group."""
    if not isinstance(form, OrdersForm):
        return ({},)
    columns = _columns(form)
    item = {field: columns[field] for field in ITEM_FIELDS if columns[field]}
    positions: dict[str, list[int]] = {}
    for at, name in enumerate(header):
        positions.setdefault(fold_name(name), []).append(at)
    names = {fold_name(name) for all_names in item.values() for name in all_names}
    times = {name: len(positions[name]) for name in names if name in positions}
    count = max(times.values(), default=1) if form.groups else 1
    if count > 1 and (uneven := [name for name, n in times.items() if n != count]):
        raise IntakeError(
            f"the item columns do not repeat equally: some {count} times, this one {times[uneven[0]]}",
            remedy="Export again with the same columns for each product",
            file=file,
            column=header[positions[uneven[0]][0]],
        )
    return tuple(
        {
            field: places
            for field, wanted in item.items()
            if (places := _places(wanted, {name: at[nth] for name, at in positions.items() if nth < len(at)}))
        }
        for nth in range(count)
    )


def _refuse_repeated(form: Form, header: Sequence[str], file: str, *, grouped: bool) -> None:
    times = Counter(map(fold_name, header))
    for field, names in _columns(form).items():
        if grouped and field in ITEM_FIELDS:
            continue
        for name in (part for name in names for part in name.split(" + ")):
            if times[fold_name(name)] > 1:
                raise IntakeError(
                    "the column stands there twice",
                    remedy="Rename or delete one of them",
                    file=file,
                    column=name,
                )


def _alternatives(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"the column {names[0]}"
    return f"one of the columns {', '.join(names[:_SHOWN_ALTERNATIVES])}"


def _seen(header: Sequence[str]) -> str:
    """List column names; where there is no header, its cells are somebody's data and are not shown."""
    if any(sum(letter.isdigit() for letter in name) > _FEW_DIGITS for name in header):
        return "numbers, so the first row seems to be no header"
    more = f" and {len(header) - _SHOWN_COLUMNS} more" if len(header) > _SHOWN_COLUMNS else ""
    return ", ".join(name or "(empty)" for name in header[:_SHOWN_COLUMNS]) + more
