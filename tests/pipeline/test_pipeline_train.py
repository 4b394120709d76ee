"""Training: a model that passes its gate serves; damage to the old one does not stop a new one."""

from datetime import timedelta
from functools import partial

import polars as pl
import pytest

from sentinel.detect.learn.gate import gate
from sentinel.errors import TerminalError, TransientError
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.train import retrain, train
from sentinel.records import RECORD_SCHEMA, empty_records
from tests.pipeline.conftest import START


def some_records(count: int) -> pl.DataFrame:
    known = {
        "event_id": [f"{i:022d}" for i in range(count)],
        "timestamp": [START + timedelta(seconds=5 * i) for i in range(count)],
        "received": [START] * count,
        "level": ["info"] * count,
        "source": ["shop"] * count,
        "message": [f"user u{i} logged in from 10.0.0.{i % 9}" for i in range(count)],
    }
    return pl.DataFrame({n: pl.Series(n, known.get(n, [None] * count), dtype=t) for n, t in RECORD_SCHEMA.items()})


def test_two_lines_make_a_model_of_low_confidence(sentinel: Sentinel) -> None:
    """A handful of lines is enough to try it; the answer says how little that is."""
    report = train(sentinel.registry, some_records(2))

    assert (report.promoted, report.confidence, report.rows) == (True, "low", 2)
    assert sentinel.registry.champion() == report.model_version


def test_nothing_to_learn_from_is_refused(sentinel: Sentinel) -> None:
    """Without one record there is no model."""
    with pytest.raises(TerminalError, match="not one record"):
        train(sentinel.registry, empty_records())


@pytest.mark.parametrize("count", [-5, 0, 1, 5_000_001])
def test_number_of_records_out_of_bounds_is_refused(sentinel: Sentinel, count: int) -> None:
    """A number below two reads nothing or everything, one without an end fills the memory."""
    with pytest.raises(TerminalError, match=f"max_records is {count}; it takes 2 to 5000000"):
        retrain(sentinel, max_records=count)
    assert sentinel.registry.champion() is None


def test_span_that_ends_before_it_begins_is_refused(sentinel: Sentinel) -> None:
    """Also where only one of the two names its zone; without one a time is UTC."""
    with pytest.raises(TerminalError, match="is not before until"):
        retrain(sentinel, since=START, until=START.replace(tzinfo=None), max_records=10)


def test_second_training_is_refused_while_one_runs(sentinel: Sentinel) -> None:
    """One training at a time."""
    with sentinel.registry.training_lock(), pytest.raises(TransientError):
        train(sentinel.registry, some_records(2))


def test_damaged_champion_does_not_stop_the_next_training(sentinel: Sentinel) -> None:
    """A model that can no longer be read is replaced by the next one."""
    first = train(sentinel.registry, some_records(2))
    for file in (sentinel.home / "models").rglob("*"):
        if file.is_file() and file.suffix == ".json":
            file.write_bytes(b"damaged")

    second = train(sentinel.registry, some_records(3))

    assert second.promoted
    assert sentinel.registry.champion() == second.model_version != first.model_version


def test_first_model_serves_though_it_fails_a_check(sentinel: Sentinel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is left without a model: the first one serves with low confidence and the failed check in the answer; the
    next one that passes takes its place, and behind that one a failing one stands back."""
    strict = partial(gate, max_false_share=-1.0)
    monkeypatch.setattr("sentinel.pipeline.train.gate", strict)
    first = train(sentinel.registry, some_records(2_100))
    monkeypatch.undo()
    second = train(sentinel.registry, some_records(2_200))
    monkeypatch.setattr("sentinel.pipeline.train.gate", strict)

    third = train(sentinel.registry, some_records(2_300))

    assert (first.promoted, first.confidence) == (True, "low")
    assert [name for name, passed, _ in first.checks if not passed] == ["false alarms are few"]
    assert (second.promoted, second.confidence) == (True, "normal")
    assert (third.promoted, sentinel.registry.champion()) == (False, second.model_version)
