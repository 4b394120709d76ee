"""Which incidents have to do with each other: close in time, and of one actor, source or machine."""

from collections.abc import Iterable

from sentinel.incidents.incident import Incident

__all__ = ["related"]

NEAR_S = 300.0
MAX_RELATED = 10


def related(incident: Incident, others: Iterable[Incident]) -> list[Incident]:
    """Those of `others` that touch the incident within NEAR_S and share something, those that share most first."""
    found = [(shared, other) for other in others if other.id != incident.id and (shared := _shared(incident, other))]
    found.sort(key=lambda pair: (-pair[0], -pair[1].last_s, pair[1].id))
    return [other for _, other in found[:MAX_RELATED]]


def _shared(one: Incident, other: Incident) -> int:
    """How many actors (which weigh most), sources and machines they share; 0 where they are apart in time."""
    if other.first_s > one.last_s + NEAR_S or other.last_s < one.first_s - NEAR_S:
        return 0
    actors = len(set(one.actors) & set(other.actors))
    return 10 * actors + 2 * len(set(one.sources) & set(other.sources)) + len(set(one.hosts) & set(other.hosts))
