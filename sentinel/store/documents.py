"""Frames to Elasticsearch's bulk lines and documents back to frames, without a loop over records on the way in."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
import polars as pl

from sentinel.records import ANOMALIES
from sentinel.store.digests import is_digest
from sentinel.store.frames import schema_of

__all__ = ["DIGEST_FIELD", "FIELDS", "bulk_lines", "digest_of", "frame_of"]

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
"""Our columns and the names they have in Elasticsearch (ECS 8 where it has one)."""

PATH = "log.file.path"  # of a file's line: its `origin`, under the name that others look for
LABELS = "labels"  # of `attributes`: one flattened field, searchable by key
DIGEST = "digest"  # the name of our digest among the labels
DIGEST_FIELD = f"{LABELS}.{DIGEST}"
UNMAPPED = "sentinel.attributes"  # of attributes that a flattened field would refuse: kept as text, not indexed
MAX_KEY_BYTES = 16_000  # key and value (ignore_above: 4,000 characters) share Lucene's 32,766 bytes


def bulk_lines(frame: pl.DataFrame, digests: pl.Series) -> pl.Series:
    """One string a record: its action (`create` with our id) and its document, as the bulk API wants them.

    `digests` go under the labels, but for a record that has a label of that name itself.

    Columns that are null throughout are left out; no line is null as long as no `event_id` is.
    """
    fields = _fields(frame)
    action = pl.struct(pl.struct(_id="event_id").alias("create")).struct.json_encode()
    body = pl.struct(_nested(fields)).struct.json_encode()
    body = pl.concat_str(body.str.strip_suffix("}"), _labels(frame["attributes"], digests), pl.lit("}"))
    return frame.select(pl.concat_str(action, pl.lit("\n"), body).alias("lines"))["lines"]


def _fields(frame: pl.DataFrame) -> dict[str, pl.Expr]:
    """What the documents of a frame hold, by its name in Elasticsearch."""
    names = [name for name in FIELDS if name in frame.columns and frame[name].null_count() < frame.height]
    fields = {FIELDS[name]: _shown(name) for name in names}
    if "event" not in names:  # an event's index has the partition in its name; anomalies have one index for all
        fields.pop(FIELDS["partition"], None)
    if "generation" in names and "origin" in names:
        is_file = pl.col("generation").is_not_null()
        fields[PATH] = pl.when(is_file).then("origin")
        fields[FIELDS["origin"]] = pl.when(~is_file).then("origin")
        if not frame["generation"].null_count():
            del fields[FIELDS["origin"]]
    return fields


def _nested(fields: Mapping[str, pl.Expr]) -> list[pl.Expr]:
    """Fields by their dotted names as objects in objects, which Elasticsearch parses a quarter cheaper than dots."""
    inner: dict[str, dict[str, pl.Expr]] = {}
    for name, value in fields.items():
        first, _, rest = name.partition(".")
        inner.setdefault(first, {})[rest] = value
    return [
        (values[""] if "" in values else pl.struct(_nested(values))).alias(first) for first, values in inner.items()
    ]


def _shown(name: str) -> pl.Expr:
    """A column as the value it has in a document."""
    if name == "timestamp":
        return pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ")
    return pl.col(name).dt.epoch("ms") if name == "received" else pl.col(name)


def _labels(attributes: pl.Series, digests: pl.Series) -> pl.Expr:
    """The end of a document: its attributes, spliced in as they are, since they are JSON already, and its digest."""
    text = pl.col("attributes")
    own = pl.Series([f'"{DIGEST}":"{digest}"' for digest in digests], dtype=pl.String)
    has_own_name = _where(attributes, attributes.str.contains(f'"{DIGEST}"', literal=True), _has_digest)
    digest = pl.when(pl.lit(has_own_name)).then(pl.lit("")).otherwise(pl.lit(own))
    inner = text.str.strip_prefix("{").str.strip_suffix("}").fill_null("")
    is_refused = _where(
        attributes,
        attributes.str.contains("\\u0000", literal=True)
        | (attributes.str.len_bytes() > MAX_KEY_BYTES)
        | (attributes == "{}"),
        _is_refused,
    )
    comma = pl.when((digest == "") | (inner == "")).then(pl.lit("")).otherwise(pl.lit(","))
    spliced = pl.concat_str(pl.lit(f',"{LABELS}":{{'), digest, comma, inner, pl.lit("}"))
    if is_refused.any():
        kept = pl.struct(text.alias(UNMAPPED)).struct.json_encode().str.strip_prefix("{").str.strip_suffix("}")
        apart = pl.concat_str(pl.lit(","), kept, pl.lit(f',"{LABELS}":{{'), digest, pl.lit("}"))
        spliced = pl.when(pl.lit(is_refused)).then(apart).otherwise(spliced)
    return spliced


def _where(attributes: pl.Series, suspects: pl.Series, is_so: Callable[[str], bool]) -> pl.Series:
    """Which rows `is_so`, asked only of those that may be."""
    found = suspects.fill_null(value=False)
    if found.any():
        found = pl.Series([s and is_so(a) for s, a in zip(found, attributes, strict=True)], dtype=pl.Boolean)
    return found


def _has_digest(attributes: str) -> bool:
    """Whether the record itself tells something under the name of our digest."""
    return DIGEST in orjson.loads(attributes)


def _is_refused(attributes: str) -> bool:
    """Whether they are kept as text: a flattened field would refuse keys that hold a NUL or are too long for an index,
    and none at all could not be told from null beside a digest."""
    return attributes == "{}" or any(
        "\0" in key or len(key.encode()) > MAX_KEY_BYTES for key in orjson.loads(attributes)
    )


def frame_of(hits: Sequence[Mapping[str, Any]], stream: str) -> pl.DataFrame:
    """Documents (`_source` with the names of FIELDS) as the stream's columns; what was written comes back."""
    sources = [_flat(hit["_source"]) for hit in hits]
    if stream != ANOMALIES:
        for hit, source in zip(hits, sources, strict=True):
            source.setdefault(FIELDS["partition"], str(hit["_index"]).rpartition("-")[2])
    columns = {name: _column(name, dtype, sources) for name, dtype in schema_of(stream).items()}
    if stream == ANOMALIES:
        columns["reasons"] = columns["reasons"].fill_null(pl.Series([[]], dtype=pl.List(pl.String)))
    return pl.DataFrame(columns)


