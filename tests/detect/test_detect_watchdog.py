"""Silence is found by a timer, once an outage, and its end is told."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from sentinel.detect import Scorer
from sentinel.detect.learn.fit import Trained, fit
from sentinel.detect.silence.watchdog import Watch, learn_watch
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


def flow(rng: np.random.Generator, hours: float, a_minute: float = 1.0) -> list[float]:
    """Times of a flow without a beat: gaps are random, lines an hour are not."""
    return np.cumsum(rng.exponential(60.0 / a_minute, int(hours * 60 * a_minute))).tolist()


def learnt(times: list[float], use: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    same = np.full(len(times), 7, np.uint64)
    return learn_watch(np.array(times), same, same, np.ones(len(times), bool) if use is None else use)


def test_a_random_flow_is_watched_by_spans_of_several_lines() -> None:
    """Single gaps have no rhythm, ten of them together have."""
    _, rows = learnt(flow(np.random.default_rng(3), 48))

    deadline_s, median_s, longest_s, stride = rows[0]
    assert stride > 1
    assert 300 < median_s < longest_s < deadline_s < 3600


def test_one_outage_in_training_does_not_set_the_deadline() -> None:
    """A heartbeat and a flow that each stopped once for an hour have the deadlines of those that did not."""
    beat = [60.0 * i for i in range(2000)]
    random = flow(np.random.default_rng(3), 48)

    for times in (beat, random):
        whole, cut = learnt(times)[1][0], learnt([t for t in times if not 50_000 < t < 53_600])[1][0]
        assert cut[0] < 1.2 * whole[0]


def test_one_drop_in_training_does_not_set_the_deadline() -> None:
    """A flow that fell to a twentieth for an hour once has about the deadline of one that did not."""
    times = np.array(flow(np.random.default_rng(3), 48, 1.5))
    dropped = (times > 50_000) & (times < 53_600) & (np.arange(len(times)) % 20 > 0)

    whole, thinned = learnt(times.tolist())[1][0], learnt(times[~dropped].tolist())[1][0]

    assert thinned[0] < 1.2 * whole[0]


def test_lines_that_may_not_teach_are_no_gap() -> None:
    """A flow of which two stretches of an hour may not teach has the deadline of one that was whole."""
    times = np.array(flow(np.random.default_rng(3), 48))
    use = ~((times > 50_000) & (times < 53_600) | (times > 90_000) & (times < 93_600))

    whole, partly = learnt(times.tolist())[1][0], learnt(times.tolist(), use)[1][0]

    assert partly[0] == pytest.approx(whole[0], rel=0.1)


def test_the_longest_of_few_gaps_is_not_the_longest_there_is() -> None:
    """Forty gaps give a later deadline than four thousand with the same median and the same longest."""
    gaps = np.tile([55.0, 60.0, 60.0, 90.0], 1_000)

    few, many = (learnt(np.cumsum(g).tolist())[1][0] for g in (gaps[:40], gaps))

    assert few[1:3].tolist() == many[1:3].tolist() == [60.0, 90.0]
    assert few[0] > 1.1 * many[0]


def test_a_flow_that_falls_to_a_twentieth_is_told_as_a_drop(beating: Trained) -> None:
    """A few lines still come: that is a drop, told within the hour, once, and its end too."""
    rng = np.random.default_rng(4)
    past = flow(rng, 48)
    keys, rows = learnt(past)
    watch, key = Watch(keys, rows), keys[0]

    def saw(times: list[float]) -> None:
        watch.saw(np.full(len(times), key[0]), np.full(len(times), key[1]), np.array(times))

    def tick(t: float) -> list[str | None]:
        verdicts: list[str | None] = watch.tick(datetime.fromtimestamp(t, UTC), beating.model, 7.5)[1]["kind"].to_list()
        return verdicts

    saw(past)
    end = past[-1]
    thin = [end + 1200.0 * i for i in range(1, 4)]
    said = []
    for i in range(120):
        saw([t for t in thin if end + 30.0 * i < t <= end + 30.0 * (i + 1)])
        said += tick(end + 30.0 * (i + 1))
    watch.restore(watch.parts())
    saw([end + 3600.0 + t for t in flow(rng, 1)])
    said += tick(end + 7200.0)

    assert said == ["rate_drop", None]


def test_a_clock_ahead_hides_no_silence(beating: Trained) -> None:
    """One heartbeat dated a year ahead: when no other comes, the silence is told as of the last look at the clock."""
    scorer = Scorer(beating.model, beating.state)
    ahead = pl.lit(at(200) + timedelta(days=365)).cast(pl.Datetime("ns", "UTC"))
    scorer.score(beats(200, 201).with_columns(timestamp=ahead))

    early, _ = scorer.tick(at(200.5))
    _, verdicts = scorer.tick(at(203))

    assert early.is_empty()
    assert verdicts["kind"].to_list() == ["silence"]
