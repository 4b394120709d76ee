"""Dead letters: accepted records that could not be delivered, with their reasons; listed, replayed or dropped."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentinel.failpoints import reach
from sentinel.spool import ledger
from sentinel.spool.batches import Batch, checksum, decode, encode, number
from sentinel.spool.schema import DeadLettersFullError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["DEAD", "DELIVERED", "DROPPED", "MAX_LETTER_BYTES", "WAITING", "DeadLetter"]

DEAD, WAITING, DELIVERED, DROPPED = "dead", "waiting", "delivered", "dropped"
MAX_LETTER_BYTES = 256 * 1024 * 1024
MAX_REASON_CHARS = 2_000
UNREADABLE = "corrupt record"

_COLUMNS = "stream, sequence, state, source, event_id, reason, attempts, received_s, died_s, changed_s, bytes"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record that could not be delivered, without its content (`Spool.letter` has it)."""

    stream: str
    sequence: int
    state: str  # "dead", "waiting" (to be delivered again), "delivered" (after all) or "dropped" (given up by somebody)
    source: str
    event_id: str | None
    reason: str  # why it died last
    attempts: int  # how often it was refused for good
    received_s: float  # Unix time
    died_s: float  # Unix time of the first refusal
    changed_s: float  # Unix time of the last change of state
    bytes: int


def bury(
    connection: sqlite3.Connection,
    batch: Batch,
    frame: pl.DataFrame | None,
    reasons: Mapping[int, str],
    now_s: float,
    *,
    max_bytes: int,
) -> dict[str, int]:
    """Write records of one batch among the dead letters; how many of each source.

    `frame` is the batch's content, None where it can no longer be read. Raises DeadLettersFullError at the bound.
    """
    reach("spool.before-dead-letter")
    rows, counts = [], dict[str, int]()
    for sequence, reason in reasons.items():
        row = frame.slice(sequence - batch.first, 1) if frame is not None else None
        blob = encode(row) if row is not None else b""
        source = batch.source(sequence)
        counts[source] = counts.get(source, 0) + 1
        event_id = row["event_id"][0] if row is not None else None
        received_s = row["received"][0].timestamp() if row is not None and row["received"][0] else now_s
        rows.append(
            (
                *(batch.stream, sequence, DEAD, source, event_id, reason[:MAX_REASON_CHARS], 1),
                *(received_s, now_s, now_s, checksum(blob, batch.stream, sequence), len(blob), blob),
            )
        )
    add_bytes(connection, batch.stream, sum(row[-2] for row in rows), max_bytes)
    connection.executemany(f"INSERT INTO letters VALUES (NULL{', ?' * 13})", rows)  # noqa: S608 no values here
    return counts


def add_bytes(connection: sqlite3.Connection, stream: str, added: int, max_bytes: int) -> None:
    """Count the room that letters take; raises DeadLettersFullError when it would pass `max_bytes`."""
    connection.execute("UPDATE streams SET letter_bytes = letter_bytes + ? WHERE name = ?", (added, stream))
    (total,) = connection.execute("SELECT letter_bytes FROM streams WHERE name = ?", (stream,)).fetchone()
    if added > 0 and total > max_bytes:
        raise DeadLettersFullError(
            f"bury dead letters of {stream}: they have reached their bound of {max_bytes} bytes; delivery waits. "
            "Look at them with `sentinel dead-letters list`, then replay or drop them"
        )


def list_letters(
    connection: sqlite3.Connection, stream: str | None, state: str | None, after: int, limit: int
) -> list[DeadLetter]:
    """Letters in the order of their sequence, those after sequence `after`, at most `limit`."""
    rows = connection.execute(
        f"""SELECT {_COLUMNS} FROM letters WHERE (:stream IS NULL OR stream = :stream)
        AND (:state IS NULL OR state = :state) AND sequence > :after ORDER BY sequence, stream LIMIT :limit""",  # noqa: S608 our columns
        {"stream": stream, "state": state, "after": after, "limit": limit},
    )
    return [DeadLetter(*row) for row in rows]


