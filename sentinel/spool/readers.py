"""Readers of the spool: who may move a position (a file lock and a fencing token), and where it stands."""

import fcntl
import os
import re
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from sentinel.errors import TerminalError
from sentinel.spool.schema import LeaseLostError

__all__ = ["Lease", "Position"]

POLL_S = 0.02
READER_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(slots=True)
class Lease:
    """The right to move one reader, from `Spool.lease`. It ends with its block, or with its process."""

    reader: str
    token: int  # grows with each change of holder; a move with an older one is refused
    is_held: bool = True


@dataclass(frozen=True, slots=True)
class Position:
    """Where a reader stands: all up to `sequence` is done."""

    reader: str
    sequence: int  # 0: nothing yet
    attempts: int  # failed ones since the last move
    next_attempt_s: float  # Unix time before which nobody should try; 0: at once
    error: str | None  # why the last attempt failed
    updated_s: float  # Unix time of the last change


class LeaseFile:
    """The lock beside the spool that one holder at a time has; the kernel frees it when its process dies."""

    def __init__(self, folder: Path, reader: str) -> None:
        if not READER_NAME.fullmatch(reader):
            raise TerminalError(f"lease reader {reader!r}: a reader's name is lower case letters, digits and dashes")
        self._file = folder / f"reader-{reader}.lock"
        self._fd: int | None = None

    def acquire(self, wait_s: float) -> bool:
        """Take the lock, waiting for at most `wait_s` seconds. False: somebody else has it."""
        deadline = time.monotonic() + wait_s
        while not self._try():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(POLL_S, left))
        return True

    def _try(self) -> bool:
        fd = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(fd, 0o600)  # whatever the umask: the next holder must be able to open it
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(fd).st_ino == self._file.stat().st_ino:  # else the file was replaced since it was opened
                self._fd, fd = fd, -1
                return True
        except (BlockingIOError, FileNotFoundError):
            pass
        finally:
            if fd >= 0:
                os.close(fd)
        return False

    def release(self) -> None:
        """Free the lock."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)


def read_position(connection: sqlite3.Connection, reader: str) -> Position:
    """The position of a reader; one that was never heard of stands at 0."""
    row = connection.execute(
        "SELECT sequence, attempts, next_attempt_s, error, updated_s FROM readers WHERE name = ?", (reader,)
    ).fetchone()
    return Position(reader, *(row or (0, 0, 0.0, None, 0.0)))


def read_token(connection: sqlite3.Connection, reader: str) -> tuple[int, str | None]:
    """The newest fencing token of a reader, and who took it."""
    row = connection.execute("SELECT token, holder FROM readers WHERE name = ?", (reader,)).fetchone()
    return row or (0, None)


def take_token(connection: sqlite3.Connection, reader: str, holder: str) -> int:
    """Give `holder` a token newer than all before it."""
    connection.execute(
        """INSERT INTO readers VALUES (?, 0, 0, 0, NULL, 0, 1, ?)
        ON CONFLICT (name) DO UPDATE SET token = token + 1, holder = excluded.holder""",
        (reader, holder),
    )
    return read_token(connection, reader)[0]


def check_lease(connection: sqlite3.Connection, lease: Lease) -> Position:
    """The reader's position, if `lease` may move it. Raises LeaseLostError otherwise."""
    token, _ = read_token(connection, lease.reader)
    if not lease.is_held or token != lease.token:
        raise LeaseLostError(
            f"move reader {lease.reader}: the lease (token {lease.token}) has ended, the newest token is {token}; "
            "take a new lease and read again from the position"
        )
    return read_position(connection, lease.reader)


def write_position(connection: sqlite3.Connection, reader: str, sequence: int, now_s: float) -> None:
    """Move a reader; its failed attempts are forgotten."""
    connection.execute(
        "UPDATE readers SET sequence = ?, attempts = 0, next_attempt_s = 0, error = NULL, updated_s = ? WHERE name = ?",
        (sequence, now_s, reader),
    )


def skip_quarantined(connection: sqlite3.Connection, stream: str, sequence: int) -> int:
    """The last sequence of the quarantined batches that follow `sequence` without a gap, else `sequence` itself."""
    while True:
        row = connection.execute(
            "SELECT last FROM quarantine WHERE stream = ? AND last > ? AND first <= ? ORDER BY last LIMIT 1",
            (stream, sequence, sequence + 1),
        ).fetchone()
        if row is None:
            return sequence
        sequence = row[0]
