"""Quarantine: a batch that can no longer be read is set aside, and what of it was still waiting is counted as dead."""

import json
import logging
import sqlite3
from dataclasses import dataclass

from sentinel.spool import ledger, readers
from sentinel.spool.batches import Batch
from sentinel.spool.database import Database, is_damage
from sentinel.spool.recount import recount
from sentinel.spool.rows import read_batches
from sentinel.spool.schema import COUNTING_READERS, READER_STREAMS

__all__ = ["CORRUPT", "Quarantined", "count_quarantined", "list_quarantined", "quarantine", "set_aside"]

log = logging.getLogger(__name__)

CORRUPT = "corrupt batch"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A batch that was set aside."""

    stream: str
    first: int
    last: int
    dead: int  # records of it that count as dead: those that were still waiting
    reason: str
    at_s: float  # Unix time
    blob: bytes | None  # what is left of its content, as it was found


def set_aside(database: Database, batch: Batch, blob: bytes | None, now_s: float) -> bool:
    """Move a batch to the quarantine; what of it was still waiting is dead. Harmless where it is there already.

    False where a second look finds the batch whole: SQLite calls a page malformed that the disk failed to read just
    once. Then nothing was changed.
    """
    with database.writing(f"quarantine {batch.stream} {batch.first}…{batch.last}") as connection:
        if not any(
            found.id == batch.id for found in read_batches(connection, batch.stream, batch.last - 1, batch.last)
        ):
            return True
        if _is_readable(connection, batch):
            log.warning("read on the second try stream=%s first=%d last=%d", batch.stream, batch.first, batch.last)
            return False
        quarantine(connection, batch, blob, CORRUPT, now_s)
    log.error("quarantined stream=%s first=%d last=%d reason=%s", batch.stream, batch.first, batch.last, CORRUPT)
    return True


def _is_readable(connection: sqlite3.Connection, batch: Batch) -> bool:
    try:
        (blob,) = connection.execute("SELECT blob FROM batches WHERE id = ?", (batch.id,)).fetchone()
    except sqlite3.Error as exc:
        if not is_damage(exc):
            raise
        return False
    return batch.is_whole(blob)


def quarantine(connection: sqlite3.Connection, batch: Batch, blob: bytes | None, reason: str, now_s: float) -> None:
    """Set a batch aside, in the books and for every reader that stands before it."""
    counting = COUNTING_READERS[batch.stream]
    position = readers.read_position(connection, counting).sequence
    counts = _lost(connection, batch, position)
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


def _lost(connection: sqlite3.Connection, batch: Batch, position: int) -> dict[str, int]:
    """Whose records are lost with a batch after `position`. Its own list of sources may be damaged, so they are what
    the books say is waiting, without what waits elsewhere."""
    lost = max(0, batch.last - max(position, batch.first - 1))
    left = recount(connection, batch.stream).waiting
    left.subtract(batch.counts(position, batch.last))
    books = dict(connection.execute("SELECT source, waiting FROM books WHERE stream = ?", (batch.stream,)).fetchall())
    found = {source: n - left[source] for source, n in books.items() if n != left[source]}
    if sum(found.values()) == lost and all(n > 0 for n in found.values()):
        return found
    connection.execute("INSERT OR IGNORE INTO books VALUES (?, ?, 0, 0, 0, 0)", (batch.stream, ledger.OTHER))
    return {ledger.OTHER: lost} if lost else {}


def list_quarantined(connection: sqlite3.Connection) -> list[Quarantined]:
    """All batches in quarantine, oldest first."""
    rows = connection.execute("SELECT stream, first, last, dead, reason, at_s, blob FROM quarantine ORDER BY id")
    return [Quarantined(*row) for row in rows]


def count_quarantined(connection: sqlite3.Connection) -> int:
    """How many batches are in quarantine."""
    return int(connection.execute("SELECT count(*) FROM quarantine").fetchone()[0])
