"""Sources: how one kind of file names its columns and states, as a YAML file that a shop can extend.

`Source` is the YAML's own schema: an unknown key or a wrong value is refused with the file and the key named.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from leaddone_pipeline.contract import Kind, SkipReason
from leaddone_pipeline.errors import IntakeError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["OrdersForm", "Source", "TrackingForm", "built_in", "load_source", "source_names"]

Columns = list[str]
Condition = dict[str, list[str]]
"""Column of the file -> what it may say; `*` stands for any text, case does not matter."""


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OrderColumns(_Form):
    """Field of an order -> the file's columns that may hold it; the first that is not empty counts."""

    id: Columns
    article: Columns
    price: Columns
    phone: Columns
    qte: Columns = []
    receiver: Columns = []
    city: Columns = []
    address: Columns = []
    owed: Columns = Field(default=[], description="What is to be collected; the first above zero counts.")
    items: Columns = Field(default=[], description="What the goods cost after discounts, without shipping.")
    discount: Columns = Field(default=[], description="Discount of the whole order.")
    line_discount: Columns = Field(default=[], description="Discount of one line.")
    currency: Columns = []


class TrackingColumns(_Form):
    """Field of a tracking update -> the file's columns that may hold it."""

    id: Columns
    tracking_number: Columns
    status: Columns
    event_time: Columns = []


class SkipRule(_Form):
    """Orders for which all conditions hold are skipped for this reason, unless the setting says otherwise."""

    reason: SkipReason
    when: Condition
    unless: dict[Literal["paid", "fulfilled"], Literal["send"]] = {}


class BalanceRule(_Form):
    """Orders for which the amount must stand in one column, or they are refused."""

    when: Condition
    column: str


class OrdersForm(_Form):
    """How a source's order files are read.

    Attributes:
        lines: `one`: a row is an order; `adjacent`: rows of one order stand together under one id.
        head: columns that are filled on an order's first row only.
    """

    columns: OrderColumns
    id_prefix: str = ""
    lines: Literal["one", "adjacent"] = "one"
    head: list[str] = []
    expects: Condition = {}
    skip: list[SkipRule] = []
    balance: BalanceRule | None = None


class TrackingForm(_Form):
    """How a source's courier files are read; statuses: LeadDone's word -> the file's words."""

    columns: TrackingColumns
    id_prefix: str = ""
    statuses: dict[str, list[str]]


class Source(_Form):
    """One kind of file. The settings `paid`, `fulfilled`, `amount`, `currency` are the shop's own."""

    name: str
    title: str = ""
    paid: Literal["skip", "send"] | None = None
    fulfilled: Literal["skip", "send"] = "skip"
    amount: Literal["owed", "items"] = "owed"
    currency: str | None = None
    orders: OrdersForm | None = None
    tracking: TrackingForm | None = None

    def form(self, kind: Kind) -> OrdersForm | TrackingForm | None:
        return self.orders if kind is Kind.ORDERS else self.tracking


def source_names() -> list[str]:
    """Names of the built-in sources."""
    folder = resources.files("leaddone_pipeline.intake") / "sources"
    return sorted(
        entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")
    )


def load_source(name_or_path: str | Path) -> Source:
    """Read a built-in source by name, or a shop's own YAML by path.

    A YAML with `extends: NAME` takes that built-in source and replaces the keys that it names.

    Raises:
        IntakeError: no such source, or a YAML that is none.
    """
    if str(name_or_path) in source_names():
        return built_in(str(name_or_path))
    path = Path(name_or_path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise IntakeError(
            "there is no source of this name, and no file either",
            remedy=f"Use one of {', '.join(source_names())}, or the path of a YAML file",
            file=str(name_or_path),
        ) from None
    except UnicodeDecodeError:
        raise IntakeError("not UTF-8 text", remedy="Save the source as UTF-8", file=path.name) from None
    return _parse(text, path.name)


@cache
def built_in(name: str) -> Source:
    """Read a source that ships with the package."""
    text = (resources.files("leaddone_pipeline.intake") / "sources" / f"{name}.yaml").read_text(
        encoding="utf-8"
    )
    return _parse(text, f"{name}.yaml")


def _parse(text: str, file: str) -> Source:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        row = mark.line + 1 if mark else None
        raise IntakeError("not YAML", remedy="Correct the file near this row", file=file, row=row) from None
    if not isinstance(content, dict):
        raise IntakeError(
            "no source", remedy="Begin with `extends: shopify` or with name and orders", file=file
        )
    base = content.pop("extends", None)
    if base is not None:
        content = _merge(
            load_source(str(base)).model_dump(exclude_unset=True), {"name": Path(file).stem, **content}
        )
    try:
        return Source.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise IntakeError(
            f"{key}: {first['msg']}",
            remedy="Correct this key; `leaddone sources` shows what a source may hold",
            file=file,
            row=_line_of(text, first["loc"]),
        ) from None


def _merge(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        mine = merged.get(key)
        merged[key] = _merge(mine, value) if isinstance(value, dict) and isinstance(mine, dict) else value
    return merged


def _line_of(text: str, keys: Iterable[int | str]) -> int | None:
    """Line of the innermost of these keys that the text holds, from 1."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    line: int | None = None
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == key), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
    return line
