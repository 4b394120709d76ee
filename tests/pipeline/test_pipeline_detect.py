"""Scoring: each record once, the same live, in batch and after a kill; training; the saved state."""

from collections.abc import Callable
from datetime import timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sentinel.detect import Scorer
from sentinel.errors import NoModelError
from sentinel.pipeline.collect import collect
from sentinel.pipeline.deliver import deliver
from sentinel.pipeline.live import Live
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.ranges import missing_ranges
from sentinel.pipeline.score import score_missing
from sentinel.pipeline.train import retrain
from sentinel.simulate import fleet, inject, write_lines
from tests.pipeline.conftest import START, Clock

HOURS = 4
Halves = tuple[list[str], list[str]]


@pytest.fixture(scope="module")
def halves() -> Halves:
    """Syslog lines of a few hours; brute force in the second half."""
    background = fleet(seed=3, start=START, duration_s=HOURS * 3600.0)
    middle = START + timedelta(hours=HOURS / 2)
    lines = inject(background, seed=3, kinds=["brute_force"], since=middle, until=START + timedelta(hours=HOURS)).lines
    first = lines.filter(pl.col("timestamp") < middle)
    second = lines.filter(pl.col("timestamp") >= middle)
    return write_lines(first, "syslog"), write_lines(second, "syslog")


def put(sentinel: Sentinel, lines: list[str], clock: Clock) -> None:
    with (sentinel.home / "in" / "fleet.log").open("a") as file:
        file.writelines(f"{line}\n" for line in lines)
    collect(sentinel, clock=clock)


@pytest.fixture
def learnt(sentinel: Sentinel, halves: Halves, clock: Clock) -> Sentinel:
    """The first half is collected, delivered and learnt from."""
    clock.now_s += HOURS * 3600.0
    put(sentinel, halves[0], clock)
    deliver(sentinel)
    assert retrain(sentinel, max_records=100_000, clock=clock).promoted
    return sentinel


def test_a_retrain_leaves_out_the_attack_of_the_day(learnt: Sentinel, halves: Halves, clock: Clock) -> None:
    """From the store, guessed passwords do not teach unless that is asked for; report and manifest say how many."""
    put(learnt, halves[1], clock)
    deliver(learnt)

    report = retrain(learnt, max_records=100_000, clock=clock)
    clock.now_s += 1.0
    everything = retrain(learnt, max_records=100_000, exclude_anomalies=False, clock=clock)

    assert 10 < report.excluded <= report.left_out < report.rows
    assert learnt.registry.manifest(report.model_version).metrics["excluded"] == report.excluded
    assert report.answer()["excluded"] == report.excluded
    assert everything.excluded == 0


def test_scoring_without_a_model_says_what_to_do(sentinel: Sentinel) -> None:
    """There is no score before the first training."""
    with pytest.raises(NoModelError, match="train"):
        score_missing(sentinel)


def test_batch_scores_what_is_missing_once(learnt: Sentinel, halves: Halves, clock: Clock) -> None:
    """Batch scoring takes everything that was delivered and not scored, finds the attack, and a second run nothing."""
    put(learnt, halves[1], clock)
    deliver(learnt)

    first = score_missing(learnt, clock=clock)
    second = score_missing(learnt, clock=clock)

    anomalies = learnt.spool.anomalies(limit=10_000)
    total = len(halves[0]) + len(halves[1])
    assert first.counts["scored"] == total
    assert second.counts["missing"] == second.counts["scored"] == 0
    assert anomalies["event_id"].n_unique() == anomalies.height
    assert "brute_force" in anomalies["kind"].to_list()
    assert anomalies.filter(pl.col("kind") == "brute_force")["reasons"].list.len().min() > 0


def die_and_come_back(live: Live, open_home: Callable[[], Sentinel], clock: Clock) -> Sentinel:
    """The reader dies without `stop`; another process opens the same home, and its reader does what is left."""
    live._holding.__exit__(None, None, None)  # type: ignore[union-attr]
    again = open_home()
    reborn = Live(again, clock=clock)
    assert reborn.start()
    while reborn.round():
        pass
    reborn.stop()
    return again


def test_live_scoring_is_the_same_after_a_kill(
    learnt: Sentinel, halves: Halves, clock: Clock, open_home: Callable[[], Sentinel]
) -> None:
    """A reader that dies before saving does it all again: the same anomalies, none twice, none missed."""
    live = Live(learnt, clock=clock)
    assert live.start()
    put(learnt, halves[1], clock)
    while live.round():
        pass
    before = learnt.spool.anomalies(limit=10_000)

    again = die_and_come_back(live, open_home, clock)
    after = again.spool.anomalies(limit=10_000)
    position = again.spool.position("detect").sequence
    last = again.spool.last_sequence("events")
    again.close()

    assert before.height > 0
    assert after.sort("event_id").equals(before.sort("event_id"))
    assert position == last


