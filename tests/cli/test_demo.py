"""`leaddone demo` as a user runs it: the whole way through Dagster, twice."""

import socket

import pytest


@pytest.fixture
def demo(leaddone_process, project):
    """In an empty project: the sample is written into the demo's own folder."""
    (project / "pyproject.toml").touch()
    return lambda *options: leaddone_process("demo", *options)


def test_the_demo_proves_that_all_arrived_and_a_second_run_sends_nothing(demo, project):
    first = demo("--days", 2)
    assert first.code == 0, first.err
    for word in ("atlas", "medina", "2026-11-17", "order_links", "PLT-", "tables.duckdb"):
        assert word in first.out
    assert first.out.count("holds: ") == 3
    assert "DOES NOT HOLD" not in first.out
    assert "a second time" not in first.out
    second = demo("--days", 2)
    assert second.code == 0, second.err
    assert "nothing was sent a second time: LeadDone has all" in second.out
    home = project / ".leaddone" / "demo"
    assert {"ledger.db", "tables.duckdb", "sandbox.json", "port", "data", "dagster", "dagster.log"} <= {
        path.name for path in home.iterdir()
    }
    # Dagster's own noise is in the log; the terminal has a few lines.
    assert len(second.err.splitlines()) < 12, second.err


def test_a_taken_port_is_told_with_the_remedy(demo, project):
    home = project / ".leaddone" / "demo"
    home.mkdir(parents=True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        (home / "port").write_text(str(taken.getsockname()[1]))
        ran = demo("--days", 1)
    assert ran.code == 2
    assert "is taken" in ran.err
    assert str(home) in ran.err
