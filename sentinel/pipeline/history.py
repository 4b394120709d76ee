"""A history kept in Parquet files, moved into another store later: same ids, same partitions, nothing twice."""

import hashlib
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import polars as pl

from sentinel.errors import SentinelError, TerminalError, TransientError
from sentinel.failpoints import reach
from sentinel.pipeline.deliver import BACKOFF_CAP_S, BACKOFF_START_S, PATIENCE_S
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.report import Progress, Report, nobody
from sentinel.records import ANOMALIES, EVENTS
from sentinel.store import ParquetStore

__all__ = ["load_history"]

log = logging.getLogger(__name__)

READER = "load-history"  # only a lock: two such runs take turns
BATCH_RECORDS = 20_000
SHOWN = 20  # refused records that the report names
STREAMS = (EVENTS, ANOMALIES)


class _Mark(msgspec.Struct, frozen=True):
    """How far an unfinished run has come: all before it is loaded. Frames come by stream, spool and sequence."""

    stream: int
    spool: str
    sequence: int
    loaded: int  # records of all runs so far
    refused: int

    def is_before(self, stream: int) -> pl.Expr:
        """Records of the stream that are still to be loaded."""
        if stream != self.stream:
            return pl.lit(stream > self.stream)
        is_later = (pl.col("spool") == self.spool) & (pl.col("sequence") > self.sequence)
        return (pl.col("spool") > self.spool) | is_later


@dataclass(slots=True)
class _Course:
    """What a run has done so far."""

    found: int  # records in the files, by their own counts
    loaded: Counter[tuple[str, str]] = field(default_factory=Counter)  # (stream, partition) → records
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def load_history(
    sentinel: Sentinel,
    folder: Path,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    patience_s: float = PATIENCE_S,
    progress: Progress = nobody,
) -> Report:
    """Write all records of a Parquet store into ours, events and anomalies; the files stay as they are.

    A run that was broken off is gone on with; after a whole one the next begins anew and changes nothing. Counts:
    found = resumed + loaded + refused, where `resumed` was settled by the runs before. Raises TransientError when the
    store stays away for `patience_s` seconds, TerminalError where `folder` holds no such files or the store has none
    but files.
    """
    started_s = clock()
    source = _source(sentinel, folder)
    with sentinel.spool.lease(READER) as lease:
        if lease is None:
            raise TransientError(f"load {folder}: another process is loading a history; wait until it is done")
        sentinel.store.setup()
        name = f"history-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]}"
        kept = sentinel.spool.blob(name)
        first = msgspec.json.decode(kept, type=_Mark) if kept else _Mark(0, "", 0, 0, 0)
        course, mark = _Course(sum(source.count(stream) for stream in STREAMS)), first
        for stream, frame in _frames(source, first):
            _load(sentinel, frame, STREAMS[stream], course, clock=clock, sleep=sleep, patience_s=patience_s)
            mark = _after(mark, stream, frame, first, course)
            progress("loading", mark.loaded + mark.refused, course.found, mark.loaded + mark.refused)
            reach("history.loaded")
            _keep(sentinel, name, msgspec.json.encode(mark))
        _keep(sentinel, name, b"")
    return _report(first, course, clock() - started_s)


def _source(sentinel: Sentinel, folder: Path) -> ParquetStore:
    if not any((folder / stream).is_dir() for stream in STREAMS):
        raise TerminalError(f"load {folder}: there is no folder events/ or anomalies/ in it; name a Parquet store")
    if sentinel.store.kind == "parquet":
        raise TerminalError(f"load {folder}: the store is Parquet files too; set ELASTIC_ADDR to where they are to go")
    return ParquetStore(folder)


def _frames(source: ParquetStore, first: _Mark) -> Iterator[tuple[int, pl.DataFrame]]:
    """What is still to be loaded, in order: (stream's number, records)."""
    for number, stream in enumerate(STREAMS):
        if number < first.stream:
            continue
        for frame in source.scan(stream=stream, batch_rows=BATCH_RECORDS):
            left = frame.filter(first.is_before(number))
            if left.height:
                yield number, left


def _load(
    sentinel: Sentinel,
    frame: pl.DataFrame,
    stream: str,
    course: _Course,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    patience_s: float,
) -> None:
    """Offer one frame until each record is there or refused for good."""
    attempts, last_progress_s = 0, clock()
    while frame.height:
        try:
            outcome = sentinel.store.write(frame, stream=stream)
        except SentinelError as exc:
            error, is_moving = str(exc), False
        else:
            delivered = frame.filter(pl.Series(outcome.delivered))["partition"].value_counts()
            course.loaded.update({(stream, partition): count for partition, count in delivered.iter_rows()})
            for row, reason in outcome.dead.items():
                course.refused[stream, frame["partition"][row] or "(none)"] += 1
                if len(course.notes) < SHOWN:
                    course.notes.append(f"{stream} {frame['event_id'][row]} is refused: {reason}")
            error, is_moving = outcome.error or "refused for now", not outcome.retry.all()
            frame = frame.filter(pl.Series(outcome.retry))
        if is_moving:
            attempts, last_progress_s = 0, clock()
        elif clock() - last_progress_s > patience_s:
            raise TransientError(
                f"load a history: {error}; what is loaded stays loaded, the next run goes on from here"
            )
        if frame.height:
            attempts += 1
            sleep(random.uniform(0.1, min(BACKOFF_CAP_S, BACKOFF_START_S * 2.0 ** min(attempts, 10))))  # noqa: S311 jitter


def _after(mark: _Mark, stream: int, frame: pl.DataFrame, first: _Mark, course: _Course) -> _Mark:
    """The mark behind a frame that is settled."""
    loaded, refused = first.loaded + course.loaded.total(), first.refused + course.refused.total()
    return _Mark(stream, str(frame["spool"][-1]), int(frame["sequence"][-1]), loaded, refused)


def _keep(sentinel: Sentinel, name: str, content: bytes) -> None:
    with sentinel.spool.transaction() as tx:
        tx.put_blob(name, content)


def _report(first: _Mark, course: _Course, took_s: float) -> Report:
    loaded, refused, resumed = course.loaded.total(), course.refused.total(), first.loaded + first.refused
    counts = {"found": course.found, "resumed": resumed, "loaded": loaded, "refused": refused}
    rows = [
        {"stream": key[0], "partition": key[1], "loaded": course.loaded[key], "refused": course.refused[key]}
        for key in sorted({*course.loaded, *course.refused})
    ]
    if refused > len(course.notes):
        course.notes.append(f"… and {refused - len(course.notes)} more are refused; all of them stay in the files")
    if course.found != resumed + loaded + refused:
        course.notes.append("the files have changed since the first run: run it again, what is there is not doubled")
    log.info("loaded history loaded=%d refused=%d resumed=%d", loaded, refused, resumed)
    return Report("load", counts, rows, took_s, tuple(course.notes))
