"""`leaddone sources`: which files are understood without a YAML of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaddone_pipeline.cli.words import show
from leaddone_pipeline.contract import ORDER_REQUIRED, TRACKING_FIELDS, Kind

if TYPE_CHECKING:
    from leaddone_pipeline.intake import Source

__all__ = ["sources"]

_REQUIRED = {Kind.ORDERS: ORDER_REQUIRED, Kind.TRACKING: TRACKING_FIELDS}


def sources() -> None:
    """List the built-in sources, the columns that they read and how a file is recognised.

    Example:
      leaddone sources
    """
    from leaddone_pipeline.intake import load_source, source_names  # noqa: PLC0415 - loads pandas

    for name in source_names():
        _show(load_source(name))
    show("A source of your own is a YAML file that begins with `extends: NAME` and names what differs:")
    show("  leaddone send orders FILE --source my-shop.yaml")


def _show(source: Source) -> None:
    show(f"{source.name}: {source.title}")
    for kind in Kind:
        form = source.form(kind)
        if form is None:
            continue
        required = _REQUIRED[kind]
        show(f"  {kind}, recognised by columns for {', '.join(required)}")
        for field, columns in form.columns.model_dump().items():
            if columns:
                note = "" if field in required else "  (optional)"
                show(f"    {field:<16} {' | '.join(columns)}{note}")
    show("")
