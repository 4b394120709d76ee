"""The columns of each stream, and the filters of `scan` on a lazy frame."""

from collections.abc import Sequence
from datetime import datetime
from functools import reduce

import polars as pl

from sentinel.records import ANOMALIES, ANOMALY_COLUMNS, RECORD_SCHEMA

__all__ = ["columns_of", "schema_of", "select"]

Range = tuple[int, int]


def schema_of(stream: str) -> dict[str, pl.DataType]:
    """Columns and types of a stream's records."""
    return {**RECORD_SCHEMA, **ANOMALY_COLUMNS} if stream == ANOMALIES else dict(RECORD_SCHEMA)


def columns_of(stream: str) -> list[str]:
    """Columns of a stream's records, in order."""
    return list(schema_of(stream))


def select(
    frame: pl.LazyFrame,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    spool: str | None = None,
    sequences: Sequence[Range] | None = None,
    newest: int | None = None,
) -> pl.LazyFrame:
    """The rows that `Store.scan` promises, each event once, in the order of spool and sequence."""
    wanted = []
    if since is not None:
        wanted.append(pl.col("timestamp") >= since)
    if until is not None:
        wanted.append(pl.col("timestamp") < until)
    if spool is not None:
        wanted.append(pl.col("spool") == spool)
    if sequences is not None:
        wanted.append(
            reduce(lambda a, b: a | b, (pl.col("sequence").is_between(*r) for r in sequences), pl.lit(value=False))
        )
    if wanted:
        frame = frame.filter(*wanted)
    if newest is not None:
        frame = frame.sort("received", "spool", "sequence", descending=True).head(newest)
    return frame.sort("spool", "sequence").unique("event_id", keep="first", maintain_order=True)
