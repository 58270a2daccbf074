import subprocess
import sys

import pytest

COMMANDS = [
    ["demo"],
    ["send", "orders"],
    ["send", "tracking"],
    ["status"],
    ["links"],
    ["resolve"],
    ["forget"],
    ["doctor"],
    ["sign"],
    ["sandbox"],
    ["sources"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_each_command_says_what_it_does_and_shows_an_example(leaddone, command):
    ran = leaddone(*command, "--help")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[2].startswith("  ")
    assert "  Example:" in lines
    assert lines[lines.index("  Example:") + 1].strip().startswith(f"leaddone {' '.join(command)}")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_options_are_phrases_without_full_stop(leaddone, command):
    options = leaddone(*command, "--help").out.partition("Options:\n")[2].replace("and exit.", "")
    assert not [line for line in options.splitlines() if line.endswith(".") and not line.endswith("...")]


def test_the_list_of_commands_is_that_of_the_interface(leaddone):
    listed = leaddone("--help").out.partition("Commands:\n")[2].splitlines()
    assert {line.split()[0] for line in listed} == {command[0] for command in COMMANDS}


def test_the_help_of_sandbox_lists_the_faults(leaddone):
    ran = leaddone("sandbox", "--help")
    assert "lost_answer" in ran.out
    assert "the request is processed, then the connection is cut" in ran.out


@pytest.mark.parametrize("then", ["", "import typer; cli.app.app(['--help'], standalone_mode=False)"])
def test_help_and_import_load_no_dagster_and_no_pandas(then, own_environment):
    code = f"""
import sys
import leaddone_pipeline.cli as cli
{then}
heavy = {{"dagster", "pandas", "pyarrow", "sqlalchemy", "httpx", "duckdb"}} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", code], env=own_environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_an_unknown_option_is_a_usage_error(leaddone):
    ran = leaddone("send", "orders", "x.csv", "--sceret", "y")
    assert ran.code == 2
    assert "No such option" in ran.err


def test_the_secret_is_no_option(leaddone):
    for command in COMMANDS:
        assert "secret" not in leaddone(*command, "--help").out.partition("Options:")[2].lower()
