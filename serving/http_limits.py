"""An HTTP/1.1 connection with limited patience: slow or huge headers and dripping bodies are cut off.

uvicorn has no such limit of its own, and no ASGI app can add one: a request reaches the app when its headers are whole.
"""

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from serving.crowd import IS_CROWDED, Crowd
from serving.linger import LingeringTransport
from serving.problems import MEDIA_TYPE, STOPPING, problem_bytes

__all__ = ["LimitedProtocol"]

HEAD_TIMEOUT_S = 5.0
"""From the first byte (or the opening of the connection) to the end of the headers."""

BODY_WINDOW_S = 4.0
"""A body is looked at each time this is over: it must have come at the least speed, where it is not us who waits."""

ANSWERED_WINDOWS = 8
"""For so many of them a body may go on after its request was answered: a client that writes first must hear it."""

STOP_LINGER_S = 1.0
MAX_HEAD_BYTES = 64 * 1024


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a timer: one limit until the headers are whole, a least speed for the body after that."""

    def __init__(self, *args: Any, crowd: Crowd, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._crowd = crowd
        self._timer: asyncio.TimerHandle | None = None
        self._in_body = False
        self._head_bytes = self._body_bytes = 0
        self._answered_windows = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begin to wait for the headers."""
        self._crowd.open += 1
        super().connection_made(LingeringTransport(transport, lambda: self._in_body))  # type: ignore[arg-type]
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._crowd.open -= 1
        self._stop_timer()
        self._end_body()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, then see that the headers stay within their time and size."""
        if self._in_body:
            self._body_bytes += len(data)
        if self._lingering.is_lingering:
            self._discard(data)
            return
        super().data_received(data)
        if self.parser is None or self.transport.is_closing() or self._in_body or self._is_answering():
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(431, f"The headers are bigger than {MAX_HEAD_BYTES} bytes; send shorter ones.")
        elif self._timer is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """The request is known: now its body must come."""
        self._stop_timer()
        self._in_body, self._answered_windows = True, 0
        self._crowd.bodies += 1
        self._head_bytes = self._body_bytes = 0
        self.scope["state"][IS_CROWDED] = self._crowd.is_over
        super().on_headers_complete()
        self._timer = self.loop.call_later(BODY_WINDOW_S, self._check_body)

    def on_message_complete(self) -> None:
        """The body is whole: take all the time that the answer needs."""
        self._stop_timer()
        self._end_body()
        super().on_message_complete()
        if self._lingering.is_lingering:
            self._lingering.finish()

    def send_400_response(self, msg: str) -> None:
        """What cannot be read as HTTP gets a problem, too."""
        self._refuse(400, f"{msg} Send HTTP/1.1 as RFC 9112 has it; this port does not speak TLS.")

    def shutdown(self) -> None:
        """The server stops: it finishes what it has whole, and waits for nobody's body."""
        if not self._in_body or self.pipeline or self._lingering.is_closing():
            super().shutdown()
        elif self._is_answering():
            if not self.cycle.response_started:
                self._refuse(503, STOPPING, b"retry-after: 5\r\n")
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        else:
            self.transport.close()
        if self._in_body:
            self._stop_timer()
            self._timer = self.loop.call_later(STOP_LINGER_S, self.give_up)

    def give_up(self) -> None:
        """Close at once: nothing that we could say would be waited for."""
        self._timer = None
        self.transport.abort()

    @property
    def _lingering(self) -> LingeringTransport:
        return self.transport  # type: ignore[return-value]  # connection_made saw to it

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _discard(self, data: bytes) -> None:
        """Read on for the end of a body whose request was answered."""
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._lingering.finish()

    def _await_head(self) -> None:
        self._timer = self.loop.call_later(HEAD_TIMEOUT_S, self.give_up)
        self._crowd.wait(self)

    def _check_body(self) -> None:
        """Cut a body that drips, and one that goes on long after its request was answered."""
        self._timer = None
        if not self._in_body:
            return
        if not self._is_answering():
            self._answered_windows += 1
        is_slow = self._body_bytes < self._crowd.least_bytes_s * BODY_WINDOW_S and not self.flow.read_paused
        if is_slow or self._answered_windows > ANSWERED_WINDOWS:
            self.give_up()
            return
        self._body_bytes = 0
        self._timer = self.loop.call_later(BODY_WINDOW_S, self._check_body)

    def _end_body(self) -> None:
        self._crowd.bodies -= self._in_body
        self._in_body = False

    def _stop_timer(self) -> None:
        self._crowd.leave(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: int, detail: str, headers: bytes = b"") -> None:
        """Answer without the app, then close."""
        body = problem_bytes(status, detail)
        head = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n".encode()
        self.transport.write(STATUS_LINE[status] + head + headers + b"\r\n" + body)
        self.transport.close()
