"""Incidents: anomalies go to the spool with the one they belong to, in one commit; asked for, changed, resolved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from sentinel.incidents import ACTIVE_S, SEVERITIES, Incident, Odd, group, related
from sentinel.incidents.incident import iso
from sentinel.spool import IncidentRow, Spool
from sentinel.streams import ANOMALIES

if TYPE_CHECKING:
    import polars as pl

    from sentinel.pipeline.explanations import Explanations

__all__ = [
    "SORTS",
    "Wanted",
    "change_state",
    "keep",
    "list_incidents",
    "news_since",
    "odds_of",
    "one_incident",
    "resolve_quiet",
    "touching",
    "worst_first",
]

MAX_SAMPLE_TEXT = 2_000
SORTS = ("last", "first", "severity", "lines", "peak_score")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which incidents to list; what is None does not narrow."""

    since_s: float | None = None  # ≤ last, Unix time
    until_s: float | None = None  # > first
    kind: str | None = None
    source: str | None = None
    actor: str | None = None
    severity: str | None = None
    state: str | None = None
    sort: str = "last"  # one of SORTS; the newest, gravest, longest or oddest first
    limit: int = 100
    after: str | None = None  # the id that ended the page before


def keep(
    spool: Spool, anomalies: pl.DataFrame, actors: Sequence[str], explanations: Explanations | None = None
) -> list[Incident]:
    """Append anomalies, each with its incident, and keep these; which are new or changed. Empty in, empty out.

    `actors` (n_anomalies) names who is behind each, empty for nobody. An incident gets the explanation of the line that
    names it. Raises what an append raises.
    """
    import polars as pl

    from sentinel.pipeline.explanations import Explanations, explained
    from sentinel.pipeline.tally import Tally

    if anomalies.is_empty():
        return []
    odds = odds_of(anomalies, actors)
    times = [odd.at_s for odd in odds]
    with spool.transaction() as tx:
        known = tx.active_incidents(min(times) - ACTIVE_S, max(times) + ACTIVE_S)
        ids, grown = group(odds, [_incident(row) for row in known])
        changed = explained(grown, anomalies, actors, explanations or Explanations({}, Tally()))
        tx.append(anomalies.with_columns(pl.Series("incident", ids, dtype=pl.String)), stream=ANOMALIES)
        tx.put_incidents([_row(incident) for incident in changed])
    return changed


def odds_of(anomalies: pl.DataFrame, actors: Sequence[str]) -> list[Odd]:
    """Anomalies as the room of incidents takes them; `actors` (n_anomalies) names who is behind each."""
    return [_odd(row, actor) for row, actor in zip(anomalies.iter_rows(named=True), actors, strict=True)]


def _odd(row: Mapping[str, Any], actor: str) -> Odd:
    return Odd(
        id=row["event_id"],
        at_s=row["timestamp"].timestamp(),
        kind=row["kind"],
        source=row["source"] or "unknown",
        host=row["host"],
        actor=actor or None,
        template=row["template"] or "",
        nats=float(row["nats"] or 0.0),
        score=float(row["anomaly_score"] or 0.0),
        level=row["level"],
        reasons=list(row["reasons"] or ()),
        model_version=row["model_version"] or "",
        record=_record(row),
    )


def _record(row: Mapping[str, Any]) -> dict[str, Any]:
    """The record of an anomaly as a JSON object of bounded size."""
    from sentinel.records import RECORD_SCHEMA

    found = {name: row[name] for name in RECORD_SCHEMA if name != "raw"}
    found["event_id"] = row["event"]
    found["message"] = (row["message"] or "")[:MAX_SAMPLE_TEXT]
    attributes = orjson.loads(row["attributes"] or b"{}")
    found["attributes"] = {name: str(value)[:200] for name, value in list(attributes.items())[:20]}
    return {name: iso(value.timestamp()) if isinstance(value, datetime) else value for name, value in found.items()}


def _row(incident: Incident) -> IncidentRow:
    content = orjson.dumps(incident.to_json(), default=str)
    return IncidentRow(incident.id, incident.first_s, incident.last_s, incident.state, incident.version, content)


