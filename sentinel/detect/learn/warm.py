"""Compile the kernels once, so that no first request waits: `python -m sentinel.detect.learn.warm`, at set-up."""

import sys
import time
from datetime import UTC, datetime, timedelta

import polars as pl

from sentinel.detect.learn.fit import MIN_LINES, fit
from sentinel.detect.scorer import Scorer
from sentinel.records import RECORD_SCHEMA

__all__ = ["warm"]

START = datetime(2026, 1, 5, tzinfo=UTC)
WORDS = ("opened", "closed", "renewed", "failed", "queued", "read", "written")


def warm() -> float:
    """Fit and score made-up lines, which compiles every kernel into its cache; seconds it took."""
    started_s = time.monotonic()
    records = _records(MIN_LINES + 200)
    trained = fit(records, seed=0, now=START)
    scorer = Scorer(trained.model, trained.state)
    scorer.score(_records(64))
    scorer.peek(_records(1))
    scorer.tick(START + timedelta(days=1))
    return time.monotonic() - started_s


def _records(count: int) -> pl.DataFrame:
    """Lines of two sources with an address and a number in each, ten to a session."""
    rows: dict[str, list[object]] = {
        "event_id": [f"{i:022d}" for i in range(count)],
        "timestamp": [START + timedelta(seconds=3 * i) for i in range(count)],
        "level": ["error" if i % 97 == 0 else "info" for i in range(count)],
        "source": ["shop" if i % 3 else "gate" for i in range(count)],
        "message": [
            f"session {i} of user u{i % 9} {WORDS[i % 7]} from 10.0.0.{i % 50} in {i % 40} ms" for i in range(count)
        ],
        "attributes": [f'{{"session": "s{i // 10}"}}' for i in range(count)],
    }
    return pl.DataFrame(
        {name: pl.Series(rows.get(name, [None] * count), dtype=dtype) for name, dtype in RECORD_SCHEMA.items()}
    )


if __name__ == "__main__":
    sys.stdout.write(f"compiled the detector's kernels in {warm():.0f} s\n")
