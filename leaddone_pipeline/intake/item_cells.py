"""Items written into one cell, as the export plugins of WooCommerce do.

Such as `name:Tapis|quantity:2|total:300;name:Sac|quantity:1|total:90`.
Source: sources.md, section 3 (WebToffee, SkyVerge).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leaddone_pipeline.intake.forms import ItemCells

__all__ = ["items_in"]

_KEY = r"[A-Za-z][A-Za-z0-9_ ]*?"
_FIELD = re.compile(rf"(?:^|\|)\s*({_KEY})\s*:")


def items_in(cell: str, form: ItemCells) -> Iterator[dict[str, str]]:
    """Yield each item's fields, empty ones left out.

    A name may hold the signs that part items and fields: an item begins where the cell's first key comes again,
    a field where a `|` stands before a word and a colon.
    """
    for text in _parts(cell, form.between):
        said = _fields(text)
        item: dict[str, str] = {}
        for field, names in form.keys.items():
            value = next((said[name] for name in names if said.get(name)), None)
            if value is not None:
                item[field] = value
        yield item


def _parts(cell: str, between: str) -> list[str]:
    first = re.match(rf"\s*({_KEY})\s*:", cell)
    if not between or first is None:
        return [cell]
    return re.split(rf"{re.escape(between)}(?=\s*{re.escape(first[1])}\s*:)", cell.rstrip().rstrip(between))


def _fields(text: str) -> dict[str, str]:
    found = list(_FIELD.finditer(text))
    ends = [one.start() for one in found[1:]] + [len(text)]
    said: dict[str, str] = {}
    for one, end in zip(found, ends, strict=True):
        # The first counts: a product's own details come after, under names of their maker's choosing.
        said.setdefault(one[1].casefold(), text[one.end() : end].strip())
    return said