def _incident(row: IncidentRow) -> Incident:
    return Incident.from_json(orjson.loads(row.content))


def one_incident(spool: Spool, wanted: str) -> Incident | None:
    """The incident of this id; None where there is none."""
    row = spool.incidents.get(wanted)
    return _incident(row) if row is not None else None


def list_incidents(spool: Spool, wanted: Wanted) -> list[Incident]:
    """The incidents that fit, in the order that is asked for, from the one after `after` on."""
    rows = spool.incidents.newest(wanted.since_s, state=wanted.state)
    fitting = (i for row in rows if _fits(i := _incident(row), wanted))
    if wanted.sort == "last" and wanted.after is None:  # as they come: what lies beyond the limit is not even read
        return list(islice(fitting, wanted.limit))
    found = list(fitting)
    found.sort(key=lambda incident: (_rank(incident, wanted.sort), incident.id), reverse=True)
    if wanted.after is not None:
        place = next((n for n, incident in enumerate(found) if incident.id == wanted.after), None)
        found = [] if place is None else found[place + 1 :]
    return found[: wanted.limit]


def worst_first(incident: Incident) -> tuple[float, ...]:
    """What sorts incidents for a person: the gravest, then the oddest, then the oldest first."""
    return -SEVERITIES.index(incident.severity), -incident.peak_nats, incident.first_s


def news_since(spool: Spool, wanted: Wanted, seen: dict[str, int]) -> list[Incident]:
    """The incidents that fit and are newer than the versions `seen`, the oldest first; these are seen from then on."""
    found = [row for row in spool.incidents.newest(wanted.since_s) if seen.get(row.id, -1) < row.version]
    seen.update((row.id, row.version) for row in found)
    return [incident for row in reversed(found) if _fits(incident := _incident(row), wanted)]


def _fits(incident: Incident, wanted: Wanted) -> bool:
    return (
        (wanted.until_s is None or incident.first_s < wanted.until_s)
        and wanted.kind in {None, incident.kind}
        and wanted.severity in {None, incident.severity}
        and wanted.state in {None, incident.state}
        and (wanted.source is None or wanted.source in incident.sources)
        and (wanted.actor is None or wanted.actor in incident.actors)
    )


def _rank(incident: Incident, sort: str) -> tuple[float, float]:
    ranks = {
        "last": incident.last_s,
        "first": incident.first_s,
        "severity": float(SEVERITIES.index(incident.severity)),
        "lines": float(incident.lines),
        "peak_score": incident.peak_score,
    }
    return ranks[sort], incident.last_s


def touching(spool: Spool, incident: Incident) -> list[Incident]:
    """The incidents that have to do with this one."""
    return related(incident, (_incident(row) for row in spool.incidents.newest(incident.first_s - ACTIVE_S)))


def change_state(spool: Spool, wanted: str, state: str) -> Incident | None:
    """Put an incident into a state and return it; None where there is none of this id."""
    with spool.transaction() as tx:
        row = tx.incident(wanted)
        if row is None:
            return None
        incident = _incident(row)
        if incident.state == state:
            return incident
        changed = replace(incident, state=state, version=incident.version + 1)
        tx.put_incidents([_row(changed)])
    return changed


def resolve_quiet(spool: Spool, now_s: float) -> list[Incident]:
    """Resolve what has been quiet for ACTIVE_S, unless it is muted; which those were."""
    quiet = [row for row in spool.incidents.newest() if _is_over(row, now_s)]
    if not quiet:
        return []
    resolved = []
    with spool.transaction() as tx:
        for row in (tx.incident(old.id) for old in quiet):
            if row is not None and _is_over(row, now_s):
                incident = _incident(row)
                resolved.append(replace(incident, state="resolved", version=incident.version + 1))
        tx.put_incidents([_row(incident) for incident in resolved])
    return resolved


def _is_over(row: IncidentRow, now_s: float) -> bool:
    return row.state in {"open", "acknowledged"} and row.last_s < now_s - ACTIVE_S
