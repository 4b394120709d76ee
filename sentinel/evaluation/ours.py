"""Our own detector on a case: fitted on the unlabelled past, then the test in order, the timer beside it."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from sentinel.detect import Model, Scorer, Switches
from sentinel.detect.learn.fit import fit
from sentinel.evaluation.case import Case
from sentinel.evaluation.measure import Scored
from sentinel.records import VERDICT_SCHEMA

__all__ = ["OURS", "end_of", "judge", "model_of", "run_ours", "score_ours"]

OURS = "log sentinel"
TICK_S = 30.0
IDLE_TICKS, IDLE_EVERY = 60, 60  # after half an hour without a line, one tick in half an hour

EVENT_SCHEMA: dict[str, pl.DataType] = {
    "timestamp": pl.Datetime("ns", "UTC"),
    "source": pl.String(),
    "message": pl.String(),
    "reasons": pl.List(pl.String()),
    "kind": pl.String(),
    "said": pl.Datetime("ns", "UTC"),  # when the timer said it
    "last_event": pl.String(),  # of a session: its last line
}


def run_ours(case: Case, *, seed: int, switches: Switches | None = None, method: str = OURS) -> Scored:
    """Fit on the training records, score the test with the threshold of the model; verdicts and silences included."""
    started = time.perf_counter()
    model, state = model_of(case.train, seed=seed)
    fit_s = time.perf_counter() - started
    return replace(score_ours(case, model, state, switches=switches, method=method), fit_s=fit_s)


def score_ours(
    case: Case, model: Model, state: bytes, *, switches: Switches | None = None, method: str = OURS
) -> Scored:
    """Score the test with a model that was fitted, and its threshold."""
    started = time.perf_counter()
    scorer = Scorer(model, state, switches=switches)
    verdicts, events = judge(scorer, case.test.drop("label", "attack"))
    score_s = time.perf_counter() - started
    return Scored(method, verdicts["nats"].to_numpy(), scorer.threshold_nats, events, verdicts, score_s=score_s)


def end_of(records: pl.DataFrame) -> datetime:
    """The time of the newest record."""
    end = records["timestamp"].max()
    assert isinstance(end, datetime)
    return end


def judge(scorer: Scorer, records: pl.DataFrame, *, tick_s: float = TICK_S) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Verdicts on records in their order, and what the timer said meanwhile (EVENT_SCHEMA, anomalies only)."""
    verdicts, events = [pl.DataFrame(schema=VERDICT_SCHEMA)], [pl.DataFrame(schema=EVENT_SCHEMA)]
    for now, chunk in _in_steps(records, tick_s):
        if len(chunk):
            verdicts.append(scorer.score(chunk))
        silent, said = scorer.tick(now)
        if len(silent):
            both = silent.with_columns(
                said["is_anomaly"], said["reasons"], said["kind"],
                pl.lit(now).cast(EVENT_SCHEMA["said"]).alias("said"),
                pl.col("attributes").str.json_path_match("$.last_event").alias("last_event"),
            ).filter("is_anomaly")  # fmt: skip
            events.append(both.select(*EVENT_SCHEMA))
    return pl.concat(verdicts), pl.concat(events)


def _in_steps(records: pl.DataFrame, tick_s: float) -> Iterator[tuple[datetime, pl.DataFrame]]:
    """The moments of a timer, each with the records since the last; in long idle times only some of the moments."""
    if records.is_empty():
        return
    times = records["timestamp"].dt.epoch("us").to_numpy() / 1e6
    start = records["timestamp"][0]
    step = np.maximum.accumulate(((times - times[0]) // tick_s).astype(np.int64))
    busy, firsts = np.unique(step, return_index=True)
    ends = np.append(firsts[1:], len(step))
    for k, (at, first, end) in enumerate(zip(busy.tolist(), firsts.tolist(), ends.tolist(), strict=True)):
        yield start + timedelta(seconds=(at + 1) * tick_s), records[first:end]
        until = int(busy[k + 1]) if k + 1 < len(busy) else at
        for idle in range(at + 1, until):
            if idle - at < IDLE_TICKS or idle % IDLE_EVERY == 0:
                yield start + timedelta(seconds=(idle + 1) * tick_s), records[:0]


def model_of(records: pl.DataFrame, *, seed: int, champion: Model | None = None) -> tuple[Model, bytes]:
    """A model and its state after these records, as a retrain makes it."""
    trained = fit(records, seed=seed, now=end_of(records), champion=champion)
    return trained.model, trained.state
