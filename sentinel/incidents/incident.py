"""One incident: anomalies of one cause, bounded however many they are, and its form as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, Self

__all__ = ["SEVERITIES", "STATES", "Incident", "Trend"]

SEVERITIES = ("low", "medium", "high", "critical")
"""From what can wait to what wakes somebody up."""

STATES = ("open", "acknowledged", "resolved", "muted")

BUCKETS = 60
FIRST_STEP_S = 10.0


@dataclass(frozen=True, slots=True)
class Trend:
    """Lines by time in at most BUCKETS equal spans; the spans double where they no longer reach."""

    start_s: float
    step_s: float = FIRST_STEP_S
    counts: tuple[int, ...] = ()

    def with_line(self, at_s: float, lines: int = 1) -> Self:
        """The same with `lines` more at a time; what lies before the first span counts there."""
        counts, step_s = list(self.counts), self.step_s
        place = max(0, int((at_s - self.start_s) // step_s))
        while place >= BUCKETS:
            counts = [sum(counts[n : n + 2]) for n in range(0, len(counts), 2)]
            step_s *= 2
            place = int((at_s - self.start_s) // step_s)
        counts += [0] * (place + 1 - len(counts))
        counts[place] += lines
        return replace(self, step_s=step_s, counts=tuple(counts))


@dataclass(frozen=True, slots=True)
class Incident:
    """Anomalies of one cause. Times are Unix times in seconds; lists are bounded, `lines` counts all."""

    id: str
    kind: str  # the gravest of its lines
    severity: str  # one of SEVERITIES
    state: str  # one of STATES
    title: str
    first_s: float
    last_s: float
    lines: int
    peak_nats: float
    peak_score: float
    sources: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()  # of the line that names the kind, the oddest of them
    explanation: Mapping[str, Any] = field(default_factory=dict)  # of that line
    sample: tuple[Mapping[str, Any], ...] = ()  # records as JSON objects
    trend: Trend = field(default_factory=lambda: Trend(0.0))
    keys: tuple[str, ...] = ()  # what a further line of it may be known by
    actor_count: int = 0  # one more than `actors` holds where there are more
    named_nats: float = 0.0  # of the line whose reasons these are
    named_line: str = ""  # what that line says, cut
    level: str | None = None  # the gravest level of its lines
    version: int = 1  # grows with each change
    model_version: str = ""

    def to_json(self) -> dict[str, Any]:
        """All fields as plain JSON values, to be kept."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; fields that a later version added and this one does not know are left out."""
        known = {entry.name for entry in fields(cls)}
        values = {name: value for name, value in content.items() if name in known}
        trend = values.get("trend")
        if trend is not None:
            values["trend"] = Trend(trend["start_s"], trend["step_s"], tuple(trend["counts"]))
        lists = ("sources", "hosts", "actors", "templates", "reasons", "sample", "keys")
        return cls(**values | {name: tuple(values[name]) for name in lists if name in values})

    def shown(self) -> dict[str, Any]:
        """What a person or a program sees: the contract's fields, times as ISO 8601 in UTC."""
        names = ("id", "title", "kind", "severity", "state", "lines", "peak_score")
        lists = ("sources", "hosts", "actors", "templates", "reasons", "sample")
        return {
            **{name: getattr(self, name) for name in names},
            "first": iso(self.first_s),
            "last": iso(self.last_s),
            **{name: list(getattr(self, name)) for name in lists},
            "explanation": dict(self.explanation) or None,
            "actor_count": self.actor_count,
            "trend": {"start": iso(self.trend.start_s), "step_s": self.trend.step_s, "counts": list(self.trend.counts)},
            "model_version": self.model_version,
            "version": self.version,
        }


def iso(at_s: float) -> str:
    """A Unix time as ISO 8601 in UTC with milliseconds.

    >>> iso(1_782_918_245.5)
    '2026-07-01T15:04:05.500Z'
    """
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
