"""A running state meets a new model: what the model was taught is no news, what was seen stays known."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from sentinel.detect import Scorer
from sentinel.detect.kernel.hashing import hash_text
from sentinel.detect.kernel.table import CORE, HITS, LAST_USE, WALKED, Memory, bump, find, touch
from sentinel.detect.learn.fit import fit
from sentinel.detect.remember.merge import merge
from sentinel.detect.remember.state import empty_memory
from sentinel.records import RECORD_SCHEMA

START = datetime(2026, 3, 2, tzinfo=UTC)


def frame(rows: list[tuple[float, str]]) -> pl.DataFrame:
    known = {
        "event_id": [f"{i:022d}" for i in range(len(rows))],
        "timestamp": [START + timedelta(seconds=second) for second, _ in rows],
        "level": ["info"] * len(rows),
        "source": ["depot"] * len(rows),
        "message": [message for _, message in rows],
    }
    return pl.DataFrame({n: pl.Series(n, known.get(n, [None] * len(rows)), dtype=t) for n, t in RECORD_SCHEMA.items()})


def test_what_a_new_model_was_taught_is_no_news_to_a_running_server() -> None:
    """After a second training with a new template the running state and the model's own give the same verdict."""
    first = [(10.0 * i, f"crate {i} moved by robot r{i % 9}") for i in range(2_400)]
    more = sorted(first + [(60.0 * i + 5, "gates checked, all shut") for i in range(400)])
    asked = frame([(24_060.0, "gates checked, all shut")])
    before = fit(frame(first), now=START)
    after = fit(frame(more), now=START, champion=before.model)
    server = Scorer(before.model, before.state)

    running = Scorer(after.model, server.state(), taught=after.state)
    alone = Scorer(after.model, after.state)

    assert server.peek(asked)["is_anomaly"][0]
    assert "never seen" not in str(running.peek(asked)["reasons"][0])
    assert abs(running.peek(asked)["nats"][0] - alone.peek(asked)["nats"][0]) < 1e-12
    again = Scorer(after.model, running.state(), taught=after.state)
    assert again.state() == running.state()


def remembering(hits: dict[str, float], t: float) -> Memory:
    memory = empty_memory(core=64, edge=64, habits=64)
    with np.errstate(over="ignore"):
        for name, count in hits.items():
            place = touch(memory, CORE, np.uint64(hash_text(name)), t)
            for _ in range(int(count)):
                bump(memory.core.rows, place, t, 1.0)
                memory.counters[WALKED] += 1.0
    return memory


def test_of_two_histories_the_longer_stands_and_is_counted_once() -> None:
    """Keys of one side alone are kept; of a key of both the row with more hits stands, and no hit counts twice."""
    running, taught = remembering({"both": 9, "mine": 3}, 100.0), remembering({"both": 7, "theirs": 5, "mine": 4}, 50.0)

    merge(running, taught)
    merge(running, taught)

    found = {name: find(running.core, np.uint64(hash_text(name))) for name in ("both", "mine", "theirs")}
    assert {name: running.core.rows[place, HITS] for name, place in found.items()} == {
        "both": 9.0,
        "mine": 4.0,
        "theirs": 5.0,
    }
    assert all(running.core.aux[place, LAST_USE] <= running.counters[WALKED] for place in found.values())
