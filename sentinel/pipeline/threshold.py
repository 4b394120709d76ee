"""How loud: the threshold in force, set by nats or by a budget of incidents a day, and what it would have shown."""

from collections.abc import Mapping
from typing import Any

from sentinel.detect.judge.nats import nats_to_score
from sentinel.errors import TerminalError
from sentinel.incidents import Incident
from sentinel.incidents.loudness import MAX_NATS, MIN_NATS, Level, Loudness, nats_for
from sentinel.pipeline.incidents import Wanted, list_incidents
from sentinel.pipeline.said import read_loudness, write_loudness
from sentinel.spool import Spool

__all__ = ["forget_threshold", "preview", "set_threshold", "shown_threshold"]

DAYS = 7.0
DAY_S = 86_400.0
MAX_SOURCES = 1_000
MAX_BUDGET = 100_000.0


def shown_threshold(spool: Spool, setting: float) -> dict[str, Any]:
    """The threshold in force: of all, and of the sources that have one of their own."""
    loudness = read_loudness(spool)
    return {
        **_level(loudness.everywhere or Level(setting)),
        "is_set": loudness.everywhere is not None,
        "sources": {name: _level(level) for name, level in sorted(loudness.sources.items())},
    }


def _level(level: Level) -> dict[str, Any]:
    return {"nats": level.nats, "anomaly_score": nats_to_score(level.nats), "alerts_per_day": level.alerts_per_day}


def set_threshold(
    spool: Spool,
    setting: float,
    *,
    nats: float | None = None,
    alerts_per_day: float | None = None,
    source: str | None = None,
    now_s: float,
) -> dict[str, Any]:
    """Keep a threshold for all, or for one source; what is in force then. Raises TerminalError for no such value."""
    level = _wanted(spool, setting, nats, alerts_per_day, source, now_s)
    with spool.transaction() as tx:
        loudness = read_loudness(spool)
        if source is None:
            loudness = Loudness(level, loudness.sources)
        elif source not in loudness.sources and len(loudness.sources) >= MAX_SOURCES:
            raise TerminalError(f"set the threshold: {MAX_SOURCES} sources have one of their own already")
        else:
            loudness = Loudness(loudness.everywhere, {**loudness.sources, source: level})
        write_loudness(tx, loudness)
    return shown_threshold(spool, setting)


def _wanted(
    spool: Spool, setting: float, nats: float | None, alerts_per_day: float | None, source: str | None, now_s: float
) -> Level:
    if (nats is None) == (alerts_per_day is None):
        raise TerminalError("set the threshold: give one, nats or alerts_per_day")
    if alerts_per_day is not None:
        return Level(_nats_for(spool, setting, alerts_per_day, source, now_s), alerts_per_day)
    assert nats is not None
    if not MIN_NATS <= nats <= MAX_NATS:
        raise TerminalError(f"set the threshold: nats is a number from {MIN_NATS:g} to {MAX_NATS:g}")
    return Level(float(nats))


def forget_threshold(spool: Spool, setting: float, *, source: str | None = None) -> dict[str, Any]:
    """Go back to the setting, for one source or (None) for all and every source; what is in force then."""
    with spool.transaction() as tx:
        loudness = read_loudness(spool)
        left = {name: level for name, level in loudness.sources.items() if name != source}
        write_loudness(tx, Loudness() if source is None else Loudness(loudness.everywhere, left))
    return shown_threshold(spool, setting)


def preview(
    spool: Spool,
    setting: float,
    *,
    nats: float | None = None,
    alerts_per_day: float | None = None,
    source: str | None = None,
    now_s: float,
) -> dict[str, Any]:
    """What the last seven days would have shown under such a threshold; nothing is changed."""
    level = _wanted(spool, setting, nats, alerts_per_day, source, now_s)
    told, days = _told(spool, source, now_s)
    shown = [incident.shown() for incident in told if incident.peak_nats >= level.nats]
    told_at = {"nats": level.nats, "anomaly_score": nats_to_score(level.nats)}
    return {**told_at, "per_day": len(shown) / days, "incidents": shown}


def _nats_for(spool: Spool, setting: float, alerts_per_day: float, source: str | None, now_s: float) -> float:
    if not 0 < alerts_per_day <= MAX_BUDGET:
        raise TerminalError(f"set the threshold: alerts_per_day is a number above 0, at most {MAX_BUDGET:,.0f}")
    told, days = _told(spool, source, now_s)
    return nats_for(
        alerts_per_day, [incident.peak_nats for incident in told], days, read_loudness(spool).nats(setting, source)
    )


def _told(spool: Spool, source: str | None, now_s: float) -> tuple[list[Incident], float]:
    """The incidents of the last seven days, and over how many days they were watched for (one at least)."""
    since_s = now_s - DAYS * DAY_S
    told = list_incidents(spool, Wanted(since_s=since_s, source=source, limit=5_000))
    first_s = min((incident.first_s for incident in told), default=now_s)
    return told, min(max((now_s - first_s) / DAY_S, 1.0), DAYS)


def number_of(given: Mapping[str, Any], name: str) -> float | None:
    """A number of a request; None where it is not given. Raises TerminalError for another thing."""
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TerminalError(f"set the threshold: {name} is a number")
    return float(value)
