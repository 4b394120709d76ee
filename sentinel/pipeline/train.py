"""Train: records in; fit, gate, artifact; the new model serves if it passed, or if nothing better does."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import polars as pl

from sentinel.counted import counted
from sentinel.detect import Model
from sentinel.detect.learn.fit import fit
from sentinel.detect.learn.gate import gate
from sentinel.detect.models.registry import Registry
from sentinel.errors import ArtifactError, TerminalError
from sentinel.incidents.feedback import Word
from sentinel.pipeline.labels import called_false, labelled, without_real
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.said import read_words
from sentinel.records import EVENTS, empty_records
from sentinel.settings import MAX_TRAIN_RECORDS, MIN_TRAIN_RECORDS

__all__ = ["TrainReport", "newest_records", "retrain", "train"]

log = logging.getLogger(__name__)

SEED = 0
KEPT_MODELS = 5
PINNED = "the model in service is pinned: this one is kept beside it; unpin it, or promote this one by hand"


@dataclass(frozen=True, slots=True)
class TrainReport:
    """What a training did. `checks` are (name, passed, detail); `promoted` is False where one of them failed and a
    better model is in service; where none is, the new one serves with low confidence.

    Of `rows` lines `left_out` did not teach: incidents of the training itself, and `excluded` that the champion calls
    an attack.
    """

    model_version: str
    rows: int
    promoted: bool
    confidence: str  # "low" or "normal"
    checks: list[tuple[str, bool, str]]
    took_s: float
    left_out: int = 0
    excluded: int = 0

    def answer(self) -> dict[str, object]:
        """All of it as JSON-able values."""
        checks = [{"check": name, "passed": passed, "detail": detail} for name, passed, detail in self.checks]
        return {
            "model_version": self.model_version,
            "rows": self.rows,
            "left_out": self.left_out,
            "excluded": self.excluded,
            "promoted": self.promoted,
            "confidence": self.confidence,
            "checks": checks,
            "took_s": round(self.took_s, 3),
        }

    def table(self) -> list[dict[str, object]]:
        """One row for the model and one for each check of the gate."""
        lines = (
            f"{counted(self.rows, 'row')}, {self.left_out} left out, {self.excluded} of them as attacks by the champion"
        )
        head = {"check": "model", "passed": self.promoted, "detail": f"{self.model_version}, {lines}"}
        return [head, *({"check": n, "passed": p, "detail": d} for n, p, d in self.checks)]


def train(
    registry: Registry,
    records: pl.DataFrame,
    *,
    exclude_anomalies: bool = False,
    words: Sequence[Word] = (),
    seed: int = SEED,
    clock: Callable[[], float] = time.time,
) -> TrainReport:
    """Fit a model on records and promote it if it passes the gate, or if nothing better serves.

    With `exclude_anomalies` the attacks that the champion finds in them do not teach. Of `words`, what people said,
    what is real never teaches, a false alarm does whatever the champion finds, and the gate asks for both.
    Raises TransientError when another training is running, TerminalError when there is nothing to learn from.
    """
    started_s = clock()
    if records.is_empty():
        raise TerminalError("train: there is not one record to learn from; collect or send logs first")
    with registry.training_lock():
        champion = _champion(registry)
        now = datetime.fromtimestamp(started_s, UTC)
        lines, innocent = _taught(records, words)
        trained = fit(
            lines, seed=seed, now=now, champion=champion, exclude_anomalies=exclude_anomalies, innocent=innocent
        )
        verdict = gate(trained, champion, labelled=labelled(words, _newest(lines)))
        if verdict.serves and not verdict.passed:
            trained = replace(trained, model=replace(trained.model, confidence="low"))
        version = registry.save(trained, verdict)
        checks, is_pinned = list(verdict.checks), champion is not None and champion.version in registry.pinned()
        if is_pinned:
            checks.append(("pinned", False, PINNED))
        promoted = verdict.serves and not is_pinned
        if promoted:
            registry.promote(version)
        registry.prune(keep=KEPT_MODELS)
    return TrainReport(
        version,
        records.height,
        promoted,
        trained.model.confidence,
        checks,
        clock() - started_s,
        trained.left_out + records.height - lines.height,
        trained.excluded,
    )


def _newest(records: pl.DataFrame) -> datetime:
    """The time of the newest record."""
    newest = records["timestamp"].max()
    assert isinstance(newest, datetime)
    return newest


def _taught(records: pl.DataFrame, words: Sequence[Word]) -> tuple[pl.DataFrame, pl.Series | None]:
    """The records that may teach, and which of them a person called a false alarm (None: nobody said anything)."""
    if not words:
        return records, None
    lines = records.filter(without_real(words, records))
    if lines.is_empty():
        raise TerminalError("train: every record was called real by a person; undo it (`sentinel feedback list`)")
    return lines, called_false(words, lines)


def retrain(
    sentinel: Sentinel,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    max_records: int,
    exclude_anomalies: bool = True,
    seed: int = SEED,
    clock: Callable[[], float] = time.time,
) -> TrainReport:
    """Train on what the store holds: by event time, or the newest `max_records` by arrival.

    What the champion calls an attack does not teach, unless `exclude_anomalies` is off: nobody has looked at it. A time
    without a zone is UTC. Raises TerminalError for a number or span out of bounds.
    """
    since, until = _as_utc(since), _as_utc(until)
    if not MIN_TRAIN_RECORDS <= max_records <= MAX_TRAIN_RECORDS:
        raise TerminalError(f"train: max_records is {max_records}; it takes {MIN_TRAIN_RECORDS} to {MAX_TRAIN_RECORDS}")
    if since and until and since >= until:
        raise TerminalError(f"train: since ({since.isoformat()}) is not before until ({until.isoformat()})")
    records = newest_records(sentinel, since=since, until=until, max_records=max_records)
    words = read_words(sentinel.spool)
    return train(sentinel.registry, records, exclude_anomalies=exclude_anomalies, words=words, seed=seed, clock=clock)


def _as_utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def newest_records(
    sentinel: Sentinel, *, since: datetime | None, until: datetime | None, max_records: int
) -> pl.DataFrame:
    """What a retrain learns from: the newest records by arrival, between `since` and `until` of event time if given."""
    frames = sentinel.store.scan(stream=EVENTS, since=since, until=until, newest=max_records)
    return pl.concat([empty_records(), *frames])


def _champion(registry: Registry) -> Model | None:
    """The model in service, to compare with; None when there is none that can be read."""
    try:
        version = registry.champion()
        return None if version is None else registry.load(version)[0]
    except ArtifactError as exc:
        log.warning("trained without a champion error=%s", exc)
        return None
