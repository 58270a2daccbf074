"""Dagster's UI over the demo's assets, until Ctrl-C."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

from leaddone_pipeline.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from leaddone_pipeline.demo.home import DemoHome

__all__ = ["check_ui", "run_ui"]

_LOOPBACK = "127.0.0.1"
# From Dagster's own default upward, below the ports of outgoing connections.
_PORTS = range(3000, 3100)
_END_SECONDS = 10


def check_ui() -> None:
    """Say at once that the UI is not installed, before anything is run for it.

    Raises:
        SettingsError: it is not.
    """
    if find_spec("dagster_webserver") is None:
        raise SettingsError(
            "Dagster's UI is not installed",
            remedy="Install it: pip install 'leaddone-pipeline[demo]'",
            setting="--ui",
        )


def run_ui(home: DemoHome, tell: Callable[[str], None]) -> None:
    """Run `dagster dev` in the demo's environment; it ends with Ctrl-C, and the sandbox with it."""
    port = _free_port()
    tell(f"Dagster's UI comes up at http://{_LOOPBACK}:{port}; the sandbox stays open. Ctrl-C ends both.")
    command = [sys.executable, "-m", "dagster", "dev", "-m", "leaddone_pipeline.demo", "-a", "definitions"]
    process = subprocess.Popen([*command, "-h", _LOOPBACK, "-p", str(port)], cwd=home.root, stdout=sys.stderr)  # noqa: S603 - our own words
    try:
        process.wait()
    except KeyboardInterrupt:
        # A terminal has told `dagster dev` too, which then ends its own processes.
        with suppress(KeyboardInterrupt, subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    for port in _PORTS:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_LOOPBACK, port))
            except OSError:
                continue
            return port
    raise SettingsError(
        f"no free port from {_PORTS.start} to {_PORTS.stop - 1}",
        remedy="End what listens there",
        setting="--ui",
    )
