"""Requests in free text: the status that a web server, a proxy or a framework writes, and the level it stands for."""

import re
from typing import Final

__all__ = ["level_of", "level_of_status"]

_METHODS: Final = "GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|CONNECT|TRACE|PROPFIND|REPORT|MKCOL"
_STATUS: Final = r"(?P<status>[1-5][0-9]{2})"
_WAYS: Final = tuple(
    re.compile(way)
    for way in (
        rf'"(?:{_METHODS}) [^"]*"[ :|]+{_STATUS}\b',
        rf"\b(?:{_METHODS}) \S+ HTTP/[0-9.]+\"?[ :|-]+{_STATUS}\b",
        rf"\| +{_STATUS} \|.*\| +(?:{_METHODS}) ",
        rf"\bTCP_[A-Z_]+/{_STATUS}\b",
        rf"\b(?:{_METHODS}) +\S+ +{_STATUS}(?: |$)",
        rf" (?:-?[0-9]+/){{4}}\+?-?[0-9]+ {_STATUS} ",
        rf"\b(?:{_METHODS}) \S+ .*\bstatus[=:] ?{_STATUS}\b",
        rf"(?:[1-5][0-9]{{2}}|-) {_STATUS} - (?:{_METHODS}) https? ",
        rf"^Completed {_STATUS} [A-Z]",
        rf"\bHTTP/[0-9.]+ (?:{_METHODS}) \S+ (?:-|[0-9]+) {_STATUS}\b",
    )
)
_HINT: Final = re.compile(rf"\b(?:{_METHODS})\b|TCP_|^Completed [1-5]|/-?[0-9]+/-?[0-9]+ [1-5]")


def level_of_status(status: str) -> str:
    """5xx error, 4xx warn, else info."""
    return {"5": "error", "4": "warn"}.get(status[:1], "info")


def level_of(text: str) -> str | None:
    """The level of the request that a text tells of; None where it tells of none."""
    if not _HINT.search(text, 0, 512):
        return None
    for way in _WAYS:
        found = way.search(text, 0, 2048)
        if found:
            return level_of_status(found["status"])
    return None
