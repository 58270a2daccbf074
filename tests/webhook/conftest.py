import pytest

from tests.webhook.servers import PATIENT, Server, send_once


@pytest.fixture
def server():
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def send(server):
    """Send BODY once to a server that behaves as given."""

    def start_and_send(behave, *, base_url=None, timeouts=PATIENT):
        server.start(behave)
        return send_once(base_url or server.base_url, timeouts=timeouts)

    return start_and_send
