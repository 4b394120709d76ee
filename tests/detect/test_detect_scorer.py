"""Scores are the same in a batch, line by line, peeked at, and across a restart; attacks are found and explained."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from sentinel.detect import Model, One, Scorer, Switches
from sentinel.detect.explain.causes import among, counterfactual
from sentinel.detect.judge.combine import HABIT, PRIOR
from sentinel.detect.learn.fit import Trained, fit
from sentinel.errors import ArtifactError
from sentinel.records import VERDICT_SCHEMA

EXACT = 1e-12
NOW = datetime(2026, 3, 3, tzinfo=UTC)


def attack(present: pl.DataFrame, message: str, count: int, gap_s: float, source: str = "sshd") -> pl.DataFrame:
    """Lines after the present."""
    start = present["timestamp"][-1]
    rows = [
        {
            "timestamp": start + timedelta(seconds=gap_s * (i + 1)),
            "level": None,
            "source": source,
            "host": "web-1",
            "message": message.replace("{i}", str(i)),
            "attributes": None,
        }
        for i in range(count)
    ]
    return pl.DataFrame(rows, schema=present.schema)


def one_by_one(scorer: Scorer, records: pl.DataFrame) -> list[float]:
    return [scorer.score_one(one(row)).nats for row in records.iter_rows(named=True)]


def one(row: dict[str, object]) -> One:
    nanoseconds = pl.Series([row["timestamp"]], dtype=pl.Datetime("ns", "UTC")).dt.epoch("ns")[0]
    return One(nanoseconds / 1e9, row["level"], row["source"], row["message"], row["attributes"])  # type: ignore[arg-type]


def test_batch_equals_line_by_line(trained: Trained, present: pl.DataFrame) -> None:
    """The same lines get the same nats in one call, in calls of any size, and alone."""
    some = present.head(1500)
    whole = Scorer(trained.model, trained.state).score(some)["nats"].to_numpy()

    pieces_scorer = Scorer(trained.model, trained.state)
    pieces = np.concatenate([pieces_scorer.score(part)["nats"].to_numpy() for part in some.iter_slices(97)])
    alone = one_by_one(Scorer(trained.model, trained.state), some)

    assert np.max(np.abs(whole - pieces)) <= EXACT
    assert np.max(np.abs(whole - np.array(alone))) <= EXACT


def test_restart_in_mid_stream_changes_no_score(trained: Trained, present: pl.DataFrame) -> None:
    """A state saved and loaded in mid-stream goes on exactly, also for texts first met in service."""
    novel = attack(present, "frobnicator item-{i} lost its widget in bay north", 60, 1.0, "frob")
    stream = pl.concat([present.head(300), novel.head(30), present.slice(300, 300), novel.tail(30)])
    whole = Scorer(trained.model, trained.state).score(stream)

    before = Scorer(trained.model, trained.state)
    first = before.score(stream.head(400))
    after = Scorer(trained.model, before.state())
    second = after.score(stream.tail(-400))

    joined = pl.concat([first, second])
    assert np.max(np.abs(whole["nats"].to_numpy() - joined["nats"].to_numpy())) <= EXACT
    assert whole["template"].to_list() == joined["template"].to_list()


def test_peek_answers_as_score_would_and_changes_nothing(scorer: Scorer, present: pl.DataFrame) -> None:
    """Peeking twice gives the same, and what scoring then gives; the state stays byte for byte."""
    novel = attack(present, "quux {i} of 203.0.113.77 rejected by policy engine", 20, 0.5, "quux")
    stream = pl.concat([present.head(200), novel])
    state = scorer.state()

    first, second = scorer.peek(stream), scorer.peek(stream)

    assert scorer.state() == state
    assert first.equals(second)
    assert np.max(np.abs(first["nats"].to_numpy() - scorer.score(stream)["nats"].to_numpy())) <= EXACT


def test_long_peek_equals_short_ones(scorer: Scorer, present: pl.DataFrame) -> None:
    """A peek too long for the undo log works on a copy, with the same answers."""
    stream = present.head(1200)
    state = scorer.state()

    peeked = scorer.peek(stream)

    assert scorer.state() == state
    assert np.max(np.abs(peeked["nats"].to_numpy() - scorer.score(stream)["nats"].to_numpy())) <= EXACT


def test_verdicts_have_the_schema(scorer: Scorer, present: pl.DataFrame) -> None:
    """Scores lie in [0, 1], follow the nats, and only anomalies have a kind and reasons."""
    verdicts = scorer.score(present.head(800))

    assert verdicts.schema == pl.Schema(VERDICT_SCHEMA)
    assert verdicts["anomaly_score"].is_between(0, 1).all()
    assert (verdicts["is_anomaly"] == (verdicts["nats"] >= 7.5)).all()
    quiet = verdicts.filter(~pl.col("is_anomaly"))
    assert quiet["kind"].null_count() == quiet.height
    assert quiet["reasons"].list.len().sum() == 0
    assert scorer.peek(present.head(0)).schema == pl.Schema(VERDICT_SCHEMA)


def test_normal_lines_are_quiet(scorer: Scorer, present: pl.DataFrame) -> None:
    """Hardly any line of normal traffic is an anomaly."""
    assert scorer.score(present)["is_anomaly"].mean() < 0.005


@pytest.mark.parametrize(
    "message",
    [
        "Failed password for root from 203.0.113.9 port 4{i} ssh2",
        "login attempt rejected: bad credentials for user=admin client_ip=203.0.113.9 try={i}",
        "[pid 77{i}] [web] FAIL LOGIN: Client 203.0.113.9",
    ],
)
def test_brute_force_is_found_within_five_lines(scorer: Scorer, present: pl.DataFrame, message: str) -> None:
    """Quick failed log-ins of one address are brute force by the fifth line; the reasons name the address."""
    scorer.score(present)

    verdicts = scorer.score(attack(present, message, 12, 0.7))

    found = verdicts["is_anomaly"].to_list()
    assert found.index(True) <= 4
    assert all(found[5:])
    assert verdicts["kind"][-1] == "brute_force"
    assert "203.0.113.9" in verdicts["reasons"][-1][0]


def test_a_few_mistyped_passwords_are_no_attack(scorer: Scorer, present: pl.DataFrame) -> None:
    """Two failures a minute apart stay below the threshold of the prior."""
    scorer.score(present)

    verdicts = scorer.score(attack(present, "Failed password for greta from 10.20.7.16 port 5{i} ssh2", 2, 60.0))

    assert verdicts["kind"].to_list().count("brute_force") == 0


def test_reasons_hold_under_a_counterfactual(scorer: Scorer, present: pl.DataFrame) -> None:
    """With the failed log-ins put back to normal, the score falls below the threshold."""
    scorer.score(present)
    found = scorer.examine(attack(present, "Failed password for root from 203.0.113.9 port 4{i} ssh2", 8, 0.7))

    rows = (found.raw, found.coded.facts.flags, found.surprise, found.tails, found.parts[:, HABIT:])
    calm = counterfactual(scorer.model, *rows, scorer.switches, among("failures"))

    assert found.parts[-1, PRIOR] >= 7.5
    assert calm[-1] < found.nats[-1]


def test_helpers_can_be_switched_off(trained: Trained, present: pl.DataFrame) -> None:
    """Without the prior, the sparse channel, the norm and the forest, nothing is strange."""
    off = Switches(forest=False, norm=False, sparse=False, prior=False)
    lines = attack(present, "Failed password for root from 203.0.113.9 port 4{i} ssh2", 12, 0.7)

    assert Scorer(trained.model, trained.state, switches=off).score(lines)["nats"].max() < 1.0
    only_prior = off._replace(prior=True)
    assert Scorer(trained.model, trained.state, switches=only_prior).score(lines)["nats"].max() >= 7.5


def test_everyday_fatal_line_is_no_alarm_and_comes_before_others(past: pl.DataFrame, present: pl.DataFrame) -> None:
    """What is called fatal every few minutes has 5 nats, with a reason where the threshold is that low."""
    both = pl.concat([past, present])
    said = both.gather_every(40).with_columns(
        level=pl.lit("fatal"), source=pl.lit("sync"), message=pl.lit("replica is behind, going on")
    )
    lines = pl.concat([both, said]).sort("timestamp", maintain_order=True)
    before = pl.col("timestamp") < present["timestamp"][0]
    trained = fit(lines.filter(before), now=NOW, seed=1, trees=60)
    later = lines.filter(~before)
    fatal = (later["source"] == "sync").arg_true()[-1]
    scorer = Scorer(trained.model, trained.state)
    scorer.threshold_nats = 4.5
    verdict = scorer.score(later).row(fatal, named=True)
    without = Scorer(trained.model, trained.state, switches=Switches(prior=False)).score(later)["nats"][fatal]

    assert verdict["nats"] == 5.0
    assert verdict["reasons"][0] == "its own program calls it fatal"
    assert without < 4.5


def test_fatal_lines_in_new_words_alarm_until_they_are_a_habit(past: pl.DataFrame, present: pl.DataFrame) -> None:
    """A dump of many fatal lines that training never had is told line after line; what goes on for hours is not."""
    every_5_minutes = present["timestamp"][0] + pl.int_range(pl.len()) * timedelta(minutes=5)
    said = present.head(288).with_columns(
        timestamp=every_5_minutes.cast(present["timestamp"].dtype),
        level=pl.lit("fatal"),
        source=pl.lit("kernel"),
        message=pl.lit("data TLB interrupt on the second core"),
    )
    lines = pl.concat([present, said]).sort("timestamp", maintain_order=True)
    scorer = Scorer(*((trained := fit(past, now=NOW, seed=1, trees=60)).model, trained.state))
    verdicts = scorer.score(lines).filter(lines["source"] == "kernel")
    at_first = verdicts.head(12)

    assert at_first["is_anomaly"].all()
    assert "its own program calls it fatal" in at_first["reasons"][0]
    assert not verdicts["is_anomaly"][-1]


def test_threshold_moves_without_a_refit(scorer: Scorer, present: pl.DataFrame) -> None:
    """A lower threshold flags more of the same scores; a quantile of training turns into nats."""
    lines = present.head(1500)
    usual = scorer.peek(lines)["is_anomaly"].sum()
    scorer.threshold_nats = 1.0

    assert scorer.peek(lines)["is_anomaly"].sum() > usual
    assert scorer.model.quantile_nats(0.5) <= scorer.model.quantile_nats(0.999)


def test_model_survives_its_parts(trained: Trained, present: pl.DataFrame) -> None:
    """A model rebuilt from arrays and tables scores alike; foreign parts are refused."""
    arrays, tables = trained.model.to_parts()
    again = Model.from_parts(arrays, tables)

    first = Scorer(trained.model, trained.state).score(present.head(500))
    second = Scorer(again, trained.state).score(present.head(500))

    assert np.max(np.abs(first["nats"].to_numpy() - second["nats"].to_numpy())) <= EXACT
    with pytest.raises(ArtifactError):
        Model.from_parts(arrays, {**tables, "feature_names": ["level", "length"]})
    with pytest.raises(ArtifactError):
        Model.from_parts({}, tables)
    with pytest.raises(ArtifactError):
        Scorer(trained.model, b"no state")


def test_server_path_needs_no_scikit_learn() -> None:
    """Importing the room's door imports neither scikit-learn nor joblib."""
    code = "import sys, sentinel.detect; print([m for m in ('sklearn', 'joblib', 'drain3') if m in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_incidents_gather_lines_of_one_cause(scorer: Scorer, present: pl.DataFrame) -> None:
    """The lines of one attacker are one incident, those of another are another one."""
    scorer.score(present)
    lines = pl.concat(
        [
            attack(present, "Failed password for root from 203.0.113.9 port 4{i} ssh2", 9, 0.7),
            attack(present, "Failed password for root from 203.0.113.10 port 4{i} ssh2", 9, 0.7),
        ]
    )
    verdicts = scorer.score(lines)

    ids = scorer.incidents(lines, verdicts).to_list()

    assert ids[8] == ids[7]
    assert ids[8] != ids[17]
