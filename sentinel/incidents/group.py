"""Which anomalies belong together: each finds its incident by what it shares with those that are going on."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sentinel.incidents.incident import Incident, Trend
from sentinel.incidents.severity import FAILURE, GRAVE, GRAVITY, gravest, severity
from sentinel.incidents.title import title

__all__ = ["ACTIVE_S", "Odd", "group"]

ACTIVE_S = 1_800.0
"""Seconds after its last line in which a further one belongs to an incident; then it is over."""

NEAR_S = 300.0
"""Seconds within which failures of one program on one machine that were never seen are taken to have one cause."""

FAILING = "failing"
NEWS = frozenset({"new_template", "rare_template"})
ATTACKS = frozenset({"brute_force", "credential_stuffing", "scan", "privilege", "new_actor"})
"""Kinds in which somebody does something: that somebody's lines belong together, whatever kinds they have."""

GUESSES = frozenset({"brute_force", "credential_stuffing", "new_actor"})
TROUBLES = frozenset({"error_burst", "rate_spike", "rate_drop"})
SESSIONS = frozenset({"session", "sequence"})
CROWD = 5  # actors of one kind at one source within ACTIVE_S: from the next on they are one incident, a crowd
MAX_ACTIVE = 1_000  # incidents at once; in a flood beyond them a source has one
MAX_KEYS, MAX_NAMES, MAX_REASONS, MAX_SAMPLE, MAX_TEXT, MAX_LINE = 64, 20, 3, 5, 2_000, 200
LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")
LETTERS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Odd:
    """One anomaly, as far as it matters here; `record` is its event as a JSON object."""

    id: str
    at_s: float
    kind: str | None
    source: str
    host: str | None
    actor: str | None
    template: str
    nats: float
    score: float
    level: str | None
    reasons: Sequence[str]
    model_version: str
    record: Mapping[str, Any]


def group(odds: Sequence[Odd], known: Iterable[Incident]) -> tuple[list[str], list[Incident]]:
    """The incident of each anomaly, in their order, and all incidents that are new or changed by them.

    `known` are the incidents with a line within ACTIVE_S of these. The answer depends on nothing else, so that it is
    the same live and in batch, and after a restart.
    """
    going_on = _GoingOn(known)
    ids = [going_on.add(odd) for odd in odds]
    return ids, going_on.changed()


class _GoingOn:
    """The incidents that are going on, by what their lines are known by."""

    def __init__(self, known: Iterable[Incident]) -> None:
        self._incidents = {incident.id: incident for incident in known}
        self._by_key = {key: incident.id for incident in self._incidents.values() for key in incident.keys}
        self._crowds = Counter(pair for incident in self._incidents.values() if (pair := _attack(incident)) is not None)
        self._before = {incident.id: incident.version for incident in self._incidents.values()}

    def changed(self) -> list[Incident]:
        """What is new or has grown, each with its version one higher, its title and its severity made anew."""
        return [
            _named(incident, self._before.get(incident.id, 0) + 1)
            for incident in self._incidents.values()
            if incident.version != self._before.get(incident.id)
        ]

    def add(self, odd: Odd) -> str:
        """Give an anomaly to the incident that it belongs to, or begin one; its id."""
        kind = odd.kind or "rare_template"
        wanted = self._keys(odd, kind)
        found = next((i for key in wanted if (i := self._active(key, odd.at_s)) is not None), None)
        if found is None:
            found = self._begin(odd, kind, wanted[0])
        incident = _grown(found, odd, kind, tuple(key for key in wanted if _is_kept(key, kind)))
        self._incidents[incident.id] = incident
        for key in incident.keys:
            self._by_key[key] = incident.id
        return incident.id

    def _active(self, key: str, at_s: float) -> Incident | None:
        found = self._incidents.get(self._by_key.get(key, ""))
        reach_s = NEAR_S if key.startswith(FAILING) else ACTIVE_S
        if found is None or not found.first_s - reach_s <= at_s <= found.last_s + reach_s:
            return None
        return found

    def _keys(self, odd: Odd, kind: str) -> list[str]:
        """What this anomaly may be known by, the closest first; a new incident is known by the first."""
        keys = []
        is_attack = kind in ATTACKS
        if odd.actor:
            keys.append(_key("actor", odd.actor))
        if kind in GUESSES:
            keys.append(_key("guessing", odd.source) if kind == "credential_stuffing" else "")
            keys.append(_key("crowd", odd.source, "guess"))
        elif is_attack:
            keys.append(_key("crowd", odd.source, kind))
        if kind in SESSIONS:
            keys.append(_key("session", odd.source, odd.template))
        if kind in TROUBLES or not (is_attack and odd.actor):
            keys.append(_key("template", odd.source, _shape(odd.template)))
        if kind == "silence":
            keys.append(_key("silent", odd.source, odd.host or ""))
        told = " ".join(odd.reasons)
        is_news = kind in NEWS and FAILURE in told
        if is_news:
            keys.append(_key(FAILING, odd.source, odd.host or ""))
        if kind in TROUBLES or (odd.level in {"error", "fatal"} and not (is_news and GRAVE in told)):
            keys.append(_key("trouble", odd.source))
        found = [key for key in keys if key]
        if len(self._incidents) >= MAX_ACTIVE:
            found.append(_key("flood", odd.source))
        return found or [_key("template", odd.source, _shape(odd.template))]

    def _begin(self, odd: Odd, kind: str, key: str) -> Incident:
        """A new incident; where many actors do the same at one source, their crowd's."""
        pair = ("guess" if kind in GUESSES else kind, odd.source)
        if kind in ATTACKS and odd.actor:
            self._crowds[pair] += 1
            if self._crowds[pair] > CROWD:
                key = _key("crowd", odd.source, pair[0])
        if len(self._incidents) >= MAX_ACTIVE:
            key = _key("flood", odd.source)
        digest = hashlib.sha256(f"{key}\0{odd.id}".encode(errors="surrogatepass")).hexdigest()
        return Incident(
            id=digest[:16],
            kind=kind,
            severity="low",
            state="open",
            title="",
            first_s=odd.at_s,
            last_s=odd.at_s,
            lines=0,
            peak_nats=0.0,
            peak_score=0.0,
            trend=Trend(odd.at_s),
            keys=(key,),
            version=0,
        )


