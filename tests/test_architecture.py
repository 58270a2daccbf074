"""The house as ARCHITECTURE.md draws it: imports point downward, names have one door, no file does two things."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "leaddone_pipeline"
MODULES = sorted(PACKAGE.rglob("*.py"))

MAY_IMPORT = {
    "errors": set(),
    "contract": set(),
    "settings": set(),
    "environment": {"errors", "settings"},
    "intake": {"errors", "contract", "settings"},
    "webhook": {"errors", "contract", "settings"},
    "ledger": {"errors", "contract", "settings"},
    "delivery": {"errors", "contract", "settings", "webhook", "ledger"},
    "sandbox": {"errors", "contract", "settings", "webhook"},
    "testing": {"errors", "contract", "settings", "webhook", "sandbox"},
    "orchestration": {
        "errors",
        "contract",
        "settings",
        "environment",
        "intake",
        "webhook",
        "ledger",
        "delivery",
    },
}
EVERYTHING = set(MAY_IMPORT)
MAY_IMPORT |= {"demo": EVERYTHING, "cli": EVERYTHING | {"demo"}, "": {"orchestration", "delivery"}}


def room_of(path):
    first = path.relative_to(PACKAGE).parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from ((name, node.lineno) for name in names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downward(path):
    room = room_of(path)
    for name, line in imports_of(path):
        if name.startswith("leaddone_pipeline."):
            other = name.split(".")[1]
            if other in MAY_IMPORT and other != room:
                assert other in MAY_IMPORT[room], f"{path}:{line} imports upward: {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_orchestration_and_the_demo_know_dagster(path):
    for name, line in imports_of(path):
        if name.split(".")[0] in {"dagster", "dagster_duckdb_pandas"}:
            assert room_of(path) in {"orchestration", "demo"}, f"{path}:{line}"
            assert "._core" not in name, f"{path}:{line} reaches into Dagster's private modules"


@pytest.mark.parametrize(
    "name",
    ["webhook", "ledger", "delivery", "intake", "sandbox", "testing", "errors", "contract", "settings"],
)
def test_every_public_name_is_there_and_listed_in_order(name):
    module = importlib.import_module(f"leaddone_pipeline.{name}")

    assert all(hasattr(module, public) for public in module.__all__)
    assert len(set(module.__all__)) == len(module.__all__)


@pytest.mark.parametrize(
    "statement",
    [
        "import leaddone_pipeline.webhook",
        "import leaddone_pipeline.delivery",
        "import leaddone_pipeline.intake",
        "import leaddone_pipeline.testing",
        "import leaddone_pipeline.cli",
        (
            "import contextlib, sys; sys.argv = ['leaddone', '--help']\n"
            "from leaddone_pipeline.cli import main\n"
            "with contextlib.suppress(SystemExit): main()\n"
        ),
    ],
)
def test_no_dagster_is_loaded_by(statement):
    code = f"{statement}\nimport sys; print([m for m in sys.modules if m.split('.')[0] == 'dagster'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"
