"""The shape of lines between the reading and the finished record: the columns that every reader returns."""

from typing import Final

import polars as pl

__all__ = ["FIELDS", "fields_of"]

FIELDS: Final[dict[str, pl.DataType]] = {
    "row": pl.UInt32(),
    "format": pl.String(),  # the rule's name; null where no rule knew the line
    "timestamp": pl.Int64(),  # ns since 1970
    "unreadable": pl.String(),  # the time's text where it could not be read
    "level": pl.String(),
    "source": pl.String(),
    "host": pl.String(),
    "message": pl.String(),
    "attributes": pl.String(),  # the inside of a JSON object
}
"""What is known of each line between the rules and the finished record."""


def fields_of(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns of FIELDS from a frame that has some of them; what it lacks is null."""
    return frame.select(
        *(pl.col(n) if n in frame.columns else pl.lit(None, dtype=t).alias(n) for n, t in FIELDS.items())
    )
