"""Now: is anything wrong, since when, which incidents, and the chosen one's reasons, lines and rate."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sentinel.errors import SentinelError
from sentinel.store import Search
from serving.page import seen
from serving.page.render import scaled
from serving.parts import Parts
from serving.problems import ProblemError

__all__ = ["chosen", "heading", "listed", "pulse", "say", "screen", "timeline", "window_of"]

LISTED = 50
BUCKETS = 120
WINDOWS = (1, 6, 24, 168)  # hours
DEFAULT_WINDOW = 6
STATES = ("open", "acknowledged", "muted", "resolved", "all")
RANKS = {"critical": 3, "high": 2, "medium": 1, "low": 0}
CHART = (400, 90)
MAX_AROUND = 40
OWN_ORIGINS = ("watchdog", "sessions")
"""Where lines come from that are no lines of a log but our own sentences about them."""


def screen(parts: Parts, asked: Mapping[str, str]) -> dict[str, Any]:
    """What the screen shows at first; its parts come anew by themselves."""
    asked = {**asked, "chosen": asked.get("incident", "")}
    window = int(asked["hours"]) if asked.get("hours") in {str(hours) for hours in WINDOWS} else DEFAULT_WINDOW
    shown = listed(parts, asked)
    if not asked["chosen"] and shown["incidents"]:
        asked["chosen"] = shown["chosen"] = shown["incidents"][0]["id"]
    return {
        **heading(parts, "now"),
        **say(parts, asked),
        **shown,
        **chosen(parts, asked),
        "is_whole": True,
        "window": window,
        "chosen_state": _state(asked),
        "since": asked.get("since", ""),
        "until": asked.get("until", ""),
    }


def heading(parts: Parts, here: str) -> dict[str, Any]:
    """What every screen's head shows."""
    return {"here": here, "open_count": seen.open_count(parts)}


def say(parts: Parts, asked: Mapping[str, str]) -> dict[str, Any]:
    """The first sentence: the worst of what is open, or why quiet can be believed."""
    model = parts.live.model
    worst = max(seen.listed(parts, state="open", limit=LISTED), key=_gravity, default=None)
    return {
        "worst": worst,
        "open_count": seen.open_count(parts),
        "has_model": model is not None,
        "confidence": model.confidence if model is not None else None,
        "model_problem": parts.live.problem,
        "scored_hour": _lines(parts, timedelta(hours=1)),
        "canary": model.trained_at if model is not None and model.confidence != "low" else None,
    }


def _gravity(incident: Mapping[str, Any]) -> tuple[int, Any]:
    return RANKS.get(incident["severity"], 0), incident["last"]


def pulse(parts: Parts, asked: Mapping[str, str]) -> dict[str, Any]:
    """How many lines came in the last minute, and whether the readers are well."""
    return {"alive": parts.detect.error is None, "per_minute": _lines(parts, timedelta(minutes=1))}


def _lines(parts: Parts, span: timedelta) -> int:
    """Lines that happened within the last span, as far as the store has them; 0 while it is away."""
    start = _now(parts) - span
    try:
        counted = parts.sentinel.store.histogram(Search(), start=start, bucket_s=span.total_seconds() + 60, buckets=1)
    except SentinelError:
        return 0
    return counted[0]


def listed(parts: Parts, asked: Mapping[str, str]) -> dict[str, Any]:
    """The incidents of the chosen state and span, worst first while they are open, else newest first."""
    state = _state(asked)
    found = seen.listed(
        parts,
        state=None if state == "all" else state,
        since=_moment(asked.get("since")),
        until=_moment(asked.get("until")),
        limit=LISTED + 1,
    )
    if state == "open":
        found.sort(key=_gravity, reverse=True)
    return {
        "incidents": [_row(parts, incident) for incident in found[:LISTED]],
        "more": len(found) > LISTED,
        "shown": LISTED,
        "hidden": seen.hidden_count(parts),
        "chosen": asked.get("chosen", ""),
    }


def _row(parts: Parts, incident: Mapping[str, Any]) -> dict[str, Any]:
    sample, line = incident["sample"][:1], ""
    if sample:
        line = str(sample[0]["message"]).partition("\n")[0]
    where = ", ".join(map(str, incident["sources"][:3]))
    return {
        **incident,
        "kind": incident["kind"] or "none",
        "line": line[:500],
        "is_ours": bool(sample) and sample[0].get("origin") in OWN_ORIGINS,
        "odd": odd_parts(incident),
        "where": where,
        "reason": incident["reasons"][0] if incident["reasons"] else "",
        "spark": incident["trend"]["counts"],
    }


