"""Fuzz the readers, one after the other: `python -m tests.intake.fuzz.run [READER ...] --seconds 600`.

Prints the inputs of each, how many a second, and its peak memory; exits with 1 if one found anything.
Not collected by pytest.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.intake.fuzz.seeds import SEEDS

ROOT = Path(__file__).parents[3]


def fuzz(reader, *, seconds, seed, folder, program=("-m", "tests.intake.fuzz.worker")):
    """Run a worker; give its exit code, what it printed, and the inputs that it found fault with."""
    done = subprocess.run(
        [sys.executable, *program, reader, str(folder), "--seconds", str(seconds), "--seed", str(seed)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    faults = [
        path for path in folder.iterdir() if re.match(r"(crash|timeout|oom|leak|slow-unit)-", path.name)
    ]
    return done.returncode, done.stdout + done.stderr, faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("readers", nargs="*", choices=[[], *sorted(SEEDS)], default=[])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    found = False
    for reader in asked.readers or sorted(SEEDS):
        folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{reader}-"))
        code, told, faults = fuzz(reader, seconds=asked.seconds, seed=asked.seed, folder=folder)
        stats = dict(re.findall(r"stat::(\w+):\s+(\d+)", told))
        runs, peak = int(stats.get("number_of_executed_units", 0)), stats.get("peak_rss_mb", "?")
        print(
            f"{reader}: {runs:,} inputs, {runs / asked.seconds:,.0f}/s, {peak} MB at most, exit {code}",
            flush=True,
        )
        if code or faults:
            found = True
            print(told[-2500:], *faults, sep="\n", flush=True)
    return int(found)


if __name__ == "__main__":
    sys.exit(main())
