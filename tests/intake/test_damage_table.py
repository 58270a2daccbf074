"""Each kind of damage seen in the wild has a file that is read as its damage asks (test_files.py reads them)."""

import csv
import json
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCES = HERE.parents[2] / "shared" / "sources.md"
with (HERE / "damage_table.csv").open(encoding="utf-8", newline="") as _file:
    TABLE = [(row["damage"], row["files"].split()) for row in csv.DictReader(_file)]


@pytest.mark.parametrize(("damage", "files"), TABLE)
def test_each_damage_has_a_file_with_what_must_become_of_it(damage, files):
    assert files, damage
    for name in files:
        assert (HERE / "files" / name).is_file(), name
        said = json.loads((HERE / "files" / f"{name}.expected.json").read_text(encoding="utf-8"))
        assert said["fact"].startswith("sources.md 6"), name


def test_no_damage_stands_there_twice():
    assert len({damage for damage, _ in TABLE}) == len(TABLE)


@pytest.mark.skipif(not SOURCES.is_file(), reason="sources.md is not beside this checkout")
def test_the_table_has_every_row_of_the_facts():
    section = SOURCES.read_text(encoding="utf-8").split("## 6. ", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| (.+?) \|", section, re.MULTILINE)[1:]

    assert [damage for damage, _ in TABLE] == rows
