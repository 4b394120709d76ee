"""What the spool keeps beside records: file checkpoints, small states, scored ranges."""

import logging
import sqlite3
import zlib

from sentinel.errors import TerminalError
from sentinel.streams import Checkpoint

__all__ = ["MAX_BLOB_BYTES"]

log = logging.getLogger(__name__)

MAX_BLOB_BYTES = 4 * 1024 * 1024


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


def add_to_counter(connection: sqlite3.Connection, name: str, count: int) -> None:
    """Count on: how often something happened in the life of this spool."""
    total = get_counter(connection, name) + count
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"counter {name}", str(total)))


def get_counter(connection: sqlite3.Connection, name: str) -> int:
    """What was counted under this name; 0 before the first, and after a repair."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (f"counter {name}",)).fetchone()
    return int(row[0]) if row else 0


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
        "SELECT version, first, last FROM scored WHERE :version IS NULL OR version = :version ORDER BY version, first",
        {"version": version},
    )
    return [(name, first, last) for name, first, last in rows]


def get_checkpoints(connection: sqlite3.Connection) -> list[Checkpoint]:
    """All file checkpoints."""
    return [Checkpoint(*row) for row in connection.execute("SELECT * FROM checkpoints ORDER BY path, generation")]
