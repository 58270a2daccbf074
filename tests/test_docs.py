"""What README and ARCHITECTURE say is run, or compared with the code."""

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml

from leaddone_pipeline import LeadDoneShopComponent

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "leaddone_pipeline"
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
MODULES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name != "__main__.py" and path.parent.name != "versions" and path.parent != PACKAGE
] + [path for path in sorted(PACKAGE.glob("*.py")) if path.name != "__init__.py"]


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def commands():
    lines = [line for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    return [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_architecture_gives_each_file_its_own_first_line(path):
    shown = path.relative_to(PACKAGE)
    name = f"{shown.parent}/" if path.name == "__init__.py" else str(shown)
    first = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).splitlines()[0].rstrip(".")

    assert f"`{name}`" in ARCHITECTURE
    assert f" | {first} |" in ARCHITECTURE, f"write | `{name}` | {first} |"


def test_architecture_names_no_file_that_is_gone():
    named = re.findall(r"^\| \*{0,2}`([\w/]+\.py)`", ARCHITECTURE, re.MULTILINE)

    assert [name for name in named if not (PACKAGE / name).is_file()] == []


def test_the_readmes_pipeline_loads():
    (code,) = blocks("python")
    names = {}
    exec(compile(code, "README.md", "exec"), names)

    dg.Definitions.validate_loadable(names["defs"])


def test_the_readmes_defs_yaml_makes_the_assets_that_its_table_lists():
    (text,) = blocks("yaml")
    attributes = yaml.safe_load(text)["attributes"]
    defs = LeadDoneShopComponent(**attributes).build_defs(None)
    made = {key.path[-1] for key in defs.resolve_all_asset_keys()}

    table = README.partition("| asset | what it is |")[2].partition("\n\n")[0]
    first_cells = "".join(re.findall(r"(?m)^\|([^|]*)\|", table))
    assert made == set(re.findall(r"`(\w+)`", first_cells))


@pytest.mark.parametrize("command", [c for c in commands() if c[0] == "make"], ids=" ".join)
def test_each_make_target_exists(command):
    assert re.search(rf"^{command[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("command", [c for c in commands() if c[0] == "leaddone"], ids=" ".join)
def test_each_leaddone_command_knows_its_options(command):
    words = [word for word in command[1:] if not word.startswith("-") and "." not in word]
    program = [sys.executable, "-m", "leaddone_pipeline.cli"]
    done = subprocess.run([*program, *words, "--help"], capture_output=True, text=True, check=True)

    assert all(option in done.stdout for option in command if option.startswith("--"))
