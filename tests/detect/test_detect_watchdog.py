"""Silence is found by a timer, once an outage, and its end is told."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from sentinel.detect import Scorer
from sentinel.detect.fit import Trained, fit
from sentinel.detect.watchdog import learn_watch
from sentinel.records import RECORD_SCHEMA, VERDICT_SCHEMA

START_S = 1_772_000_000.0
PERIOD_S = 60.0


def beats(first: int, last: int) -> pl.DataFrame:
    rng = np.random.default_rng(2)
    times = [START_S + PERIOD_S * i + rng.uniform(-1, 1) for i in range(first, last)]
    return pl.DataFrame(
        {
            "timestamp": pl.Series([int(t * 1e9) for t in times]).cast(pl.Datetime("ns", "UTC")),
            "level": ["info"] * len(times),
            "source": ["heartbeat"] * len(times),
            "message": [f"alive, load {rng.integers(1, 9)}" for _ in times],
            "attributes": pl.Series([None] * len(times), dtype=pl.String),
        }
    )


def at(period: float) -> datetime:
    return datetime.fromtimestamp(START_S + PERIOD_S * period, UTC)


@pytest.fixture(scope="module")
def beating() -> Trained:
    """A model of two hundred heartbeats."""
    return fit(beats(0, 200), now=datetime(2026, 3, 3, tzinfo=UTC))


def test_silence_is_told_once_and_within_three_periods(beating: Trained) -> None:
    """A heartbeat that stops is one silence, by its third missing beat; it is not told again while it lasts."""
    scorer = Scorer(beating.model, beating.state)

    early, _ = scorer.tick(at(200.5))
    records, verdicts = scorer.tick(at(202.5))
    later, _ = scorer.tick(at(260))

    assert early.is_empty()
    assert records.height == 1
    assert verdicts.row(0, named=True)["kind"] == "silence"
    assert verdicts["is_anomaly"].to_list() == [True]
    assert later.is_empty()
    assert records["source"].to_list() == ["heartbeat"]
    assert records["origin"].to_list() == ["watchdog"]
    assert records.schema == pl.Schema(RECORD_SCHEMA)
    assert verdicts.schema == pl.Schema(VERDICT_SCHEMA)
    assert scorer.incidents(records, verdicts).len() == 1


def test_recovery_is_told_and_the_next_silence_is_new(beating: Trained) -> None:
    """When it comes back that is told without an alarm; the next outage is another event."""
    scorer = Scorer(beating.model, beating.state)
    first, _ = scorer.tick(at(203))
    scorer.score(beats(210, 220))

    back, verdicts = scorer.tick(at(220))
    second, _ = scorer.tick(at(225))

    assert verdicts["is_anomaly"].to_list() == [False]
    assert back.height == 1
    assert second.height == 1
    assert second["event_id"][0] != first["event_id"][0]


def test_silence_survives_a_restart(beating: Trained) -> None:
    """An outage told before a restart is not told after it; the id names its start."""
    scorer = Scorer(beating.model, beating.state)
    first, _ = scorer.tick(at(203))

    again = Scorer(beating.model, scorer.state())

    assert again.tick(at(204))[0].is_empty()
    assert Scorer(beating.model, beating.state).tick(at(204))[0]["event_id"].to_list() == first["event_id"].to_list()


def test_peeking_is_no_sign_of_life(beating: Trained) -> None:
    """A line that was only peeked at does not end a silence."""
    scorer = Scorer(beating.model, beating.state)
    scorer.peek(beats(201, 203))

    assert scorer.tick(at(203))[0].height == 1


def test_irregular_templates_are_not_watched() -> None:
    """What comes in bursts has no deadline."""
    rng = np.random.default_rng(1)
    times = np.cumsum(rng.exponential(60.0, 400) * rng.choice([0.05, 3.0], 400))
    same = np.full(400, 7, np.uint64)

    keys, rows = learn_watch(times, same, same, np.ones(400, bool))

    assert len(keys) == len(rows) == 0
