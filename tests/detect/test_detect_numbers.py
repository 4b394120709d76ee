"""A measure that moves is told; a number that never varied is a name or a state, and says nothing by its mean."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from sentinel.detect import Scorer
from sentinel.detect.judge.features import FEATURE_INDEX
from sentinel.detect.learn.fit import Trained, fit

START = datetime(2026, 3, 2, tzinfo=UTC)


def lines(first: int, last: int, took: tuple[int, int], slots: int) -> pl.DataFrame:
    """Lines of two templates, one every five seconds: a duration that varies, and a number of slots that does not."""
    rng = np.random.default_rng(first)
    texts = [
        f"job done took {rng.integers(*took)} ms" if i % 2 else f"pool resized, total {slots} slots"
        for i in range(first, last)
    ]
    at = [START + timedelta(seconds=5 * i) for i in range(first, last)]
    return pl.DataFrame(
        {
            "timestamp": pl.Series(at, dtype=pl.Datetime("ns", "UTC")),
            "level": ["info"] * len(texts),
            "source": ["worker"] * len(texts),
            "message": texts,
            "attributes": pl.Series([None] * len(texts), dtype=pl.String),
        }
    )


@pytest.fixture(scope="module")
def working() -> Trained:
    """A model of 4,000 such lines."""
    return fit(lines(0, 4000, (80, 200), 240), now=START, seed=1, trees=30)


def test_the_mean_of_a_measure_speaks_and_that_of_a_constant_does_not(working: Trained) -> None:
    """A slow-down moves the mean of a duration; another constant leaves the mean's feature at nothing."""
    found = Scorer(working.model, working.state).examine(lines(4000, 4080, (9_000, 20_000), 96))

    moved = found.surprise[:, FEATURE_INDEX["mean_number"]]
    assert (moved[1::2] > 0.5).sum() > 20
    assert (moved[0::2] == 0.0).all()
    assert (found.surprise[0::2, FEATURE_INDEX["number"]] > 0.0).all()


def test_a_zero_does_not_move_a_mean(working: Trained) -> None:
    """A 0 is an odd number by itself; the mean of the measures goes on as if it had not come."""
    some = lines(4000, 4080, (80, 200), 240)
    zero = some.with_columns(pl.col("message").str.replace(r"took \d+ ms", "took 0 ms"))

    found = Scorer(working.model, working.state).examine(zero)

    assert (found.surprise[1::2, FEATURE_INDEX["number"]] > 1.0).all()
    assert (found.surprise[:, FEATURE_INDEX["mean_number"]] == 0.0).all()