def count_letters(connection: sqlite3.Connection, limit: int) -> list[tuple[str, str, str, int]]:
    """(stream, state, reason up to its first colon, how many), the most frequent first."""
    rows = connection.execute(
        """SELECT stream, state, substr(substr(reason, 1, instr(reason || ':', ':') - 1), 1, 100) AS kind, count(*)
        FROM letters GROUP BY stream, state, kind ORDER BY count(*) DESC, kind LIMIT ?""",
        (limit,),
    )
    return [(stream, state, kind, count) for stream, state, kind, count in rows]


def read_letters(
    connection: sqlite3.Connection, stream: str, spool: str, sequences: Sequence[int]
) -> tuple[pl.DataFrame | None, list[int]]:
    """The records of these letters in their stream's columns (None: none), and which of them can no longer be read."""
    import numpy as np
    import polars as pl

    frames, kept, unreadable = [], [], []
    for sequence in sequences:
        row = connection.execute(
            "SELECT crc, blob FROM letters WHERE stream = ? AND sequence = ?", (stream, sequence)
        ).fetchone()
        if row is None:
            continue
        if not row[1] or checksum(row[1], stream, sequence) != row[0]:
            unreadable.append(sequence)
            continue
        frames.append(decode(row[1], stream))
        kept.append(sequence)
    if not frames:
        return None, unreadable
    return number(pl.concat(frames, rechunk=True), stream, spool, np.array(kept, dtype=np.int64)), unreadable


def waiting_letters(connection: sqlite3.Connection, stream: str, limit: int) -> list[int]:
    """The sequences of the letters that are to be delivered again, oldest first."""
    rows = connection.execute(
        "SELECT sequence FROM letters WHERE stream = ? AND state = 'waiting' ORDER BY sequence LIMIT ?", (stream, limit)
    )
    return [sequence for (sequence,) in rows]


def change_state(
    connection: sqlite3.Connection, stream: str, sequences: Collection[int], before: str, after: str, now_s: float
) -> list[int]:
    """Change letters that are in state `before`, and the ledger with them; which they were."""
    changed = []
    for sequence in sequences:
        row = connection.execute(
            "SELECT id, source FROM letters WHERE stream = ? AND sequence = ? AND state = ?", (stream, sequence, before)
        ).fetchone()
        if row is not None:
            key, source = row
            connection.execute("UPDATE letters SET state = ?, changed_s = ? WHERE id = ?", (after, now_s, key))
            ledger.shift(connection, stream, {source: 1}, **_steps(before, after))
            changed.append(sequence)
    return changed


def _steps(before: str, after: str) -> dict[str, int]:
    """What a change of state does to the ledger's columns; a dropped letter goes on being counted as dead."""
    column = {DEAD: "dead", DROPPED: "dead", WAITING: "waiting", DELIVERED: "delivered"}
    steps = {"waiting": 0, "delivered": 0, "dead": 0}
    steps[column[before]] -= 1
    steps[column[after]] += 1
    return steps


def settle(
    connection: sqlite3.Connection, stream: str, delivered: Collection[int], dead: Mapping[int, str], now_s: float
) -> None:
    """Enter what became of letters on replay."""
    if dead:
        reach("spool.before-dead-letter")
    gone = change_state(connection, stream, delivered, WAITING, DELIVERED, now_s)
    empty(connection, stream, gone)
    for sequence in change_state(connection, stream, dead.keys(), WAITING, DEAD, now_s):
        connection.execute(
            "UPDATE letters SET reason = ?, attempts = attempts + 1 WHERE stream = ? AND sequence = ?",
            (dead[sequence][:MAX_REASON_CHARS], stream, sequence),
        )


def empty(connection: sqlite3.Connection, stream: str, sequences: Sequence[int]) -> None:
    """Take the content out of letters that nobody needs again; their lines stay."""
    for sequence in sequences:
        (freed,) = connection.execute(
            "SELECT bytes FROM letters WHERE stream = ? AND sequence = ?", (stream, sequence)
        ).fetchone()
        connection.execute(
            "UPDATE letters SET blob = x'', bytes = 0, crc = ? WHERE stream = ? AND sequence = ?",
            (checksum(b"", stream, sequence), stream, sequence),
        )
        add_bytes(connection, stream, -freed, 0)
