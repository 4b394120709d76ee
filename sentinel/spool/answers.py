"""Answers to Idempotency-Keys: kept for their whole day in few bytes, counted, and refused at their bound."""

import hashlib
import sqlite3
from dataclasses import dataclass

__all__ = ["ANSWER_KEPT_S", "Answer", "answer_size", "bytes_kept", "forget_answers", "get_answer", "put_answer"]

ANSWER_KEPT_S = 86_400.0
FORGOTTEN_A_STEP = 500  # each lies on a page of its own in the index: some 4 MiB of write-ahead log
ROW_BYTES = 52  # numbers and headers of a row and of its two index entries, measured with a million rows
TOTAL = "answer_bytes"  # of `meta`
_SIZE = f"{ROW_BYTES} + length(client) + 2 * length(key) + length(digest) + length(answer)"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer once given to an Idempotency-Key."""

    digest: str  # of the body it was given to
    answer: bytes
    at_s: float  # Unix time


def _name(client: str, key: str) -> str:
    """What stands for client and key: 128 bits, as text. Both may be long, and each is on disk twice."""
    return hashlib.blake2b(f"{client}\0{key}".encode(), digest_size=16).hexdigest()


def answer_size(digest: str, answer: bytes) -> int:
    """Bytes that an answer takes on disk."""
    return ROW_BYTES + 2 * 32 + len(digest) + len(answer)


def put_answer(connection: sqlite3.Connection, client: str, key: str, digest: str, answer: bytes, now_s: float) -> None:
    """Keep an answer, in the place of an older one to the same key."""
    before = bytes_kept(connection)
    name = _name(client, key)
    replaced = connection.execute(f"SELECT {_SIZE} FROM answers WHERE client = '' AND key = ?", (name,)).fetchone()  # noqa: S608 our columns
    connection.execute("INSERT OR REPLACE INTO answers VALUES (NULL, '', ?, ?, ?, ?)", (name, digest, now_s, answer))
    _write_total(connection, before + answer_size(digest, answer) - (replaced[0] if replaced else 0))


def get_answer(connection: sqlite3.Connection, client: str, key: str, since_s: float) -> Answer | None:
    """The answer kept for a key, unless it was given before `since_s`.

    Version 0.1 kept client and key in full; such an answer is found too.
    """
    for names in (("", _name(client, key)), (client, key)):
        row = connection.execute(
            "SELECT digest, answer, at_s FROM answers WHERE client = ? AND key = ? AND at_s >= ?", (*names, since_s)
        ).fetchone()
        if row:
            return Answer(*row)
    return None


def forget_answers(connection: sqlite3.Connection, before_s: float) -> int:
    """Delete answers given before Unix time `before_s`, the oldest first, no more than one step may; how many."""
    rows = connection.execute(
        f"SELECT id, {_SIZE} FROM answers WHERE at_s < ? ORDER BY at_s LIMIT ?",  # noqa: S608 our columns
        (before_s, FORGOTTEN_A_STEP),
    ).fetchall()
    if rows:
        before = bytes_kept(connection)
        connection.executemany("DELETE FROM answers WHERE id = ?", [(row[0],) for row in rows])
        _write_total(connection, before - sum(row[1] for row in rows))
    return len(rows)


def bytes_kept(connection: sqlite3.Connection) -> int:
    """Bytes of all answers; counted where nobody has counted yet (after a repair, or of an older version)."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (TOTAL,)).fetchone()
    if row is not None:
        return int(row[0])
    (total,) = connection.execute(f"SELECT coalesce(sum({_SIZE}), 0) FROM answers").fetchone()  # noqa: S608 our columns
    return int(total)


def _write_total(connection: sqlite3.Connection, total: int) -> None:
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (TOTAL, str(total)))
