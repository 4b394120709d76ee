"""All kinds of sessions of a model side by side: lines in, alarms out; ended ones told as records of their own."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
import polars as pl

from sentinel.counted import counted
from sentinel.detect.judge.nats import Judge, nats_to_score
from sentinel.detect.kernel.jit import Hashes
from sentinel.detect.read.coded import Coded, One
from sentinel.detect.read.scan import SESSION
from sentinel.detect.read.text import Vocabulary
from sentinel.detect.sessions.fit import SessionRules
from sentinel.detect.sessions.follow import Alarm, Sessions, SessionVerdict, Story
from sentinel.records import RECORD_SCHEMA, VERDICT_SCHEMA

__all__ = ["SESSION_KIND", "SessionWatch", "attach", "session_records", "story_of", "story_of_one"]

ORIGIN = "sessions"
SESSION_KIND = "session"
Arrays = dict[str, np.ndarray[Any, Any]]


class SessionWatch:
    """The sessions in flight under a model. Does nothing without `kinds`. `templates`: all that the model knows."""

    def __init__(
        self, kinds: Sequence[SessionRules], templates: Hashes, vocabulary: Vocabulary, *, version: str
    ) -> None:
        known = frozenset(templates.tolist())
        self._version = version
        self._kinds = [Sessions(rules, known, vocabulary.template_text) for rules in kinds]

    def walk(self, coded: Coded, threshold: float, story: Story) -> list[Alarm]:
        """Take lines in order; which of them makes its session strange whatever follows."""
        return self._each(coded, lambda kind, *lines: kind.walk(*lines, threshold, story))

    def peek(self, coded: Coded, threshold: float) -> list[Alarm]:
        """What `walk` would give; nothing counts as seen."""
        return self._each(coded, lambda kind, *lines: kind.peek(*lines, threshold))

    def _each(self, coded: Coded, ask: Any) -> list[Alarm]:
        found: list[Alarm] = []
        if self._kinds and coded.sessions.any():
            lines = (coded.sessions, coded.line.templates, coded.line.times)
            one = int(lines[1][0]) if len(lines[0]) == 1 else None
            for kind in self._kinds:
                if one is None or kind.is_of_use(one):
                    found.extend(ask(kind, *lines))
        return found

    def tick(self, now: datetime, threshold: float) -> list[SessionVerdict]:
        """The anomalies among the sessions that are over by now, by the time of the lines."""
        return [v for kind in self._kinds for v in kind.tick(now.timestamp(), threshold) if v.is_anomaly]

    def ended(self, threshold: float) -> list[SessionVerdict]:
        """The same by the time of the newest line alone."""
        return [v for kind in self._kinds for v in kind.ended(threshold) if v.is_anomaly]

    def close(self, threshold: float) -> list[SessionVerdict]:
        """The same where nothing more will come: what is rather over than not is over."""
        return [v for kind in self._kinds for v in kind.close(threshold) if v.is_anomaly]

    def standing(self) -> dict[str, float]:
        """The highest nats that each session held was given so far, by its id."""
        found: dict[str, float] = {}
        for kind in self._kinds:
            for session, nats in kind.standing().items():
                found[session] = max(nats, found.get(session, 0.0))
        return found

    def state(self) -> Arrays:
        """What is held, by name."""
        arrays = {f"{i}.{name}": part for i, kind in enumerate(self._kinds) for name, part in kind.state().items()}
        return {"version": np.frombuffer(self._version.encode(), np.uint8), **arrays} if arrays else {}

    def restore(self, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Take up what `state` gave; under another model each kind goes where most of its templates are."""
        same = "version" in arrays and arrays["version"].tobytes().decode() == self._version
        taken = set()
        for i in sorted({int(name.partition(".")[0]) for name in arrays if "." in name}):
            part = {name.partition(".")[2]: array for name, array in arrays.items() if name.startswith(f"{i}.")}
            at = i if same and i < len(self._kinds) else self._nearest(part["templates"])
            if at >= 0 and at not in taken:
                taken.add(at)
                self._kinds[at].restore(part, same_rules=same)

    def _nearest(self, templates: np.ndarray[Any, Any]) -> int:
        shared = [np.isin(templates, kind.rules.templates).sum() for kind in self._kinds]
        return int(np.argmax(shared)) if shared and max(shared) else -1


