"""Explore: the lines that fit, the patterns and the sources behind them, and every incident."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sentinel.errors import SentinelError
from sentinel.records import ANOMALIES, EVENTS, LEVELS
from sentinel.store import Search
from serving.page import now
from serving.parts import Parts
from serving.routes.patterns import seen

__all__ = ["screen"]

VIEWS = ("lines", "patterns", "sources", "incidents")
MAX_LINES = 200
SPAN = re.compile(r"([0-9]{1,4})([mhd])")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
DEFAULT_SPAN = "1d"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form holds, empty where it narrows nothing."""

    text: str
    source: str
    level: str
    since: str
    min_score: float | None


def screen(parts: Parts, query: Mapping[str, str]) -> dict[str, Any]:
    """What the screen shows; a store that is away is said, not raised."""
    view = query["view"] if query.get("view") in VIEWS else "lines"
    asked = _asked(query)
    facts: dict[str, Any] = {"lines": [], "patterns": [], "sources": [], "incidents": [], "scored": False}
    problem = ""
    try:
        facts |= getattr(_Finder(parts, asked), view)()
    except SentinelError as exc:
        problem = str(exc)
    known = [row["source"] for row in seen(parts, "source")][:200]
    return {
        **now.heading(parts, "explore"),
        "view": view,
        "asked": asked,
        "searched": asked.text,
        "levels": LEVELS,
        "known_sources": known,
        "problem": problem,
        **facts,
    }


def _asked(query: Mapping[str, str]) -> Asked:
    level, score = query.get("level", ""), query.get("min_score", "").replace(",", ".")
    try:
        least = float(score) if score else None
    except ValueError:
        least = None
    return Asked(
        query.get("text", "")[:200],
        query.get("source", "")[:200],
        level if level in LEVELS else "",
        query.get("since", DEFAULT_SPAN)[:40],
        least,
    )


class _Finder:
    """One method a view."""

    def __init__(self, parts: Parts, asked: Asked) -> None:
        self._parts, self._asked = parts, asked

    @property
    def _since(self) -> datetime | None:
        found = SPAN.fullmatch(self._asked.since)
        if found is not None:
            at = datetime.fromtimestamp(self._parts.clock(), UTC)
            return at - timedelta(**{UNITS[found[2]]: int(found[1])})
        try:
            moment = datetime.fromisoformat(self._asked.since) if self._asked.since else None
        except ValueError:
            return None
        return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)

    def lines(self) -> dict[str, Any]:
        """The newest lines that fit; with a least score, of the anomalies."""
        asked = self._asked
        scored = asked.min_score is not None
        wanted = Search(
            ANOMALIES if scored else EVENTS,
            since=self._since,
            source=asked.source or None,
            level=asked.level or None,
            text=asked.text or None,
            min_score=asked.min_score,
            limit=MAX_LINES,
        )
        odd = [asked.text] if asked.text else []
        rows = self._parts.sentinel.store.find(wanted).iter_rows(named=True)
        return {"lines": [{**row, "odd": odd} for row in rows], "scored": scored}

    def patterns(self) -> dict[str, Any]:
        """Patterns, new ones first."""
        found = [row for row in seen(self._parts, "template") if self._fits(row["template"], None)]
        return {"patterns": sorted(found, key=lambda row: row["first"], reverse=True)[:MAX_LINES]}

    def sources(self) -> dict[str, Any]:
        """Sources, those unheard of for longest first."""
        found = [row for row in seen(self._parts, "source") if self._fits(row["source"], [row["source"]])]
        return {"sources": found[:MAX_LINES]}

    def incidents(self) -> dict[str, Any]:
        """Incidents of every state."""
        since = self._since.isoformat() if self._since else ""
        return now.listed(self._parts, {"state": "all", "since": since})

    def _fits(self, text: object, sources: object) -> bool:
        asked = self._asked
        has_text = asked.text.casefold() in str(text).casefold()
        return has_text and (not asked.source or not isinstance(sources, list) or asked.source in sources)
