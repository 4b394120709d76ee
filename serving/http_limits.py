"""An HTTP/1.1 connection with limited patience: slow or huge headers and dripping bodies are cut off.

uvicorn has no such limit of its own, and no ASGI app can add one: a request reaches the app when its headers are whole.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from serving.problems import MEDIA_TYPE, problem_bytes

__all__ = ["LimitedProtocol"]

HEAD_TIMEOUT_S = 5.0
"""From the first byte (or the opening of the connection) to the end of the headers."""

BODY_WINDOW_S = 4.0
"""A body must bring `BODY_MIN_BYTES` in every such window, unless it is us who does not read."""

BODY_MIN_BYTES = 1024
MAX_HEAD_BYTES = 64 * 1024


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a timer: one limit until the headers are whole, a least speed for the body after that."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._in_body = False
        self._head_bytes = self._body_bytes = 0
        self._answered_early = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begin to wait for the headers."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, then see that the headers stay within their time and size."""
        if self._in_body:
            self._body_bytes += len(data)
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
        self._in_body, self._answered_early = True, False
        self._head_bytes = self._body_bytes = 0
        super().on_headers_complete()
        self._timer = self.loop.call_later(BODY_WINDOW_S, self._check_body)

    def on_message_complete(self) -> None:
        """The body is whole: take all the time that the answer needs."""
        self._stop_timer()
        self._in_body = False
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What cannot be read as HTTP gets a problem, too."""
        self._refuse(400, f"{msg} Send HTTP/1.1 as RFC 9112 has it; this port does not speak TLS.")

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _await_head(self) -> None:
        self._timer = self.loop.call_later(HEAD_TIMEOUT_S, self._cut)

    def _check_body(self) -> None:
        """Cut a body that drips, and one that goes on long after its request was answered."""
        self._timer = None
        if not self._in_body or self.transport.is_closing():
            return
        is_answered = not self._is_answering()
        is_slow = self._body_bytes < BODY_MIN_BYTES and not self.flow.read_paused
        if is_slow or (is_answered and self._answered_early):
            self._cut()
            return
        self._answered_early, self._body_bytes = is_answered, 0
        self._timer = self.loop.call_later(BODY_WINDOW_S, self._check_body)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut(self) -> None:
        """Close at once: nothing that we could say would be waited for."""
        self._timer = None
        if not self.transport.is_closing():
            self.transport.abort()

    def _refuse(self, status: int, detail: str) -> None:
        """Answer without the app, then close."""
        body = problem_bytes(status, detail)
        head = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head.encode() + body)
        self.transport.close()
