"""A wrong `defs.yaml` is found by the commands that its author types, with the file and the field."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PYPROJECT = """
[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "shops"
"""
DEFINITIONS = """
from pathlib import Path
import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
"""
SHOP = """
type: leaddone_pipeline.LeadDoneShopComponent
attributes:
  shop: atlas
  orders_files: exports/orders-{date}.csv
  start_date: "2026-11-16"
"""


@pytest.fixture
def check(tmp_path):
    """`dg check yaml` or `dg check defs` in a project with this `defs.yaml`: what it says."""
    package = tmp_path / "src" / "shops"
    (package / "defs" / "atlas").mkdir(parents=True)
    for file in (package / "__init__.py", package / "defs" / "__init__.py"):
        file.touch()
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (package / "definitions.py").write_text(DEFINITIONS)
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    environment = os.environ | {"DAGSTER_HOME": str(tmp_path), "PYTHONPATH": str(tmp_path / "src")}

    def check(what, text):
        (package / "defs" / "atlas" / "defs.yaml").write_text(text)
        command = [Path(sys.executable).with_name("dg"), "check", what]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1, done.stdout + done.stderr
        return done.stdout + done.stderr

    return check


def test_dg_check_yaml_names_file_line_and_field_of_what_breaks_the_schema(check):
    wrong = SHOP.replace("  orders_files: exports/orders-{date}.csv\n", "  shp: atlas\n  batch_size: [200]\n")
    told = check("yaml", wrong)
    places = {"shp": "attributes.shp", "batch_size": "attributes.batch_size"}
    for line, text in enumerate(wrong.splitlines(), 1):
        if field := places.pop(text.split(":")[0].strip(), None):
            assert re.search(rf"defs/atlas/defs\.yaml:{line} - \S+ {re.escape(field)} ", told)
    assert not places
    assert "'orders_files' is a required property" in told


def test_dg_check_defs_names_file_and_field_of_a_value_that_may_not_be(check):
    """Dagster's schemas let any text stand for a value that is filled in at load; loading finds what it is."""
    told = check("defs", f"{SHOP}  paid: maybe\n")
    assert re.search(r"atlas\W+defs\.yaml \(LeadDoneShopComponent\) \(error\)", told)
    assert re.search(r"(?m)^paid\n.*'skip' or 'send'", told)
