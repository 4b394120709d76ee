"""Scan: raw log files in, explained incidents out, with nothing set up and nothing kept."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

import polars as pl

from sentinel.counted import counted
from sentinel.detect import Scorer
from sentinel.detect.explain.incidents import actors_of
from sentinel.detect.learn.fit import fit
from sentinel.errors import TerminalError
from sentinel.incidents import Incident, group
from sentinel.pipeline.anomalies import anomalies_of
from sentinel.pipeline.explanations import Explanations, explained
from sentinel.pipeline.incidents import odds_of, worst_first
from sentinel.pipeline.log_parts import read_in_parts
from sentinel.pipeline.report import Progress, nobody
from sentinel.pipeline.tally import Tally
from sentinel.records import empty_records

__all__ = ["Scanned", "scan"]

LEARN_LINES = 150_000  # of each half; more are learnt from in blocks that lie evenly over it
BLOCKS = 10
SCORE_LINES = 50_000
SECONDS_A_WEEK = 7 * 86_400
MIN_LINES = 40


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan found. `notes` say what could not be known or read."""

    incidents: Sequence[Incident]  # the worst first
    lines: int
    learnt: int  # lines that taught
    anomalies: int
    since: datetime | None  # first and last time in the files
    until: datetime | None
    notes: Sequence[str]


def scan(
    paths: Sequence[Path],
    *,
    now: datetime,
    baseline: Sequence[Path] = (),
    since: datetime | None = None,
    progress: Progress = nobody,
) -> Scanned:
    """Read files (`-`: standard input), learn what is usual, and group what is not.

    With a `baseline` that is what is usual; else each half of the lines, in time, is judged by what the other half
    teaches: an incident is new to the half that it is not in. Raises TerminalError where nothing can be read.
    """
    records, notes = _read(paths, now, progress)
    if records.height < MIN_LINES and not baseline:
        few = counted(records.height, "line is", "lines are")
        few += " too few to know what is usual; name a good log with --baseline"
        return Scanned([], records.height, 0, 0, *_span(records), [*notes, few])
    if baseline:
        usual, more = _read(baseline, now, progress)
        anomalies, known = _judged(usual, records, now, _counted(progress, records.height))
        learnt = min(usual.height, LEARN_LINES)
        notes += [*more, "judged by the baseline alone: what is usual there is usual here"]
    else:
        half = records.height // 2
        anomalies, known = _crossed(records.head(half), records.tail(records.height - half), now, progress)
        learnt = min(half, LEARN_LINES) + min(records.height - half, LEARN_LINES)
        notes.append("from these files alone: what happens in both halves counts as usual, however bad it is")
    if learnt < records.height and not baseline:
        some = f"{learnt:,} of {counted(records.height, 'line')}"
        notes.append(f"learnt from {some}, in blocks that lie evenly over them")
    actors = actors_of(anomalies)
    _, found = group(odds_of(anomalies, actors), [])
    incidents = explained(found, anomalies, actors, Explanations(known, Tally()))
    shown = [i for i in incidents if since is None or i.last_s >= since.timestamp()]
    shown.sort(key=worst_first)
    return Scanned(shown, records.height, learnt, anomalies.height, *_span(records), notes)


def _span(records: pl.DataFrame) -> tuple[datetime | None, datetime | None]:
    times = records["timestamp"]
    first, last = times.min(), times.max()
    return (first if isinstance(first, datetime) else None), (last if isinstance(last, datetime) else None)


def _read(paths: Sequence[Path], now: datetime, progress: Progress) -> tuple[pl.DataFrame, list[str]]:
    """The records of all files in the order of time, and what is to be said of them."""
    frames, notes, lines, done = [empty_records()], list[str](), 0, 0
    total = sum(path.stat().st_size for path in paths if path.is_file())

    def told(more: int) -> None:
        nonlocal done
        done += more
        progress("reading", done, total, lines)

    for path in paths:
        before = lines
        try:
            for records in read_in_parts(path, now=now, progress=told):
                frames.append(records)
                lines += records.height
        except TerminalError as exc:
            notes.append(str(exc))
        except OSError as exc:
            notes.append(f"{path}: {exc.strerror or exc}; what came before it was read")
        if lines == before and not any(str(path) in note for note in notes):
            notes.append(f"{path}: no lines")
    records = pl.concat(frames)
    if records.is_empty():
        raise TerminalError("scan: " + ("; ".join(notes) or "there is not one line"))
    undated = records.filter(pl.col("attributes").str.contains("timestamp_unreadable", literal=True)).height
    if undated > records.height // 2:
        notes.append("most lines have no time that can be read: nothing is known of rates and silences")
        records = records.with_columns(
            timestamp=pl.lit(now - timedelta(days=1)).dt.cast_time_unit("ns") + _beat(records)
        )
    return records.sort("timestamp", maintain_order=True), notes


