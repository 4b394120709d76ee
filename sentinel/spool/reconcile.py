"""Putting the books of a salvaged spool in order: what cannot be found is entered as dead, and everything adds up."""

import json
import sqlite3
from collections import Counter

from sentinel.counted import counted
from sentinel.spool import ledger, readers
from sentinel.spool.quarantine import quarantine
from sentinel.spool.recount import Recount, recount, rejected_total
from sentinel.spool.rows import HEAD, read_batches, to_batch
from sentinel.spool.schema import COUNTING_READERS, READER_STREAMS, STREAMS

__all__ = ["LOST", "reconcile"]

LOST = "lost with the damaged file"
MAX_SEQUENCE = 2**53  # a bigger one was never given: only damage makes it


def reconcile(connection: sqlite3.Connection, now_s: float) -> tuple[int, list[str]]:
    """Make sequences, positions and books of a salvaged spool agree; how many records are lost, and remarks."""
    lost, notes = 0, list[str]()
    _drop_impossible(connection)
    for stream in STREAMS:
        _drop_overlaps(connection, stream)
        last = _last_sequence(connection, stream)
        _place_readers(connection, stream, last, notes)
        _set_corrupt_aside(connection, stream, now_s)
        missing = _enter_missing(connection, stream, last, now_s)
        lost += missing
        if missing:
            notes.append(f"{counted(missing, 'record')} of {stream} not found, dead now: {LOST}")
        _rewrite_books(connection, stream, last, notes)
    return lost, notes


def _drop_impossible(connection: sqlite3.Connection) -> None:
    """Rows of the old file that only damage can have made."""
    connection.execute(
        "DELETE FROM batches WHERE last - first + 1 != count OR count < 1 OR first < 1 OR last > ?", (MAX_SEQUENCE,)
    )
    for table in ("batches", "letters", "quarantine", "books", "streams"):
        column = "name" if table == "streams" else "stream"
        connection.execute(
            f"DELETE FROM {table} WHERE {column} NOT IN ({', '.join('?' * len(STREAMS))})",  # noqa: S608 our tables
            tuple(STREAMS),
        )


def _drop_overlaps(connection: sqlite3.Connection, stream: str) -> None:
    """Batches whose twin in quarantine has them already are gone; overlapping ones keep the first."""
    last = 0
    for batch in read_batches(connection, stream, 0):
        if batch.first <= last:
            connection.execute("DELETE FROM batches WHERE id = ?", (batch.id,))
        else:
            last = batch.last
    connection.execute(
        "DELETE FROM batches WHERE stream = :stream AND last IN (SELECT last FROM quarantine WHERE stream = :stream)",
        {"stream": stream},
    )


def _last_sequence(connection: sqlite3.Connection, stream: str) -> int:
    """The highest sequence that anything speaks of."""
    asked = [
        ("SELECT next_sequence - 1 FROM streams WHERE name = ?", stream),
        ("SELECT max(last) FROM batches WHERE stream = ?", stream),
        ("SELECT max(last) FROM quarantine WHERE stream = ?", stream),
        ("SELECT max(sequence) FROM letters WHERE stream = ?", stream),
        ("SELECT sum(accepted) FROM books WHERE stream = ?", stream),
        *(("SELECT sequence FROM readers WHERE name = ?", name) for name, of in READER_STREAMS.items() if of == stream),
    ]
    found = [connection.execute(question, (value,)).fetchone() for question, value in asked]
    return max(int(row[0]) for row in found if row is not None and row[0] is not None)


def _place_readers(connection: sqlite3.Connection, stream: str, last: int, notes: list[str]) -> None:
    """A reader whose position was lost stands before all that may be undelivered: twice is harmless, never is not."""
    start = _safe_start(connection, stream, last)
    for reader, of in READER_STREAMS.items():
        position = readers.read_position(connection, reader)
        if of == stream and last and not position.sequence and start:
            connection.execute("UPDATE readers SET sequence = ? WHERE name = ?", (start, reader))
            if reader == COUNTING_READERS[stream]:
                connection.execute("DELETE FROM letters WHERE stream = ? AND sequence > ?", (stream, start))
                notes.append(f"reader {reader} stands at {start} now; what lies before counts as delivered")


