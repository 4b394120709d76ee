"""Feedback: a person's verdict on an anomaly or an incident, kept, listed and undone."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sentinel.errors import TerminalError
from sentinel.incidents import Incident
from sentinel.incidents.feedback import SCOPES, VERDICTS, Word, counted
from sentinel.incidents.group import ATTACKS
from sentinel.incidents.incident import iso
from sentinel.pipeline.incidents import change_state, one_incident
from sentinel.pipeline.said import read_words, write_words
from sentinel.spool import Spool

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "Said",
    "end_mutes",
    "list_feedback",
    "mute_template",
    "say",
    "shown_word",
    "undo",
]

MAX_WORDS = 2_000
MAX_LINES, MAX_NOTE = 50, 2_000
KEPT_ANOMALIES = 10_000


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says: of one anomaly or one incident."""

    verdict: str
    anomaly: str | None = None
    incident: str | None = None
    scope: str | None = None  # None: the actor of an attack, else the template
    until_s: float | None = None
    note: str | None = None
    by: str = "http"


def say(spool: Spool, said: Said, now_s: float) -> Word | None:
    """Keep a verdict; None where there is no such anomaly or incident. Raises TerminalError for what cannot be said."""
    _check(said, now_s)
    lines, incident = _looked_at(spool, said)
    if lines.is_empty() and incident is None:
        return None
    word = _word(said, lines, incident, now_s)
    if not word.keys_said():
        raise TerminalError(f"keep feedback: it names no {word.scope}; choose another scope of {', '.join(SCOPES)}")
    with spool.transaction() as tx:
        kept = [old for old in read_words(spool) if not old.is_over(now_s)]
        write_words(tx, [*kept[-(MAX_WORDS - 1) :], word])
    if incident is not None and said.verdict == "false_alarm":
        change_state(spool, incident.id, "muted")
    return word


def _check(said: Said, now_s: float) -> None:
    if said.verdict not in VERDICTS:
        raise TerminalError(f"keep feedback: verdict is one of {', '.join(VERDICTS)}")
    if said.scope is not None and said.scope not in SCOPES:
        raise TerminalError(f"keep feedback: scope is one of {', '.join(SCOPES)}")
    if (said.anomaly is None) == (said.incident is None):
        raise TerminalError("keep feedback: name one, an anomaly or an incident")
    if said.until_s is not None and said.until_s <= now_s:
        raise TerminalError("keep feedback: until lies in the past")


def _looked_at(spool: Spool, said: Said) -> tuple[pl.DataFrame, Incident | None]:
    """The anomalies that the person looked at, the newest first, and their incident."""
    import polars as pl

    kept = spool.anomalies(limit=KEPT_ANOMALIES)
    if said.incident is not None:
        return kept.filter(pl.col("incident") == said.incident), one_incident(spool, said.incident)
    lines = kept.filter((pl.col("event_id") == said.anomaly) | (pl.col("event") == said.anomaly)).head(1)
    return lines, None


def _word(said: Said, lines: pl.DataFrame, incident: Incident | None, now_s: float) -> Word:
    import polars as pl

    actors = _actors(lines, said, incident)
    triples = pl.DataFrame([lines["template"].fill_null(""), lines["source"].fill_null(""), actors]).unique(
        maintain_order=True
    )

    def names(column: str, more: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name in (*more, *triples[column].to_list()) if name))

    kinds = set(lines["kind"].drop_nulls().to_list()) | ({incident.kind} if incident else set())
    sources, templates = incident.sources if incident else (), incident.templates if incident else ()
    all_actors = names("actor", incident.actors if incident else ())
    peak = float(lines["nats"].max() or 0.0)  # type: ignore[arg-type]
    times = lines["timestamp"].dt.epoch("ms").to_list() or [now_s * 1e3]
    return Word(
        id=secrets.token_hex(6),
        verdict=said.verdict,
        scope=said.scope or ("actor" if kinds & ATTACKS and all_actors else "template"),
        at_s=now_s,
        by=said.by,
        until_s=said.until_s,
        note=said.note[:MAX_NOTE] if said.note else None,
        anomaly=said.anomaly,
        incident=incident.id if incident else None,
        kinds=tuple(sorted(kinds)),
        sources=names("source", sources),
        actors=all_actors,
        templates=names("template", templates),
        lines=tuple(triples.head(MAX_LINES).iter_rows()),
        messages=_texts(lines),
        events=tuple(lines["event"].head(500).to_list()),
        peak_nats=max(peak, incident.peak_nats if incident else 0.0),
        counts=counted([*lines["reasons"].explode().drop_nulls(), *(incident.reasons if incident else ())]),
        first_s=min(times) / 1e3,
        last_s=max(times) / 1e3,
    )


