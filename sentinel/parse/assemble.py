"""The last step: from fields to records, with what only the whole knows: received, partition, ids, origin's name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import polars as pl

from sentinel.parse import attributes
from sentinel.records import RECORD_SCHEMA, REJECTED_SCHEMA

__all__ = ["UNKNOWN_SOURCE", "Parsed", "event_ids", "partition", "records", "rejected", "stems"]

UNKNOWN_SOURCE: Final = "unknown"
"""The source of what came over HTTP and names none."""
_NONE_REJECTED: Final = pl.DataFrame(schema=REJECTED_SCHEMA)
OFFSET_DIGITS: Final = 12
MAX_AHEAD_S: Final = 300
"""A time further ahead of its arrival is marked `clock_skew`: five minutes are what Kerberos bears (RFC 4120)."""

_PARTITIONS: Final = {"month": "%Y.%m", "day": "%Y.%m.%d", "none": None}
_POD: Final = re.compile(r"[^/_]+_[^/_]+_[^/_]+/(?P<container>[^/]+)/[0-9]+\.log[^/]*$")
_LINK: Final = re.compile(r"/[^/_]+_[^/_]+_(?P<container>[^/_]+)-[0-9a-f]{64}\.log[^/]*$")
_SUFFIXES: Final = re.compile(
    r"(?i)(?:_json\.log|-json\.log|[-.](?:log|txt|out|err|gz|zst|bz2|xz|json|jsonl|ndjson|csv|tsv|xml|clef|old|b"
    r"ak|[0-9]{1,3}|"
    r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}|[0-9]{4}-[0-9]{2}))+$"
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What became of a batch: `records` (RECORD_SCHEMA, in the order of the input) and `rejected` (REJECTED_SCHEMA).

    `held` has the generations whose last event may still go on, with the offset where it begins: what stands there and
    behind it is not among the records and has to be given again. `late` are those records as far as they are known,
    with their secrets.
    `masked` counts the secrets of `records` that placeholders stand for, by kind. `formats` names the format by which
    each of the records was read, behind that of its frame; null for free text. Documents have none.
    """

    records: pl.DataFrame
    rejected: pl.DataFrame
    held: Mapping[str, int] = field(default_factory=dict)
    late: pl.DataFrame | None = None
    masked: Mapping[str, int] = field(default_factory=dict)
    formats: pl.Series | None = None


def records(frame: pl.DataFrame, *, now: int, period: str) -> pl.DataFrame:
    """Records from a frame that has FIELDS, `raw`, `event_id`, `origin`, `generation` and `offset`.

    `period` is "month", "day" or "none"; another one raises ValueError.
    """
    pieces = [frame["attributes"]]
    if frame["unreadable"].null_count() < frame.height:
        pieces.append('"timestamp_unreadable":' + attributes.quoted(frame["unreadable"]))
    ahead = (frame["timestamp"] - now) // 1_000_000_000
    if (ahead > MAX_AHEAD_S).any():
        mark = '"clock_skew":"+' + ahead.cast(pl.String) + 's"'
        pieces.append(mark.set((ahead <= MAX_AHEAD_S).fill_null(value=True), None))
    inner = attributes.join_inner(pieces, frame.height)
    made: dict[str, pl.Expr | pl.Series] = {
        "spool": pl.lit(None, dtype=pl.String),
        "sequence": pl.lit(None, dtype=pl.Int64),
        "partition": pl.lit(partition(now, period)),
        "timestamp": pl.col("timestamp").fill_null(now).cast(RECORD_SCHEMA["timestamp"]),
        "received": pl.lit(now // 1_000_000).cast(RECORD_SCHEMA["received"]),
        "source": pl.coalesce("source", stems(frame)),
        "attributes": "{" + inner.alias("inner") + "}" if inner.null_count() < frame.height else inner,
    }
    return frame.select(made.get(name, pl.col(name)).alias(name) for name in RECORD_SCHEMA)


def partition(now: int, period: str) -> str:
    """The partition of what is received `now` (ns since 1970). Raises ValueError for a period that is none."""
    if period not in _PARTITIONS:
        raise ValueError(f"partition by {period!r}: not one of {', '.join(_PARTITIONS)}; correct ELASTIC_INDEX_PERIOD")
    form = _PARTITIONS[period]
    return datetime.fromtimestamp(now // 1_000_000_000, UTC).strftime(form) if form else "all"


def event_ids(lines: pl.DataFrame) -> pl.Series:
    """The id of each line: its generation and its offset in 12 digits, or the id that was given."""
    if "event_id" in lines.columns:
        return lines["event_id"]
    return lines.select(
        pl.concat_str("generation", pl.col("offset").cast(pl.String).str.zfill(OFFSET_DIGITS)).alias("event_id")
    )["event_id"]


def stems(inputs: pl.DataFrame) -> pl.Expr | pl.Series:
    """The name of each file without folder, endings, numbers and dates of rotation; UNKNOWN_SOURCE where no file is."""
    if inputs["generation"].null_count() == inputs.height:
        return pl.lit(UNKNOWN_SOURCE)
    files = inputs["generation"].is_not_null()
    origins = inputs["origin"].unique().drop_nulls()
    table = {origin: _stem(origin) for origin in origins.to_list()}
    return (
        inputs["origin"]
        .replace_strict(table, default=UNKNOWN_SOURCE, return_dtype=pl.String)
        .set(~files, UNKNOWN_SOURCE)
        .alias("stem")
    )


def _stem(origin: str) -> str:
    """The container of a pod's file or of the link to it; else the file's name without its endings."""
    pod = _POD.search(origin) or _LINK.search(origin)
    if pod:
        return pod["container"]
    base = origin.rpartition("/")[2]
    return _SUFFIXES.sub("", base).strip("-_.") or base


def rejected(reasons: dict[int, str]) -> pl.DataFrame:
    """The frame of the rejected, by their position in the input."""
    if not reasons:
        return _NONE_REJECTED
    rows = sorted(reasons.items())
    return pl.DataFrame({"index": [i for i, _ in rows], "reason": [r for _, r in rows]}, schema=REJECTED_SCHEMA)
