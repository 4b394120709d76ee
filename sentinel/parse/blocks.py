"""Alerts of OSSEC and Wazuh, which quote log lines whole: what stands in one has no frame of its own."""

import polars as pl

from sentinel.parse.events import places_of
from sentinel.parse.events_labels import BLOCK

__all__ = ["in_blocks"]


def in_blocks(framed: pl.DataFrame, texts: pl.Series, inputs: pl.DataFrame) -> pl.DataFrame:
    """FRAMED, and as it came each line that stands behind the beginning of an alert in its file or body."""
    begins = texts.str.contains(BLOCK)
    if not begins.any():
        return framed
    frame = pl.DataFrame({"begins": begins, "file": places_of(inputs)["file"]})
    inside = frame.select(pl.col("begins").cum_max().over("file").fill_null(value=False))["begins"]
    bare = [
        pl.when(inside).then(pl.lit(None, dtype)).otherwise(name).alias(name)
        for name, dtype in framed.schema.items()
        if name not in ("row", "text", "partial")
    ]
    return framed.with_columns(
        *bare,
        pl.when(inside).then(texts).otherwise("text").alias("text"),
        (pl.col("partial") & ~inside).alias("partial"),
    )