def _texts(lines: pl.DataFrame) -> tuple[str, ...]:
    """What the detector reads of each line, so that a later model finds their templates."""
    from sentinel.detect.read.fields import texts_of

    return tuple(texts_of(lines).drop_nulls().unique(maintain_order=True).head(MAX_LINES).to_list())


def _actors(lines: pl.DataFrame, said: Said, incident: Incident | None) -> pl.Series:
    """(n_lines,) who is behind each, empty for nobody or where no line's own actor is asked for."""
    import polars as pl

    if incident is not None and said.scope != "line" and incident.actor_count <= len(incident.actors):
        return pl.Series("actor", [""], dtype=pl.String).new_from_index(0, lines.height)  # the incident has them all
    from sentinel.detect.explain.incidents import actors_of  # with the detector, a second that most can do without

    return pl.Series("actor", actors_of(lines), dtype=pl.String)


def mute_template(spool: Spool, template: str, until_s: float, *, now_s: float, by: str) -> Word | None:
    """Call further lines of a template false alarms until then; None where no anomaly has it."""
    import polars as pl

    lines = spool.anomalies(limit=KEPT_ANOMALIES).filter(pl.col("template") == template)
    if lines.is_empty():
        return None
    word = _word(Said("false_alarm", scope="template", until_s=until_s, by=by), lines, None, now_s)
    with spool.transaction() as tx:
        write_words(tx, [*read_words(spool)[-(MAX_WORDS - 1) :], word])
    return word


def list_feedback(spool: Spool, now_s: float) -> list[Word]:
    """What was said and still holds, the newest first."""
    return [word for word in reversed(read_words(spool)) if not word.is_over(now_s)]


def undo(spool: Spool, wanted: str) -> bool:
    """Take a verdict back; False where there is none of this id. An incident that it muted is open again."""
    with spool.transaction() as tx:
        words = read_words(spool)
        left = [word for word in words if word.id != wanted]
        if len(left) == len(words):
            return False
        write_words(tx, left)
    taken = next(word for word in words if word.id == wanted)
    if taken.incident is not None and taken.verdict == "false_alarm":
        incident = one_incident(spool, taken.incident)
        if incident is not None and incident.state == "muted":
            change_state(spool, taken.incident, "open")
    return True


def end_mutes(spool: Spool, now_s: float) -> int:
    """Open the incidents again whose mute is over; how many. What is quiet resolves by itself then."""
    still = {word.incident for word in list_feedback(spool, now_s) if word.verdict == "false_alarm"}
    over = [row.id for row in spool.incidents.newest() if row.state == "muted" and row.id not in still]
    for wanted in over:
        change_state(spool, wanted, "open")
    return len(over)


def shown_word(word: Word) -> dict[str, Any]:
    """A verdict as people and programs see it."""
    return {
        "id": word.id,
        "verdict": word.verdict,
        "scope": word.scope,
        "anomaly": word.anomaly,
        "incident": word.incident,
        "at": iso(word.at_s),
        "by": word.by,
        "until": iso(word.until_s) if word.until_s is not None else None,
        "note": word.note,
        "templates": list(word.templates),
        "sources": list(word.sources),
        "actors": list(word.actors),
    }
