"""Programs of other people, started for a test on the loopback address: each ends with its block, none by name."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

LOOPBACK = "127.0.0.1"
_END_SECONDS = 30
_PLAIN = ("-E", "UTF8", "--locale=C", "--no-sync")
# Below the range from which systems take the ports of outgoing connections.
_PORTS = range(20_000, 32_000)


def needed(program: str, *, package: str) -> str:
    """Where a program of the system is; a machine without it skips the test, CI never does."""
    # Debian keeps PostgreSQL's own programs out of PATH.
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    found = str(kept[-1]) if kept else shutil.which(program)
    if found is None:
        message = f"{program} is not installed; on Debian: apt-get install {package}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    return found


def free_port() -> int:
    start = _PORTS.start + os.getpid() % 5_000
    for port in range(start, _PORTS.stop):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise RuntimeError(f"no free port from {start} to {_PORTS.stop}")


def wait_for(condition: Callable[[], Any], *, what: str, within: float = 180.0) -> Any:
    """Wait for what other processes bring about; the time bounds a failure, never a success."""
    end = time.monotonic() + within
    while not (found := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"not seen within {within:.0f} s: {what}")
        time.sleep(0.1)
    return found


class Program:
    """A process in a group of its own, its words in a file."""

    def __init__(self, command: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path) -> None:
        self.command, self.log = list(command), log
        with log.open("ab") as words:
            self._process = subprocess.Popen(
                # Dagster takes no SIGTERM where SIGINT is ignored, as it is below a shell's background job.
                ["env", "--default-signal=INT", *command],
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """End it and its children as a power cut would."""
        os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def end(self) -> None:
        """End it in good order, and what is left of its group then."""
        if self.runs:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """A folder that everyone may enter, with a name short enough for a socket in it."""
    folder = Path(tempfile.mkdtemp(prefix="leaddone-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def postgres(*databases: str) -> Iterator[int]:
    """A PostgreSQL with these databases, for user `postgres` without a password, on the port that it gives."""
    programs, port = Path(needed("postgres", package="postgresql")).parent, free_port()
    with short_folder() as folder:
        user = _owner(folder)
        data, options = folder / "data", f"-h {LOOPBACK} -p {port} -k {folder} -F"
        start = [programs / "pg_ctl", "start", "-w", "-D", data, "-l", folder / "log", "-o", options]
        stop = [programs / "pg_ctl", "stop", "-w", "-m", "immediate", "-D", data]
        _run([*user, programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", *_PLAIN], folder)
        _run([*user, *start], folder)
        try:
            for name in databases:
                words = ["-h", LOOPBACK, "-p", str(port), "-U", "postgres", name]
                _run([programs / "createdb", *words], folder)
            yield port
        finally:
            _run([*user, *stop], folder)


def _owner(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: then it runs as a user with fewer rights, who gets the folder."""
    if os.getuid() != 0:
        return []
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    setpriv = needed("setpriv", package="util-linux")
    return [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]


def _run(command: Sequence[str | Path], folder: Path) -> None:
    # Into a file: a server that it starts would keep a pipe open.
    with (folder / "said").open("w") as words:
        done = subprocess.run(command, stdout=words, stderr=subprocess.STDOUT, cwd=folder, check=False)
    assert done.returncode == 0, (folder / "said").read_text()


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[int]:
    """A Redis that keeps nothing on disk, on the port that it gives."""
    program, port = needed("redis-server", package="redis-server"), free_port()
    words = ["--bind", LOOPBACK, "--port", str(port), "--save", "", "--appendonly", "no"]
    with started([program, *words], log=folder / "redis.log", env=os.environ, cwd=folder) as server:
        wait_for(lambda: answers(port) or not server.runs, what="Redis")
        assert server.runs, server.said()
        yield port


@contextlib.contextmanager
def started(command: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path) -> Iterator[Program]:
    program = Program(command, log=log, env=env, cwd=cwd)
    try:
        yield program
    finally:
        program.end()
        # pytest shows it where a test fails.
        print(f"{' '.join(command)}\n{program.said()[-4000:]}")


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def installed(program: str) -> str:
    """A program of this environment."""
    return str(Path(sys.executable).with_name(program))
