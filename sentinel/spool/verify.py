"""Verifying a spool: its file, its checksums, its sequences and its books, each recounted from what is really there."""

import sqlite3
import zlib
from collections.abc import Iterator

from sentinel.spool import ledger
from sentinel.spool.batches import checksum
from sentinel.spool.database import Database, is_damage
from sentinel.spool.recount import recount
from sentinel.spool.rows import HEAD, read_batches, to_batch
from sentinel.spool.schema import STREAMS

__all__ = ["verify"]

MAX_FINDINGS_A_KIND = 20


def verify(database: Database) -> list[str]:
    """What is wrong, in words; an empty list when nothing is. Can run while others read and write."""
    findings: list[str] = []
    for check in (_check_file, _check_books, _check_batches, _check_letters, _check_blobs, _list_quarantine):
        found = list(check(database))
        findings += found[:MAX_FINDINGS_A_KIND]
        if len(found) > MAX_FINDINGS_A_KIND:
            findings.append(f"… and {len(found) - MAX_FINDINGS_A_KIND} more of this kind")
    return findings


def _check_file(database: Database) -> Iterator[str]:
    with database.reading("check the file") as connection:
        try:
            rows = connection.execute("PRAGMA quick_check(20)").fetchall()
        except sqlite3.Error as exc:
            if not is_damage(exc):
                raise
            rows = [(str(exc),)]
    for (finding,) in rows:
        if finding != "ok":
            yield f"the file is damaged: {finding}; stop the server and the flows, then run `sentinel spool repair`"


def _check_books(database: Database) -> Iterator[str]:
    for stream in STREAMS:
        with database.reading("check the books", snapshot=True) as connection:
            books = ledger.read_ledger(connection, stream, 0)
            counted = recount(connection, stream)
            following, letter_bytes = connection.execute(
                "SELECT next_sequence, letter_bytes FROM streams WHERE name = ?", (stream,)
            ).fetchone()
            yield from _check_order(connection, stream, counted.position, following - 1)
        pairs = [
            ("accepted (sequences given)", books.accepted, following - 1),
            ("received", books.received, books.accepted + books.rejected),
            ("delivered", books.delivered, counted.delivered),
            ("waiting", books.waiting, counted.waiting.total()),
            ("dead", books.dead, counted.dead.total()),
            ("bytes waiting", books.bytes, counted.waiting_bytes),
            ("bytes of dead letters", letter_bytes, counted.letter_bytes),
        ]
        for source in books.by_source:
            pairs.append((f"waiting of source {source.source}", source.waiting, counted.waiting[source.source]))
            pairs.append((f"dead of source {source.source}", source.dead, counted.dead[source.source]))
            known = source.delivered + source.waiting + source.dead
            pairs.append((f"accepted of source {source.source}", source.accepted, known))
        for what, written, found in pairs:
            if written != found:
                yield f"the books of {stream} say {what} = {written}, counted are {found}"


def _check_order(connection: sqlite3.Connection, stream: str, position: int, last: int) -> Iterator[str]:
    """Waiting sequences are there without a gap, each once."""
    ranges = [(batch.first, batch.last) for batch in read_batches(connection, stream, position)]
    ranges += connection.execute("SELECT first, last FROM quarantine WHERE stream = ? AND last > ?", (stream, position))
    expected = position + 1
    for first, end in sorted(ranges):
        if first > expected:
            yield f"{stream} {expected}…{first - 1} are missing"
        elif first < expected and expected > position + 1:
            yield f"{stream} {first}…{min(end, expected - 1)} are there twice"
        expected = max(expected, end + 1)
    if expected <= last:
        yield f"{stream} {expected}…{last} are missing"


def _check_batches(database: Database) -> Iterator[str]:
    """One row at a time, so that no snapshot stays open for long."""
    after = 0
    while True:
        with database.reading("check a batch") as connection:
            query = f"SELECT {HEAD} FROM batches WHERE id > ? ORDER BY id LIMIT 1"  # noqa: S608 our columns
            head = connection.execute(query, (after,)).fetchone()
            if head is None:
                return
            batch, blob = to_batch(head), b""
            try:
                row = connection.execute("SELECT blob FROM batches WHERE id = ?", (batch.id,)).fetchone()
                blob, is_gone = (row[0], False) if row else (b"", True)
            except sqlite3.Error as exc:
                if not is_damage(exc):
                    raise
                is_gone = False
        after = batch.id
        if not is_gone and not batch.is_whole(blob):
            yield f"the batch of {batch.stream} {batch.first}…{batch.last} is corrupt; the next read sets it aside"


def _check_letters(database: Database) -> Iterator[str]:
    after = 0
    while True:
        with database.reading("check dead letters") as connection:
            rows = connection.execute(
                "SELECT id, stream, sequence, crc, blob FROM letters WHERE id > ? ORDER BY id LIMIT 100", (after,)
            ).fetchall()
        if not rows:
            return
        for key, stream, sequence, crc, blob in rows:
            after = key
            if checksum(blob, stream, sequence) != crc:
                yield f"the record of dead letter {stream} {sequence} is corrupt; it cannot be replayed"


def _check_blobs(database: Database) -> Iterator[str]:
    with database.reading("check states") as connection:
        rows = connection.execute("SELECT name, crc, blob FROM blobs").fetchall()
    for name, crc, blob in rows:
        if zlib.crc32(blob) != crc:
            yield f"the state {name} is corrupt; it is made anew"


def _list_quarantine(database: Database) -> Iterator[str]:
    with database.reading("list the quarantine") as connection:
        rows = connection.execute("SELECT stream, first, last, dead, reason FROM quarantine ORDER BY id").fetchall()
    for stream, first, last, dead, reason in rows:
        yield f"{stream} {first}…{last} are in quarantine: {reason}; {dead} of them count as dead"
