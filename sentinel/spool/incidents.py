"""Incidents beside the anomalies: one row each, replaced as it grows; what is in one is for others to know."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sentinel.spool.database import Database

__all__ = ["KEEP_INCIDENTS", "IncidentRow", "Incidents", "prune_incidents", "put_incidents"]

KEEP_INCIDENTS = 5_000
COLUMNS = "id, first_s, last_s, state, version, content"


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """One incident as it is kept; `content` is all of it as JSON."""

    id: str
    first_s: float  # Unix times of its first and last line
    last_s: float
    state: str
    version: int  # grows with each change
    content: bytes


def put_incidents(connection: sqlite3.Connection, rows: Iterable[IncidentRow]) -> None:
    """Keep incidents in the place of their older versions; a version that is not newer changes nothing."""
    connection.executemany(
        """INSERT INTO incidents (id, first_s, last_s, state, version, delivered, content) VALUES (?, ?, ?, ?, ?, 0, ?)
        ON CONFLICT (id) DO UPDATE SET first_s = excluded.first_s, last_s = excluded.last_s, state = excluded.state,
        version = excluded.version, content = excluded.content WHERE excluded.version > version""",
        [(row.id, row.first_s, row.last_s, row.state, row.version, row.content) for row in rows],
    )


def read_active(connection: sqlite3.Connection, since_s: float, until_s: float) -> list[IncidentRow]:
    """Incidents with a line between these times, the newest KEEP_INCIDENTS, oldest first."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM incidents WHERE last_s >= ? AND first_s <= ? ORDER BY last_s DESC, id LIMIT ?",  # noqa: S608 our columns
        (since_s, until_s, KEEP_INCIDENTS),
    )
    return [IncidentRow(*row) for row in rows][::-1]


def read_one(connection: sqlite3.Connection, wanted: str) -> IncidentRow | None:
    """The incident of this id; None where there is none."""
    row = connection.execute(f"SELECT {COLUMNS} FROM incidents WHERE id = ?", (wanted,)).fetchone()  # noqa: S608 our columns
    return IncidentRow(*row) if row else None


def prune_incidents(connection: sqlite3.Connection, before_s: float | None) -> int:
    """Delete all but the newest KEEP_INCIDENTS, and those whose last line is older than `before_s`; how many went.

    What was not delivered yet goes, too: the store is told of what is kept, nothing is promised of these.
    """
    gone = connection.execute(
        """DELETE FROM incidents WHERE last_s < ? OR id IN
        (SELECT id FROM incidents ORDER BY last_s DESC, id LIMIT -1 OFFSET ?)""",
        (float("-inf") if before_s is None else before_s, KEEP_INCIDENTS),
    )
    return gone.rowcount


class Incidents:
    """The incidents of one spool, for reading and for what is told to the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self, since_s: float | None = None, *, state: str | None = None) -> list[IncidentRow]:
        """All that are kept, at most KEEP_INCIDENTS, those with the newest last line first; of one state, if given."""
        with self._database.reading("list incidents") as connection:
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM incidents WHERE last_s >= ? AND state = ifnull(?, state)"  # noqa: S608 our columns
                " ORDER BY last_s DESC, id DESC",
                (float("-inf") if since_s is None else since_s, state),
            )
            return [IncidentRow(*row) for row in rows]

    def count(self, state: str) -> int:
        """How many are kept in this state."""
        with self._database.reading("count incidents") as connection:
            found = connection.execute("SELECT count(*) FROM incidents WHERE state = ?", (state,)).fetchone()
            return int(found[0])

    def get(self, wanted: str) -> IncidentRow | None:
        """One incident; None where there is none of this id."""
        with self._database.reading("read an incident") as connection:
            return read_one(connection, wanted)

    def undelivered(self, limit: int = 500) -> list[IncidentRow]:
        """Incidents whose newest version the store does not have, those that changed longest ago first."""
        with self._database.reading("list incidents to deliver") as connection:
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM incidents WHERE delivered < version ORDER BY last_s, id LIMIT ?",  # noqa: S608 our columns
                (limit,),
            )
            return [IncidentRow(*row) for row in rows]

    def note_delivered(self, rows: Sequence[IncidentRow]) -> None:
        """The store has these versions now."""
        with self._database.writing("note delivered incidents") as connection:
            connection.executemany(
                "UPDATE incidents SET delivered = :version WHERE id = :id AND delivered < :version",
                [{"version": row.version, "id": row.id} for row in rows],
            )

    def prune(self, before_s: float | None = None) -> int:
        """Delete what is beyond the bound or older than `before_s` (Unix time of the last line); how many went."""
        with self._database.writing("prune incidents") as connection:
            return prune_incidents(connection, before_s)