def _flat(source: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """A document by dotted names, whether it was sent with them or as objects in objects."""
    flat: dict[str, Any] = {}
    for key, value in source.items():
        name = before + key
        if isinstance(value, dict) and name != LABELS:
            flat |= _flat(value, f"{name}.")
        else:
            flat[name] = value
    return flat


def _column(name: str, dtype: pl.DataType, sources: Sequence[Mapping[str, Any]]) -> pl.Series:
    if name == "attributes":
        return pl.Series(name, [_attributes(source) for source in sources], dtype=pl.String)
    field = FIELDS[name]
    values = [source.get(field) for source in sources]
    if name == "origin":
        values = [
            source.get(PATH) if origin is None else origin for origin, source in zip(values, sources, strict=True)
        ]
    if name == "timestamp":
        text = pl.Series(name, values, dtype=pl.String).str.strip_suffix("Z")
        return text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.9f", time_unit="ns").dt.replace_time_zone("UTC")
    if name == "received":
        return pl.Series(name, values, dtype=pl.Int64).cast(dtype)
    return pl.Series(name, values, dtype=dtype)


def digest_of(source: Mapping[str, Any]) -> str | None:
    """The digest in a document; None where it has none: of a version that wrote none, or a record's own label."""
    found = (source.get(LABELS) or {}).get(DIGEST)
    return found if is_digest(found) else None


def _attributes(source: Mapping[str, Any]) -> str | None:
    labels = source.get(LABELS)
    if labels is not None and digest_of(source):
        labels = {name: value for name, value in labels.items() if name != DIGEST}
    if labels:
        return orjson.dumps(labels).decode()
    kept: str | None = source.get(UNMAPPED)
    return kept