def odd_parts(incident: Mapping[str, Any]) -> list[str]:
    """The pieces of a line that are to be marked: what its explanation points at, and who did it."""
    told = (incident["explanation"] or {}).get("line_odd", ())
    return [*map(str, told), *(str(actor).removeprefix("user ") for actor in incident["actors"][:5])]


def chosen(parts: Parts, asked: Mapping[str, str]) -> dict[str, Any]:
    """The chosen incident with its lines, rate and related ones."""
    wanted = asked.get("chosen", "")
    found = seen.one(parts, wanted) if wanted else None
    if found is None:
        return {"incident": None, "asked": bool(wanted)}
    odd, told = odd_parts(found), found["explanation"] or {}
    actors = [str(actor).removeprefix("user ") for actor in found["actors"]]
    events = {event["event_id"] for event in found["events"]}
    around = [_line(record, odd, is_odd=record["event_id"] in events) for record in found["around"][:MAX_AROUND]]
    extra = {
        "around": around or [_line(event, odd, is_odd=True) for event in found["events"][:MAX_AROUND]],
        "is_ours": told.get("origin") in OWN_ORIGINS,
        "is_usual_pattern": any(actor in str((told.get("nearest") or {}).get("line")) for actor in actors),
    }
    return {"incident": {**found, **extra, **_rate(found["rate"])}, "asked": True}


def _line(record: Mapping[str, Any], odd: list[str], *, is_odd: bool) -> dict[str, Any]:
    text, is_ours = str(record["message"])[:2_000], record.get("origin") in OWN_ORIGINS
    return {"timestamp": record["timestamp"], "text": text, "odd": odd, "is_odd": is_odd, "is_ours": is_ours}


def _rate(rate: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Both lines of the small chart, on one scale."""
    if not rate:
        return {"rate": []}
    lines, usual = [float(row["lines"]) for row in rate], [float(row["usual"] or 0) for row in rate]
    top = max([*lines, *usual, 1.0])
    width, height = CHART
    return {
        "rate": rate,
        "rate_top": top,
        "rate_points": scaled(lines, top, width, height),
        "usual_points": scaled(usual, top, width, height),
        "rate_from": rate[0]["time"],
        "rate_to": rate[-1]["time"],
    }


def timeline(parts: Parts, asked: Mapping[str, str]) -> dict[str, Any]:
    """Lines and anomalies in equal spans: Unix times of their beginnings, and both counts."""
    start, end = window_of(parts, asked)
    bucket_s = max((end - start).total_seconds() / BUCKETS, 1.0)
    try:
        lines = parts.sentinel.store.histogram(Search(), start=start, bucket_s=bucket_s, buckets=BUCKETS)
    except SentinelError:
        lines = [0] * BUCKETS  # the store is away: what is kept here is shown all the same
    odd = _anomalies(parts, start.timestamp(), bucket_s)
    return {"times": [start.timestamp() + n * bucket_s for n in range(BUCKETS)], "lines": lines, "anomalies": odd}


def _anomalies(parts: Parts, start_s: float, bucket_s: float) -> list[int]:
    counts = [0] * BUCKETS
    kept = parts.sentinel.spool.anomalies(limit=10_000, since_s=start_s)
    for at in ((kept["timestamp"].dt.epoch("ms") / 1000 - start_s) // bucket_s).to_list():
        if 0 <= at < BUCKETS:
            counts[int(at)] += 1
    return counts


def window_of(parts: Parts, asked: Mapping[str, str]) -> tuple[datetime, datetime]:
    """The span that is asked for: from and to, or so many hours up to now. Raises ProblemError 400."""
    since, until, now = _moment(asked.get("since")), _moment(asked.get("until")), _now(parts)
    if since is not None:
        end = until or now
        if since >= end:
            raise ProblemError(400, "The span ends before it begins.")
        return since, end
    hours = asked.get("hours", "")
    return now - timedelta(hours=int(hours) if hours.isdigit() and 0 < int(hours) <= 720 else DEFAULT_WINDOW), now


def _state(asked: Mapping[str, str]) -> str:
    return asked["state"] if asked.get("state") in STATES else "open"


def _now(parts: Parts) -> datetime:
    return datetime.fromtimestamp(parts.clock(), UTC)


def _moment(text: str | None) -> datetime | None:
    """A time as the page's script writes it. Raises ProblemError 400 for another."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ProblemError(400, "Times are written as 2026-11-23T12:00:00Z.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
