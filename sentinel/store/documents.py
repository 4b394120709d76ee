"""Frames to Elasticsearch's bulk lines and documents back to frames, without a loop over records on the way in."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from sentinel.records import ANOMALIES
from sentinel.store.frames import schema_of

__all__ = ["FIELDS", "bulk_lines", "frame_of"]

FIELDS: Mapping[str, str] = {
    "timestamp": "@timestamp",
    "received": "event.created",
    "level": "log.level",
    "source": "event.dataset",
    "host": "host.name",
    "message": "message",
    "event_id": "event.id",
    "raw": "event.original",
    "offset": "log.offset",
    "spool": "sentinel.spool",
    "sequence": "sentinel.sequence",
    "partition": "sentinel.partition",
    "generation": "sentinel.generation",
    "origin": "sentinel.origin",
    "event": "anomaly.event",
    "incident": "anomaly.incident",
    "anomaly_score": "anomaly.score",
    "nats": "anomaly.nats",
    "threshold": "anomaly.threshold",
    "is_anomaly": "anomaly.is_anomaly",
    "kind": "anomaly.kind",
    "reasons": "anomaly.reasons",
    "template": "anomaly.template",
    "model_version": "anomaly.model_version",
    "confidence": "anomaly.confidence",
}
"""Our columns and the names they have in Elasticsearch (ECS 8 where it has one). `attributes` becomes `labels`."""


def bulk_lines(frame: pl.DataFrame) -> pl.Series:
    """One string a record: its action (`create` with our id) and its document, as the bulk API wants them."""
    names = [name for name in FIELDS if name in frame.columns and frame[name].null_count() < frame.height]
    shown = [_shown(name) for name in names]
    if "generation" in names:  # a file's line: its path under the name others look for
        shown.append(pl.when(pl.col("generation").is_not_null()).then("origin").alias("log.file.path"))
    body = pl.struct(shown).struct.json_encode().str.strip_suffix("}")
    labels = (
        pl.when(pl.col("attributes").is_null())
        .then(pl.lit("}"))
        .otherwise(pl.concat_str(pl.lit(',"labels":'), "attributes", pl.lit("}")))
    )
    action = pl.concat_str(pl.lit('{"create":{"_id":"'), "event_id", pl.lit('"}}\n'))
    return frame.select(pl.concat_str(action, body, labels).alias("lines"))["lines"]


def _shown(name: str) -> pl.Expr:
    """A column as the value it has in a document."""
    if name == "timestamp":
        return pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ").alias(FIELDS[name])
    if name == "received":
        return pl.col(name).dt.epoch("ms").alias(FIELDS[name])
    return pl.col(name).alias(FIELDS[name])


def frame_of(hits: Sequence[Mapping[str, Any]], stream: str) -> pl.DataFrame:
    """Documents (`_source` with the names of FIELDS) as the stream's columns; what was written comes back."""
    schema = schema_of(stream)
    sources = [hit["_source"] for hit in hits]
    columns: dict[str, pl.Series] = {}
    for name, dtype in schema.items():
        if name == "attributes":
            columns[name] = pl.Series(name, [_labels(source) for source in sources], dtype=pl.String)
            continue
        values = [source.get(FIELDS[name]) for source in sources]
        if name == "timestamp":
            columns[name] = _times(values)
        elif name == "received":
            columns[name] = pl.Series(name, values, dtype=pl.Int64).cast(dtype)
        else:
            columns[name] = pl.Series(name, values, dtype=dtype)
    if stream == ANOMALIES:
        columns["reasons"] = columns["reasons"].fill_null(pl.Series([[]], dtype=pl.List(pl.String)))
    return pl.DataFrame(columns)


def _times(values: list[str | None]) -> pl.Series:
    text = pl.Series("timestamp", values, dtype=pl.String).str.strip_suffix("Z")
    return text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.9f", time_unit="ns").dt.replace_time_zone("UTC")


def _labels(source: Mapping[str, Any]) -> str | None:
    import orjson

    labels = source.get("labels")
    return None if labels is None else orjson.dumps(labels).decode()
