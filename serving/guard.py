"""The door of the app: host, origin and key are looked at before anything is read, every answer is made safe."""

import asyncio
import hashlib
import hmac
import ipaddress
import time
from collections.abc import Awaitable, Callable, Iterable

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.crowd import IS_CROWDED
from serving.origin import Doorman, wants_html
from serving.problems import MEDIA_TYPE, STOPPING, InWords, as_it_is, problem
from serving.sessions import Sessions

__all__ = ["OPEN_PATHS", "Guard", "is_loopback"]

OPEN_PATHS = frozenset({"/health", "/ready"})
"""What a load balancer may ask without a key."""

INTAKE_PATHS = frozenset({"/logs", "/predict", "/train"})
"""What programs send logs to, some of them with an `Origin`; our page sends nothing there."""

LOGIN_PATH, PAGE_PATHS, STATIC_PATHS = "/login", "/page/", "/page/static/"

PROMPT_PATHS = OPEN_PATHS | {"/logs"}
"""What does not wait for the server's state at its start."""

DOCS_PATHS = frozenset({"/docs", "/redoc", "/docs/oauth2-redirect"})
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'"
NO_ROUTE = "none"
CROWDED = "There are more connections than this server serves at once; send the request again in a moment."
CROWDED_RETRY_S = 5
LOAD_AGAIN = "This change came from a page, but without the token that our own page sends; load the page again."
ADVICE = "Send the key of LOG_SENTINEL_KEY as `Authorization: Bearer <key>` or as `X-API-Key: <key>`."


class Guard:
    """ASGI middleware. `key` None lets everybody in, `hosts` None takes requests for any name of this machine.

    Who has a cookie of `sessions` needs no key; changes that come so, or from any page of a browser, carry its token.
    `ask_key` makes the form that a person without key or cookie gets instead of a screen, `in_words` the page
    that a person gets instead of a problem.

    `count` is told the route and the status of each answer. `settle` waits until what is answered is true; intake and
    the probes do without. HEAD is answered as GET, without a body (RFC 9110, 9.3.2).
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        key: str | None,
        hosts: Iterable[str] | None = None,
        count: Callable[[str, int], None] | None = None,
        sessions: Sessions | None = None,
        ask_key: Callable[[Request], Response] | None = None,
        in_words: InWords = as_it_is,
        settle: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._app, self._count, self._ask_key, self._in_words, self._settle = app, count, ask_key, in_words, settle
        self._sessions = sessions or Sessions(key, clock=time.time)
        self._digest = _digest(key.encode()) if key else None
        self._doorman = Doorman(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a problem where the request may not come in, else pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"
        refusal = self._refusal(scope)
        inner = {**scope, "method": "GET"} if is_head else scope
        send_guarded = self._guarded(inner, _without_body(send) if is_head else send)
        if refusal is None:
            if self._settle is not None and scope["path"] not in PROMPT_PATHS:
                await self._settle()
            await _until_the_stop(self._app, inner, receive, send_guarded)
        else:
            await self._shown(scope, refusal)(inner, receive, send_guarded)

    def _shown(self, scope: Scope, refusal: Response) -> Response:
        """The refusal, as a page where a person looks at it."""
        is_problem = refusal.media_type == MEDIA_TYPE
        return self._in_words(Request(scope), refusal) if is_problem else refusal

    def _guarded(self, scope: Scope, send: Send) -> Send:
        """`send` that adds what makes an answer safe, and counts it."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"] not in DOCS_PATHS:  # the page of the docs fetches its script
                    headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
                if headers.get("allow") == "GET":
                    headers["allow"] = "GET, HEAD"
                if self._count is not None:
                    self._count(getattr(scope.get("route"), "path", NO_ROUTE), message["status"])
            await send(message)

        return send_guarded

    def _refusal(self, scope: Scope) -> Response | None:
        """Why the request may not come in; None where it may."""
        is_probe = scope["path"] in OPEN_PATHS
        if scope.get("state", {}).get(IS_CROWDED) and not is_probe:
            return problem(503, CROWDED, headers={"Retry-After": str(CROWDED_RETRY_S), "Connection": "close"})
        foreign = self._doorman.refuse(scope, is_any_host=is_probe)
        if foreign is not None or is_probe or (self._digest is not None and self._knows(scope)):
            return foreign
        request = Request(scope)
        session = self._sessions.of(request.headers)
        if self._digest is not None and session is None:
            return self._ask(request)
        is_free = scope["path"] == LOGIN_PATH or (session is None and scope["path"] in INTAKE_PATHS)
        if is_free or self._sessions.may_change(scope["method"], request.headers, session):
            return None
        return problem(403, LOAD_AGAIN)

    def _ask(self, request: Request) -> Response | None:
        """What somebody without key and cookie gets: the form where a person looks at a screen, else 401."""
        path, is_read = request.url.path, request.method in {"GET", "HEAD"}
        if path.startswith(STATIC_PATHS) if is_read else path == LOGIN_PATH:
            return None
        is_screen = path == "/" or path.startswith(PAGE_PATHS)
        if is_read and is_screen and self._ask_key is not None and wants_html(request.scope):
            return self._ask_key(request)
        return problem(401, ADVICE, headers={"WWW-Authenticate": 'Bearer realm="log-sentinel"'})

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


async def _until_the_stop(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Call the app; a request that outlasts the stop of the server, which cancels it, is answered 503."""
    has_begun = False

    async def send_noted(message: Message) -> None:
        nonlocal has_begun
        has_begun = True
        await send(message)

    try:
        await app(scope, receive, send_noted)
    except asyncio.CancelledError:
        if has_begun:
            raise
        await problem(503, STOPPING, headers={"Retry-After": str(CROWDED_RETRY_S)})(scope, receive, send)


def _without_body(send: Send) -> Send:
    """`send` that lets the head of an answer through and ends it there; an endless answer ends, too."""
    is_done = False

    async def send_head(message: Message) -> None:
        nonlocal is_done
        if message["type"] == "http.response.start":
            await send(message)
        elif is_done:
            await asyncio.sleep(0)  # let an answer that never ends notice that it was heard
        else:
            is_done = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return send_head


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
