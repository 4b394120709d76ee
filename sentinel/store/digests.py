"""What a record says, as a short digest: two records under one id are the same record where their digests agree."""

import re
from hashlib import blake2b

import polars as pl

__all__ = ["ID_CONFLICT", "conflict_reason", "digests_of", "is_digest"]

ID_CONFLICT = "id_conflict"
"""What the reason of a record begins with whose id another record has in the store."""

SAID = ("level", "source", "host", "message", "attributes")
PLACE = ("origin", "generation", "offset")
FORM = re.compile(r"ls1:[0-9a-f]{32}")


def digests_of(frame: pl.DataFrame) -> pl.Series:
    """A digest of each record, `ls1:` and 32 hex digits.

    Of the line as it came (`raw`), or of what a document said, and of where it came from: never of what arrival gave it
    (`received`, `spool`, `sequence`, `partition`), nor of a time that stands in for a missing one.
    """
    is_given = pl.col("timestamp").dt.cast_time_unit("ms") != pl.col("received")
    time = pl.when(is_given.fill_null(value=True)).then(pl.col("timestamp").dt.epoch("ns"))
    has_raw = pl.col("raw").is_not_null()
    parts = [
        *(_framed(pl.col(name)) for name in (*PLACE, "raw")),
        *(_framed(pl.when(~has_raw).then(part)) for part in (time, *(pl.col(name) for name in SAID))),
    ]
    texts = frame.select(pl.concat_str(parts).alias("text"))["text"].to_list()
    digests = [f"ls1:{blake2b(text.encode(), digest_size=16).hexdigest()}" for text in texts]
    return pl.Series("digest", digests, dtype=pl.String)


def _framed(part: pl.Expr) -> pl.Expr:
    """A value with its length before it, so that no two rows of values make one text; null is none of them."""
    text = part.cast(pl.String)
    return pl.concat_str(text.str.len_bytes().cast(pl.String), pl.lit(":"), text).fill_null("-")


def is_digest(value: object) -> bool:
    """Whether this is a digest of ours, rather than something that a record calls by the same name."""
    return isinstance(value, str) and FORM.fullmatch(value) is not None


def conflict_reason(event_id: str, place: str) -> str:
    """Why a record is dead whose id is another record's."""
    return f"{ID_CONFLICT}: {place} holds another record under the id {event_id}"
