"""Who is at the page: a cookie that proves the key was typed, and a token that proves a change came from our page."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie

__all__ = ["COOKIE", "SESSION_S", "TOKEN_HEADER", "Sessions"]

COOKIE = "log_sentinel"
TOKEN_HEADER = "x-csrf-token"  # noqa: S105 a header's name
SESSION_S = 12 * 3600
CHANGING = frozenset({"POST", "PUT", "DELETE", "PATCH"})


class Sessions:
    """Cookies and tokens of one server. With `key` None there is nobody to log in; tokens are still asked for.

    A cookie is `<end>.<random>.<signature>`, signed by the key, so that a restart ends no session and a new key ends
    all. `clock` gives Unix time in seconds.
    """

    def __init__(self, key: str | None, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._key = key.encode() if key else None
        self._secret = (
            hashlib.sha256(b"log-sentinel page\0" + self._key).digest() if self._key else secrets.token_bytes(32)
        )

    def is_key(self, offered: str) -> bool:
        """Whether this is the key; compared in constant time."""
        if self._key is None:
            return False
        digests = (hashlib.sha256(value).digest() for value in (offered.strip().encode(), self._key))
        return hmac.compare_digest(*digests)

    def begin(self) -> str:
        """The `Set-Cookie` value of a new session."""
        body = f"{int(self._clock()) + SESSION_S}.{secrets.token_hex(16)}"
        return f"{COOKIE}={body}.{self._sign('session', body)}; Path=/; Max-Age={SESSION_S}; HttpOnly; SameSite=Strict"

    @staticmethod
    def end() -> str:
        """The `Set-Cookie` value that ends a session."""
        return f"{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"

    def of(self, headers: Mapping[str, str]) -> str | None:
        """The valid session that a request's cookie names; None without one."""
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return None
        body, _, signature = (morsel.value if morsel is not None else "").rpartition(".")
        end = body.partition(".")[0]
        if (
            not end.isascii()
            or not end.isdigit()
            or not hmac.compare_digest(signature.encode(), self._sign("session", body).encode())
        ):
            return None
        return body if int(end) > self._clock() else None

    def token(self, session: str | None) -> str:
        """What a change from the page of this session must carry."""
        return self._sign("change", session or "")

    def may_change(self, method: str, headers: Mapping[str, str], session: str | None) -> bool:
        """Whether a request that came without the key may change something.

        It may with the token; without a key and without an `Origin` (no browser sent it) it needs none.
        """
        if method not in CHANGING or (self._key is None and "origin" not in headers):
            return True
        return hmac.compare_digest(headers.get(TOKEN_HEADER, "").encode(), self.token(session).encode())

    def _sign(self, purpose: str, body: str) -> str:
        return hmac.new(self._secret, f"{purpose}\0{body}".encode(), hashlib.sha256).hexdigest()
