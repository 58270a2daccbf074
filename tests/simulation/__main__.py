"""`python -m tests.simulation`: play many seeds of the simulation, or one seed again and be told what happens."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import nullcontext

from tests.simulation.many import as_json, play_all, play_here, replay_line
from tests.simulation.planted import BUGS, planted
from tests.simulation.play import play
from tests.simulation.table import table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument(
        "--seed", type=int, help="play this one seed, tell what happens, and raise what it raises"
    )
    parser.add_argument("--first", type=int, default=0, help="the first of many seeds (default 0)")
    parser.add_argument("--seeds", type=int, default=2000, help="how many seeds (default 2000)")
    parser.add_argument("--jobs", type=int, help="processes (default: one a core)")
    parser.add_argument(
        "--bug", choices=sorted(BUGS), help="plant this bug; with --seeds: until a seed finds it"
    )
    parser.add_argument("--worker", type=int, nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        print(as_json(*play_here(range(*asked.worker))))
    elif asked.seed is not None:
        with planted(asked.bug) if asked.bug else nullcontext():
            print(table(play(asked.seed, tell=print)))
    elif asked.bug:
        print(json.dumps(_finds(asked.bug, range(asked.first, asked.first + asked.seeds))))
    else:
        return _many(asked.first, asked.seeds, asked.jobs)
    return 0


def _many(first: int, seeds: int, jobs: int | None) -> int:
    total, broken = play_all(first, seeds, jobs=jobs)
    print(table(total))
    for seed, what in broken.items():
        print(f"{what}\n    {replay_line(seed)}")
    return 1 if broken else 0


def _finds(bug: str, seeds: range) -> tuple[int, str] | None:
    for seed in seeds:
        try:
            with planted(bug):
                play(seed)
        except AssertionError as found:
            return seed, str(found)
    return None


if __name__ == "__main__":
    sys.exit(main())
