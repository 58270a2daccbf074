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
        self._turn = threading.Condition()
        self._is_open = True
        self._accepts = False
        self._fillers: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def shut(self) -> None:
        """Let nobody in from now on: the loop rests, and its queue of one is full."""
        with self._turn:
            self._is_open = False
        self._fill()  # one of these may be the visitor that the loop waits for
        with self._turn:
            self._turn.wait_for(lambda: not self._accepts)
        self._fill()

    def _fill(self) -> None:
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
        with self._turn:
            self._is_open = True
            self._turn.notify_all()

    def _serve(self) -> None:
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._is_open)
                self._accepts = True
            visitor, _ = self._door.accept()
            with self._turn:
                self._accepts = False
                self._turn.notify_all()
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