def _safe_start(connection: sqlite3.Connection, stream: str, last: int) -> int:
    """Up to where all was surely read: before the first batch that is there, and before what the books say waits.

    Only where the books are gone too, and no batch is left, must `last` be believed: nothing tells how much waited.
    """
    (first,) = connection.execute("SELECT min(first) FROM batches WHERE stream = ?", (stream,)).fetchone()
    accepted, waiting = connection.execute(
        "SELECT coalesce(sum(accepted), 0), coalesce(sum(waiting), 0) FROM books WHERE stream = ?", (stream,)
    ).fetchone()
    start = last if first is None else first - 1
    return min(start, max(0, last - waiting)) if accepted == last else start


def _set_corrupt_aside(connection: sqlite3.Connection, stream: str, now_s: float) -> None:
    heads = connection.execute(f"SELECT {HEAD} FROM batches WHERE stream = ? ORDER BY last", (stream,)).fetchall()  # noqa: S608 our columns
    for head in heads:
        batch = to_batch(head)
        (blob,) = connection.execute("SELECT blob FROM batches WHERE id = ?", (batch.id,)).fetchone()
        if not batch.is_whole(blob):
            quarantine(connection, batch, blob, LOST, now_s)


def _enter_missing(connection: sqlite3.Connection, stream: str, last: int, now_s: float) -> int:
    """Quarantine entries for the waiting sequences that no row holds; how many they are."""
    position = readers.read_position(connection, COUNTING_READERS[stream]).sequence
    ranges = [(batch.first, batch.last) for batch in read_batches(connection, stream, position)]
    ranges += connection.execute("SELECT first, last FROM quarantine WHERE stream = ? AND last > ?", (stream, position))
    gaps, expected = [], position + 1
    for first, end in [*sorted(ranges), (last + 1, last)]:
        if first > expected:
            gaps.append((expected, first - 1))
        expected = max(expected, end + 1)
    left = _lost_by_source(connection, stream)
    total = sum(end - first + 1 for first, end in gaps)
    if left.total() != total or any(n < 0 for n in left.values()):
        left = Counter({ledger.OTHER: total})
    for first, end in gaps:
        taken = _take(left, end - first + 1)
        connection.execute(
            "INSERT INTO quarantine VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, NULL)",
            (stream, first, end, end - first + 1, LOST, now_s, json.dumps(taken, ensure_ascii=False)),
        )
    target = readers.skip_quarantined(connection, stream, position)
    if target > position:
        readers.write_position(connection, COUNTING_READERS[stream], target, now_s)
    return total


def _lost_by_source(connection: sqlite3.Connection, stream: str) -> Counter[str]:
    """What the old books say is accepted, without what is delivered, waits or is dead."""
    counted = recount(connection, stream)
    left = Counter[str]()
    for source, accepted, delivered in connection.execute(
        "SELECT source, accepted, delivered FROM books WHERE stream = ?", (stream,)
    ):
        left[source] = accepted - delivered - counted.waiting[source] - counted.dead[source]
    return left


def _take(left: Counter[str], wanted: int) -> dict[str, int]:
    taken: dict[str, int] = {}
    for source in list(left):
        n = min(left[source], wanted)
        if n > 0:
            taken[source] = n
            left[source] -= n
            wanted -= n
    return taken


def _rewrite_books(connection: sqlite3.Connection, stream: str, last: int, notes: list[str]) -> None:
    """The counters as they can be counted; what was delivered in the past goes to "other" where its source is lost."""
    counted = recount(connection, stream)
    old = dict(connection.execute("SELECT source, delivered FROM books WHERE stream = ?", (stream,)).fetchall())
    if sum(old.values()) != counted.delivered or any(n < 0 for n in old.values()):
        notes.append(f"the books of {stream} were made anew: what was delivered before counts under {ledger.OTHER!r}")
        old = {ledger.OTHER: counted.delivered}
    connection.execute("DELETE FROM books WHERE stream = ?", (stream,))
    for source in {*old, *counted.waiting, *counted.dead}:
        waiting, delivered, dead = counted.waiting[source], old.get(source, 0), counted.dead[source]
        connection.execute(
            "INSERT INTO books VALUES (?, ?, ?, ?, ?, ?)",
            (stream, source, waiting + delivered + dead, waiting, delivered, dead),
        )
    _rewrite_stream(connection, stream, last, counted)


def _rewrite_stream(connection: sqlite3.Connection, stream: str, last: int, counted: Recount) -> None:
    received = last + rejected_total(connection, stream)
    connection.execute(
        "INSERT OR REPLACE INTO streams VALUES (?, ?, ?, ?, ?)",
        (stream, last + 1, received, counted.waiting_bytes, counted.letter_bytes),
    )
