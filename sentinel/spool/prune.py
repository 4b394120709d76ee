"""Pruning: what nobody needs again is deleted in small steps, and its room goes back to the disk."""

import sqlite3
from dataclasses import dataclass

from sentinel.failpoints import reach
from sentinel.spool.answers import ANSWER_KEPT_S, forget_answers
from sentinel.spool.database import Database
from sentinel.spool.ledger import fold
from sentinel.spool.schema import COUNTING_READERS, STREAMS
from sentinel.streams import ANOMALIES, EVENTS

__all__ = ["KEEP_ANOMALIES", "KEEP_BYTES", "prune"]

KEEP_BYTES = 256 * 1024 * 1024
KEEP_ANOMALIES = 10_000
LETTER_KEPT_S = 7 * 86_400.0  # of those that were delivered after all
STEP_BATCHES = 64
STEP_BYTES = 8 * 1024 * 1024  # deleting it takes some 20 ms under the lock
STEP_PAGES = 256  # 2 MiB: some milliseconds under the lock
SPARE_PAGES = 1_024  # 8 MiB of free pages stay for the next batches: giving back and taking again costs twice


@dataclass(frozen=True, slots=True)
class _Stale:
    """A batch that may go."""

    id: int
    count: int
    size: int  # bytes


def prune(database: Database, *, now_s: float, keep_bytes: int, keep_anomalies: int) -> int:
    """Delete delivered batches, old answers and letters; how many records went."""
    reach("spool.before-prune")
    pruned = 0
    while True:
        with database.writing("prune") as connection:
            stale = _stale_events(connection, keep_bytes) or _stale_anomalies(connection, keep_anomalies)
            connection.executemany("DELETE FROM batches WHERE id = ?", [(batch.id,) for batch in stale])
            rest = 0 if stale else _prune_rest(connection, now_s)
        if not stale and not rest:
            break
        pruned += sum(batch.count for batch in stale)
    _give_back(database)
    database.keep_reserve()
    return pruned


def _stale_events(connection: sqlite3.Connection, keep_bytes: int) -> list[_Stale]:
    """Delivered batches that detect has passed too, or that lie further back than `keep_bytes`."""
    delivered, detected = (_position(connection, reader) for reader in (COUNTING_READERS[EVENTS], "detect"))
    passed = _oldest(connection, EVENTS, min(delivered, detected))
    if passed or detected >= delivered:
        return passed
    (kept,) = connection.execute(
        "SELECT coalesce(sum(bytes), 0) FROM batches WHERE stream = ? AND last <= ?", (EVENTS, delivered)
    ).fetchone()
    stale = []
    for batch in _oldest(connection, EVENTS, delivered):
        if kept <= keep_bytes:
            break
        stale.append(batch)
        kept -= batch.size
    return stale


def _stale_anomalies(connection: sqlite3.Connection, keep: int) -> list[_Stale]:
    """Delivered batches of anomalies older than the newest `keep`."""
    (following,) = connection.execute("SELECT next_sequence FROM streams WHERE name = ?", (ANOMALIES,)).fetchone()
    delivered = _position(connection, COUNTING_READERS[ANOMALIES])
    return _oldest(connection, ANOMALIES, min(delivered, following - 1 - keep))


def _oldest(connection: sqlite3.Connection, stream: str, until: int) -> list[_Stale]:
    """The first batches up to sequence `until`, no more than one step may take."""
    rows = connection.execute(
        "SELECT id, count, bytes FROM batches WHERE stream = ? AND last <= ? ORDER BY last LIMIT ?",
        (stream, until, STEP_BATCHES),
    )
    found, size = list[_Stale](), 0
    for batch in (_Stale(*row) for row in rows):
        size += batch.size
        if found and size > STEP_BYTES:
            break
        found.append(batch)
    return found


def _position(connection: sqlite3.Connection, reader: str) -> int:
    row = connection.execute("SELECT sequence FROM readers WHERE name = ?", (reader,)).fetchone()
    return int(row[0])


def _prune_rest(connection: sqlite3.Connection, now_s: float) -> int:
    """Letters long delivered; books of small sources and answers past their day, a step of each, how many.

    Checkpoints stay until their reader forgets them.
    """
    connection.execute("DELETE FROM letters WHERE state = 'delivered' AND changed_s < ?", (now_s - LETTER_KEPT_S,))
    folded = sum(fold(connection, stream) for stream in STREAMS)
    return folded + forget_answers(connection, now_s - ANSWER_KEPT_S)


def _give_back(database: Database) -> None:
    """Return free pages to the disk, a few at a time, so that no writer waits for long."""
    free = _free_pages(database)
    while free > SPARE_PAGES:
        database.vacuum(min(STEP_PAGES, free - SPARE_PAGES))
        before, free = free, _free_pages(database)
        if free >= before:  # others free more than this gives back: the next prune goes on
            return


def _free_pages(database: Database) -> int:
    with database.reading("count free pages") as connection:
        return int(connection.execute("PRAGMA freelist_count").fetchone()[0])
