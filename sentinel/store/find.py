"""What a person looks for in a stream, as filters on frames: the newest lines that fit, and how many came when."""

import re
from datetime import datetime

import polars as pl

from sentinel.store.frames import as_utc
from sentinel.store.store import Search

__all__ = ["WORD", "count_by_time", "find"]

WORD = re.compile(r"\w+")


def find(frame: pl.LazyFrame, wanted: Search) -> pl.DataFrame:
    """The newest `limit` rows of a frame that fit, newest first, each event once."""
    rows = frame.filter(*_filters(wanted)) if _filters(wanted) else frame
    newest = rows.unique("event_id", keep="any").top_k(wanted.limit, by=["timestamp", "event_id"])
    return newest.collect().sort(["timestamp", "event_id"], descending=True)


def count_by_time(frame: pl.LazyFrame, wanted: Search, start: datetime, bucket_s: float, buckets: int) -> list[int]:
    """How many rows that fit fall into each of `buckets` spans of `bucket_s` seconds from `start` on."""
    since = as_utc(start)
    at = ((pl.col("timestamp") - since).dt.total_milliseconds() / (1000.0 * bucket_s)).floor().cast(pl.Int64)
    rows = frame.filter(*_filters(wanted), pl.col("timestamp") >= since).unique("event_id", keep="any")
    counted = rows.select(at.alias("bucket")).filter(pl.col("bucket") < buckets).group_by("bucket").len().collect()
    found = [0] * buckets
    for bucket, lines in counted.iter_rows():
        found[bucket] = lines
    return found


def _filters(wanted: Search) -> list[pl.Expr]:
    filters = []
    if wanted.since is not None:
        filters.append(pl.col("timestamp") >= as_utc(wanted.since))
    if wanted.until is not None:
        filters.append(pl.col("timestamp") < as_utc(wanted.until))
    if wanted.source is not None:
        filters.append(pl.col("source") == wanted.source)
    if wanted.level is not None:
        filters.append(pl.col("level") == wanted.level)
    if wanted.min_score is not None:
        filters.append(pl.col("anomaly_score") >= wanted.min_score)
    words = WORD.findall(wanted.text or "")
    if words:
        filters.append(pl.col("message").str.contains(r"(?i)\b" + r"\W+".join(words)))
    return filters