def _is_kept(key: str, kind: str) -> bool:
    """Whether further lines may find the incident by this key: an actor's only where somebody does something."""
    name = key.partition("\0")[0]
    return {"actor": kind in ATTACKS, "crowd": False, "flood": False, "trouble": kind in TROUBLES}.get(name, True)


def _attack(incident: Incident) -> tuple[str, str] | None:
    """What counts an incident into a crowd: its kind and source, where one actor does something."""
    if incident.kind not in ATTACKS or incident.actor_count != 1 or not incident.sources:
        return None
    return ("guess" if incident.kind in GUESSES else incident.kind, incident.sources[0])


def _key(*parts: str) -> str:
    return "\0".join(part[:500] for part in parts)


def _shape(template: str) -> str:
    """The letters of a template: variants that differ in marks and numbers are the same trouble."""
    return " ".join(LETTERS.findall(template))[:400]


def _grown(incident: Incident, odd: Odd, kind: str, keys: tuple[str, ...]) -> Incident:
    named = gravest(incident.kind, kind)
    rank = (GRAVITY.get(kind, 0), odd.nats)
    is_naming = not incident.reasons or (named == kind and rank >= (GRAVITY.get(incident.kind, 0), incident.named_nats))
    is_new_actor = bool(odd.actor) and odd.actor not in incident.actors
    sample = incident.sample if len(incident.sample) >= MAX_SAMPLE else (*incident.sample, odd.record)
    return replace(
        incident,
        kind=named,
        state="open" if incident.state in {"resolved", "muted"} else incident.state,  # what is muted comes not here
        first_s=min(incident.first_s, odd.at_s),
        last_s=max(incident.last_s, odd.at_s),
        lines=incident.lines + 1,
        peak_nats=max(incident.peak_nats, odd.nats),
        peak_score=max(incident.peak_score, odd.score),
        sources=_with(incident.sources, odd.source),
        hosts=_with(incident.hosts, odd.host),
        actors=_with(incident.actors, odd.actor),
        actor_count=min(incident.actor_count + is_new_actor, MAX_NAMES + 1),
        templates=_with(incident.templates, odd.template),
        reasons=tuple(odd.reasons[:MAX_REASONS]) if is_naming else incident.reasons,
        named_nats=odd.nats if is_naming else incident.named_nats,
        named_line=str(odd.record.get("message") or "")[:MAX_LINE] if is_naming else incident.named_line,
        explanation={"event": odd.record["event_id"]} if is_naming else incident.explanation,
        level=max((incident.level, odd.level), key=lambda level: LEVELS.index(level) if level in LEVELS else -1),
        sample=sample,
        trend=incident.trend.with_line(odd.at_s),
        keys=tuple(dict.fromkeys((*incident.keys, *keys)))[:MAX_KEYS],
        model_version=odd.model_version,
        version=-1,  # changed: `changed` gives it its number
    )


def _with(names: tuple[str, ...], name: str | None) -> tuple[str, ...]:
    if not name or name in names or len(names) >= MAX_NAMES:
        return names
    return (*names, name[:MAX_TEXT])


def _named(incident: Incident, version: int) -> Incident:
    told = severity(incident.kind, incident.lines, incident.peak_nats, incident.level, incident.reasons)
    return replace(incident, title=title(incident), severity=told, version=version)
