"""Anomalies: the strange among scored records, as records of a stream of their own."""

from datetime import UTC, datetime

import polars as pl

from sentinel.detect import Model
from sentinel.records import ANOMALY_COLUMNS, RECORD_SCHEMA

__all__ = ["anomalies_of", "learnt_from"]


def anomalies_of(records: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    """The rows of `records` whose verdict is an anomaly, with the verdict's columns (RECORD_SCHEMA + ANOMALY_COLUMNS).

    Their id is `<event id>-<model version>`, so that scoring twice makes no second one; `event` keeps the record's own.
    `incident` is null until they are kept. Empty in, empty out.
    """
    nowhere = pl.Series("incident", [None], dtype=pl.String).new_from_index(0, records.height)
    joined = pl.concat([records, verdicts, nowhere.to_frame()], how="horizontal")
    return (
        joined.filter("is_anomaly")
        .with_columns(
            pl.col("event_id").alias("event"),
            pl.concat_str("event_id", pl.lit("-"), "model_version").alias("event_id"),
        )
        .select(*RECORD_SCHEMA, *ANOMALY_COLUMNS)
    )


def learnt_from(model: Model) -> pl.Expr:
    """Records that were there when `model` was trained, and no newer than its last line: its state has seen them."""
    last = datetime.fromtimestamp(model.span[1], UTC)
    return (pl.col("received") <= model.trained_at) & (pl.col("timestamp") <= last)
