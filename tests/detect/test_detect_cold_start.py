"""A model of hardly any lines: low confidence, guessing is found, not all is strange, failures rank above the rest."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from sentinel.detect import Scorer
from sentinel.detect.learn.fit import Trained, fit

GUESS = "Failed password for root from 203.0.113.9 port 4{i} ssh2"


@pytest.fixture(scope="module", params=[2, 50, 500])
def young(request: pytest.FixtureRequest, past: pl.DataFrame) -> Trained:
    """A model of the first lines of a fleet."""
    return fit(past.head(request.param), now=datetime(2026, 3, 3), seed=1)


def after(lines: pl.DataFrame, rows: list[tuple[str | None, str, str]], gap_s: float = 0.7) -> pl.DataFrame:
    start = lines["timestamp"][-1]
    times = [start + timedelta(seconds=1 + gap_s * i) for i in range(len(rows))]
    return pl.DataFrame(
        {
            "timestamp": pl.Series(times).dt.cast_time_unit("ns").cast(pl.Datetime("ns", "UTC")),
            "level": pl.Series([level for level, _, _ in rows], dtype=pl.String),
            "source": [source for _, source, _ in rows],
            "host": ["h"] * len(rows),
            "message": [text for _, _, text in rows],
            "attributes": pl.Series([None] * len(rows), dtype=pl.String),
        }
    )


def test_the_answer_says_how_little_it_knows(young: Trained, present: pl.DataFrame) -> None:
    """Every verdict of a young model is of low confidence."""
    assert Scorer(young.model, young.state).peek(present.head(20))["confidence"].unique().to_list() == ["low"]


def test_guessing_is_found_at_once(young: Trained, present: pl.DataFrame) -> None:
    """Brute force is found by the fifth line whatever was learnt, asked alone or in the stream."""
    scorer = Scorer(young.model, young.state)
    attack = after(present.head(1), [(None, "sshd", GUESS.format(i=i)) for i in range(10)])

    for verdicts in (scorer.peek(attack), scorer.score(attack)):
        assert verdicts["is_anomaly"].to_list().index(True) <= 4
        assert verdicts["kind"][-1] == "brute_force"
        assert "203.0.113.9" in verdicts["reasons"][-1][0]


def test_normal_traffic_is_quiet(young: Trained, past: pl.DataFrame) -> None:
    """Of the two thousand lines after the young model's own, nearly all new to it, hardly one is an anomaly."""
    scorer = Scorer(young.model, young.state)

    assert scorer.score(past[young.rows : young.rows + 2_000])["is_anomaly"].mean() < 0.01  # type: ignore[operator]


def test_failures_rank_above_the_rest(young: Trained, past: pl.DataFrame) -> None:
    """A new failure is stranger than a new line that reads as nothing, and than lines that are known."""
    scorer = Scorer(young.model, young.state)
    scorer.score(past[young.rows : young.rows + 300])
    new = [("error", "db", "disk failure on sda"), ("info", "db", "greeting the moon"), ("info", "db", "greeting Mars")]

    nats = scorer.peek(after(past.head(young.rows + 300), new))["nats"].to_numpy()
    usual = scorer.peek(past[young.rows + 300 : young.rows + 500])["nats"].to_numpy()

    assert nats[0] > nats[1]
    assert nats[0] > np.median(usual)
    assert np.isfinite(usual).all()
    assert usual.std() > 0
