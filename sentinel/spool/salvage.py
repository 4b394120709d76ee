"""Salvaging a damaged spool: every row that can still be read, from a copy of the file that may be changed for it."""

import contextlib
import shutil
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sentinel.spool.database import PAGE_BYTES, connect
from sentinel.spool.pages import leaf_rows
from sentinel.spool.rows import to_batch
from sentinel.spool.schema import DDL, LATER, TABLES

__all__ = ["copy_files", "is_sound", "make_empty", "read_rows"]

BATCH_COLUMNS = len(TABLES["batches"].split(", PRIMARY")[0].split(","))
MAX_PROBES = 100_000  # rows asked for one by one in the damaged middle of a table
MAX_MISSES = 2_000  # in a row, after which the rest of the middle is given up: a damaged page holds fewer
_TYPES: dict[str, type | tuple[type, ...]] = {"INTEGER": int, "REAL": (int, float), "TEXT": str, "BLOB": bytes}

PAGE_COUNT_AT, FREELIST_AT, FREELIST_COUNT_AT = 28, 32, 36  # https://sqlite.org/fileformat2.html#the_database_header


def make_empty(file: Path) -> sqlite3.Connection:
    """A new spool without an id at `file`, private, and the connection to it."""
    file.touch(mode=0o600, exist_ok=False)
    file.chmod(0o600)
    connection = connect(file)
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("BEGIN IMMEDIATE")
    for statement in DDL:
        connection.execute(statement)
    connection.execute("COMMIT")
    return connection


def is_sound(table: str, row: tuple[Any, ...]) -> bool:
    """Whether each value has its column's type, as it has in every row that we wrote."""
    columns = [column.split() for column in TABLES[table].split(", PRIMARY KEY (", maxsplit=1)[0].split(",")]
    return len(row) == len(columns) and all(
        isinstance(value, _TYPES[column[1]]) or (value is None and "NOT" not in column)
        for value, column in zip(row, columns, strict=True)
    )


def read_rows(work: Path) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """(table, row) of all that can be read from the copy `work`, whose write-ahead log lies beside it."""
    reached = set[int]()
    with contextlib.closing(_opened(work)) as connection:
        for table in TABLES:
            for row in _rows_of(connection, table):
                if table == "batches":
                    reached.add(row[0])
                yield table, row
        is_whole = _is_whole(connection, "batches")
        with contextlib.suppress(sqlite3.Error):  # the pages of the log go into the file, as far as they can
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    if not is_whole:  # else they would be those that were pruned long ago
        for row in _batches_out_of_reach(work, reached):
            yield "batches", row


def _is_whole(connection: sqlite3.Connection, table: str) -> bool:
    """Whether SQLite finds its way through all of a table's rows."""
    try:
        connection.execute(f"SELECT count(*), max(rowid) FROM {table} NOT INDEXED").fetchone()  # noqa: S608 our tables
    except sqlite3.Error:
        return False
    return True


def _batches_out_of_reach(work: Path, reached: set[int]) -> Iterator[tuple[Any, ...]]:
    """Batches that only a look at every page finds, where their checksum holds: the records themselves."""
    for row in leaf_rows(work, BATCH_COLUMNS):
        if row[0] in reached or not is_sound("batches", row):
            continue
        key, stream, first, last, _, crc, size, _, _, sources, codes, blob = row
        if to_batch((key, stream, first, last, crc, size, sources, codes)).is_whole(blob):
            reached.add(key)
            yield row


def _opened(work: Path) -> sqlite3.Connection:
    """The copy, with a first page put in where its own is gone."""
    if not work.exists() or work.stat().st_size < PAGE_BYTES:
        _put_first_page(work)
    for is_last in (False, True):
        try:
            connection = connect(work)
            if is_last or _has_tables(connection):
                return connection
            connection.close()
        except sqlite3.Error:
            if is_last:
                raise
        _put_first_page(work)
    raise AssertionError("a file with a first page of ours can be opened")


def _has_tables(connection: sqlite3.Connection) -> bool:
    try:
        found = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    except sqlite3.Error:
        return False
    return found >= TABLES.keys() - LATER.keys()


def _put_first_page(work: Path) -> None:
    """Replace the first page, header and schema, by that of an empty spool: in every spool the tables begin alike."""
    template = work.with_name("template.db")
    make_empty(template).close()
    page = bytearray(template.read_bytes())
    template.unlink()
    with work.open("r+b" if work.exists() else "w+b") as file:
        pages = -(-file.seek(0, 2) // PAGE_BYTES)
        file.truncate(pages * PAGE_BYTES)
        file.seek(pages * PAGE_BYTES)
        file.write(page[pages * PAGE_BYTES :])  # a file cut short gets empty tables where its own began
        struct.pack_into(">I", page, PAGE_COUNT_AT, max(pages, len(page) // PAGE_BYTES))
        struct.pack_into(">II", page, FREELIST_AT, 0, 0)
        file.seek(0)
        file.write(page[:PAGE_BYTES])


def _rows_of(connection: sqlite3.Connection, table: str) -> Iterator[tuple[Any, ...]]:
    """All readable rows: from the front, from the back, and one by one what lies between two damaged places."""
    low = 0
    try:
        for rowid, row in _scan(connection, table, "rowid > ? ORDER BY rowid", 0):
            low = rowid
            yield row
    except sqlite3.Error:
        pass  # what follows is read from the other side
    else:
        return
    high, behind = None, list[tuple[Any, ...]]()
    try:
        for rowid, row in _scan(connection, table, "rowid > ? ORDER BY rowid DESC", low):
            high = rowid
            behind.append(row)
    except sqlite3.Error:
        pass  # the rest is asked for one by one
    yield from _probe(connection, table, range(low + 1, min(high or low + MAX_PROBES, low + MAX_PROBES)))
    yield from reversed(behind)


def _probe(connection: sqlite3.Connection, table: str, rowids: range) -> Iterator[tuple[Any, ...]]:
    misses = 0
    for rowid in rowids:
        misses += 1
        with contextlib.suppress(sqlite3.Error):  # this one is lost
            for _, row in _scan(connection, table, "rowid = ?", rowid):
                misses = 0
                yield row
        if misses > MAX_MISSES:
            return


def _scan(
    connection: sqlite3.Connection, table: str, condition: str, value: int
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    rows = connection.execute(f"SELECT rowid, * FROM {table} WHERE {condition}", (value,))  # noqa: S608 our tables
    for rowid, *row in rows:
        yield rowid, tuple(row)


def copy_files(source: Path, target: Path) -> None:
    """Copy a database and its write-ahead log, as far as they are there."""
    for suffix in ("", "-wal"):
        if (file := source.with_name(source.name + suffix)).exists():
            shutil.copyfile(file, target.with_name(target.name + suffix))
