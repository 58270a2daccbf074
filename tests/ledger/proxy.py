"""A TCP proxy before a PostgreSQL server, which cuts a connection at the COMMIT that it is told to."""

from __future__ import annotations

import contextlib
import socket
import threading
from urllib.parse import quote

_COMMIT = b"COMMIT\x00"


class Proxy:
    """Forwards loopback connections to a server's socket; counts the COMMITs.

    `cut(n, "before")` ends the connection of the nth COMMIT from now on before the server gets it, `"after"` when the
    server has answered it and the client has not, `"unnoticed"` as `"before"`, but the server does not learn that its
    client is gone until `let_go()`.
    """

    def __init__(self, socket_file):
        self._server = str(socket_file)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self._lock = threading.Lock()
        self._pairs = []
        self._kept = []
        self.commits = 0
        self._at, self._when, self._shut_after = None, None, False
        self.cuts = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def url(self, name):
        return f"postgresql://{quote('postgres')}@127.0.0.1:{self.port}/{name}"

    def cut(self, nth, when, *, and_shut=False):
        with self._lock:
            self._at, self._when, self._shut_after = self.commits + nth, when, and_shut

    def let_go(self):
        for server in self._kept:
            _end(server)
        self._kept.clear()

    def close(self):
        self.let_go()
        for one in (self._door, *(end for pair in self._pairs for end in pair)):
            _end(one)

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._door.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                answered = threading.Event()
                pair = _Pair(client, server, answered)
                self._pairs.append((client, server))
                threading.Thread(target=self._questions, args=(pair,), daemon=True).start()
                threading.Thread(target=_answers, args=(pair,), daemon=True).start()

    def _questions(self, pair):
        with contextlib.suppress(OSError):
            while data := pair.client.recv(65536):
                if _COMMIT in data and (when := self._strikes()):
                    self._strike(pair, data, when)
                    return
                pair.server.sendall(data)
        pair.end()

    def _strikes(self):
        with self._lock:
            self.commits += 1
            if self.commits != self._at:
                return None
            self.cuts += 1
            return self._when

    def _strike(self, pair, data, when):
        pair.deaf = True
        if self._shut_after:
            _end(self._door)
        if when == "after":
            pair.server.sendall(data)
            assert pair.answered.wait(30)
        if when == "unnoticed":
            self._kept.append(pair.server)
            _end(pair.client)
        else:
            pair.end()


class _Pair:
    def __init__(self, client, server, answered):
        self.client, self.server, self.answered = client, server, answered
        self.deaf = False

    def end(self):
        _end(self.server)
        _end(self.client)


def _answers(pair):
    with contextlib.suppress(OSError):
        while data := pair.server.recv(65536):
            if pair.deaf:
                pair.answered.set()
                continue
            pair.client.sendall(data)
    if not pair.deaf:
        pair.end()


def _end(one):
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
