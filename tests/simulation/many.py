"""Many seeds on all cores, in processes of their own: coverage would make each of them several times as slow."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from tests.simulation.crashes import Site
from tests.simulation.faults import Fault, Row
from tests.simulation.play import Played, play

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["as_json", "found_by", "play_all", "play_here", "replay_line"]

_ROOT = Path(__file__).parents[2]

_ALLOCATIONS_A_COLLECTION = 200_000
"""Python's own 700 take a fifth of the time of a seed."""


def replay_line(seed: int) -> str:
    """What to type to see this seed again."""
    return f"python -m tests.simulation --seed {seed}"


def play_here(seeds: Iterable[int]) -> tuple[Played, dict[int, str]]:
    """Play seeds in this process.

    Returns:
        What happened in those that kept the rules, and of each other seed what went wrong.
    """
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_A_COLLECTION)
    total, broken = Played(), {}
    for seed in seeds:
        try:
            total.add(play(seed))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever it is, this seed has failed with it
            broken[seed] = _told(error)
    return total, broken


def play_all(first: int, count: int, *, jobs: int | None = None) -> tuple[Played, dict[int, str]]:
    """Play so many seeds from `first` on, by as many processes as there are cores, as `play_here` does."""
    jobs = jobs or len(os.sched_getaffinity(0))
    workers = [_start("--worker", first + job, first + count, jobs) for job in range(jobs)]
    total, broken = Played(), {}
    for worker in workers:
        document = json.loads(_said(worker))
        total.add(_read(document))
        broken |= {int(seed): what for seed, what in document["broken"].items()}
    return total, dict(sorted(broken.items()))


def found_by(bug: str, *, within: int) -> tuple[int, str] | None:
    """The first seed, of so many, that finds a planted bug, and by what; None if none does."""
    found = json.loads(_said(_start("--bug", bug, "--seeds", within)))
    return (found[0], found[1]) if found else None


def _start(*arguments: object) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.simulation", *map(str, arguments)],
        cwd=_ROOT,
        env=clean,
        stdout=subprocess.PIPE,
        text=True,
    )


def _said(worker: subprocess.Popen[str]) -> str:
    said, _ = worker.communicate()
    if worker.returncode:
        raise RuntimeError(f"a worker of the simulation ended with {worker.returncode}")
    return said


def as_json(total: Played, broken: dict[int, str]) -> str:
    """What a worker says to the one who started it."""
    return json.dumps(
        {
            "seeds": total.seeds,
            "requests": total.requests,
            "rows": [[*key, count] for key, count in total.rows.items()],
            "faults": dict(total.faults),
            "crashes": dict(total.crashes),
            "broken": broken,
        }
    )


def _read(document: dict[str, object]) -> Played:
    total = Played(document["seeds"], document["requests"])
    total.rows.update({(guarantee, Row(row)): count for guarantee, row, count in document["rows"]})
    total.faults.update({Fault(fault): count for fault, count in document["faults"].items()})
    total.crashes.update({Site(site): count for site, count in document["crashes"].items()})
    return total


def _told(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    notes = " ".join(getattr(error, "__notes__", ()))
    return f"{type(error).__name__}: {error} [{Path(last.filename).name}:{last.lineno} {notes}]"
