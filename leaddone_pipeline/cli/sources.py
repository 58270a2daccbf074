"""`leaddone sources`: which files are understood without a YAML of one's own."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from leaddone_pipeline.cli.words import show
from leaddone_pipeline.contract import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from leaddone_pipeline.intake import Source

__all__ = ["sources"]

_SHARED = "courier"
"""The source whose vocabulary those of single couriers extend."""

_LINES = {
    "one": "a row is an order",
    "rows": "rows with one id, and rows without an id below them, are the lines of one order",
    "unsaid": "a row is an order; rows that share an id and differ are refused until `lines: rows` is set",
    "records": "a record is an order, and its items are the lines; records that share an id and differ are refused",
}
_WIDTH = 110
_SETTINGS = ("paid", "fulfilled", "amount", "price_is", "currency", "region")


def sources() -> None:
    """List the built-in sources: how a file is recognised, its columns, what its statuses mean.

    Example:
      leaddone sources
    """
    from leaddone_pipeline.intake import load_source, source_names  # noqa: PLC0415 - loads pandas

    shared = load_source(_SHARED).tracking
    for name in source_names():
        _show(load_source(name), {} if shared is None or name == _SHARED else shared.statuses)
    show("A source of your own is a YAML file that begins with `extends: NAME` and names what differs:")
    show("  leaddone send orders FILE --source my-shop.yaml")
    show(f"Settings of a shop in it: {', '.join(_SETTINGS)}.")


def _show(source: Source, base: Mapping[str, Sequence[str]]) -> None:
    show(f"{source.name}: {source.title}")
    said = [f"{name}: {value}" for name in _SETTINGS if (value := getattr(source, name)) is not None]
    if said:
        show(f"  settings: {', '.join(said)}")
    for kind in Kind:
        form = source.form(kind)
        if form is None:
            continue
        by = form.recognised_by
        columns_for = f"columns for {', '.join(form.needs)}"
        marks = f"at least {by.at_least} of the columns {', '.join(by.of)}" if by else columns_for
        show(f"  {kind}, recognised by {marks}")
        needed = {name for need in form.needs for name in need.split(" or ")}
        for field, columns in form.columns.model_dump().items():
            if columns:
                _list(field, columns, "" if field in needed else "  (optional)", " | ")
        if kind is Kind.ORDERS:
            _show_orders(source)
        _show_statuses(source.name, form.statuses, base if kind is Kind.TRACKING else {})
    show("")


def _show_statuses(
    name: str, statuses: Mapping[str, Sequence[str]], base: Mapping[str, Sequence[str]]
) -> None:
    """Say which status means which; of a vocabulary that extends the couriers' shared one, what differs."""
    shared = {word for words in base.values() for word in words}
    extends = shared and len(shared & {word for words in statuses.values() for word in words}) * 2 > len(
        shared
    )
    for meaning, words in statuses.items():
        told = [word or "(empty)" for word in words if not extends or word not in base.get(meaning, ())]
        if told:
            _list(f"is {meaning}", told, "", ", ")
    if extends:
        show(f"    and the words of the source {_SHARED}, where {name} does not say otherwise")


def _show_orders(source: Source) -> None:
    form = source.orders
    if form is None:
        return
    show(f"    lines: {_LINES[form.lines]}")
    if form.groups:
        show("    lines: or groups of the item columns, with the same names")
    if form.cells:
        between = f", {form.cells.between} between them" if form.cells.between else ""
        show(f"    lines: or items in the cells {', '.join(form.cells.columns)}{between}")
    dates = "decided by a value above 12 in the file" if form.dates.order == "by_file" else form.dates.order
    zone = "UTC" if form.dates.without_offset == "utc" else "the shop's zone"
    if form.columns.date:
        show(f"    dates: without an offset in {zone}; day or month first: {dates}")
    for meaning, words in form.payments.items():
        _list(f"payment is {meaning}", (word or "(empty)" for word in words), "", ", ")
    for rule in form.skip:
        when = " and ".join(f"{name} is {' or '.join(words)}" for name, words in rule.when.items())
        unless = "".join(f", unless {name}: {value}" for name, value in rule.unless.items())
        show(f"    skipped as {rule.reason}: {when}{unless}")


def _list(name: str, words: Iterable[str], note: str, between: str) -> None:
    text = f"{between.join(words)}{note}"
    for line in textwrap.wrap(
        text, _WIDTH, initial_indent=f"    {name:<16} ", subsequent_indent=" " * 21
    ) or [""]:
        show(line)
