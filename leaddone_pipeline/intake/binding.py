"""Sources meet files: where in a row each of a source's columns stands."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake.folding import fold_name, glob
from leaddone_pipeline.intake.forms import OrdersForm
from leaddone_pipeline.intake.seen_columns import seen_columns

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Mapping, Sequence

    from leaddone_pipeline.contract import Kind
    from leaddone_pipeline.intake.forms import Source, TrackingForm

    Form = OrdersForm | TrackingForm

__all__ = [
    "ITEM_FIELDS",
    "Bound",
    "Form",
    "Place",
    "bind",
    "columns_of",
    "folded_positions",
    "lacking_needs",
    "name_glob",
    "places_of",
]

ITEM_FIELDS = ("article", "variant", "price", "bare_price", "qte", "line_total", "line_discount")
"""What each line item of an order has for itself."""

_SHOWN_ALTERNATIVES = 5

Place = tuple[int, ...]
"""Where a text stands in a row: one position, or several that are joined."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A source tied to one file's header.

    Attributes:
        fields: field -> the places where it may stand, the first that is not empty counts.
        groups: the same of the item fields, once for each group of item columns.
        cells: positions of the columns that hold items as text.
        id_prefix: what ids may begin with and do without.
    """

    source: Source
    header: tuple[str, ...]
    fields: dict[str, tuple[Place, ...]]
    groups: tuple[dict[str, tuple[Place, ...]], ...] = ({},)
    cells: tuple[int, ...] = ()
    id_prefix: str = ""

    def position(self, column: str) -> int | None:
        """Where a column of the file stands; None if the file lacks it."""
        return folded_positions(self.header).get(fold_name(column))

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
        """Warn of columns that judge orders and are missing, and of those that may decide and are not read."""
        form = self.source.orders
        return () if form is None else (*self._lacked(form), *self._unread(form))

    def _unread(self, form: OrdersForm) -> tuple[str, ...]:
        deciding = [name_glob(name) for name in form.deciding]
        judging = [*form.expects, *(column for rule in form.skip for column in rule.when)]
        read = {at for name in (*self.fields, *judging) for place in self.places(name) for at in place}
        left = [
            name
            for at, name in enumerate(self.header)
            if at not in read and any(one.fullmatch(fold_name(name)) for one in deciding)
        ]
        return (f"not read: {', '.join(left)}, which may decide what is sent",) if left else ()

    def _lacked(self, form: OrdersForm) -> tuple[str, ...]:
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
            f"without the columns {', '.join(missing)} it cannot be told which orders are paid or cancelled",
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


def bind(source: Source, kind: Kind, header: Sequence[str], file: str) -> Bound:
    """Tie a source's columns to a file's header.

    Raises:
        IntakeError: a needed column is missing, or a column that is needed stands there twice.
    """
    form = source.form(kind)
    if form is None:
        raise IntakeError(f"the source {source.name} has no {kind}", remedy="Name another source", file=file)
    columns = columns_of(form)
    for need in lacking_needs(form, header):
        wanted = [name for field in need.split(" or ") for name in columns.get(field, [])]
        raise IntakeError(
            f"the file has no column for {need}; columns seen: {seen_columns(header)}",
            remedy=f"Export it again with {_alternatives(wanted)}, or name the column in a source YAML of your own",
            file=file,
            column=wanted[0] if wanted else None,
        )
    groups = _groups(form, header, file)
    _refuse_repeated(form, header, file, grouped=len(groups) > 1)
    positions = folded_positions(header)
    fields = {field: places_of(names, positions) for field, names in columns.items()}
    # An id is never taken from another column where the first is empty: that one may number something else.
    fields["id"] = fields["id"][:1]
    # What a shop calls each line's own amount is not the order's, whatever else its name may say.
    of_lines = fields.get("line_total", ())
    fields["owed"] = tuple(place for place in fields.get("owed", ()) if place not in of_lines)
    return Bound(
        source=source,
        header=tuple(header),
        fields={field: places for field, places in fields.items() if places},
        groups=groups,
        cells=_cells(form, header),
        id_prefix=form.id_prefix,
    )


def columns_of(form: Form) -> dict[str, list[str]]:
    """Field -> the columns that may hold it."""
    return cast("dict[str, list[str]]", form.columns.model_dump())


def folded_positions(header: Sequence[str]) -> dict[str, int]:
    """Folded name -> where it first stands."""
    positions: dict[str, int] = {}
    for at, name in enumerate(header):
        positions.setdefault(fold_name(name), at)
    return positions


def places_of(names: Iterable[str], positions: Mapping[str, int]) -> tuple[Place, ...]:
    """Where the alternatives of a field stand, those that the header lacks left out."""
    joined = (
        tuple(positions[fold_name(part)] for part in name.split(" + ") if fold_name(part) in positions)
        for name in names
    )
    return tuple(dict.fromkeys(place for place in joined if place))


def _cells(form: Form, header: Sequence[str]) -> tuple[int, ...]:
    if not isinstance(form, OrdersForm) or form.cells is None:
        return ()
    patterns = [name_glob(name) for name in form.cells.columns]
    return tuple(
        at
        for at, name in enumerate(header)
        if any(pattern.fullmatch(fold_name(name)) for pattern in patterns)
    )


def lacking_needs(form: Form, header: Sequence[str]) -> list[str]:
    """The needs of a form that a header does not meet."""
    columns, positions = columns_of(form), folded_positions(header)
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
            field in in_cells or places_of(columns.get(field, []), positions) for field in need.split(" or ")
        )
    ]


def name_glob(name: str) -> re.Pattern[str]:
    """Make a column name with `*` an expression over folded names."""
    return glob("*".join(map(fold_name, name.split("*"))))


def _groups(form: Form, header: Sequence[str], file: str) -> tuple[dict[str, tuple[Place, ...]], ...]:
    """Find the groups of item columns: the n-th column of each name belongs to the n-th group."""
    if not isinstance(form, OrdersForm):
        return ({},)
    columns = columns_of(form)
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
            if (
                places := places_of(
                    wanted, {name: at[nth] for name, at in positions.items() if nth < len(at)}
                )
            )
        }
        for nth in range(count)
    )


def _refuse_repeated(form: Form, header: Sequence[str], file: str, *, grouped: bool) -> None:
    times = Counter(map(fold_name, header))
    for field, names in columns_of(form).items():
        if grouped and field in ITEM_FIELDS:
            continue
        for name in (part for alternative in names for part in alternative.split(" + ")):
            if times[fold_name(name)] > 1:
                raise IntakeError(
                    "the column appears twice",
                    remedy="Rename or delete one of them",
                    file=file,
                    column=name,
                )


def _alternatives(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"the column {names[0]}"
    return f"one of the columns {', '.join(names[:_SHOWN_ALTERNATIVES])}"
