"""A server on loopback that does exactly what a test says with each connection, and what tests send to it."""

import contextlib
import socket
import struct
import threading

from leaddone_pipeline.contract import Kind
from leaddone_pipeline.settings import Credentials, TimeoutSettings
from leaddone_pipeline.webhook import LeadDoneClient

SECRET = "whsec_planted"
CREDENTIALS = Credentials("my-shop", SECRET)
PATIENT = TimeoutSettings()
QUICK = TimeoutSettings(connect_seconds=0.3, write_seconds=0.3, read_seconds=0.3)
BODY = b'[{"id":"1","article":"Lampe","price":199,"phone":"0612345678"}]'
ANSWER = b'[{"success":true,"message":"ok","order_id":"1","internal_id":"PLT-1"}]'


def send_once(base_url, body=BODY, *, timeouts=PATIENT):
    with LeadDoneClient(CREDENTIALS, base_url, timeouts=timeouts) as client:
        return client.send(Kind.ORDERS, body)


def answering(status=200, body=ANSWER, **headers):
    """A server that answers every request of a connection alike."""

    def behave(wire):
        while True:
            wire.read_request()
            wire.answer(status, body, **headers)

    return behave


def saying(*parts):
    """A server that reads the request, says these bytes part by part, and closes."""

    def behave(wire):
        wire.read_request()
        for part in parts:
            wire.send(part)

    return behave


def dripping(start, drop):
    """A server that says the start, and then a drop now and then, for as long as anyone listens."""

    def behave(wire):
        wire.read_request()
        wire.send(start)
        while not wire.stopped.wait(0.02):
            wire.send(drop)

    return behave


def flooding(start, flood):
    """A server that says the start, and then the flood again and again, as fast as it is taken."""

    def behave(wire):
        wire.read_request()
        wire.send(start)
        flood_with(wire, flood)

    return behave


def flood_with(wire, flood):
    while not wire.stopped.is_set():
        wire.send(flood)


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

    def read_byte(self, at_most=1):
        return self._connection.recv(at_most)

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

    def start(self, behave, *, tls=None):
        """Hand each connection to `behave(wire)` in a thread of its own, with a context behind a TLS handshake."""

        def serve(connection):
            with contextlib.suppress(OSError), connection:
                if tls is None:
                    behave(Wire(connection, self.stopped))
                else:
                    with tls.wrap_socket(connection, server_side=True) as secured:
                        behave(Wire(secured, self.stopped))

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
