"""Reading the spool: rows to a frame of records; a batch that cannot be read is set aside and counted as dead."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentinel.errors import TransientError
from sentinel.spool.batches import Batch, no_rows, number
from sentinel.spool.database import Database, is_damage
from sentinel.spool.quarantine import set_aside
from sentinel.spool.rows import HEAD, READABLE, next_batch, to_batch

if TYPE_CHECKING:
    import polars as pl

__all__ = ["read_frame", "read_newest"]

MAX_DOUBTS = 3  # batches that were damaged at first and whole at the second look


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A batch's row as it came from the disk; `blob` is None where the disk's pages are damaged."""

    batch: Batch
    blob: bytes | None


def read_frame(
    database: Database,
    stream: str,
    spool: str,
    after: int,
    max_records: int,
    max_bytes: int,
    *,
    clock: Callable[[], float],
) -> pl.DataFrame:
    """The records after `after`: at most `max_records`, and about `max_bytes` in memory (at least one batch)."""
    doubts = 0
    while doubts <= MAX_DOUBTS:
        with database.reading(f"read {stream}") as connection:
            loaded = _load(connection, stream, after, max_records, max_bytes)
        good, broken = _decoded(loaded)
        if broken is None:
            return _joined(good, stream, spool, after, max_records)
        doubts += not set_aside(database, broken.batch, broken.blob, clock())
    raise TransientError(
        f"read {stream} from the spool {database.file}: the disk gives other data each time; try again"
    )


def _load(connection: sqlite3.Connection, stream: str, after: int, max_records: int, max_bytes: int) -> list[_Loaded]:
    """Rows until one of the bounds is reached. Ends at the first row whose pages are damaged, with that row."""
    found, records, size = list[_Loaded](), 0, 0
    cursor = connection.execute(
        f"""SELECT {HEAD}, frame_bytes, blob FROM batches
        WHERE stream = :stream AND last > :after AND {READABLE} ORDER BY last""",  # noqa: S608 our columns
        {"stream": stream, "after": after},
    )
    try:
        for *head, frame_bytes, blob in cursor:
            batch = to_batch(head)
            if found and size + frame_bytes > max_bytes:
                break
            found.append(_Loaded(batch, blob))
            records += batch.last - max(after, batch.first - 1)
            size += frame_bytes
            if records >= max_records:
                break
    except sqlite3.Error as exc:
        if not is_damage(exc):
            raise
        passed = found[-1].batch.last if found else after
        found.append(_Loaded(next_batch(connection, stream, passed), None))
    finally:
        cursor.close()
    return found


def _decoded(loaded: list[_Loaded]) -> tuple[list[tuple[Batch, pl.DataFrame]], _Loaded | None]:
    """The batches with their frames, up to the first that cannot be read; that one."""
    good: list[tuple[Batch, pl.DataFrame]] = []
    for row in loaded:
        frame = _open(row)
        if frame is None:
            return good, row
        good.append((row.batch, frame))
    return good, None


def _open(row: _Loaded) -> pl.DataFrame | None:
    return None if row.blob is None else row.batch.open(row.blob)


def _joined(
    good: list[tuple[Batch, pl.DataFrame]], stream: str, spool: str, after: int, max_records: int
) -> pl.DataFrame:
    """One frame of the batches' records after `after`, numbered."""
    import numpy as np
    import polars as pl

    if not good:
        return no_rows(stream)
    frames = [frame for _, frame in good]
    frame = frames[0] if len(frames) == 1 else pl.concat(frames, rechunk=True)
    sequences = np.concatenate([np.arange(batch.first, batch.last + 1) for batch, _ in good])
    skipped = max(0, after + 1 - good[0][0].first)
    return number(frame.slice(skipped, max_records), stream, spool, sequences[skipped : skipped + max_records])


def read_newest(
    database: Database, stream: str, spool: str, limit: int, since_s: float | None, *, clock: Callable[[], float]
) -> pl.DataFrame:
    """The newest records of a stream, newest first: at most `limit`, those that happened at or after `since_s`."""
    import polars as pl

    with database.reading(f"read {stream}") as connection:
        (following,) = connection.execute("SELECT next_sequence FROM streams WHERE name = ?", (stream,)).fetchone()
    frames, found, until = list[pl.DataFrame](), 0, following - 1
    while found < limit and until > 0:
        after = max(0, until - max(limit, 256))
        frame = read_frame(database, stream, spool, after, until - after, 2**62, clock=clock)
        frame = frame.filter(pl.col("sequence") <= until)
        if since_s is not None:
            frame = frame.filter(pl.col("timestamp").dt.epoch("ns") >= int(since_s * 1e9))
        frames.append(frame.reverse())
        found, until = found + frame.height, after
    newest = pl.concat(frames) if frames else no_rows(stream)
    return newest.head(limit)
