"""A background that changes for good: how long false alarms last, with and without the nightly retrain."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from sentinel.detect import Scorer
from sentinel.evaluation.case import Case, case_of_suite
from sentinel.evaluation.measure import Scored, measure
from sentinel.evaluation.ours import judge, model_of
from sentinel.simulate import drifting_fleet, inject

__all__ = ["drift_case", "run_drift"]

START = datetime(2026, 11, 2, tzinfo=UTC)
DAY = timedelta(days=1)
CHANGE = START + timedelta(days=2, hours=9)
ATTACKS_FROM = START + timedelta(days=3, hours=12)
LEARNT_DAYS = 2


def drift_case(seed: int) -> Case:
    """Six days of a fleet; on the third, at nine, its applications are released anew; attacks from day four on."""
    lines = drifting_fleet(
        seed=4000 + seed, start=START, duration_s=6 * 86_400.0, change_s=(CHANGE - START).total_seconds()
    )
    suite = inject(lines, seed=5000 + seed, each=2, since=ATTACKS_FROM)
    about = "a made fleet with a new release on the third day; attacks from 27 h after it on"
    return case_of_suite(f"drift{seed}", "drift", about, suite, split=START + LEARNT_DAYS * DAY)


def run_drift(case: Case, *, seed: int, nightly: bool) -> dict[str, Any]:
    """Figures of a drift case: false lines per 10,000 within a day of the change and after it, attacks found.

    With `nightly` a model is trained each midnight on the two days before, the running state going on.
    """
    test = case.test.drop("label", "attack")
    model, state = model_of(case.train, seed=seed)
    scorer = Scorer(model, state)
    verdicts, events, past = [], [], case.train
    for number in range(4):
        since = START + (LEARNT_DAYS + number) * DAY
        today = test.filter(pl.col("timestamp").is_between(since, since + DAY, closed="left"))
        said, silent = judge(scorer, today)
        verdicts.append(said)
        events.append(silent)
        past = pl.concat([past.filter(pl.col("timestamp") >= since - DAY), today])
        if nightly:
            scorer = Scorer(model_of(past, seed=seed, champion=scorer.model)[0], scorer.state())
    nats = pl.concat(verdicts)["nats"].to_numpy()
    method = "log sentinel, retrained nightly" if nightly else "log sentinel, never retrained"
    scored = Scored(method, nats, model.threshold_nats, pl.concat(events), pl.concat(verdicts))
    return {"method": method, **measure(case, scored), **_by_day(case, nats >= model.threshold_nats)}


def _by_day(case: Case, flagged: np.ndarray[Any, np.dtype[np.bool_]]) -> dict[str, float]:
    at, normal = case.test["timestamp"], (case.test["label"] == 0).to_numpy()
    result = {}
    for name, since, until in (
        ("before", START, CHANGE),
        ("first_day", CHANGE, CHANGE + DAY),
        ("after", CHANGE + DAY, START + 9 * DAY),
    ):
        inside = normal & at.is_between(since, until, closed="left").to_numpy()
        result[f"false_per_10k_{name}"] = 1e4 * float(flagged[inside].sum()) / max(int(inside.sum()), 1)
    return result
