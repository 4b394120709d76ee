"""What the screens show of incidents: asked of the spool, so that it is there while the store is away."""

from datetime import datetime
from typing import Any

from sentinel.pipeline.incidents import Wanted, list_incidents
from serving.incidents import detail
from serving.parts import Parts

__all__ = ["hidden_count", "listed", "one", "open_count"]

MAX_COUNTED = 1_000


def listed(
    parts: Parts,
    *,
    state: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int,
) -> list[dict[str, Any]]:
    """Incidents, the newest first."""
    wanted = Wanted(
        since_s=None if since is None else since.timestamp(),
        until_s=None if until is None else until.timestamp(),
        state=state,
        limit=limit,
    )
    return [incident.shown() for incident in list_incidents(parts.sentinel.spool, wanted)]


def one(parts: Parts, wanted: str) -> dict[str, Any] | None:
    """One incident with its lines; None where there is none of this id."""
    return detail(parts, wanted)


def open_count(parts: Parts) -> int:
    """How many are open."""
    return parts.sentinel.spool.incidents.count("open")


def hidden_count(parts: Parts) -> int:
    """How many lines of the last day belong to muted incidents."""
    wanted = Wanted(since_s=parts.clock() - 86_400.0, state="muted", limit=MAX_COUNTED)
    return sum(incident.lines for incident in list_incidents(parts.sentinel.spool, wanted))
