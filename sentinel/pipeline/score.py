"""Score what the live reader has not: from the store, by sequence, so that nothing is missed and nothing is twice."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from sentinel.detect import Model, Scorer
from sentinel.detect.explain.incidents import actors_of
from sentinel.errors import NoModelError
from sentinel.failpoints import reach
from sentinel.pipeline import incidents
from sentinel.pipeline import state as states
from sentinel.pipeline.anomalies import anomalies_of, learnt_from
from sentinel.pipeline.explanations import Explanations
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.ranges import Range, missing_ranges, runs
from sentinel.pipeline.report import Report
from sentinel.pipeline.scorers import scorer_of
from sentinel.pipeline.settle import settle
from sentinel.pipeline.tally import Tally
from sentinel.pipeline.words import Heard
from sentinel.records import EVENTS, empty_records

__all__ = ["score_missing", "score_records"]

MAX_RECORDS = 500_000
EMIT_RECORDS = 5_000


@dataclass(frozen=True, slots=True)
class _Start:
    """Where batch scoring goes on: a scorer that has seen all up to `sequence`, or what its model learnt from."""

    scorer: Scorer
    sequence: int | None

    def is_behind(self) -> pl.Expr:
        """Records that lie before what the scorer has seen: they are scored with a state of their own."""
        return learnt_from(self.scorer.model) if self.sequence is None else pl.col("sequence") <= self.sequence


def score_missing(
    sentinel: Sentinel, *, rescore: bool = False, clock: Callable[[], float] = time.time, max_records: int = MAX_RECORDS
) -> Report:
    """Score the delivered records that no model has scored yet; with `rescore`, that the champion has not.

    While a server moves the live reader, only what it has left out behind it; without one, everything. Raises
    NoModelError before the first training.
    """
    started_s, spool = clock(), sentinel.spool
    version = sentinel.registry.champion()
    if version is None:
        raise NoModelError("score: there is no model yet; run the retrain-detector deployment, or `sentinel train`")
    with spool.lease("detect", wait_s=0.0) as lease:
        last = spool.position("detect").sequence if lease is None else spool.position("deliver").sequence
        done = [(first, end) for model, first, end in spool.scored() if not rescore or model == version]
        missing = missing_ranges(done, last)
        records = _read(sentinel, missing, max_records)
        start = _start(sentinel, version)
        behind = records.filter(start.is_behind())
        ahead = records.filter(~start.is_behind())
        flagged = _score(sentinel, _of_nothing(sentinel, start.scorer.model), behind, for_good=True)
        flagged += _score(sentinel, start.scorer, ahead, for_good=lease is None)
        if lease is not None and ahead.height:
            _remember(sentinel, start.scorer, int(ahead["sequence"].max() or 0))  # type: ignore[arg-type]
    settle(spool, clock())
    counts = {
        "missing": sum(end - first + 1 for first, end in missing),
        "scored": records.height,
        "anomalies": flagged,
    }
    rows = [{"first": first, "last": end, "model": version} for first, end in missing]
    return Report("score", counts, rows, clock() - started_s)


def score_records(scorer: Scorer, records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Records in time order (then by id), and their verdicts; the state moves on."""
    ordered = records.sort("timestamp", "event_id")
    return ordered, scorer.score(ordered)


def _read(sentinel: Sentinel, ranges: list[Range], max_records: int) -> pl.DataFrame:
    """The records of these ranges, the oldest by arrival first, at most `max_records`."""
    frames, rows = [empty_records()], 0
    if ranges:
        for frame in sentinel.store.scan(stream=EVENTS, spool=sentinel.spool.id, sequences=ranges):
            frames.append(frame)
            rows += frame.height
            if rows >= max_records:
                break
    return pl.concat(frames).head(max_records)


def _start(sentinel: Sentinel, version: str) -> _Start:
    """The newest saved state, else the copy that lies with the model (it has seen what the model learnt from)."""
    model, model_state = sentinel.registry.load(version)
    found = states.read_newest(sentinel.spool, sentinel.home / "detector")
    running, seen = (found[1], found[0].sequence) if found is not None else (None, None)
    scorer, goes_on = scorer_of(model, model_state, running, threshold_nats=sentinel.threshold_nats)
    Heard(sentinel.spool, sentinel.threshold_nats, time.time()).tune(scorer)
    return _Start(scorer, seen if goes_on else None)


def _of_nothing(sentinel: Sentinel, model: Model) -> Scorer:
    """A scorer that has seen nothing: for records behind all that was seen."""
    scorer = Scorer(model)
    Heard(sentinel.spool, sentinel.threshold_nats, time.time()).tune(scorer)
    return scorer


def _score(sentinel: Sentinel, scorer: Scorer, found: pl.DataFrame, *, for_good: bool) -> int:
    """Score records in time order; keep anomalies and scored ranges in the spool. How many are strange.

    `for_good`: the state is not kept, so that sessions which are rather over than not are judged now or never.
    """
    if found.is_empty():
        return 0
    records, verdicts = score_records(scorer, found)
    over, said = scorer.ended(for_good=for_good)
    heard = Heard(sentinel.spool, sentinel.threshold_nats, time.time())
    anomalies = pl.concat(
        [
            anomalies_of(records, heard.apply(records, verdicts)),
            anomalies_of(over, heard.apply(over, said)),
        ]
    )
    explanations = Explanations(scorer.model.last_seen(), Tally.load(sentinel.spool))
    known = sentinel.spool.anomalies(limit=10_000)["event_id"]
    new = anomalies.filter(~pl.col("event_id").is_in(known.implode()))
    for chunk in new.iter_slices(EMIT_RECORDS):
        incidents.keep(sentinel.spool, chunk, actors_of(chunk), explanations)
    reach("score.emitted")
    with sentinel.spool.transaction() as tx:
        for first, last in runs(records["sequence"].sort().to_list()):
            tx.add_scored(scorer.model.version, first, last)
    return new.height


def _remember(sentinel: Sentinel, scorer: Scorer, sequence: int) -> None:
    """Keep the state, so that the next run (or the server, when it starts) goes on from here."""
    folder = sentinel.home / "detector"
    saved = states.write_state(folder, states.BATCH, sequence, scorer.state())
    with sentinel.spool.transaction() as tx:
        states.remember(tx, states.BATCH, saved)
    states.forget_older(folder, states.BATCH, saved)
