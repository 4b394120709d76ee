"""What is to be told now: from the incidents as they are and what each address was told, the next message or none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from sentinel.alert.rules import SEVERITIES, Route

__all__ = ["MAX_SINGLE", "OLD_S", "Message", "Told", "plan"]

OLD_S = 3_600.0  # what happened longer ago is a backfill, or a first training: nobody is woken up for it
MAX_SINGLE = 5  # incidents that begin at once; more of them are one digest


class Told(msgspec.Struct, frozen=True):
    """What an address was told last of an incident."""

    severity: str
    at_s: float
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell an address. `event` is opened, grown, resolved or digest (of several incidents)."""

    event: str
    incidents: tuple[Mapping[str, Any], ...]


def plan(
    route: Route,
    incidents: Sequence[Mapping[str, Any]],
    told: Mapping[str, Told],
    now: datetime,
    *,
    is_unsure: bool = False,
) -> list[Message]:
    """What an address of `route` is to be told now. `told`: by incident's id. `is_unsure`: confidence is low, so that
    only critical ones are told. Each incident has the fields of `GET /incidents`, and `last_s`."""
    opened: list[Mapping[str, Any]] = []
    rest: list[Message] = []
    for incident in incidents:
        before = told.get(incident["id"])
        if before is None:
            if _is_news(route, incident, now, is_unsure=is_unsure):
                opened.append(incident)
        elif not before.is_over and (event := _changed(route, incident, before, now)) is not None:
            rest.append(Message(event, (incident,)))
    if len(opened) > MAX_SINGLE:
        worst = sorted(opened, key=lambda found: (-SEVERITIES.index(found["severity"]), -found["lines"]))
        return [Message("digest", tuple(worst)), *rest]
    return [*(Message("opened", (incident,)) for incident in opened), *rest]


def _is_news(route: Route, incident: Mapping[str, Any], now: datetime, *, is_unsure: bool) -> bool:
    is_critical = incident["severity"] == "critical"
    return (
        incident["state"] == "open"
        and route.takes(incident)
        and incident["last_s"] >= now.timestamp() - OLD_S
        and (is_critical or not (is_unsure or route.is_quiet(now)))
    )


def _changed(route: Route, incident: Mapping[str, Any], before: Told, now: datetime) -> str | None:
    """What has happened to an incident that was told; None for nothing that is worth a message."""
    if incident["state"] == "resolved":
        return "resolved"
    is_worse = SEVERITIES.index(incident["severity"]) > SEVERITIES.index(before.severity)
    if not is_worse or incident["state"] == "muted" or now.timestamp() < before.at_s + route.cooldown_s:
        return None
    return "grown" if incident["severity"] == "critical" or not route.is_quiet(now) else None
