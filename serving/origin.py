"""Who a request was meant for and which page sent it: refuses other names of this machine and pages of other sites.

A browser on this machine reaches what listens on loopback. A page of another site must not use it: neither under a name
of its own that points here (DNS rebinding; the `Host` tells), nor from its own address (`Origin`, `Sec-Fetch-Site`).
"""

import ipaddress
import re
from collections.abc import Iterable

from starlette.responses import Response
from starlette.types import Scope

from serving.problems import problem

__all__ = ["LOCAL_HOSTS", "Doorman", "host_of", "wants_html"]

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
"""Names that nobody but this machine itself can mean."""

AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._~-]*)(?::([0-9]{0,5}))?", re.IGNORECASE)
"""What a `Host` may say, an IPv6 address in brackets (RFC 9110, 7.2); an empty one is whole, and nobody's name."""

DEFAULT_PORTS = {"http": 80, "https": 443}
WANTS_HTML = "text/html"


class Doorman:
    """Answers for requests that are not for this server. `hosts`: the names it has, None where any will do."""

    def __init__(self, hosts: Iterable[str] | None) -> None:
        self._hosts = None if hosts is None else LOCAL_HOSTS | frozenset(hosts)

    def refuse(self, scope: Scope, *, is_any_host: bool) -> Response | None:
        """The problem to answer with, or None to let the request in. `is_any_host`: a probe, asked by any name."""
        named = _values(scope, b"host")
        if len(named) > 1 or (not named and scope["http_version"] == "1.1"):
            return problem(400, "An HTTP/1.1 request has one header Host; send it once (RFC 9112, 3.2).")
        host = host_of(named[0]) if named else None
        if named and host is None:
            return problem(
                400, "The header Host is no name or address with or without a port; send it as RFC 9110 says."
            )
        if host is not None and self._hosts is not None and host[0] not in self._hosts and not is_any_host:
            return problem(
                421,
                f"This server does not go by the name {host[0][:100]!r}; use localhost or 127.0.0.1, "
                "or name it in LOG_SENTINEL_ALLOWED_HOSTS.",
            )
        if _is_foreign(scope, host) and not _is_followed_link(scope):
            return problem(
                403, "A page of another site sent this; use a page of this server, or a program that is no browser."
            )
        return None


def host_of(text: str) -> tuple[str, int | None] | None:
    """Name and port of a `Host`: lower case, no dot at the end, addresses in their one form. None where it is none.

    >>> host_of("LocalHost.:8000"), host_of("[0:0::1]"), host_of("a b")
    (('localhost', 8000), ('::1', None), None)
    """
    found = AUTHORITY.fullmatch(text)
    if found is None:
        return None
    name, port = found[1].lower().removesuffix("."), found[2]
    if name.startswith("["):
        try:
            name = str(ipaddress.IPv6Address(name[1:-1]))
        except ValueError:
            return None
    return name, int(port) if port else None


def _is_foreign(scope: Scope, host: tuple[str, int | None] | None) -> bool:
    """Whether a browser says that a page of another site is behind it."""
    if any(value.lower() == "cross-site" for value in _values(scope, b"sec-fetch-site")):
        return True
    return any(not _is_own(origin, scope, host) for origin in _values(scope, b"origin"))


def _is_own(origin: str, scope: Scope, host: tuple[str, int | None] | None) -> bool:
    """Whether an `Origin` is scheme://Host of this request. `null`, as sandboxed pages and files have it, never is."""
    scheme, _, authority = origin.partition("://")
    scheme, named = scheme.lower(), host_of(authority) if authority else None
    if host is None or named is None or scheme not in _schemes(scope):
        return False
    default = DEFAULT_PORTS.get(scheme)
    return (named[0], named[1] or default) == (host[0], host[1] or default)


def _schemes(scope: Scope) -> set[str]:
    """How the request came; behind a proxy that ends TLS, what it says. No page can set that header for another."""
    forwarded = (value.split(",")[0].strip().lower() for value in _values(scope, b"x-forwarded-proto"))
    return {scope["scheme"], *forwarded} & set(DEFAULT_PORTS)


def _is_followed_link(scope: Scope) -> bool:
    """Whether somebody clicked on a link that leads here, say in an alert: it shows a page and changes nothing."""
    return (
        scope["method"] in {"GET", "HEAD"} and _values(scope, b"sec-fetch-mode") == ["navigate"] and wants_html(scope)
    )


def wants_html(scope: Scope) -> bool:
    """Whether the answer is for a person: a browser that shows a page asks for HTML by name."""
    return any(WANTS_HTML in value.lower() for value in _values(scope, b"accept"))


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip(" \t") for key, value in scope["headers"] if key == name]
