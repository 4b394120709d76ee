"""The web server around the app: uvicorn with uvloop and httptools on our own sockets, stopped in order."""

import contextlib
import functools
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from serving.crowd import Crowd
from serving.http_limits import LimitedProtocol

__all__ = ["WebServer", "web_server"]

KEEP_ALIVE_S = 30
STOP_TIMEOUT_S = 15
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class WebServer(uvicorn.Server):
    """uvicorn's server; on SIGTERM or SIGINT it stops accepting, calls `on_stop`, finishes requests and returns."""

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let requests that would last for minutes end first, then do as uvicorn does."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()  # before a training is waited for: nobody's body is
        await self._on_stop()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal; unlike uvicorn's own, do not send it again afterwards: we have more to put away."""
        before = {number: signal.signal(number, self.handle_exit) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def web_server(app: ASGIApp, *, on_stop: Callable[[], Awaitable[None]], crowd: Crowd | None = None) -> WebServer:
    """The server for `app`; run it with `.run(sockets)`. `crowd`: its connections and their bounds."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=functools.partial(LimitedProtocol, crowd=crowd or Crowd()),  # type: ignore[arg-type]  # called, no more
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # the peer's address is the peer's address
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_TIMEOUT_S,
        backlog=2048,
    )
    return WebServer(config, on_stop)
