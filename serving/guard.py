"""The door of the app: the key is asked for before anything is read, every answer is counted and made safe."""

import hashlib
import hmac
import ipaddress
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.problems import problem

__all__ = ["OPEN_PATHS", "Guard", "is_loopback"]

OPEN_PATHS = frozenset({"/health", "/ready"})
"""What a load balancer may ask without a key."""

DOCS_PATHS = frozenset({"/docs", "/redoc", "/docs/oauth2-redirect"})
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'"
NO_ROUTE = "none"
ADVICE = "Send the key of LOG_SENTINEL_KEY as `Authorization: Bearer <key>` or as `X-API-Key: <key>`."


class Guard:
    """ASGI middleware; `key` None lets everybody in. `count` is told the route and the status of each answer."""

    def __init__(self, app: ASGIApp, *, key: str | None, count: Callable[[str, int], None] | None = None) -> None:
        self._app, self._count = app, count
        self._digest = _digest(key.encode()) if key else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 without the right key, else pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if path not in DOCS_PATHS:  # the page of the docs fetches its script
                    headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
                if self._count is not None:
                    self._count(getattr(scope.get("route"), "path", NO_ROUTE), message["status"])
            await send(message)

        if self._digest is None or path in OPEN_PATHS or self._knows(scope):
            await self._app(scope, receive, send_guarded)
            return
        refusal = problem(401, ADVICE, headers={"WWW-Authenticate": 'Bearer realm="log-sentinel"'})
        await refusal(scope, receive, send_guarded)

    def _knows(self, scope: Scope) -> bool:
        """Whether the request carries the key: bytes are compared, in constant time, by digests of equal length."""
        assert self._digest is not None
        for name, value in scope["headers"]:
            offered = value.strip() if name == b"x-api-key" else None
            if name == b"authorization" and value[:7].lower() == b"bearer ":
                offered = value[7:].strip()
            if offered is not None and hmac.compare_digest(_digest(offered), self._digest):
                return True
        return False


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
