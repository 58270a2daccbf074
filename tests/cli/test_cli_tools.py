import os
import signal
import subprocess
import sys

import pytest


def test_sign_signs_exactly_the_bytes_of_the_file(leaddone, leaddone_process, project):
    """The expected signature was made by `openssl dgst -sha256 -hmac`."""
    (project / "body.json").write_bytes(b'[{"id":"A-1"}]\n')
    ran = leaddone("sign", "body.json")
    assert (ran.code, ran.out) == (0, "22e6a4a644c4b3589667654810ea2fb402e7216a379cfb433ea5efe1a1d02970\n")
    assert leaddone_process("sign", "-", stdin=b'[{"id":"A-1"}]\n').out == ran.out


def test_sign_needs_the_secret_alone(leaddone, project):
    (project / "body.json").write_bytes(b"[]")
    assert leaddone("sign", "body.json", env={"LEADDONE_CLIENT_ID": None}).code == 0
    ran = leaddone("sign", "body.json", env={"LEADDONE_WEBHOOK_SECRET": None})
    assert ran.code == 2
    assert "LEADDONE_WEBHOOK_SECRET" in ran.err


def test_sign_of_a_missing_file_is_a_usage_error(leaddone):
    ran = leaddone("sign", "nowhere.json")
    assert ran.code == 2
    assert "nowhere.json" in ran.err


def test_sources_lists_columns_and_how_a_file_is_recognised(leaddone):
    ran = leaddone("sources")
    assert ran.code == 0
    for word in (
        "leaddone:",
        "shopify:",
        "Lineitem name",
        "recognised by at least 3 of the columns id, article, price, phone",
        "recognised by columns for id, article, price or bare_price or owed, phone",
        "is already fulfilled",
        "skipped as already paid: Financial Status is paid or partially_refunded or authorized, unless paid: send",
        "rows that share an id and differ are refused",
    ):
        assert word in ran.out


@pytest.fixture
def sandbox(project, own_environment):
    process = subprocess.Popen(
        [sys.executable, "-m", "leaddone_pipeline.cli", "sandbox"],
        env=own_environment,
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    yield process
    process.kill()
    process.communicate()


def test_the_sandbox_prints_what_to_export_and_runs_until_ctrl_c(sandbox, leaddone, write):
    exported = dict(sandbox.stdout.readline().removeprefix("export ").strip().split("=", 1) for _ in range(3))
    assert set(exported) == {"LEADDONE_CLIENT_ID", "LEADDONE_WEBHOOK_SECRET", "LEADDONE_BASE_URL"}
    assert leaddone("send", "orders", write({"id": "A-1"}), env=exported).code == 0
    os.kill(sandbox.pid, signal.SIGINT)
    _, err = sandbox.communicate(timeout=30)
    assert sandbox.returncode == 0
    assert "it had 1 order" in err
    assert "Traceback" not in err
