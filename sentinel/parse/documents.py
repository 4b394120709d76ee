"""JSON documents in, records out: explicit fields first, what they leave open is read out of the message."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from sentinel.parse import assemble, timestamps
from sentinel.parse.assemble import Parsed
from sentinel.parse.mask import hide_secrets
from sentinel.parse.reading import read_bodies
from sentinel.parse.small_batch import MAX_FEW, Document, read_few

__all__ = ["Document", "parse_documents"]


def parse_documents(documents: Sequence[Document], *, now: datetime, period: str = "month") -> Parsed:
    """Read documents like `{timestamp, level, message, source, …}`; see names.py for the other names they may use.

    What is given explicitly stands. A timestamp, level, source or host that is not given is read out of the message
    where that is a log line of its own; the message loses its header only if none of the first three was given.
    Unknown fields become attributes, nested ones with dots. Rejected, each with its reason: what is no object, a
    message that is missing, empty or no text, a timestamp or level of an unusable type, a number that is no time.
    """
    moment = timestamps.now_ns(now)
    if len(documents) <= MAX_FEW and (records := read_few(documents, now=moment, period=period)) is not None:
        return _parsed(records, {})
    fields, reasons = read_bodies([document.body for document in documents], moment)
    kept = [documents[row] for row in fields["row"].to_list()] if reasons else documents
    frame = fields.with_columns(
        pl.lit(None, dtype=pl.String).alias("raw"),
        pl.lit(None, dtype=pl.String).alias("generation"),
        pl.lit(None, dtype=pl.Int64).alias("offset"),
        pl.Series("event_id", [document.event_id for document in kept], dtype=pl.String),
        pl.Series("origin", [document.origin for document in kept], dtype=pl.String),
    )
    return _parsed(assemble.records(frame, now=moment, period=period), reasons)


def _parsed(records: pl.DataFrame, reasons: dict[int, str]) -> Parsed:
    records, masked = hide_secrets(records)
    return Parsed(records, assemble.rejected(reasons), masked=masked)
