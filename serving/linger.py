"""A transport that closes politely: what was answered early is heard, because what the client still sends is read.

A socket that is closed with bytes unread resets the connection, and the reset overtakes the answer (RFC 9112, 9.6).
"""

import asyncio
from collections.abc import Callable
from typing import Any

__all__ = ["LingeringTransport"]


class LingeringTransport:
    """What uvicorn takes for the transport. `close()` ends our side alone while `is_sending()` is true for the client.

    From then on it counts as closing; `finish()` or `abort()` ends the rest.
    """

    def __init__(self, transport: asyncio.Transport, is_sending: Callable[[], bool]) -> None:
        self._transport, self._is_sending = transport, is_sending
        self.is_lingering = False
        self.write = transport.write  # the two that every answer needs, without a detour
        self.get_extra_info = transport.get_extra_info

    def __getattr__(self, name: str) -> Any:
        """All else is the transport's own."""
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Whether nothing more may be written."""
        return self.is_lingering or self._transport.is_closing()

    def close(self) -> None:
        """Write what is left, then close; or wait for the client first."""
        if self._transport.is_closing() or self.is_lingering or not self._is_sending():
            self.finish()
            return
        self.is_lingering = True
        self._transport.resume_reading()
        self._transport.write_eof()

    def finish(self) -> None:
        """Close without waiting for the client."""
        self._transport.close()
