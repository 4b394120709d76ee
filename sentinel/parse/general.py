"""Lines that no rule knows, read one by one by the general reader: FIELDS of each."""

from typing import Final

import polars as pl

from sentinel.parse import stamps, zones
from sentinel.parse.heads import Head, read_after_time, read_line
from sentinel.parse.pairs import as_inner
from sentinel.parse.shape import fields_of

__all__ = ["NAME", "read"]

NAME: Final = "general"
_TEXTS: Final = ("stamp", "level", "source", "host", "message")


def read(lines: pl.DataFrame, now: int, *, timed: bool = False) -> pl.DataFrame:
    """FIELDS of each line (`row`, `text`), in order; as what follows a time where it is `timed`.

    The format is null where nothing stood before the message.
    """
    reader = read_after_time if timed else read_line
    known = {text: reader(text) for text in lines["text"].unique()}  # programs repeat themselves
    heads = [known[text] for text in lines["text"]]
    frame = pl.DataFrame(
        {
            "row": lines["row"],
            "format": pl.Series([NAME if head.known else None for head in heads], dtype=pl.String),
            **{name: pl.Series([getattr(head, name) for head in heads], dtype=pl.String) for name in _TEXTS},
            "attributes": pl.Series([_inner(head) for head in heads], dtype=pl.String),
        }
    )
    written = frame["stamp"]
    if written.null_count() < frame.height:
        time = stamps.read_text(written, now)
        frame = frame.with_columns(
            time.alias("timestamp"),
            written.set(time.is_not_null(), None).alias("unreadable"),
            zones.marked(frame["attributes"], written),
        )
    return fields_of(frame)


def _inner(head: Head) -> str | None:
    return as_inner(head.attributes) if head.attributes else None
