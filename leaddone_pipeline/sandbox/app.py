"""The platform served over HTTP on this machine, by Starlette and uvicorn (the extra `sandbox`).

Besides the two webhooks there are routes to steer it from another process: `GET /sandbox/state`,
`POST /sandbox/hold`, `/sandbox/hold-requests`, `/sandbox/release` and `/sandbox/faults`. It listens on the
loopback address alone, so nobody else reaches them.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import random
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leaddone_pipeline.errors import SettingsError
from leaddone_pipeline.sandbox.exchange import Request
from leaddone_pipeline.sandbox.gate import Gate
from leaddone_pipeline.sandbox.platform import BASE_PATH, Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import ClientDisconnect
    from starlette.requests import Request as HttpRequest
    from starlette.responses import JSONResponse
    from starlette.responses import Response as HttpResponse
    from starlette.routing import Mount, Route
    from uvicorn.protocols.http.h11_impl import H11Protocol
except ImportError as missing:
    raise SettingsError(
        "the sandbox's server is not installed",
        remedy="Install it: pip install 'leaddone-pipeline[sandbox]'",
        setting="sandbox",
    ) from missing

__all__ = ["RunningSandbox", "run", "serve"]

LOOPBACK = "127.0.0.1"

# Below the range from which systems take the ports of outgoing connections, which a client could hold.
_PORTS = range(20_000, 32_000)
_PORT_ATTEMPTS = 100
_SHUTDOWN_SECONDS = 2


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox that answers at `base_url`."""

    base_url: str
    platform: Platform
    port: int


class _CuttableProtocol(H11Protocol):
    """uvicorn's protocol, handing each request the means to cut its connection: ASGI itself has none."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self.app_state = {**self.app_state, "cut": transport.abort}
        # uvicorn's own switch gives way to whoever has put a handler on its logger.
        self.access_log = False


class _Webhooks:
    """The ASGI application in front of the platform."""

    def __init__(self, platform: Platform, gate: Gate, state_file: Path | None) -> None:
        self._platform = platform
        self._gate = gate
        self._state_file = state_file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        http = HttpRequest(scope, receive)
        try:
            body = await http.body()
        except ClientDisconnect:
            return
        request = Request(http.method, scope["path"], dict(http.headers), body)
        describe = functools.partial(self._platform.describe, request)
        await self._gate.passes("request", describe)
        if self._gate.closed:
            await _cut(scope, receive)
            return
        response = self._platform.answer(request)
        if self._state_file is not None:
            _write(self._state_file, self._platform.snapshot())
        if response.lost or response.unread:
            await _cut(scope, receive)
            return
        await self._gate.passes("answer", describe)
        answer = HttpResponse(response.body, status_code=response.status, headers=dict(response.headers))
        await answer(scope, receive, send)


async def _cut(scope: Scope, receive: Receive) -> None:
    scope["state"]["cut"]()
    # Until uvicorn has seen the end itself it would take our silence for a fault and answer 500.
    while (await receive())["type"] != "http.disconnect":
        pass


def _write(path: Path, snapshot: dict[str, Any]) -> None:
    """Replace the file in one step, so that a kill leaves the old state or the new."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(json.dumps(snapshot, ensure_ascii=False), encoding="utf-8")
    fresh.replace(path)


def _restore(platform: Platform, state_file: Path) -> None:
    try:
        text = state_file.read_text(encoding="utf-8")
    except FileNotFoundError:
        state_file.parent.mkdir(parents=True, exist_ok=True)
        return
    try:
        platform.restore(json.loads(text))
    except (ValueError, KeyError, TypeError) as damage:
        raise SettingsError(
            f"{state_file} is no state of a sandbox",
            remedy="Delete it to begin with an empty sandbox",
            setting="state_file",
        ) from damage


