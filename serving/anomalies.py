"""Anomalies of the spool as HTTP shows them: the record on its own, beside the verdict."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import polars as pl

from sentinel.detect.explain.incidents import actors_of
from sentinel.incidents import Incident
from sentinel.pipeline.explanations import Explanations
from sentinel.pipeline.incidents import Wanted, list_incidents
from sentinel.records import RECORD_SCHEMA
from sentinel.spool import KEEP_INCIDENTS, Spool

__all__ = ["anomalies", "anomalies_of_incident", "event_of"]

SHOWN = ("anomaly_score", "threshold", "kind", "reasons", "template", "model_version", "confidence", "incident")
KEPT = 10_000
SORTS = {"last": "timestamp", "first": "timestamp", "peak_score": "anomaly_score", "severity": "nats", "lines": "nats"}


def anomalies(spool: Spool, wanted: Wanted, explanations: Explanations) -> list[dict[str, object]]:
    """The anomalies that fit, newest first by arrival; sorted by another thing, the largest first."""
    is_plain = wanted == Wanted(since_s=wanted.since_s, limit=wanted.limit)
    frame = spool.anomalies(limit=wanted.limit if is_plain else KEPT, since_s=wanted.since_s)
    if not is_plain:
        frame = _narrowed(spool, frame, wanted)
    return [_shown(row, explanation) for row, explanation in _explained(frame.head(wanted.limit), explanations)]


def _explained(
    frame: pl.DataFrame, explanations: Explanations
) -> Iterator[tuple[dict[str, Any], Mapping[str, object]]]:
    """The rows of anomalies, each with what explains it."""
    for row, actor in zip(frame.iter_rows(named=True), actors_of(frame), strict=True):
        yield row, explanations.explain(row, actor)


def _narrowed(spool: Spool, frame: pl.DataFrame, wanted: Wanted) -> pl.DataFrame:
    if wanted.until_s is not None:
        frame = frame.filter(pl.col("timestamp").dt.epoch("ns") < int(wanted.until_s * 1e9))
    for name in ("kind", "source"):
        if (value := getattr(wanted, name)) is not None:
            frame = frame.filter(pl.col(name) == value)
    if any(value is not None for value in (wanted.actor, wanted.severity, wanted.state)):
        of = Wanted(actor=wanted.actor, severity=wanted.severity, state=wanted.state, limit=KEEP_INCIDENTS)
        frame = frame.filter(pl.col("incident").is_in([incident.id for incident in list_incidents(spool, of)]))
    if wanted.sort != "last":
        frame = frame.sort(SORTS[wanted.sort], descending=True, maintain_order=True)
    if wanted.after is not None:
        place = frame["event_id"].index_of(wanted.after)
        frame = frame.head(0) if place is None else frame.slice(place + 1)
    return frame


def anomalies_of_incident(
    spool: Spool, incident: Incident, limit: int, explanations: Explanations
) -> list[dict[str, Any]]:
    """The events of an incident that are kept, the newest first, each with what was odd about it."""
    kept = spool.anomalies(limit=KEPT, since_s=incident.first_s)
    found = []
    for row, explanation in _explained(kept.filter(pl.col("incident") == incident.id).head(limit), explanations):
        event = event_of({**row, "event_id": row["event"]})
        odd = {name: row[name] for name in ("anomaly_score", "kind", "reasons", "template")}
        found.append({**event, **odd, "explanation": explanation})
    return found


def event_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The record in a row, its attributes as an object."""
    event = {name: row[name] for name in RECORD_SCHEMA}
    event["attributes"] = orjson.loads(event["attributes"] or b"{}")
    return event


def _shown(row: Mapping[str, Any], explanation: Mapping[str, object]) -> dict[str, object]:
    event = event_of({**row, "event_id": row["event"]})
    return {"id": row["event_id"], "event": event, **{name: row[name] for name in SHOWN}, "explanation": explanation}