def _beat(records: pl.DataFrame) -> pl.Expr:
    """A second a line, where lines have no time of their own."""
    return pl.duration(seconds=pl.int_range(records.height, dtype=pl.Int64))


def _crossed(
    first: pl.DataFrame, second: pl.DataFrame, now: datetime, progress: Progress
) -> tuple[pl.DataFrame, dict[str, float]]:
    """The anomalies of both halves, each by what the other teaches, and when each template last came; side by side,
    since kernels let other threads run."""
    told = _counted(progress, first.height + second.height)
    with ThreadPoolExecutor(2) as threads:
        halves = [threads.submit(_judged, *pair, now, told) for pair in ((second, first), (first, second))]
        (early, later_known), (late, early_known) = (half.result() for half in halves)
    return pl.concat([early, late]), early_known | later_known


def _counted(progress: Progress, total: int) -> Callable[[int], None]:
    """Progress of judging, for any number of threads: told how many lines more are done."""
    done, lock = 0, Lock()

    def told(more: int) -> None:
        nonlocal done
        with lock:
            done += more
            progress("judging", done, total, done)

    progress("learning", 0, 0, 0)
    return told


def _judged(
    usual: pl.DataFrame, records: pl.DataFrame, now: datetime, told: Callable[[int], None]
) -> tuple[pl.DataFrame, dict[str, float]]:
    """The anomalies of records by what `usual` lines teach, and when each template last came in these.

    Where the records come before what teaches, their clock is put on by whole weeks, so that the lessons are a past.
    """
    taught = fit(_blocks(usual), now=now)
    scorer = Scorer(taught.model, taught.state)
    shift = timedelta(seconds=_shift_s(usual, records))
    begins = _span(records)[0]
    found = []
    for piece in records.iter_slices(SCORE_LINES):
        later = piece.with_columns((pl.col("timestamp") + shift).dt.cast_time_unit("ns"))
        found.append(_put_back(anomalies_of(later, scorer.score(later)), shift, "timestamp"))
        found.append(_put_back(anomalies_of(*scorer.ended()), shift, "timestamp", "received"))
        told(piece.height)
    found.append(_put_back(anomalies_of(*scorer.ended(for_good=True)), shift, "timestamp", "received"))
    anomalies = pl.concat(found)
    own = anomalies.filter(pl.col("timestamp") >= begins)  # not the sessions that were open where the lessons ended
    return own, taught.model.last_seen()


def _put_back(anomalies: pl.DataFrame, shift: timedelta, *names: str) -> pl.DataFrame:
    """With the clock of the files in these columns again: a session's record is made under the scorer's."""
    return anomalies.with_columns((pl.col(name) - shift).cast(anomalies.schema[name]) for name in names)


def _blocks(records: pl.DataFrame) -> pl.DataFrame:
    """All lines, or LEARN_LINES of them in BLOCKS that lie evenly over the whole: within a block no line is missing."""
    if records.height <= LEARN_LINES:
        return records
    length, step = LEARN_LINES // BLOCKS, records.height // BLOCKS
    return pl.concat([records.slice(n * step, length) for n in range(BLOCKS)])


def _shift_s(usual: pl.DataFrame, records: pl.DataFrame) -> int:
    ended, begins = _span(usual)[1], _span(records)[0]
    if ended is None or begins is None or begins >= ended:
        return 0
    return math.ceil((ended - begins).total_seconds() / SECONDS_A_WEEK) * SECONDS_A_WEEK
