"""`python -m leaddone_pipeline.sandbox.sample FOLDER`: write the sample files below a folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from leaddone_pipeline.sandbox.sample.shops import DAYS, SEED, START, write_sample


def main() -> None:
    """Read the command line and write."""
    parser = argparse.ArgumentParser(prog="python -m leaddone_pipeline.sandbox.sample", description=__doc__)
    parser.add_argument("target", type=Path, help="folder to write to; files of the same name are replaced")
    parser.add_argument("--days", type=int, default=DAYS, help="how many days (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=SEED, help="another seed, other orders (default: %(default)s)"
    )
    arguments = parser.parse_args()
    write_sample(arguments.target, days=arguments.days, seed=arguments.seed, start=START)


if __name__ == "__main__":
    main()
