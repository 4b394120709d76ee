"""The shapes that travel between rooms: the frames of records and of anomalies, and what `streams` has."""

import polars as pl

from sentinel.streams import ANOMALIES, EVENTS, LEVELS, Checkpoint

__all__ = [
    "ANOMALIES",
    "ANOMALY_COLUMNS",
    "EVENTS",
    "LEVELS",
    "RECORD_SCHEMA",
    "REJECTED_SCHEMA",
    "VERDICT_SCHEMA",
    "Checkpoint",
    "empty_records",
]

UTC_NS = pl.Datetime("ns", "UTC")
UTC_MS = pl.Datetime("ms", "UTC")

RECORD_SCHEMA: dict[str, pl.DataType] = {
    "event_id": pl.String(),
    "spool": pl.String(),  # set by the spool
    "sequence": pl.Int64(),  # set by the spool: 1, 2, 3 … without a gap, per stream
    "partition": pl.String(),  # from `received`; index suffix and Parquet folder
    "timestamp": UTC_NS,
    "received": UTC_MS,
    "level": pl.String(),  # one of LEVELS, or null where the line has none
    "source": pl.String(),
    "host": pl.String(),
    "message": pl.String(),
    "attributes": pl.String(),  # a JSON object of flat strings, or null
    "origin": pl.String(),  # the file's path, the HTTP client, or "watchdog"
    "generation": pl.String(),  # files only: one life of one file
    "offset": pl.Int64(),  # files only: where the line begins, in bytes
    "raw": pl.String(),  # the original line where it cannot be rebuilt from the fields
}
"""One row is one event. The order of the columns is part of the contract."""

REJECTED_SCHEMA: dict[str, pl.DataType] = {"index": pl.Int64(), "reason": pl.String()}
"""One row is one line or document that was not accepted: its position in the input, counted from 0, and why."""

VERDICT_SCHEMA: dict[str, pl.DataType] = {
    "anomaly_score": pl.Float64(),  # [0, 1], high = strange, 0.5 at 7.5 nats
    "nats": pl.Float64(),  # −ln p under normal traffic, ≥ 0
    "threshold": pl.Float64(),  # on the scale of anomaly_score
    "is_anomaly": pl.Boolean(),
    "kind": pl.String(),  # null where nothing is strange
    "reasons": pl.List(pl.String()),  # most telling first; empty where nothing is strange
    "template": pl.String(),
    "model_version": pl.String(),
    "confidence": pl.String(),  # "low" or "normal"
}
"""One row is the verdict on the record of the same row."""

ANOMALY_COLUMNS: dict[str, pl.DataType] = {"event": pl.String(), "incident": pl.String(), **VERDICT_SCHEMA}
"""What an anomaly adds to its record's columns: `event` is the record's own id (an anomaly's event_id is
`<event>-<model_version>`), `incident` names the cause it belongs to."""


def empty_records() -> pl.DataFrame:
    """A frame of records with no rows."""
    return pl.DataFrame(schema=RECORD_SCHEMA)
