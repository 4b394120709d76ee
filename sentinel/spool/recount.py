"""Counting a stream's books anew, from the batches, letters and quarantine that are really there."""

import json
import sqlite3
from collections import Counter
from dataclasses import dataclass, field

from sentinel.spool import dead_letters, ledger, readers
from sentinel.spool.rows import read_batches
from sentinel.spool.schema import COUNTING_READERS
from sentinel.streams import EVENTS

__all__ = ["Recount", "recount", "rejected_total"]


@dataclass(slots=True)
class Recount:
    """A stream's books counted anew from batches, letters and quarantine, by source."""

    position: int
    waiting: Counter[str] = field(default_factory=Counter)
    dead: Counter[str] = field(default_factory=Counter)
    waiting_bytes: int = 0
    letter_bytes: int = 0
    passed_dead: int = 0  # of the dead, those that the position has passed
    replaying: int = 0  # letters on replay

    @property
    def delivered(self) -> int:
        """Records that were delivered: what the position has passed, without what died or is on replay."""
        return self.position - self.passed_dead - self.replaying


def recount(connection: sqlite3.Connection, stream: str) -> Recount:
    """Count anew; the caller holds one snapshot."""
    position = readers.read_position(connection, COUNTING_READERS[stream]).sequence
    counted = Recount(position)
    for batch in read_batches(connection, stream, position):
        counted.waiting.update(batch.counts(position, batch.last))
        counted.waiting_bytes += batch.size
    for state, source, n, size in connection.execute(
        "SELECT state, source, count(*), sum(bytes) FROM letters WHERE stream = ? GROUP BY state, source", (stream,)
    ):
        counted.letter_bytes += size
        if state == dead_letters.WAITING:
            counted.waiting[source] += n
            counted.replaying += n
        elif state != dead_letters.DELIVERED:
            counted.dead[source] += n
            counted.passed_dead += n
    for last, dead, sources in connection.execute(
        "SELECT last, dead, sources FROM quarantine WHERE stream = ?", (stream,)
    ):
        counted.dead.update(_counts(sources, dead))
        counted.passed_dead += dead if last <= position else 0
    return counted


def _counts(text: str, dead: int) -> dict[str, int]:
    """Dead records by source as they stand in a row of the quarantine; under "other" where that is damaged."""
    try:
        counts = json.loads(text)
        if isinstance(counts, dict) and sum(counts.values()) == dead:
            return counts
    except (ValueError, TypeError):
        pass  # damaged: the number of them is known all the same
    return {ledger.OTHER: dead}


def rejected_total(connection: sqlite3.Connection, stream: str) -> int:
    """Lines that were rejected; only events are."""
    if stream != EVENTS:
        return 0
    (total,) = connection.execute("SELECT coalesce(sum(count), 0) FROM rejected").fetchone()
    return int(total)
