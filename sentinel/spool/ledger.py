"""The books: what was received, rejected, accepted, delivered, what waits and what is dead, in all and by source."""

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sentinel.records import EVENTS
from sentinel.spool.schema import COUNTING_READERS

__all__ = ["MAX_REJECTED_PAIRS", "MAX_SOURCES", "OTHER", "Ledger", "SourceBooks"]

MAX_SOURCES = 1_000
MAX_REJECTED_PAIRS = 2_000
MAX_REASON_CHARS = 200
OTHER = "other"
POSITION = re.compile(r"line \d+ column \d+: ")


@dataclass(frozen=True, slots=True)
class SourceBooks:
    """The books of one source: accepted = delivered + waiting + dead, in records."""

    source: str
    accepted: int
    delivered: int
    waiting: int
    dead: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """The books of one stream, all of one moment, in records.

    received = accepted + rejected, and accepted = delivered + waiting + dead.

    A waiting record is one whose delivery is still to come, a letter on replay included; a dead one is a dead letter
    (dropped ones too) or a record of a batch that could no longer be read.
    """

    received: int
    rejected: int
    accepted: int
    delivered: int
    waiting: int
    dead: int
    by_source: Sequence[SourceBooks]  # at most MAX_SOURCES and "other"
    rejected_by: Mapping[tuple[str, str], int]  # (source, reason) → lines; at most MAX_REJECTED_PAIRS and "other"
    oldest_waiting_s: float | None  # Unix time at which the oldest waiting record was received; None: none waits
    bytes: int  # of waiting batches, on disk
    max_bytes: int  # at which no more is accepted

    @property
    def is_balanced(self) -> bool:
        """Whether both equations hold."""
        return (
            self.received == self.accepted + self.rejected
            and self.accepted == self.delivered + self.waiting + self.dead
            and all(books.accepted == books.delivered + books.waiting + books.dead for books in self.by_source)
        )


def bounded_names(connection: sqlite3.Connection, stream: str, names: Sequence[str], known: set[str]) -> list[str]:
    """The ledger's names for these sources: their own, or "other" once MAX_SOURCES have been seen.

    `known` is a cache of the names that have books of their own; it grows here.
    """
    given: dict[str, str] = {}
    for name in set(names) - known:
        if connection.execute("SELECT 1 FROM books WHERE stream = ? AND source = ?", (stream, name)).fetchone():
            known.add(name)
            continue
        (count,) = connection.execute("SELECT count(*) FROM books WHERE stream = ?", (stream,)).fetchone()
        if count >= MAX_SOURCES:
            given[name] = OTHER
        else:
            connection.execute("INSERT INTO books VALUES (?, ?, 0, 0, 0, 0)", (stream, name))
    return [given.get(name, name) for name in names]


def count_accepted(connection: sqlite3.Connection, stream: str, counts: Mapping[str, int]) -> None:
    """Enter new records as accepted and waiting."""
    connection.executemany(
        """INSERT INTO books VALUES (?, ?, ?, ?, 0, 0) ON CONFLICT (stream, source)
        DO UPDATE SET accepted = accepted + excluded.accepted, waiting = waiting + excluded.waiting""",
        [(stream, source, n, n) for source, n in counts.items()],
    )


def shift(
    connection: sqlite3.Connection,
    stream: str,
    counts: Mapping[str, int],
    *,
    waiting: int = 0,
    delivered: int = 0,
    dead: int = 0,
) -> None:
    """Move `counts` records a source from one column to another: each column changes by its factor (−1, 0 or 1)."""
    connection.executemany(
        """UPDATE books SET waiting = waiting + ?, delivered = delivered + ?, dead = dead + ?
        WHERE stream = ? AND source = ?""",
        [(waiting * n, delivered * n, dead * n, stream, source) for source, n in counts.items() if n],
    )


def count_rejected(connection: sqlite3.Connection, counts: Mapping[tuple[str, str], int]) -> None:
    """Enter lines that were not accepted: received, and rejected by (source, reason); names of bounded number.

    Where in its request a line stood is no part of the reason.
    """
    for (source, reason), n in counts.items():
        pair = (source[:MAX_REASON_CHARS], POSITION.sub("", reason)[:MAX_REASON_CHARS])
        step = connection.execute("UPDATE rejected SET count = count + ? WHERE source = ? AND reason = ?", (n, *pair))
        if not step.rowcount:
            (pairs,) = connection.execute("SELECT count(*) FROM rejected").fetchone()
            connection.execute(
                """INSERT INTO rejected VALUES (?, ?, ?)
                ON CONFLICT (source, reason) DO UPDATE SET count = count + excluded.count""",
                (*(pair if pairs < MAX_REJECTED_PAIRS else (OTHER, OTHER)), n),
            )
    total = sum(counts.values())
    connection.execute("UPDATE streams SET received = received + ? WHERE name = ?", (total, EVENTS))


def read_ledger(connection: sqlite3.Connection, stream: str, max_bytes: int) -> Ledger:
    """The books as they stand; the caller holds one snapshot."""
    received, waiting_bytes = connection.execute(
        "SELECT received, waiting_bytes FROM streams WHERE name = ?", (stream,)
    ).fetchone()
    rows = connection.execute(
        "SELECT source, accepted, delivered, waiting, dead FROM books WHERE stream = ? ORDER BY source", (stream,)
    )
    by_source = [SourceBooks(*row) for row in rows]
    pairs = connection.execute("SELECT source, reason, count FROM rejected") if stream == EVENTS else ()
    rejected_by = {(source, reason): n for source, reason, n in pairs}
    return Ledger(
        received=received,
        rejected=sum(rejected_by.values()),
        accepted=_total(books.accepted for books in by_source),
        delivered=_total(books.delivered for books in by_source),
        waiting=_total(books.waiting for books in by_source),
        dead=_total(books.dead for books in by_source),
        by_source=by_source,
        rejected_by=rejected_by,
        oldest_waiting_s=_oldest_waiting_s(connection, stream),
        bytes=waiting_bytes,
        max_bytes=max_bytes,
    )


def _total(numbers: Iterable[int]) -> int:
    return sum(numbers)


def _oldest_waiting_s(connection: sqlite3.Connection, stream: str) -> float | None:
    batch = connection.execute(
        """SELECT received_s FROM batches WHERE stream = ? AND last > (SELECT sequence FROM readers WHERE name = ?)
        AND last NOT IN (SELECT last FROM quarantine WHERE stream = ?) ORDER BY last LIMIT 1""",
        (stream, COUNTING_READERS[stream], stream),
    ).fetchone()
    letter = connection.execute(
        "SELECT min(received_s) FROM letters WHERE stream = ? AND state = 'waiting'", (stream,)
    ).fetchone()
    times = [row[0] for row in (batch, letter) if row is not None and row[0] is not None]
    return min(times, default=None)
