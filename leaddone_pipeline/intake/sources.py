"""Sources: YAML files that say how one kind of file is read, the built-in ones and a shop's own."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from leaddone_pipeline.errors import IntakeError
from leaddone_pipeline.intake.folding import fold_word
from leaddone_pipeline.intake.forms import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["built_in", "load_source", "source_names"]

_VOCABULARIES = ("statuses", "payments")

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""To recognise a file all built-in sources are read, which libyaml does in a quarter of the time."""

_EXTENDS = 8
"""So many files may extend one another in a row; more are a circle."""


def source_names() -> list[str]:
    """Names of the built-in sources."""
    folder = resources.files("leaddone_pipeline.intake") / "sources"
    return sorted(
        entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")
    )


def load_source(name_or_path: str | Path) -> Source:
    """Read a built-in source by name, or a shop's own YAML by path.

    A YAML with `extends: NAME` (or a path beside it) takes that source and replaces the keys that it names; the
    words under `statuses` and `payments` are added to those of the source, and what they meant there gives way.

    Raises:
        IntakeError: no such source, or a YAML that is none; file and line are named.
    """
    if str(name_or_path) in source_names():
        return built_in(str(name_or_path))
    path = Path(name_or_path)
    text = _text(path)
    return _source(_whole(text, path, _EXTENDS), text, path.name)


@cache
def built_in(name: str) -> Source:
    """Read a source that ships with the package."""
    path = _built_in_path(name)
    text = path.read_text(encoding="utf-8")
    return _source(_whole(text, path, _EXTENDS), text, path.name)


def _built_in_path(name: str) -> Path:
    return Path(str(resources.files("leaddone_pipeline.intake") / "sources" / f"{name}.yaml"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        raise IntakeError(
            "there is no source of this name, and no file either",
            remedy=f"Use one of {', '.join(source_names())}, or the path of a YAML file",
            file=str(path),
        ) from None
    except UnicodeDecodeError:
        raise IntakeError("not UTF-8 text", remedy="Save the source as UTF-8", file=path.name) from None


def _whole(text: str, path: Path, depth: int) -> dict[str, Any]:
    """Read a YAML with all that it extends."""
    content = _content(text, path.name)
    base = content.pop("extends", None)
    if base is None:
        return content
    if not depth:
        raise IntakeError(
            "it extends itself, by way of others",
            remedy="Extend a built-in source",
            file=path.name,
            row=_line_of(text, ["extends"]),
        )
    name = str(base)
    below = _built_in_path(name) if name in source_names() else path.parent / name
    base_text = _text(below)
    whole = _whole(base_text, below, depth - 1)
    _source(whole, base_text, below.name)
    return _merge(whole, {"name": path.stem, **content})


def _content(text: str, file: str) -> dict[str, Any]:
    try:
        content = yaml.load(text, _Loader)  # noqa: S506 - it is one of the two safe ones
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        row = mark.line + 1 if mark else None
        raise IntakeError("not YAML", remedy="Correct the file near this row", file=file, row=row) from None
    if not isinstance(content, dict):
        raise IntakeError(
            "not a source file", remedy="Begin with `extends: shopify` or with name and orders", file=file
        )
    return content


def _source(content: dict[str, Any], text: str, file: str) -> Source:
    try:
        return Source.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise IntakeError(
            f"{key}: {first['msg']}",
            remedy="Correct this key; the YAML files in leaddone_pipeline/intake/sources show how each is written",
            file=file,
            row=_line_of(text, first["loc"]),
        ) from None


def _merge(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        mine = merged.get(key)
        if isinstance(value, dict) and isinstance(mine, dict):
            merged[key] = _words(mine, value) if key in _VOCABULARIES else _merge(mine, value)
        else:
            merged[key] = value
    return merged


def _words(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Add a vocabulary to another: a word that it names keeps no older meaning."""
    named = {fold_word(str(word)) for words in own.values() for word in words or []}
    merged = {
        meaning: [word for word in words if fold_word(str(word)) not in named]
        for meaning, words in base.items()
    }
    for meaning, words in own.items():
        # What is no list stays as it stands, for the schema to refuse.
        merged[meaning] = [*merged.get(meaning, []), *words] if isinstance(words, list) else words
    return merged


def _line_of(text: str, keys: Iterable[int | str]) -> int | None:
    """Line of the innermost of these keys that the text holds, from 1."""
    node = yaml.compose(text, Loader=_Loader)
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
