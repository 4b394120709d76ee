"""Reading the spool: rows to a frame of records; a batch that cannot be read is set aside and counted as dead."""

import json
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from sentinel.spool import ledger, readers
from sentinel.spool.batches import Batch, names_from_text, number
from sentinel.spool.database import Database, is_damage
from sentinel.spool.schema import COUNTING_READERS, READER_STREAMS, STREAM_SCHEMAS

__all__ = ["CORRUPT", "read_batches", "read_frame"]

log = logging.getLogger(__name__)

CORRUPT = "corrupt batch"
_HEAD = "id, stream, first, last, crc, bytes, sources, codes"
_READABLE = "last NOT IN (SELECT last FROM quarantine WHERE stream = ?1)"


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A batch's row as it came from the disk; `blob` is None where the disk's pages are damaged."""

    batch: Batch
    blob: bytes | None


def _batch(row: tuple[Any, ...]) -> Batch:
    return Batch(*row[:6], names_from_text(row[6]), row[7])


def read_batches(connection: sqlite3.Connection, stream: str, after: int, until: int | None = None) -> list[Batch]:
    """The readable batches that hold sequences in (after, until], without their blobs."""
    rows = connection.execute(
        f"SELECT {_HEAD} FROM batches WHERE stream = ?1 AND last > ?2 AND {_READABLE} ORDER BY last",  # noqa: S608 our columns
        (stream, after),
    )
    found = []
    for row in rows:
        batch = _batch(row)
        if until is not None and batch.first > until:
            break
        found.append(batch)
    rows.close()
    return found


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
    while True:
        with database.reading(f"read {stream}") as connection:
            loaded = _load(connection, stream, after, max_records, max_bytes)
        good, broken = _decoded(loaded)
        if broken is None:
            return _joined(good, stream, spool, after, max_records)
        _set_aside(database, broken, clock)


def _load(connection: sqlite3.Connection, stream: str, after: int, max_records: int, max_bytes: int) -> list[_Loaded]:
    """Rows until one of the bounds is reached. Ends at the first row whose pages are damaged, with that row."""
    found, records, size = list[_Loaded](), 0, 0
    cursor = connection.execute(
        f"SELECT {_HEAD}, frame_bytes, blob FROM batches WHERE stream = ?1 AND last > ?2 AND {_READABLE} ORDER BY last",  # noqa: S608 our columns
        (stream, after),
    )
    try:
        for *head, frame_bytes, blob in cursor:
            batch = _batch(tuple(head))
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
        found.append(_Loaded(_next_batch(connection, stream, passed), None))
    finally:
        cursor.close()
    return found


def _next_batch(connection: sqlite3.Connection, stream: str, after: int) -> Batch:
    """The batch that follows, without its blob; raises SQLite's own error where that is damaged too."""
    row = connection.execute(
        f"SELECT {_HEAD} FROM batches WHERE stream = ?1 AND last > ?2 AND {_READABLE} ORDER BY last LIMIT 1",  # noqa: S608 our columns
        (stream, after),
    ).fetchone()
    return _batch(row)


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
    if not good:
        return pl.DataFrame(schema=STREAM_SCHEMAS[stream])
    frames = [frame for _, frame in good]
    frame = frames[0] if len(frames) == 1 else pl.concat(frames, rechunk=True)
    sequences = np.concatenate([np.arange(batch.first, batch.last + 1) for batch, _ in good])
    skipped = max(0, after + 1 - good[0][0].first)
    return number(frame.slice(skipped, max_records), stream, spool, sequences[skipped : skipped + max_records])


def _set_aside(database: Database, broken: _Loaded, clock: Callable[[], float]) -> None:
    """Move a batch to the quarantine; what of it was still waiting is dead. Harmless where it is there already."""
    batch = broken.batch
    with database.writing(f"quarantine {batch.stream} {batch.first}…{batch.last}") as connection:
        if not any(
            found.id == batch.id for found in read_batches(connection, batch.stream, batch.last - 1, batch.last)
        ):
            return
        quarantine(connection, batch, broken.blob, CORRUPT, clock())
    log.error("quarantined stream=%s first=%d last=%d reason=%s", batch.stream, batch.first, batch.last, CORRUPT)


def quarantine(connection: sqlite3.Connection, batch: Batch, blob: bytes | None, reason: str, now_s: float) -> None:
    """Set a batch aside, in the books and for every reader that stands before it."""
    counting = COUNTING_READERS[batch.stream]
    position = readers.read_position(connection, counting).sequence
    counts = batch.counts(position, batch.last)
    ledger.shift(connection, batch.stream, counts, waiting=-1, dead=1)
    connection.execute(
        "INSERT INTO quarantine VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(batch.stream, batch.first, batch.last, sum(counts.values()), reason, now_s),
            *(json.dumps(counts, ensure_ascii=False), blob),
        ),
    )
    if batch.last > position:
        connection.execute(
            "UPDATE streams SET waiting_bytes = waiting_bytes - ? WHERE name = ?", (batch.size, batch.stream)
        )
    if blob is not None:
        connection.execute("DELETE FROM batches WHERE id = ?", (batch.id,))
    for reader, stream in READER_STREAMS.items():
        if stream == batch.stream:
            at = readers.read_position(connection, reader).sequence
            target = readers.skip_quarantined(connection, stream, at)
            if target > at:
                readers.write_position(connection, reader, target, now_s)


def read_newest(
    database: Database, stream: str, spool: str, limit: int, since_s: float | None, *, clock: Callable[[], float]
) -> pl.DataFrame:
    """The newest records of a stream, newest first: at most `limit`, those that happened at or after `since_s`."""
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
    newest = pl.concat(frames) if frames else pl.DataFrame(schema=STREAM_SCHEMAS[stream])
    return newest.head(limit)
