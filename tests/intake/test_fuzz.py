"""The fuzzing harness finds what is wrong: a crash, a hang and a greed planted where no seed reaches them."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("atheris", reason="atheris has no wheel for this Python")

ROOT = Path(__file__).parents[2]
PLANT = """
import sys
from tests.intake.fuzz import worker
from leaddone_pipeline.intake.readers import records
whole = records._scalar
SEEDS = b"".join(worker.SEEDS["json_lines"]()).decode()
def planted(value):
    if isinstance(value, str) and value not in SEEDS and value.isprintable():
        {fault}
    return whole(value)
records._scalar = planted
worker.SLOW_SECONDS = {slow}
worker.main(sys.argv[1:])
"""


def fuzz(reader, folder, *, fault, seconds, slow=60):
    program = PLANT.format(fault=fault, slow=slow)
    command = [sys.executable, "-c", program, reader, str(folder), "--seconds", str(seconds)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    found = [path for path in folder.iterdir() if path.name.startswith(("crash-", "timeout-", "oom-"))]
    return done.returncode, done.stdout + done.stderr, found


@pytest.mark.parametrize(
    ("fault", "kind", "told"),
    [
        ("raise ZeroDivisionError", "crash-", "ZeroDivisionError"),
        ("while True: pass", "timeout-", "timeout"),
        ("bytearray(2 << 30)", "crash-", "MemoryError"),
    ],
)
def test_a_fault_planted_in_a_reader_is_found_with_its_input(tmp_path, fault, kind, told):
    code, said, found = fuzz(
        "json_lines", tmp_path, fault=fault, seconds=300, slow=2 if kind == "timeout-" else 60
    )

    assert code != 0
    assert told in said
    (path,) = found
    assert path.name.startswith(kind)


def test_sound_readers_pass_a_short_run(tmp_path):
    code, said, found = fuzz("json_lines", tmp_path, fault="pass", seconds=3)

    assert (code, found) == (0, [])
    assert "number_of_executed_units" in said
