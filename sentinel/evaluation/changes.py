"""False alarms where something harmless is new: incidents by the time since it began, each set with its goal."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from sentinel.detect import Scorer
from sentinel.evaluation.case import records_of
from sentinel.evaluation.measure import shapes_of
from sentinel.evaluation.ours import judge, model_of
from sentinel.simulate.changes import CHANGES, change_days

__all__ = ["GOALS", "run_changes"]

START = datetime(2026, 11, 7, tzinfo=UTC)  # a Saturday
GOALS = {
    "release": "≤ 3 a day",
    "nightly failure": "none after three nights",
    "time-outs": "none after an hour",
    "nightly batch": "≤ 2 the first night, none from the third",
    "weekend": "≤ 3 a day",
    "new texts": "≤ .10 of lines after an hour, ≤ one incident a text before",
}


def run_changes(seeds: range) -> Iterator[dict[str, Any]]:
    """One row a change and seed: false incidents of all lines by day, of the change alone, shares flagged."""
    for seed in seeds:
        for name in CHANGES:
            yield _run(name, seed)


def _run(name: str, seed: int) -> dict[str, Any]:
    lines = change_days(name, seed=seed, start=START)
    taught, days = CHANGES[name][1:]
    records = records_of(lines).with_columns(lines["is_change"])
    split = START + timedelta(days=taught)
    past, test = records.filter(pl.col("timestamp") < split), records.filter(pl.col("timestamp") >= split)
    model, state = model_of(past.drop("is_change"), seed=seed)
    verdicts, events = judge(Scorer(model, state), test.drop("is_change"))
    told = test.with_columns(shapes_of(test), verdicts["is_anomaly"]).with_columns(
        day=((pl.col("timestamp") - split).dt.total_seconds() // 86_400).cast(pl.Int64),
        hour=pl.col("timestamp").dt.epoch("s") // 3_600,
        late=(pl.col("timestamp") - pl.col("timestamp").min().over("shape")).dt.total_seconds() >= 3_600,
    )
    own = told.filter("is_change")
    return {
        "case": f"{name} {seed}",
        "goal": GOALS[name],
        "incidents_by_day": " ".join(str(_incidents(told.filter(pl.col("day") == day))) for day in range(days)),
        "of_it": " ".join(str(_incidents(own.filter(pl.col("day") == day))) for day in range(days)),
        "of_it_late": _incidents(own.filter("late")),
        "flagged_first_hour": own.filter(~pl.col("late"))["is_anomaly"].mean(),
        "flagged_late": own.filter("late")["is_anomaly"].mean(),
        "timer": len(events),
    }


def _incidents(lines: pl.DataFrame) -> int:
    """One shape in one hour is one."""
    return lines.filter("is_anomaly").select("shape", "hour").n_unique()
