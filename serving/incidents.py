"""One incident in detail: its anomalies, what stood around them, how many lines came when, what has to do with it."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from sentinel.errors import SentinelError
from sentinel.incidents import Incident
from sentinel.pipeline.incidents import one_incident, touching
from sentinel.records import EVENTS
from sentinel.store import Search
from serving.anomalies import anomalies_of_incident, event_of
from serving.parts import Parts

__all__ = ["detail"]

MAX_EVENTS = 100
MAX_AROUND = 40
AROUND_S = 30.0
RATE_BUCKETS = 48
USUAL_DAYS = 1
WORDS = re.compile(r"<[^>]*>|\*")


def detail(parts: Parts, wanted: str) -> dict[str, Any] | None:
    """The incident as `shown`, with `events`, `around`, `rate` and `related`; None where there is none of this id.

    While the store is away the lines around it and the rate are empty, and `problem` says so.
    """
    incident = one_incident(parts.sentinel.spool, wanted)
    if incident is None:
        return None
    found: dict[str, Any] = {
        **incident.shown(),
        "events": anomalies_of_incident(parts.sentinel.spool, incident, MAX_EVENTS, parts.live.explanations),
    }
    try:
        found |= {"around": _around(parts, incident), "rate": _rate(parts, incident)}
    except SentinelError as exc:
        found |= {"around": [], "rate": [], "problem": str(exc)}
    found["related"] = [other.shown() for other in touching(parts.sentinel.spool, incident)]
    return found


def _around(parts: Parts, incident: Incident) -> list[dict[str, Any]]:
    """Lines of its sources and others from shortly before its first line on, in the order of time."""
    first = datetime.fromtimestamp(incident.first_s, UTC)
    one = incident.sources[0] if len(incident.sources) == 1 else None
    store, half = parts.sentinel.store, MAX_AROUND // 2
    before = store.find(Search(EVENTS, since=first - timedelta(seconds=AROUND_S), until=first, source=one, limit=half))
    end = min(incident.last_s, incident.first_s + AROUND_S) + AROUND_S
    behind = store.find(Search(EVENTS, since=first, until=datetime.fromtimestamp(end, UTC), source=one, limit=2_000))
    rows = pl.concat([behind.tail(MAX_AROUND - before.height), before]).reverse()
    return [event_of(row) for row in rows.iter_rows(named=True)]


def _rate(parts: Parts, incident: Incident) -> list[Mapping[str, Any]]:
    """Lines of its first template in equal spans around it, beside what the day before had at the same time of day."""
    length_s = max(incident.last_s - incident.first_s, 600.0)
    start_s, end_s = incident.first_s - length_s, min(incident.last_s + length_s / 2, parts.clock())
    bucket_s = max((end_s - start_s) / RATE_BUCKETS, 1.0)
    buckets = max(1, math.ceil((end_s - start_s) / bucket_s))
    wanted = Search(EVENTS, source=incident.sources[0] if incident.sources else None, text=_words(incident))

    def counted(at_s: float) -> list[int]:
        start = datetime.fromtimestamp(at_s, UTC)
        return parts.sentinel.store.histogram(wanted, start=start, bucket_s=bucket_s, buckets=buckets)

    lines, usual = counted(start_s), counted(start_s - 86_400.0 * USUAL_DAYS)
    times = (start_s + n * bucket_s for n in range(buckets))
    return [
        {"time": datetime.fromtimestamp(at_s, UTC), "lines": now, "usual": before}
        for at_s, now, before in zip(times, lines, usual, strict=True)
    ]


def _words(incident: Incident) -> str | None:
    """The longest run of fixed words in its first template: what the store can look for."""
    runs = WORDS.split(incident.templates[0]) if incident.templates else []
    longest = max((" ".join(re.findall(r"\w+", run)) for run in runs), key=len, default="")
    return longest[:200] or None
