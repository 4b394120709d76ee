"""The books: what was received, rejected, accepted, delivered, what waits and what is dead, in all and by source."""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sentinel.spool.schema import COUNTING_READERS
from sentinel.streams import EVENTS

__all__ = ["MAX_REJECTED_PAIRS", "MAX_SOURCES", "OTHER", "Ledger", "Names", "SourceBooks"]

MAX_SOURCES = 10_000
FOLD_ABOVE, FOLD_TO = 0.9, 0.8  # of MAX_SOURCES: pruning makes room for sources that are new
FOLDED_A_STEP = 1_000
MAX_REJECTED_PAIRS = 2_000
MAX_REASON_CHARS = 200
OTHER = "other"
Reading = Callable[[], AbstractContextManager[sqlite3.Connection]]
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
    by_source: Sequence[SourceBooks]  # some MAX_SOURCES and "other"
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


class Names:
    """The ledger's names for sources: their own, or "other" once MAX_SOURCES have books.

    `known` is a cache of names with books, shared and grown here: a name that was folded since gets its books anew.
    It reads only, and outlives what it read: two that are used at once may together exceed the bound, until the next
    `fold`.
    """

    def __init__(self, stream: str, known: set[str]) -> None:
        self._stream, self._known = stream, known
        self._granted = set[str]()
        self._room: int | None = None

    def give(self, reading: Reading, counts: Mapping[str, int]) -> dict[str, str]:
        """Sources (→ how many records) that get another name than their own → that name. The bigger go first."""
        fresh = counts.keys() - self._known - self._granted - {OTHER}
        if not fresh:
            return {}
        with reading() as connection:
            return self._look(connection, fresh, counts)

    def _look(self, connection: sqlite3.Connection, fresh: set[str], counts: Mapping[str, int]) -> dict[str, str]:
        found = self._with_books(connection, fresh)
        if len(self._known) > MAX_SOURCES:
            self._known.clear()
        self._known |= found
        fresh = fresh - found
        if not fresh:
            return {}
        if self._room is None:
            (count,) = connection.execute("SELECT count(*) FROM books WHERE stream = ?", (self._stream,)).fetchone()
            self._room = max(0, MAX_SOURCES - count)
        ordered = sorted(fresh, key=lambda name: -counts[name])
        self._granted.update(ordered[: self._room])
        refused = ordered[self._room :]
        self._room -= len(ordered) - len(refused)
        return dict.fromkeys(refused, OTHER)

    def _with_books(self, connection: sqlite3.Connection, names: Iterable[str]) -> set[str]:
        rows = connection.execute(
            "SELECT source FROM books WHERE stream = ? AND source IN (SELECT value FROM json_each(?))",
            (self._stream, json.dumps(list(names))),
        )
        return {name for (name,) in rows}


def fold(connection: sqlite3.Connection, stream: str) -> int:
    """Enter the smallest sources, of which all is delivered, under "other" where books become too many; how many went.

    Nothing that is still to come speaks of them by name: what waits or is dead keeps its source's books.
    """
    (count,) = connection.execute("SELECT count(*) FROM books WHERE stream = ?", (stream,)).fetchone()
    if count <= FOLD_ABOVE * MAX_SOURCES:
        return 0
    excess = min(FOLDED_A_STEP, count - int(FOLD_TO * MAX_SOURCES))
    rows = connection.execute(
        """SELECT source, accepted FROM books WHERE stream = ? AND source != ? AND waiting = 0 AND dead = 0
        ORDER BY accepted, source LIMIT ?""",
        (stream, OTHER, excess),
    ).fetchall()
    if not rows:
        return 0
    connection.executemany("DELETE FROM books WHERE stream = ? AND source = ?", [(stream, name) for name, _ in rows])
    total = sum(accepted for _, accepted in rows)
    connection.execute(
        """INSERT INTO books VALUES (:stream, :other, :total, 0, :total, 0) ON CONFLICT (stream, source)
        DO UPDATE SET accepted = accepted + :total, delivered = delivered + :total""",
        {"stream": stream, "other": OTHER, "total": total},
    )
    return len(rows)


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


def add_reasons(total: Counter[tuple[str, str]], counts: Mapping[tuple[str, str], int]) -> None:
    """Add counts by (source, reason) to `total`, in their short form; what would make it too long goes to "other"."""
    for (source, reason), n in counts.items():
        pair = (source[:MAX_REASON_CHARS], POSITION.sub("", reason)[:MAX_REASON_CHARS])
        is_too_many = pair not in total and len(total) >= MAX_REJECTED_PAIRS
        total[(OTHER, OTHER) if is_too_many else pair] += n


def _known_reasons(connection: sqlite3.Connection, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    return set(
        connection.execute(
            """SELECT source, reason FROM rejected WHERE (source, reason) IN
            (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))""",
            (json.dumps(list(pairs)),),
        )
    )


def count_rejected(connection: sqlite3.Connection, counts: Mapping[tuple[str, str], int]) -> None:
    """Enter lines that were not accepted: received, and rejected by (source, reason); names of bounded number.

    Where in its request a line stood is no part of the reason.
    """
    short = Counter[tuple[str, str]]()
    add_reasons(short, counts)
    known = _known_reasons(connection, short)
    entered, room = Counter[tuple[str, str]](), 0
    if len(known) < len(short):
        (pairs,) = connection.execute("SELECT count(*) FROM rejected").fetchone()
        room = MAX_REJECTED_PAIRS - pairs
    for pair, n in short.most_common():
        is_new = pair not in known
        entered[(OTHER, OTHER) if is_new and room <= 0 else pair] += n
        room -= is_new
    connection.executemany(
        """INSERT INTO rejected VALUES (?, ?, ?)
        ON CONFLICT (source, reason) DO UPDATE SET count = count + excluded.count""",
        [(*pair, n) for pair, n in entered.items()],
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
