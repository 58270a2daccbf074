"""Seeds of the delivery in virtual time: whatever crashes, is lost or is answered, the rules hold."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from leaddone_pipeline.settings import Guarantee
from tests.simulation.crashes import Site
from tests.simulation.faults import Fault, Row
from tests.simulation.many import play_all, replay_line
from tests.simulation.table import table

LEAST_OF_2000 = 50
"""What two thousand seeds must have met: each row under each guarantee, each crash point, so often."""

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def played(request):
    return play_all(0, request.config.getoption("seeds"))


def test_every_seed_keeps_every_rule(played):
    _, broken = played
    assert not broken, "\n".join(f"{what}\n    {replay_line(seed)}" for seed, what in broken.items())


def test_the_seeds_meet_every_answer_and_every_crash(played, capsys, request):
    """Without this, the first promise could be one about nothing."""
    met, _ = played
    least = LEAST_OF_2000 * request.config.getoption("seeds") // 2_000
    with capsys.disabled():
        print(f"\n{table(met)}")
    rows = {(guarantee, row): met.rows[guarantee.value, row] for guarantee in Guarantee for row in Row}
    assert {key: count for key, count in rows.items() if count < least} == {}
    assert {site: met.crashes[site] for site in Site if met.crashes[site] < least} == {}
    assert {fault: met.faults[fault] for fault in Fault if met.faults[fault] < least} == {}
    assert sum(met.crashes.values()) >= met.seeds


def test_a_seed_plays_the_same_in_another_process():
    """Else the line that a failing seed prints would replay something else."""
    told = [
        subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seed", "11"],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert told[0].count(" sends ") >= 6