def story_of(records: pl.DataFrame, coded: Coded) -> Story:
    """What is told of a session by one of its lines: its id, source and the line's event id."""
    attributes, sources = records["attributes"], records["source"]
    events = records["event_id"] if "event_id" in records.columns else None

    def story(line: int) -> tuple[str, str, str]:
        session = _named(attributes[line]) if coded.named[line] else coded.scanned.entity(line, SESSION)
        return session, sources[line] or "", (events[line] or "") if events is not None else ""

    return story


def story_of_one(record: One, coded: Coded) -> Story:
    """The same of a single record, which has no id."""
    session = _named(record.attributes) if coded.named[0] else coded.scanned.entity(0, SESSION)
    return lambda _: (session, record.source, "")


def _named(attributes: str | None) -> str:
    try:
        return str(orjson.loads(attributes or "{}").get("session", ""))
    except (ValueError, AttributeError):
        return ""


def session_records(
    said: Sequence[SessionVerdict], model: Judge, threshold: float
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(records, verdicts): one of each for a session that is over and strange.

    The id comes from session and beginning, so that telling it again makes no second one.
    """
    records = [_record(verdict) for verdict in said]
    verdicts = [_verdict(verdict, model, threshold) for verdict in said]
    return pl.DataFrame(records, schema=RECORD_SCHEMA), pl.DataFrame(verdicts, schema=VERDICT_SCHEMA)


def _record(verdict: SessionVerdict) -> dict[str, Any]:
    moment = datetime.fromtimestamp(verdict.last_s, UTC)
    attributes = {"session": verdict.session, "lines": str(verdict.lines), "last_event": verdict.last_event}
    took_s, lines = verdict.last_s - verdict.first_s, counted(verdict.lines, "line")
    record = {
        "event_id": f"{verdict.key:016x}"[:12] + f"{int(verdict.first_s):010d}",
        "timestamp": moment,
        "received": moment,
        "partition": moment.strftime("%Y.%m"),
        "level": "warn",
        "source": verdict.source,
        "message": f"session {verdict.session} is strange as a whole: {lines} within {took_s:,.0f} s",
        "attributes": orjson.dumps(attributes).decode(),
        "origin": ORIGIN,
    }
    return {name: record.get(name) for name in RECORD_SCHEMA}


def _verdict(verdict: SessionVerdict, model: Judge, threshold: float) -> dict[str, Any]:
    return {
        "anomaly_score": nats_to_score(verdict.nats),
        "nats": verdict.nats,
        "threshold": nats_to_score(threshold),
        "is_anomaly": verdict.is_anomaly,
        "kind": SESSION_KIND,
        "reasons": list(verdict.reasons),
        "template": verdict.template,
        "model_version": model.version,
        "confidence": model.confidence,
    }


def attach(verdicts: pl.DataFrame, events: pl.Series, said: Sequence[SessionVerdict], model: Judge) -> pl.DataFrame:
    """Line verdicts in which each session that is over and strange stands at its last line (`events`: the lines' ids).

    A line that was stranger by itself keeps its kind, with the session's first reason behind its own.
    """
    wanted = {verdict.last_event: verdict for verdict in said if verdict.last_event}
    if not wanted:
        return verdicts
    places = events.is_in(list(wanted)).arg_true()
    changed = []
    for place, line in zip(places.to_list(), verdicts[places].iter_rows(named=True), strict=True):
        found = wanted[events[place]]
        own = {name: line[name] for name in ("threshold", "template")}
        told = {**_verdict(found, model, 0.0), **own}
        if found.nats < line["nats"]:
            told = line | {"reasons": [*line["reasons"], found.reasons[0]]}
        changed.append({"row": place, **told})
    rows = pl.DataFrame(changed, schema={"row": pl.UInt32(), **VERDICT_SCHEMA})
    return verdicts.with_row_index("row").update(rows, on="row").select(*VERDICT_SCHEMA)
