"""Where files lie: paths, folders, globs, archives and fsspec URLs -> the single tables to read."""

from __future__ import annotations

import glob
import re
import tempfile
import weakref
import zipfile
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake.readers import limits
from leaddone_pipeline.intake.readers.content import (
    BROKEN,
    ZIP,
    Content,
    Stream,
    cannot_be_read,
    local,
    remove,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["expand", "fetched", "natural", "tables_of_archive"]

_URL = re.compile(r"[a-z][a-z0-9+.-]*(?:::[a-z][a-z0-9+.-]*)*://", re.IGNORECASE)
_NO_TABLES = re.compile(
    r"(?:^|/)(?:\.|__MACOSX/|~\$|thumbs\.db$|desktop\.ini$|readme)|\.quarantine\.(?:csv|parquet)$"
    r"|\.(?:pdf|png|jpe?g|gif|webp|docx?|pptx?|md|html?|py|ya?ml|log|db)$",
    re.IGNORECASE,
)
_MAGIC = "*?["


def expand(places: Iterable[str | Path]) -> list[str]:
    """Name the single tables of places, each place's in natural order (`export_2` before `export_10`).

    A folder stands for the files in it (not in its folders), a glob for what it matches, an archive for its
    tables; hidden files, quarantines of ours and what is no table by its name are left out. A place that does
    not exist or cannot be looked into stays as it is: opening it says why.
    """
    return [table for place in places for found in _found(str(place)) for table in _within(found)]


def fetched(place: str | Path) -> tuple[Content, str]:
    """The bytes of a place, and what is named after `#`; a distant file is copied to a temporary one.

    Raises:
        IntakeError: missing, a folder, or not to be had.
    """
    text = _local_path(str(place))
    if _URL.match(text):
        return _distant(text)
    if _exists(Path(text)) or "#" not in text:
        return local(Path(text)), ""
    for at in [found.start() for found in re.finditer("#", text)][::-1]:
        if _exists(Path(text[:at])):
            return local(Path(text[:at])), text[at + 1 :]
    return local(Path(text.partition("#")[0])), ""


def tables_of_archive(content: Content) -> list[str]:
    """The tables in a zip file, in natural order.

    Raises:
        IntakeError: damaged, or too many.
    """
    try:
        with zipfile.ZipFile(content.plain) as archive:
            names = [
                name for name in archive.namelist() if not name.endswith("/") and not _NO_TABLES.search(name)
            ]
    except BROKEN as error:
        raise cannot_be_read(error, content.name) from None
    if len(names) > limits.MAX_TABLES:
        raise IntakeError(
            f"holds {len(names):,} files, more than {limits.MAX_TABLES:,}",
            remedy="Unpack it",
            file=content.name,
        )
    return sorted(dict.fromkeys(names), key=natural)


def natural(name: str) -> list[tuple[int, int, str]]:
    """Order by numbers as numbers."""
    parts = re.split(r"([0-9]{1,18})", name)
    return [
        (0, int(part), "") if part.isascii() and part.isdigit() else (1, 0, part) for part in parts if part
    ]


def _found(place: str) -> list[str]:
    place = _local_path(place)
    if _URL.match(place):
        return _found_afar(place)
    if _exists(Path(place)):
        return [place] if not Path(place).is_dir() else _listed(Path(place).iterdir()) or [place]
    if any(sign in place for sign in _MAGIC):
        return _listed(map(Path, glob.glob(place, recursive=True))) or [place]  # noqa: PTH207 - absolute patterns too
    return [place]


def _listed(paths: Iterable[Path]) -> list[str]:
    return sorted(
        (str(path) for path in paths if path.is_file() and not _NO_TABLES.search(path.name)), key=natural
    )


def _within(place: str) -> list[str]:
    """The tables of an archive; the place itself where it is none, or holds one."""
    try:
        content, inside = (
            fetched(place) if not _URL.match(place) or place.lower().endswith(".zip") else (None, "")
        )
        if content is None or inside or content.head(len(ZIP)) != ZIP:
            return [place]
        with zipfile.ZipFile(content.plain) as archive:
            if {"[Content_Types].xml", "content.xml"} & set(archive.namelist()):
                return [place]
        members = tables_of_archive(content)
    except (IntakeError, *BROKEN):
        return [place]
    return [f"{place}#{member}" for member in members] if len(members) > 1 else [place]


def _local_path(place: str) -> str:
    return re.sub(r"^file://", "", place, flags=re.IGNORECASE)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _file_system(url: str) -> tuple[Any, str]:
    """The file system of a URL and the path in it.

    Raises:
        IntakeError: nobody knows the protocol, or its package is not installed.
    """
    import fsspec.core  # noqa: PLC0415 - seldom needed

    try:
        return fsspec.core.url_to_fs(url)  # type: ignore[no-any-return]  # fsspec has no types
    except ImportError as error:
        package = re.sub(r"[^\w ,.:-]", "", str(error))
        raise IntakeError(f"cannot be reached ({package})", remedy="Install it", file=_shown(url)) from None
    except Exception:  # noqa: BLE001 - as below
        protocol = _shown(url.partition("://")[0])
        raise IntakeError(
            f"cannot be reached (by {protocol})", remedy="Check the address", file=_shown(url)
        ) from None


def _found_afar(url: str) -> list[str]:
    try:
        system, path = _file_system(url)
        if any(sign in path for sign in _MAGIC):
            names = system.glob(path)
        elif system.isdir(path):
            names = [entry["name"] for entry in system.ls(path, detail=True) if entry["type"] == "file"]
        else:
            return [url]
        tables = sorted((name for name in names if not _NO_TABLES.search(_base(name))), key=natural)
        return [str(system.unstrip_protocol(name)) for name in tables] or [url]
    except Exception:  # noqa: BLE001 - the packages behind fsspec raise what they like; opening it says why
        return [url]


def _distant(url: str) -> tuple[Content, str]:
    system, path = _file_system(url)
    try:
        return _brought(system, path)
    except IntakeError:
        raise
    except Exception as error:  # noqa: BLE001 - as above, and with the address in their words
        raise _out_of_reach(error, url) from None


def _brought(system: Any, path: str) -> tuple[Content, str]:  # noqa: ANN401 - fsspec has no types
    inside = ""
    if "#" in path and not system.exists(path):
        path, _, inside = path.partition("#")
    if system.isdir(path):
        raise IsADirectoryError
    with system.open(path, "rb") as source:
        # Of an address of the web, fsspec's path is all of it, with the key that opens it.
        name = _shown(path) if _URL.match(path) else _base(path)
        return _copied(source, name, _modified(system, path)), inside


def _copied(source: Any, name: str, modified: datetime) -> Content:  # noqa: ANN401 - fsspec has no types
    with tempfile.NamedTemporaryFile(prefix="leaddone-", delete=False) as copy:
        content = Content(name, modified, Path(copy.name))
        weakref.finalize(content, remove, copy.name)
        stream = Stream(source, file=name, packed=limits.MAX_BYTES)
        for chunk in stream.chunks():
            copy.write(chunk)
    return content


def _modified(system: Any, path: str) -> datetime:  # noqa: ANN401 - fsspec has no types
    """When a distant file was changed; now, where its file system does not tell."""
    try:
        when = system.modified(path)
    except Exception:  # noqa: BLE001 - as above
        return datetime.now(UTC)
    if not isinstance(when, datetime):
        return datetime.now(UTC)
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def _out_of_reach(error: Exception, url: str) -> IntakeError:
    if isinstance(error, FileNotFoundError | IsADirectoryError | EOFError):
        return cannot_be_read(error, _shown(url))
    return IntakeError(
        f"cannot be read ({type(error).__name__})",
        remedy="Check the address, and that you may read what is there",
        file=_shown(url),
    )


def _shown(url: str) -> str:
    """A URL without what may be secret in it: its last name, else its host."""
    host, _, path = url.partition("?")[0].rpartition("://")[2].partition("/")
    return PurePosixPath(path).name or host.rpartition("@")[2]


def _base(path: str) -> str:
    return PurePosixPath(path).name or path
