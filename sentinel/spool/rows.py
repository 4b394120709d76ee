"""The spool's rows without their blobs: which batch holds which sequences, and whose records they are."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from sentinel.spool.batches import Batch, names_from_text

__all__ = ["HEAD", "READABLE", "next_batch", "read_batches", "to_batch"]

HEAD = "id, stream, first, last, crc, bytes, sources, codes"
READABLE = "last NOT IN (SELECT last FROM quarantine WHERE stream = :stream)"
"""Leaves out the batches that were set aside and whose damaged pages could not be deleted."""


def to_batch(row: Sequence[Any]) -> Batch:
    """A batch from its row's columns (HEAD)."""
    key, stream, first, last, crc, size, sources, codes = row
    return Batch(key, stream, first, last, crc, size, names_from_text(sources), codes)


def read_batches(connection: sqlite3.Connection, stream: str, after: int, until: int | None = None) -> list[Batch]:
    """The readable batches that hold sequences in (after, until], without their blobs."""
    rows = connection.execute(
        f"SELECT {HEAD} FROM batches WHERE stream = :stream AND last > :after AND {READABLE} ORDER BY last",  # noqa: S608 our columns
        {"stream": stream, "after": after},
    )
    found = []
    for row in rows:
        batch = to_batch(row)
        if until is not None and batch.first > until:
            break
        found.append(batch)
    rows.close()
    return found


def next_batch(connection: sqlite3.Connection, stream: str, after: int) -> Batch:
    """The batch that follows, without its blob; raises SQLite's own error where that is damaged too."""
    row = connection.execute(
        f"SELECT {HEAD} FROM batches WHERE stream = :stream AND last > :after AND {READABLE} ORDER BY last LIMIT 1",  # noqa: S608 our columns
        {"stream": stream, "after": after},
    ).fetchone()
    return to_batch(row)
