"""What `leaddone send` was asked for, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from leaddone_pipeline.contract import Kind
    from leaddone_pipeline.settings import DeliverySettings

__all__ = ["Asked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of a command.

    Attributes:
        files: paths, folders, globs and URLs.
        source: name or path; without it, each file's source is recognised from its header.
        links, quarantine: where these tables go.
        limit: so many records and no more.
    """

    kind: Kind
    files: tuple[str, ...]
    shop: str
    source: str | None
    links: Path | None
    quarantine: Path | None
    limit: int | None
    settings: DeliverySettings
    as_json: bool
