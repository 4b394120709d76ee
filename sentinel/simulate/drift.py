"""Backgrounds that change for good at one moment: a fleet with a new release, or any lines reworded."""

import random
from datetime import datetime, timedelta

import polars as pl

from sentinel.simulate.clock import dice
from sentinel.simulate.fleet import fleet

__all__ = ["change_regime", "drifting_fleet"]

VERBS = ("handled", "scheduled", "tracked", "resolved", "staged", "indexed", "forwarded", "accounted")


def drifting_fleet(*, seed: int, start: datetime, duration_s: float, change_s: float) -> pl.DataFrame:
    """A fleet whose applications run their next version from `change_s` seconds after `start` on."""
    return fleet(seed=seed, start=start, duration_s=duration_s, released=start + timedelta(seconds=change_s))


def change_regime(lines: pl.DataFrame, *, seed: int, at: datetime, share: float = 0.5) -> pl.DataFrame:
    """From `at` on, a share of the line shapes is worded anew and half of those come twice as often.

    Takes and gives at least timestamp, source, message; a shape is source and message with its figures left out. An
    extra line comes up to a minute after its model, so that rates double without copies in time.
    """
    rng = dice(seed, "drift")
    shape = pl.concat_str(pl.col("source").fill_null(""), pl.col("message").str.replace_all(r"\d+", "0")).alias("shape")
    shaped = lines.with_columns(shape)
    before, after = shaped.filter(pl.col("timestamp") < at), shaped.filter(pl.col("timestamp") >= at)
    changed = _drawn(rng, after, share)
    same = after.join(changed.select("shape").unique(), on="shape", how="anti")
    doubled = _drawn(rng, changed, 0.5)
    late = pl.Series(
        [timedelta(milliseconds=rng.randrange(60_000)) for _ in range(len(doubled))], dtype=pl.Duration("ns")
    )
    doubled = doubled.with_columns((pl.col("timestamp") + late).cast(lines.schema["timestamp"]))
    words = rng.sample(VERBS, 2)
    result = pl.concat([before, same, _reword(changed, words), _reword(doubled, words)])
    return result.drop("shape").sort("timestamp", maintain_order=True)


def _drawn(rng: random.Random, lines: pl.DataFrame, share: float) -> pl.DataFrame:
    """The lines of a drawn share of the shapes."""
    shapes = lines["shape"].unique().sort().to_list()
    return lines.filter(pl.col("shape").is_in(rng.sample(shapes, round(share * len(shapes)))))


def _reword(lines: pl.DataFrame, words: list[str]) -> pl.DataFrame:
    first, second = words
    text = pl.col("message").str.replace(" ", f" {second}_").str.replace(" ", f" {first} ")
    return lines.with_columns(pl.concat_str(pl.lit(f"v2 {first}: "), text).alias("message"))
