"""The last step: from fields to records, with what only the whole knows: received, partition, ids, origin's name."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from sentinel.parse import attributes
from sentinel.records import RECORD_SCHEMA, REJECTED_SCHEMA

__all__ = ["UNKNOWN_SOURCE", "Parsed", "event_ids", "no_rejected", "records", "rejected", "stems"]

UNKNOWN_SOURCE: Final = "unknown"
"""The source of what came over HTTP and names none."""
OFFSET_DIGITS: Final = 12

_PARTITIONS: Final = {"month": "%Y.%m", "day": "%Y.%m.%d", "none": None}
_SUFFIXES: Final = (
    r"(?i)(?:[-_.](?:log|txt|out|err|gz|zst|bz2|xz|json|jsonl|ndjson|old|bak|[0-9]{1,3}|"
    r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}))+$"
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What became of a batch: `records` (RECORD_SCHEMA, in the order of the input) and `rejected` (REJECTED_SCHEMA)."""

    records: pl.DataFrame
    rejected: pl.DataFrame


def records(fields: pl.DataFrame, inputs: pl.DataFrame, *, now: int, period: str) -> pl.DataFrame:
    """Records from `fields` (FIELDS, and `raw`) and `inputs` (event_id, origin, generation, offset), row beside row.

    `period` is "month", "day" or "none"; another one raises ValueError.
    """
    if period not in _PARTITIONS:
        raise ValueError(f"partition by {period!r}: not one of {', '.join(_PARTITIONS)}; correct ELASTIC_INDEX_PERIOD")
    received = pl.lit(now).cast(pl.Datetime("ns", "UTC"))
    form = _PARTITIONS[period]
    unreadable = fields["unreadable"]
    pieces = [fields["attributes"]]
    if unreadable.null_count() < len(unreadable):
        pieces.append('"timestamp_unreadable":' + attributes.quoted(unreadable))
    joined = attributes.wrapped(attributes.join_inner(pieces, fields.height))
    frame = inputs.hstack(fields.drop("attributes").with_columns(joined))
    frame = frame.with_columns(
        pl.lit(None, dtype=pl.String).alias("spool"),
        pl.lit(None, dtype=pl.Int64).alias("sequence"),
        (received.dt.strftime(form) if form else pl.lit("all")).alias("partition"),
        pl.coalesce(pl.col("timestamp").cast(pl.Datetime("ns", "UTC")), received).alias("timestamp"),
        received.cast(pl.Datetime("ms", "UTC")).alias("received"),
        pl.coalesce("source", stems(inputs)).alias("source"),
    )
    return frame.select(pl.col(name).cast(dtype) for name, dtype in RECORD_SCHEMA.items())


def event_ids(lines: pl.DataFrame) -> pl.Series:
    """The id of each line: its generation and its offset in 12 digits, or the id that was given."""
    if "event_id" in lines.columns:
        return lines["event_id"]
    return lines.select(
        pl.concat_str("generation", pl.col("offset").cast(pl.String).str.zfill(OFFSET_DIGITS)).alias("event_id")
    )["event_id"]


def stems(inputs: pl.DataFrame) -> pl.Series:
    """The name of each file without folder, endings, numbers and dates of rotation; UNKNOWN_SOURCE where no file is."""
    files = inputs["generation"].is_not_null()
    origins = inputs["origin"].unique().drop_nulls()
    base = origins.str.split("/").list.last()
    short = base.str.replace(_SUFFIXES, "").str.strip_chars("-_.")
    names = short.zip_with(short != "", base)
    table = dict(zip(origins.to_list(), names.to_list(), strict=True))
    return (
        inputs["origin"]
        .replace_strict(table, default=UNKNOWN_SOURCE, return_dtype=pl.String)
        .set(~files, UNKNOWN_SOURCE)
        .alias("stem")
    )


def rejected(reasons: dict[int, str]) -> pl.DataFrame:
    """The frame of the rejected, by their position in the input."""
    rows = sorted(reasons.items())
    return pl.DataFrame({"index": [i for i, _ in rows], "reason": [r for _, r in rows]}, schema=REJECTED_SCHEMA)


def no_rejected() -> pl.DataFrame:
    """The frame of the rejected when there are none."""
    return pl.DataFrame(schema=REJECTED_SCHEMA)
