"""A door before the sandbox: while it is shut, nobody can connect, so that nothing of a request leaves."""

from __future__ import annotations

import contextlib
import socket
import threading


class Gate:
    """Forwards loopback connections to a port; `shut()` makes new connections hang in the handshake."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self._door = socket.socket()
        self._door.bind(("127.0.0.1", _free_port()))
        self._door.listen(0)
        self.port = self._door.getsockname()[1]
        self._open = threading.Event()
        self._open.set()
        self._fillers: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def shut(self) -> None:
        self._open.clear()
        with socket.create_connection(("127.0.0.1", self.port)):
            pass  # the one that the loop is waiting for already
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(("127.0.0.1", self.port))
            self._fillers.append(filler)

    def open(self) -> None:
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()
        self._open.set()

    def _serve(self) -> None:
        while True:
            self._open.wait()
            visitor, _ = self._door.accept()
            house = socket.create_connection(("127.0.0.1", self._behind))
            for source, target in ((visitor, house), (house, visitor)):
                threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


def _free_port() -> int:
    for port in range(21_000, 32_000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port below 32000")