def test_live_scoring_stops_in_order_when_the_disk_is_full(
    learnt: Sentinel, halves: Halves, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state that cannot be saved is no failed stop: the lease is given back, and the next start looks again."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    live = Live(learnt, clock=clock)
    assert live.start()
    put(learnt, halves[1], clock)
    while live.round():
        pass
    with monkeypatch.context() as patch:
        patch.setattr("sentinel.pipeline.state.write_file", full)
        live.stop()

    reborn = Live(learnt, clock=clock)
    assert reborn.start(wait_s=0.0)
    while reborn.round():
        pass
    reborn.stop()
    assert learnt.spool.position("detect").sequence == learnt.spool.last_sequence("events")


def test_batch_goes_on_where_the_live_reader_stopped(learnt: Sentinel, halves: Halves, clock: Clock) -> None:
    """What arrives while no server runs is scored by the batch; the server then does not score it again."""
    live = Live(learnt, clock=clock)
    assert live.start()
    middle = len(halves[1]) // 2
    put(learnt, halves[1][:middle], clock)
    while live.round():
        pass
    live.stop()
    put(learnt, halves[1][middle:], clock)
    deliver(learnt)

    report = score_missing(learnt, clock=clock)
    scored = learnt.spool.scored()
    back = Live(learnt, clock=clock)
    assert back.start()
    handled = 0
    while count := back.round():
        handled += count
    back.stop()

    last = learnt.spool.last_sequence("events")
    assert report.counts["scored"] == len(halves[0]) + len(halves[1]) - middle
    assert missing_ranges([(first, end) for _, first, end in scored], last) == []
    assert handled == 0


def test_batch_keeps_out_of_what_a_server_will_score(learnt: Sentinel, halves: Halves, clock: Clock) -> None:
    """While a server holds the reader, batch scoring only takes what lies behind it."""
    live = Live(learnt, clock=clock)
    assert live.start()
    put(learnt, halves[1], clock)
    deliver(learnt)

    report = score_missing(learnt, clock=clock)
    live.stop()

    assert report.counts["scored"] == 0


def test_prediction_changes_nothing_unless_observed(learnt: Sentinel, halves: Halves, clock: Clock) -> None:
    """The same lines get the same verdicts again; with `observe` they count as seen."""
    live = Live(learnt, clock=clock)
    assert live.start()
    records = pl.concat(list(learnt.store.scan())).tail(50)

    first, second = live.predict(records), live.predict(records)
    live.predict(records, observe=True)
    third = live.predict(records)
    live.stop()

    assert first.equals(second)
    assert not third["nats"].equals(first["nats"])


def test_one_record_is_judged_as_a_batch_of_it_is(learnt: Sentinel, halves: Halves, clock: Clock) -> None:
    """The quick way for a single line gives the verdict that a frame of that line gets."""
    live = Live(learnt, clock=clock)
    assert live.start()
    records = pl.concat(list(learnt.store.scan())).tail(20)
    scorer = Scorer(*learnt.registry.load(str(learnt.registry.champion())))

    verdicts = [(live.predict(record), scorer.peek(record)) for record in records.iter_slices(1)]
    live.stop()

    for quick, usual in verdicts:
        assert_frame_equal(quick, usual, rel_tol=1e-12, abs_tol=1e-12)


def requests(count: int, *, first: int, stops: int) -> list[str]:
    """Syslog lines of requests that name their session; one of them stops amid its work."""
    lines = []
    for i in range(first, first + count):
        steps = ["begins", "reads a row", "reads a row", "writes its answer", "is over"]
        for at, step in enumerate(steps[:3] if i == stops else steps):
            moment = START + timedelta(seconds=10 * i + at)
            lines.append(f"{moment:%Y-%m-%dT%H:%M:%S}Z web-1 api: request blk_{10_000 + i} {step}")
    return lines


def told_sessions(sentinel: Sentinel) -> pl.DataFrame:
    anomalies = sentinel.spool.anomalies(limit=10_000).filter(pl.col("origin") == "sessions")
    return anomalies.select("event_id", "message", "kind", "reasons", "attributes").sort("event_id")


def test_strange_session_is_told_once_live_in_batch_and_after_a_kill(
    sentinel: Sentinel, clock: Clock, open_home: Callable[[], Sentinel]
) -> None:
    """A request that stops amid its work is one anomaly of its own, whoever scores it and however often."""
    clock.now_s += HOURS * 3600.0
    put(sentinel, requests(600, first=0, stops=-1), clock)
    deliver(sentinel)
    assert retrain(sentinel, max_records=100_000, clock=clock).promoted
    live = Live(sentinel, clock=clock)
    assert live.start()
    put(sentinel, requests(100, first=600, stops=650), clock)
    while live.round():
        pass
    before = told_sessions(sentinel)

    again = die_and_come_back(live, open_home, clock)
    deliver(again)
    score_missing(again, rescore=True, clock=clock)
    after = told_sessions(again)
    again.close()

    assert before["message"].to_list() == ["session blk_10650 is strange as a whole: 3 lines within 2 s"]
    assert before["kind"].to_list() == ["session"]
    assert any("is missing" in reason for reason in before["reasons"][0])
    assert after.equals(before)


def test_training_replaces_no_pinned_model(learnt: Sentinel, clock: Clock) -> None:
    """While the model in service is pinned, a training keeps its own beside it and says why; unpinned, it goes on."""
    registry = learnt.registry
    served = registry.champion()
    registry.pin(served)
    clock.now_s += 1.0
    held = retrain(learnt, max_records=100_000, clock=clock)
    registry.pin(served, pinned=False)
    clock.now_s += 1.0
    free = retrain(learnt, max_records=100_000, clock=clock)

    assert not held.promoted
    assert [name for name, passed, _ in held.checks if not passed] == ["pinned"]
    assert held.model_version in registry.versions()
    assert free.promoted
    assert registry.champion() == free.model_version
