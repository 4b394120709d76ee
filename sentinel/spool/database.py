"""Connections to the spool's database: one that writes, behind a lock, and a few that read without holding anything."""

import contextlib
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from sentinel.errors import SentinelError, TransientError
from sentinel.failpoints import reach
from sentinel.spool.schema import SpoolDamagedError

__all__ = ["BUSY_TIMEOUT_S", "PAGE_BYTES", "Database", "is_damage", "translated"]

PAGE_BYTES = 8192  # measured against 4 and 16 KiB: as fast for single events as 4, nearly as fast for 600 kB as 16
CHECKPOINT_PAGES = 512  # 4 MiB of write-ahead log: a longer one makes rarer but longer pauses
WAL_LIMIT_BYTES = 64 * 1024 * 1024
BUSY_TIMEOUT_S = 10.0
RESERVE_BYTES = 4 * 1024 * 1024
MAX_IDLE_READERS = 4

DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def is_damage(error: sqlite3.Error) -> bool:
    """Whether this error means that the file's own structure is broken, rather than that the disk failed for now."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in DAMAGE


def translated(step: str, file: Path, error: sqlite3.Error) -> SentinelError:
    """SQLite's error as ours: SpoolDamagedError for a broken file, else TransientError."""
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    if is_damage(error):
        return SpoolDamagedError(
            f"{step} in the spool {file}: the file is damaged ({error}); stop the server and the flows, "
            "then run `sentinel spool repair`, which keeps the old file aside"
        )
    return TransientError(f"{step} in the spool {file}: {error} ({name}); nothing of this step was kept, try again")


def connect(file: Path) -> sqlite3.Connection:
    """A connection as all of ours are: durable at each COMMIT, transactions begun by hand."""
    connection = sqlite3.connect(
        f"{file.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.text_factory = _decode
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _decode(text: bytes) -> str:
    """A damaged letter is no reason to give up the row."""
    return text.decode(errors="replace")


class Database:
    """One spool's file, opened by one process. Thread-safe; not to be used across a fork."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._reserve = file.with_name("spool.reserve")
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._writer: sqlite3.Connection | None = None
        self._readers: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue(MAX_IDLE_READERS)
        self._closed = False

    @contextlib.contextmanager
    def writing(self, step: str, *, is_growth: Callable[[], bool] = lambda: False) -> Iterator[sqlite3.Connection]:
        """BEGIN IMMEDIATE … COMMIT: durable when the block has ended, nothing at all when it raised.

        Raises TransientError when the disk failed or another process held the lock for too long. After a failed
        COMMIT the connection is thrown away, never asked again: what it believes may differ from what is on disk.
        On a full disk the reserve is released for the next try, unless `is_growth` says that this was no clearing up.
        """
        if self._owner == threading.get_ident():
            raise RuntimeError(f"{step}: a transaction of the spool is open in this thread already")
        with self._lock:
            self._owner = threading.get_ident()
            try:
                with self._transaction(step, is_growth) as connection:
                    yield connection
            finally:
                self._owner = None
        reach("spool.after-commit")

    @contextlib.contextmanager
    def _transaction(self, step: str, is_growth: Callable[[], bool]) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._write_connection()
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as exc:
            raise self._failed(step, exc) from exc
        try:
            yield connection
            reach("spool.before-commit")
            connection.execute("COMMIT")
        except sqlite3.Error as exc:
            raise self._failed(step, exc, keep_reserve=is_growth()) from exc
        except BaseException:
            self._roll_back(connection)
            raise

    def vacuum(self, pages: int) -> None:
        """Give up to `pages` free pages back to the disk, in one short transaction.

        As a script: `execute` would step the pragma once, and so give back one page.
        """
        step = "give free pages back"
        with self._lock:
            try:
                script = f"BEGIN IMMEDIATE; PRAGMA incremental_vacuum({pages}); COMMIT;"
                self._write_connection().executescript(script)
            except sqlite3.Error as exc:
                raise self._failed(step, exc) from exc

    def _write_connection(self) -> sqlite3.Connection:
        if self._closed:
            raise sqlite3.ProgrammingError("the spool is closed")
        if self._writer is None:
            self._writer = connect(self.file)
        return self._writer

    def _failed(self, step: str, error: sqlite3.Error, *, keep_reserve: bool = False) -> SentinelError:
        """Throw the connection away (closing it rolls back) and give the reserve back to a full disk."""
        self._discard()
        if not keep_reserve and getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
            self.release_reserve()
        return translated(step, self.file, error)

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._discard()

    def _discard(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            with contextlib.suppress(sqlite3.Error):  # it is being thrown away because it failed
                writer.close()

    @contextlib.contextmanager
    def reading(self, step: str, *, snapshot: bool = False) -> Iterator[sqlite3.Connection]:
        """A connection that only reads. With `snapshot`, all statements of the block see one and the same moment."""
        try:
            connection = self._read_connection()
        except sqlite3.Error as exc:
            raise translated(step, self.file, exc) from exc
        try:
            if snapshot:
                connection.execute("BEGIN")
            yield connection
            if snapshot:
                connection.execute("COMMIT")
        except sqlite3.Error as exc:
            connection.close()
            raise translated(step, self.file, exc) from exc
        except BaseException:
            connection.close()
            raise
        self._give_back(connection)

    def _read_connection(self) -> sqlite3.Connection:
        if self._closed:
            raise sqlite3.ProgrammingError("the spool is closed")
        try:
            return self._readers.get_nowait()
        except queue.Empty:
            connection = connect(self.file)
            connection.execute("PRAGMA query_only = 1")
            return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        try:
            if self._closed:
                connection.close()
            else:
                self._readers.put_nowait(connection)
        except queue.Full:
            connection.close()

    def keep_reserve(self) -> None:
        """Set some disk space aside, so that a full disk can still be emptied: deleting needs a little room too."""
        try:
            fd = os.open(self._reserve, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return
        try:
            os.fchmod(fd, 0o600)
            os.posix_fallocate(fd, 0, RESERVE_BYTES)
        except OSError:  # no room for it now: prune tries again
            self.release_reserve()
        finally:
            os.close(fd)

    def release_reserve(self) -> None:
        """Give the space that was set aside back to the disk."""
        self._reserve.unlink(missing_ok=True)

    def close(self) -> None:
        """Close all connections. What was committed stays; an open transaction is waited for."""
        with self._lock:
            self._closed = True
            self._discard()
        while True:
            try:
                self._readers.get_nowait().close()
            except queue.Empty:
                return
