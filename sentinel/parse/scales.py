"""Levels as JSON writers put them: words, numbers on the scale that their field tells, the status of a request."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from sentinel.parse import levels
from sentinel.parse.requests import level_of_status

__all__ = ["level_in", "level_of_others"]

_STATUSES: Final = (
    "status", "status_code", "statusCode", "DownstreamStatus", "response_code", "http_status", "http_status_code", "sc-status",
    "http.response.status_code", "http.status_code", "httpRequest.status", "response.status", "response.statusCode",
    "res.statusCode", "res.status", "EdgeResponseStatus", "elb_status_code", "code", "http.status", "OriginStatus",
    "response_status", "sc_status", "responseStatus", "upstream_status",
)  # fmt: skip
_ASKED: Final = re.compile(r"(?i)(?:^|[._])(?:request|req|method|uri|url|path|verb|http)|request|http")

_SYSLOG: Final = frozenset({"priority", "severity", "syslogseverity", "syslogseveritycode"})
_LARGEST_PRI: Final = 191
"""A PRI is facility times eight and severity (RFC 5424, 6.2.1)."""
_SURE_OF_ALL: Final = (3, 5, 6, 7)
"""Numbers that mean the same, or nothing, on the scales from 0 that applications make for themselves."""
_PYTHON: Final = {10: "debug", 20: "info", 30: "warn", 40: "error", 50: "fatal"}
_WINDOWS: Final = {0: "info", 1: "fatal", 2: "error", 3: "warn", 4: "info", 5: "trace"}
_AZURE: Final = {0: "trace", 1: "info", 2: "warn", 3: "error", 4: "fatal"}
"""Application Insights' `severityLevel`."""
_NEXTCLOUD: Final = {0: "debug", 1: "info", 2: "warn", 3: "error", 4: "fatal"}
"""https://docs.nextcloud.com/server/latest/admin_manual/configuration_server/logging_configuration.html"""
_EVENT_TYPES: Final = {"Normal": "info", "Warning": "warn"}
_ALERTS: Final = {1: "error", 2: "warn", 3: "info"}
_OTEL: Final = ("trace", "debug", "info", "warn", "error", "fatal")


def level_in(body: Mapping[str, Any]) -> Callable[[str, Any], str | None]:
    """A reader of levels in that document: name in its plain form and value → level, null where it is none."""
    if "short_message" in body or "PRIORITY" in body:
        return _of_syslog
    if "reqId" in body and "app" in body:
        return _of_nextcloud
    alert = body.get("alert")
    if body.get("event_type") == "alert" and isinstance(alert, Mapping):
        return lambda name, value: _of_alert(name, value, alert.get("severity"))
    return _of_any


def _of_syslog(name: str, value: Any) -> str | None:
    return levels.from_number(value) if type(value) is int else _of_any(name, value)


def _of_nextcloud(name: str, value: Any) -> str | None:
    return _NEXTCLOUD.get(value) if name == "level" and type(value) is int else _of_any(name, value)


def _of_alert(name: str, value: Any, severity: Any) -> str | None:
    """Of Suricata's alerts their severity, of which 1 is the gravest; that they are alerts is no level."""
    if name != "eventtype":
        return _of_any(name, value)
    return _ALERTS.get(severity) if type(severity) is int else None


def _of_any(name: str, value: Any) -> str | None:
    if type(value) is list and value:  # journald: of several priorities the first speaks
        value = value[0]
    if type(value) is str:
        if name == "s":  # MongoDB
            return levels.LEVEL_OF_WORD.get(value.lower()) if len(value) <= 2 else None
        if name in _SCALES and value.isdecimal() and len(value) <= len("191"):
            return _of_number(name, int(value))
        if name in ("status", "eventtype", "label") and (len(value) < len("warn") or value.isdigit()):
            return None
        return levels.LEVEL_OF_WORD.get(value) or levels.from_word(value)
    if type(value) not in (int, float) or value not in range(100_000):
        return None
    return _of_number(name, int(value))


def _of_number(name: str, value: int) -> str | None:
    if (scale := _SCALES.get(name)) is not None:
        return scale(value)
    if name in ("status", "eventtype", "label", "s", "l"):
        return None
    if value < 8 and name not in _SYSLOG and value not in _SURE_OF_ALL:
        return None
    return levels.from_number(value)


def _of_opentelemetry(value: int) -> str | None:
    return _OTEL[(value - 1) // 4] if 1 <= value <= 4 * len(_OTEL) else None


def _of_pri(value: int) -> str | None:
    return levels.from_number(value % 8) if value <= _LARGEST_PRI else None


_SCALES: Final[Mapping[str, Callable[[int], str | None]]] = {
    "levelno": _PYTHON.get,
    "eventsystemlevel": _WINDOWS.get,
    "severitylevel": _AZURE.get,
    "severitynumber": _of_opentelemetry,  # 1 to 24, four a level
    "pri": _of_pri,
}
"""Plain form of a name → what its numbers mean, where they have a scale of their own."""


def level_of_others(extra: Mapping[str, Any]) -> str | None:
    """The level of a document without one: that of a request's status, of Kibana's first tag, of a Kubernetes
    event's type, or that its components mean; None for others.
    """
    tags = extra.get("tags")
    if type(tags) is list and tags and extra.get("type") == "log" and type(tags[0]) is str:
        return levels.from_word(tags[0])
    kind = extra.get("type")
    if kind in _EVENT_TYPES and "reason" in extra:
        return _EVENT_TYPES[kind]
    if "caller" in extra and ("v" in extra or "err" in extra):  # klog's JSON: of errors it leaves `v` out
        return "info" if type(extra.get("v")) is int else "error"
    for name in _STATUSES:
        status = str(extra.get(name, ""))
        if len(status) == 3 and status.isdigit() and status[0] in "12345" and any(map(_ASKED.search, extra)):
            return level_of_status(status)
    return None
