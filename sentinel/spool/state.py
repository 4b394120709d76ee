"""What the spool keeps beside records: file checkpoints, answers to Idempotency-Keys, small states, scored ranges."""

import logging
import sqlite3
import zlib
from dataclasses import dataclass

from sentinel.errors import TerminalError
from sentinel.records import Checkpoint

__all__ = ["ANSWER_KEPT_S", "MAX_ANSWERS", "MAX_BLOB_BYTES", "Answer"]

log = logging.getLogger(__name__)

MAX_ANSWERS = 100_000
ANSWER_KEPT_S = 86_400.0
MAX_BLOB_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer once given to an Idempotency-Key."""

    digest: str  # of the body it was given to
    answer: bytes
    at_s: float  # Unix time


def put_answer(connection: sqlite3.Connection, client: str, key: str, digest: str, answer: bytes, now_s: float) -> None:
    """Keep an answer; the oldest beyond MAX_ANSWERS go."""
    row = connection.execute(
        "INSERT OR REPLACE INTO answers VALUES (NULL, ?, ?, ?, ?, ?)", (client, key, digest, now_s, answer)
    )
    connection.execute("DELETE FROM answers WHERE id <= ?", ((row.lastrowid or 0) - MAX_ANSWERS,))


def get_answer(connection: sqlite3.Connection, client: str, key: str, since_s: float) -> Answer | None:
    """The answer kept for a key, unless it was given before `since_s`."""
    row = connection.execute(
        "SELECT digest, answer, at_s FROM answers WHERE client = ? AND key = ? AND at_s >= ?", (client, key, since_s)
    ).fetchone()
    return Answer(*row) if row else None


def put_blob(connection: sqlite3.Connection, name: str, content: bytes, now_s: float) -> None:
    """Keep a small state with its checksum."""
    if len(content) > MAX_BLOB_BYTES:
        raise TerminalError(f"keep state {name} in the spool: {len(content)} bytes are too many, {MAX_BLOB_BYTES} fit")
    connection.execute("INSERT OR REPLACE INTO blobs VALUES (?, ?, ?, ?)", (name, zlib.crc32(content), now_s, content))


def get_blob(connection: sqlite3.Connection, name: str) -> bytes | None:
    """The state of this name; None where there is none, or where it can no longer be read."""
    row = connection.execute("SELECT crc, blob FROM blobs WHERE name = ?", (name,)).fetchone()
    if row is None:
        return None
    if zlib.crc32(row[1]) != row[0]:
        log.error("skipped damaged state name=%s", name)
        return None
    return bytes(row[1])


def add_scored(connection: sqlite3.Connection, version: str, first: int, last: int) -> None:
    """Merge a range into those of its model."""
    if first > last:
        raise TerminalError(f"note scored events: {first} … {last} is no range")
    low, high = connection.execute(
        "SELECT min(first), max(last) FROM scored WHERE version = ? AND first <= ? AND last >= ?",
        (version, last + 1, first - 1),
    ).fetchone()
    if low is not None:
        connection.execute(
            "DELETE FROM scored WHERE version = ? AND first <= ? AND last >= ?", (version, last + 1, first - 1)
        )
        first, last = min(first, low), max(last, high)
    connection.execute("INSERT INTO scored VALUES (?, ?, ?)", (version, first, last))


def get_scored(connection: sqlite3.Connection, version: str | None) -> list[tuple[str, int, int]]:
    """(model version, first, last) of all that was scored, in order."""
    rows = connection.execute(
        "SELECT version, first, last FROM scored WHERE ?1 IS NULL OR version = ?1 ORDER BY version, first", (version,)
    )
    return [(name, first, last) for name, first, last in rows]


def get_checkpoints(connection: sqlite3.Connection) -> list[Checkpoint]:
    """All file checkpoints."""
    return [Checkpoint(*row) for row in connection.execute("SELECT * FROM checkpoints ORDER BY path, generation")]
