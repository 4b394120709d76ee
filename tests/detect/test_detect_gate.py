"""The gate: what each check refuses, and that a good model passes; scores come from a stand-in, rules are real."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from sentinel.detect.learn.canary import ALWAYS, canaries
from sentinel.detect.learn.fit import Trained
from sentinel.detect.learn.gate import gate
from sentinel.records import RECORD_SCHEMA

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def records(messages, *, labels=None):
    n = len(messages)
    columns = {
        "event_id": [f"e{i:05d}" for i in range(n)],
        "timestamp": [AT + timedelta(seconds=i) for i in range(n)],
        "source": ["app"] * n,
        "message": messages,
    }
    missing = {name: [None] * n for name in RECORD_SCHEMA if name not in columns}
    frame = pl.DataFrame({**columns, **missing}, schema_overrides=RECORD_SCHEMA).select(*RECORD_SCHEMA)
    return frame if labels is None else frame.with_columns(label=pl.Series(labels, dtype=pl.Int8))


SAMPLE = records([f"worker {i} is fine" for i in range(200)])
STRANGE = r"(?i)fail|incorrect|denied|no space|unhandled|aborted|GET|run as root|sudo"


class Judge:
    """Gives 20 nats to what fits the model's pattern, 1 to the rest."""

    threshold_nats = 7.5

    def __init__(self, model, state):
        self.model = model

    def peek(self, frame):
        fits = frame["message"].str.contains(self.model.pattern).to_numpy()
        return pl.DataFrame({"nats": np.where(fits, 20.0, 1.0) if self.model.varies else np.full(len(frame), 9.0)})


def model(pattern=STRANGE, *, confidence="normal", rows=50_000, flagged=0.001, varies=True):
    return SimpleNamespace(
        pattern=pattern,
        confidence=confidence,
        rows=rows,
        flagged_share=flagged,
        varies=varies,
        threshold_nats=7.5,
        is_warm_up=confidence == "low",
    )


def trained(*args, **kwargs):
    return Trained(model=model(*args, **kwargs), state=b"", forest=None, sample=SAMPLE, rows=200, left_out=0)


def failed(report):
    return [name for name, passed, _ in report.checks if not passed]


def test_good_model_passes():
    """All checks hold, and the report says so."""
    report = gate(trained(), judge=Judge)

    assert report.passed
    assert failed(report) == []
    assert len(report.checks) == 5


def test_model_that_misses_password_guessing_never_passes():
    """One missed wording of brute force is enough, however good the rest; the wording is named."""
    report = gate(trained(STRANGE.replace("incorrect|", "")), judge=Judge)

    assert not report.passed
    assert failed(report) == ["password guessing is caught"]
    assert "guessing, slow" in report.checks[1][2]


def test_model_that_misses_most_canaries_is_refused_with_their_names():
    """Too few caught: the missed ones are listed."""
    report = gate(trained("authentication failure|Failed password|incorrect"), judge=Judge)

    detail = next(detail for name, _, detail in report.checks if name == "canaries are caught")
    assert "canaries are caught" in failed(report)
    assert "disk full" in detail


def test_model_whose_scores_are_constant_is_refused():
    """A constant score flags everything or nothing; it tells nothing apart."""
    report = gate(trained(varies=False), judge=Judge)

    assert "scores are not constant" in failed(report)


def test_model_with_many_false_alarms_is_refused():
    """Where five in a hundred training lines reach the threshold, people would drown."""
    report = gate(trained(flagged=0.011), judge=Judge)

    assert failed(report) == ["false alarms are few"]
    assert "1.100% of the training lines, bound 1.0%" in report.checks[-1][2]


def test_model_that_fails_serves_only_where_nothing_better_does():
    """A first model, and one after a model of low confidence, serves with what it failed listed; behind a better one
    it stands back."""
    worse = STRANGE.replace("incorrect|", "")

    first, after_low = gate(trained(worse), judge=Judge), gate(trained(worse), model(confidence="low"), judge=Judge)
    behind = gate(trained(worse), model(), judge=Judge)

    assert [(report.passed, report.serves) for report in (first, after_low, behind)] == [
        (False, True),
        (False, True),
        (False, False),
    ]
    assert gate(trained(), model(), judge=Judge).serves


def test_low_confidence_model_serves_only_where_nothing_better_does():
    """Promoted without a champion or after a low one; never in the place of a normal one."""
    young = trained(confidence="low", rows=2)

    assert gate(young, judge=Judge).passed
    assert gate(young, model(confidence="low", rows=10), judge=Judge).passed
    report = gate(young, model(), judge=Judge)
    assert failed(report) == ["confidence"]
    assert "50000" in report.checks[0][2]


def test_model_that_catches_less_than_the_champion_is_refused():
    """Enough by itself, but clearly less than what serves now: the champion stays."""
    worse = STRANGE.replace("denied|", "").replace("no space|", "")

    assert gate(trained(worse), judge=Judge).passed
    assert failed(gate(trained(worse), model(), judge=Judge)) == ["canaries: no worse than the champion"]


def test_model_that_is_worse_on_confirmed_lines_is_refused():
    """What people said counts: attacks found less false alarms must not fall."""
    labelled = records(["xyzzy happened"] * 5 + ["worker 7 is fine"] * 20, labels=[1] * 5 + [0] * 20)

    assert gate(trained(STRANGE + "|xyzzy"), model(STRANGE + "|xyzzy"), labelled=labelled, judge=Judge).passed
    report = gate(trained(), model(STRANGE + "|xyzzy"), labelled=labelled, judge=Judge)
    assert failed(report) == ["labelled lines: no worse than the champion"]


@pytest.mark.parametrize("labels", [[1] * 5, [0] * 5], ids=["attacks only", "normal only"])
def test_labels_of_one_kind_are_enough(labels):
    """A sample with only attacks, or only normal lines, is judged by what it has."""
    labelled = records(["authentication failure" if labels[0] else "all fine"] * 5, labels=labels)

    assert gate(trained(), model(), labelled=labelled, judge=Judge).passed


def test_canaries_follow_the_sample_in_its_own_source():
    """They begin after the newest training line and speak as its commonest source, in time order."""
    birds = canaries(SAMPLE)

    assert {bird.kind for bird in birds} >= {ALWAYS, "error_burst", "scan", "privilege", "new_error", "rate_spike"}
    for bird in birds:
        assert dict(bird.records.schema) == RECORD_SCHEMA
        assert bird.records["timestamp"].min() > SAMPLE["timestamp"].max()
        assert bird.records["timestamp"].is_sorted()
        assert bird.records["source"].unique().to_list() == ["app"]


def test_canaries_can_follow_two_lines_without_a_source():
    """The smallest sample has canaries too; none is a flood, since no line is common."""
    bare = records(["a", "b"]).with_columns(source=pl.lit(None, pl.String))

    assert [bird for bird in canaries(bare) if bird.kind == "rate_spike"] == []
    assert canaries(bare)[0].records["source"][0] == "app"
