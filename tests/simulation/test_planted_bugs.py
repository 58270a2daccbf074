"""The simulation finds what it is there to find: bugs planted into functions that ship (issue 4)."""

import pytest

from tests.simulation.many import found_by
from tests.simulation.planted import BUGS
from tests.simulation.play import play

WITHIN = 500


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug, capsys):
    found = found_by(bug, within=WITHIN)
    assert found is not None, f"{bug}: not found within {WITHIN} seeds"
    seed, what = found
    play(seed)  # without the bug it keeps every rule
    with capsys.disabled():
        print(f"\n{bug}: found by seed {seed}: {what}")
