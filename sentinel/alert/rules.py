"""Who is told of what: addresses from the settings, or routes from a TOML file, checked before the first alert."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sentinel.errors import SettingsError

__all__ = ["SEVERITIES", "Route", "Rules", "read_rules"]

SEVERITIES = ("low", "medium", "high", "critical")
KEYS = ("source", "kind", "severity", "urls", "quiet", "cooldown")
QUIET = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
SPAN = re.compile(r"([0-9]{1,5})([smh])")
SPAN_S = {"s": 1.0, "m": 60.0, "h": 3_600.0}
DEFAULT_COOLDOWN_S = 300.0


@dataclass(frozen=True, slots=True)
class Route:
    """Where messages go, and of which incidents. What is None does not narrow."""

    urls: tuple[str, ...]
    source: str | None = None
    kind: str | None = None
    severity: str = "medium"  # from this one on
    quiet: tuple[int, int] | None = None  # minutes of the day, local time; only critical ones are told then
    cooldown_s: float = DEFAULT_COOLDOWN_S  # between two messages of one incident, but for its end

    def takes(self, incident: Mapping[str, Any]) -> bool:
        """Whether an incident is one of this route's."""
        return (
            (self.source is None or self.source in incident["sources"])
            and self.kind in (None, incident["kind"])
            and SEVERITIES.index(incident["severity"]) >= SEVERITIES.index(self.severity)
        )

    def is_quiet(self, now: datetime) -> bool:
        """Whether it is this route's night."""
        if self.quiet is None:
            return False
        begin, end = self.quiet
        minute = now.hour * 60 + now.minute
        return begin <= minute < end if begin <= end else minute >= begin or minute < end


@dataclass(frozen=True, slots=True)
class Rules:
    """All routes; none where nobody is to be told."""

    routes: tuple[Route, ...] = ()


def read_rules(urls: Sequence[str], file: Path | None) -> Rules:
    """The routes of the settings: one for all `urls`, and those of the file. Raises SettingsError."""
    routes = [Route(_urls(urls, "LOG_SENTINEL_ALERT_URLS"))] if urls else []
    if file is None:
        return Rules(tuple(routes))
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise SettingsError(f"read LOG_SENTINEL_ALERTS {file}: {exc}") from exc
    if strange := sorted(set(content) - {"route"}):
        raise SettingsError(f"read LOG_SENTINEL_ALERTS {file}: there is no {strange[0]!r}; it holds [[route]] tables")
    found = content.get("route", [])
    if not isinstance(found, list) or not all(isinstance(table, dict) for table in found):
        raise SettingsError(f"read LOG_SENTINEL_ALERTS {file}: write each route as [[route]]")
    for number, table in enumerate(found, start=1):
        routes.append(_route(table, f"read LOG_SENTINEL_ALERTS {file}: route {number}"))
    return Rules(tuple(routes))


def _route(table: Mapping[str, Any], where: str) -> Route:
    if strange := sorted(set(table) - set(KEYS)):
        raise SettingsError(f"{where}: there is no {strange[0]!r}; known are {', '.join(KEYS)}")
    urls = table.get("urls")
    if not isinstance(urls, list) or not urls or not all(isinstance(url, str) for url in urls):
        raise SettingsError(f"{where}: urls is a list of addresses")
    texts = {name: table.get(name) for name in ("source", "kind", "severity", "quiet", "cooldown")}
    for name, value in texts.items():
        if value is not None and not isinstance(value, str):
            raise SettingsError(f"{where}: {name} is a text")
    severity = texts["severity"] or "medium"
    if severity not in SEVERITIES:
        raise SettingsError(f"{where}: severity is one of {', '.join(SEVERITIES)}, not {severity!r}")
    return Route(
        urls=_urls(urls, where),
        source=texts["source"],
        kind=texts["kind"],
        severity=severity,
        quiet=_quiet(texts["quiet"], where),
        cooldown_s=_cooldown(texts["cooldown"], where),
    )


def _urls(urls: Sequence[str], where: str) -> tuple[str, ...]:
    for number, url in enumerate(urls, start=1):
        if not re.match(r"[a-z][a-z0-9+.-]*://.", url, re.IGNORECASE):
            raise SettingsError(f"{where}: address {number} has no scheme as https://, mailto:// or slack://")
    return tuple(urls)


def _quiet(text: str | None, where: str) -> tuple[int, int] | None:
    if text is None:
        return None
    found = QUIET.fullmatch(text)
    if found is None:
        raise SettingsError(f'{where}: quiet is as "22:00-07:00", not {text!r}')
    begin_h, begin_m, end_h, end_m = map(int, found.groups())
    return begin_h * 60 + begin_m, end_h * 60 + end_m


def _cooldown(text: str | None, where: str) -> float:
    if text is None:
        return DEFAULT_COOLDOWN_S
    found = SPAN.fullmatch(text)
    if found is None:
        raise SettingsError(f'{where}: cooldown is as "30s", "10m" or "2h", not {text!r}')
    return int(found[1]) * SPAN_S[found[2]]
