"""One thing to be judged: what may be learnt from, what is scored, and what is true of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from sentinel.records import RECORD_SCHEMA
from sentinel.simulate import Suite

__all__ = ["ATTACK_SCHEMA", "Case", "case_of_suite", "records_of"]

ATTACK_SCHEMA: dict[str, pl.DataType] = {
    "attack": pl.String(),
    "kind": pl.String(),
    "source": pl.String(),
    "start": pl.Datetime("ns", "UTC"),
    "end": pl.Datetime("ns", "UTC"),
}


@dataclass(frozen=True, slots=True)
class Case:
    """A set divided by time.

    `train` has RECORD_SCHEMA and no labels. `test` has the same with `label` (1 attack, 0 normal, −1 left out) and
    `attack` (its name or null). `attacks` (ATTACK_SCHEMA) are those of the test, also those that lack lines.
    """

    name: str
    group: str
    about: str
    train: pl.DataFrame
    test: pl.DataFrame
    attacks: pl.DataFrame


def records_of(lines: pl.DataFrame) -> pl.DataFrame:
    """RECORD_SCHEMA from timestamp, level, source, message and, where it is there, host, session, label, attack."""
    n = len(lines)
    given = lines.columns
    attributes = pl.lit(None, pl.String())
    if "session" in given:
        text = pl.concat_str(pl.lit('{"session": "'), pl.col("session"), pl.lit('"}'))
        attributes = pl.when(pl.col("session").is_null()).then(None).otherwise(text)
    stamp = pl.col("timestamp").cast(pl.Datetime("ns", "UTC"))
    base = lines.with_columns(
        event_id=pl.format("e{}", pl.int_range(n).cast(pl.String).str.zfill(9)),
        timestamp=stamp,
        received=stamp.dt.cast_time_unit("ms"),
        attributes=attributes,
    )
    missing = [pl.lit(None, kind).alias(name) for name, kind in RECORD_SCHEMA.items() if name not in base.columns]
    truth = [name for name in ("label", "attack") if name in given]
    return base.with_columns(missing).select(*RECORD_SCHEMA, *truth).cast(RECORD_SCHEMA)  # type: ignore[arg-type]


def case_of_suite(name: str, group: str, about: str, suite: Suite, *, split: datetime) -> Case:
    """A suite divided at a moment; what was injected before it is in the training data, without a label."""
    records = records_of(suite.lines)
    train = records.filter(pl.col("timestamp") < split).drop("label", "attack")
    test = records.filter(pl.col("timestamp") >= split)
    attacks = suite.attacks.filter(pl.col("start") >= split).select(*ATTACK_SCHEMA)
    return Case(name, group, about, train, test, attacks)


def no_attacks() -> pl.DataFrame:
    """A frame of attacks with no rows."""
    return pl.DataFrame(schema=ATTACK_SCHEMA)


def joined(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Frames of records one after another in time order, with event ids of their own."""
    return pl.concat(frames).sort("timestamp", maintain_order=True)
