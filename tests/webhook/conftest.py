"""A server on loopback that does exactly what a test says with each connection."""

import contextlib
import socket
import struct
import threading

import pytest


class Wire:
    """One connection, as the server sees it."""

    def __init__(self, connection, stopped):
        self._connection = connection
        self.stopped = stopped

    def read_request(self):
        """The head as received, and the whole body."""
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, body = received.partition(b"\r\n\r\n")
        lengths = [
            line.partition(b":")[2]
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        ]
        length = int(lengths[0]) if lengths else 0
        while len(body) < length:
            body += self._more()
        return head, body

    def read_byte(self):
        return self._connection.recv(1)

    def _more(self):
        chunk = self._connection.recv(65536)
        if not chunk:
            raise ConnectionError
        return chunk

    def send(self, data):
        self._connection.sendall(data)

    def answer(self, status, body=b"", **headers):
        lines = [f"HTTP/1.1 {status} Some Reason", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send("\r\n".join([*lines, "", ""]).encode() + body)

    def reset(self):
        """Close with a RST instead of a FIN."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()


class Server:
    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}/api/webhook"
        self.connections = 0
        self.stopped = threading.Event()
        self._open = []
        self._threads = []

    def start(self, behave):
        """Hand each connection to `behave(wire)` in a thread of its own."""

        def serve(connection):
            with connection, contextlib.suppress(OSError):
                behave(Wire(connection, self.stopped))

        def listen():
            while True:
                try:
                    connection, _ = self._listener.accept()
                except OSError:
                    return
                self.connections += 1
                self._open.append(connection)
                thread = threading.Thread(target=serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

        self._threads.append(threading.Thread(target=listen))
        self._threads[0].start()
        return self

    def stop(self):
        self.stopped.set()
        for each in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)


@pytest.fixture
def server():
    running = Server()
    yield running
    running.stop()
