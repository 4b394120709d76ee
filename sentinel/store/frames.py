"""The columns of each stream, a selection as filters on a lazy frame, and which rows have no place anywhere."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import polars as pl

from sentinel.records import ANOMALIES, ANOMALY_COLUMNS, RECORD_SCHEMA
from sentinel.store.store import Range, Selection

__all__ = ["PARTITION", "as_utc", "columns_of", "empty_nulls", "in_order", "schema_of", "select", "unusable"]

PARTITION = re.compile(r"[0-9]{4}\.[0-9]{2}(\.[0-9]{2})?|all")
MAX_ID_BYTES = 512  # Elasticsearch's bound
ARRIVAL = ("received", "spool", "sequence")
LONG_OR_NULL = ("host", "attributes", "generation", "raw")


def schema_of(stream: str) -> dict[str, pl.DataType]:
    """Columns and types of a stream's records."""
    return {**RECORD_SCHEMA, **ANOMALY_COLUMNS} if stream == ANOMALIES else dict(RECORD_SCHEMA)


def columns_of(stream: str) -> list[str]:
    """Columns of a stream's records, in order."""
    return list(schema_of(stream))


def empty_nulls() -> list[pl.Expr]:
    """The texts that may be null, as they are to be read from Parquet: with nothing behind a null.

    Polars leaves some value of the column behind a null that it reads, and counts and copies it where texts are
    written or joined: one line of a mebibyte above 4,000 nulls was sixteen gigabytes. Seen with Polars 2.1.
    """
    return [pl.when(pl.col(name).is_not_null()).then(pl.col(name).fill_null("")) for name in LONG_OR_NULL]


def as_utc(moment: datetime) -> datetime:
    """A time in UTC; one without zone is taken for UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def select(frame: pl.LazyFrame, wanted: Selection) -> pl.DataFrame:
    """The rows that `wanted` names, but for `newest`; in no order."""
    filters = []
    if wanted.since is not None:
        filters.append(pl.col("timestamp") >= as_utc(wanted.since))
    if wanted.until is not None:
        filters.append(pl.col("timestamp") < as_utc(wanted.until))
    if wanted.received_since is not None:
        filters.append(pl.col("received") >= as_utc(wanted.received_since))
    if wanted.spool is not None:
        filters.append(pl.col("spool") == wanted.spool)
    if wanted.slice_of is not None:
        part, parts = wanted.slice_of
        filters.append(pl.col("sequence") % parts == part)
    found = (frame.filter(*filters) if filters else frame).collect()
    return found if wanted.sequences is None else found.filter(_within(found["sequence"], wanted.sequences))


def _within(sequences: pl.Series, ranges: Sequence[Range]) -> pl.Series:
    """Whether each sequence lies in one of the ranges, also where these are thousands (an expression for each would
    take minutes): in how many it has begun to lie, less in how many it no longer lies."""
    firsts = np.sort([first for first, _ in ranges])
    ends = np.sort([last + 1 for _, last in ranges])
    values = sequences.to_numpy()
    begun, ended = np.searchsorted(firsts, values, side="right"), np.searchsorted(ends, values, side="right")
    return pl.Series(begun > ended)


def in_order(frame: pl.DataFrame, newest: int | None = None) -> pl.DataFrame:
    """Each record once, the `newest` by arrival where that is given, in the order of spool and sequence."""
    once = frame.unique(["spool", "sequence"], keep="any")
    if newest is not None and once.height > newest:
        once = once.sort(ARRIVAL, descending=True).head(newest)
    return once.sort("spool", "sequence", "event_id")


def unusable(frame: pl.DataFrame) -> dict[int, str]:
    """Rows that no index and no folder can take, since their id or their partition is none, and why."""
    has_id = frame["event_id"].str.len_bytes().is_between(1, MAX_ID_BYTES).fill_null(value=False)
    has_partition = frame["partition"].str.contains(f"^(?:{PARTITION.pattern})$").fill_null(value=False)
    dead = {int(row): f"the event id is empty or longer than {MAX_ID_BYTES} bytes" for row in (~has_id).arg_true()}
    return dead | {int(row): f"{frame['partition'][int(row)]!r} is no partition" for row in (~has_partition).arg_true()}