def _application(platform: Platform, gate: Gate, state_file: Path | None) -> Starlette:
    async def state(_: HttpRequest) -> HttpResponse:
        return JSONResponse({**platform.report(), "held": gate.held})

    async def hold(_: HttpRequest) -> HttpResponse:
        gate.hold("answer")
        return JSONResponse({"held": gate.held})

    async def hold_requests(_: HttpRequest) -> HttpResponse:
        gate.hold("request")
        return JSONResponse({"held": gate.held})

    async def release(_: HttpRequest) -> HttpResponse:
        released = gate.held
        gate.release()
        return JSONResponse({"released": released})

    async def faults(http: HttpRequest) -> HttpResponse:
        try:
            wanted = (await http.json())["faults"]
            platform.set_faults([str(name) for name in wanted])
        except (SettingsError, ValueError, KeyError, TypeError) as problem:
            return JSONResponse({"message": str(problem)}, status_code=422)
        return JSONResponse({"faults": platform.faults})

    control = [
        Route("/state", state, methods=["GET"]),
        Route("/hold", hold, methods=["POST"]),
        Route("/hold-requests", hold_requests, methods=["POST"]),
        Route("/release", release, methods=["POST"]),
        Route("/faults", faults, methods=["POST"]),
    ]
    return Starlette(
        routes=[Mount("/sandbox", routes=control), Mount("/", _Webhooks(platform, gate, state_file))]
    )


class _Server(uvicorn.Server):
    """uvicorn in a thread of ours: says when it answers, and can be stopped from outside."""

    def __init__(self, platform: Platform, state_file: Path | None) -> None:
        self._gate = Gate()
        config = uvicorn.Config(
            _application(platform, self._gate, state_file),
            http=_CuttableProtocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        )
        super().__init__(config)
        # Only what is broken; with an address or an id at most, never a body.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            super().run(sockets=sockets)
        finally:
            self.ready.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)
        self.ready.set()

    def stop(self) -> None:
        self.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._gate.close)


@contextlib.contextmanager
def _served(
    platform: Platform, port: int, state_file: Path | None
) -> Iterator[tuple[RunningSandbox, threading.Thread]]:
    if state_file is not None:
        _restore(platform, state_file)
    listener = _listen(port)
    bound = listener.getsockname()[1]
    server = _Server(platform, state_file)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="leaddone-sandbox", daemon=True
    )
    thread.start()
    server.ready.wait()
    try:
        yield RunningSandbox(f"http://{LOOPBACK}:{bound}{BASE_PATH}", platform, bound), thread
    finally:
        server.stop()
        thread.join()


@contextlib.contextmanager
def serve(platform: Platform, *, port: int = 0, state_file: Path | None = None) -> Iterator[RunningSandbox]:
    """Serve a platform from a thread until the block ends.

    Args:
        platform: what answers.
        port: 0 takes a free one between 20000 and 32000.
        state_file: what the platform knew is read from it, and written to it after each request, before the
            answer leaves.

    Raises:
        SettingsError: the port is taken, or the state file cannot be read as one.
    """
    with _served(platform, port, state_file) as (running, _):
        yield running


def run(
    platform: Platform,
    *,
    port: int = 0,
    state_file: Path | None = None,
    on_ready: Callable[[RunningSandbox], None] = lambda _: None,
) -> None:
    """Serve a platform until Ctrl-C; `on_ready` is called once it answers.

    Raises:
        SettingsError: as `serve`.
    """
    with _served(platform, port, state_file) as (running, thread), contextlib.suppress(KeyboardInterrupt):
        on_ready(running)
        thread.join()


def _listen(port: int) -> socket.socket:
    candidates = [port] if port else random.sample(_PORTS, _PORT_ATTEMPTS)
    for candidate in candidates:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, candidate))
            listener.listen(2048)
        except OSError:
            listener.close()
            continue
        return listener
    taken = f"port {port} is taken" if port else f"no free port between {_PORTS.start} and {_PORTS.stop}"
    raise SettingsError(taken, remedy="Name another with --port, or stop what listens there", setting="port")
