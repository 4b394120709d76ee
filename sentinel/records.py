"""The shapes that travel between rooms: the frame of records, the frame of anomalies, and a file's checkpoint."""

from dataclasses import dataclass

import polars as pl

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

EVENTS = "events"
ANOMALIES = "anomalies"

LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")

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


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far one generation of one source file has been read, and how to know it again.

    A generation is one life of one file: a truncated or replaced file begins a new one at offset 0.
    """

    generation: str  # 10 characters, random, fixed when the file is first seen
    path: str
    device: int
    inode: int
    offset: int  # bytes; always just past a newline (or at 0)
    head_bytes: int  # how many first bytes `head_hash` covers (≤ 1024)
    head_hash: str
    guard_bytes: int  # how many bytes before `offset` `guard_hash` covers (≤ 256)
    guard_hash: str
    state: str  # "live", "rotated" (renamed or copied away), "done" (rotated, read), "gone", "held" (waiting copy)
    updated_s: float  # Unix time of the last change
