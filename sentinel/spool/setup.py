"""Opening a spool: the private folder, the file with its tables made once, and a clear word where it is damaged."""

import contextlib
import fcntl
import os
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sentinel.durable import make_private_dir, sync_dir, write_file
from sentinel.errors import TerminalError, TransientError
from sentinel.spool.database import PAGE_BYTES, connect, translated
from sentinel.spool.schema import DDL, TABLES, VERSION, SpoolDamagedError

__all__ = ["FILE_NAME", "ID_NAME", "OwnerLock", "prepare"]

FILE_NAME = "spool.db"
ID_NAME = "spool.id"  # says that a spool was made here, so that an empty file is not taken for a new one
LOCK_NAME = "spool.lock"
SEE_TO = "see to the disk or the folder's rights (`sentinel doctor`)"


class OwnerLock:
    """Says that a process has this spool open (shared), or is repairing it (alone)."""

    def __init__(self, folder: Path, *, alone: bool) -> None:
        self._fd = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.fchmod(self._fd, 0o600)
        try:
            fcntl.flock(self._fd, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._fd)
            if alone:
                raise TerminalError(
                    f"repair the spool {folder}: a server or a flow has it open; stop them first"
                ) from None
            raise TransientError(
                f"open the spool {folder}: it is being repaired; try again when that is done"
            ) from None

    def release(self) -> None:
        """Let go of the spool."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def prepare(folder: Path) -> str:
    """Make folder and file where they are missing; the spool's id.

    Raises SpoolDamagedError where the file is broken, TransientError where the disk fails.
    """
    file = folder / FILE_NAME
    if any(folder.glob("damaged-*.part")):
        raise SpoolDamagedError(f"open the spool {folder}: a repair was broken off; run `sentinel spool repair` again")
    try:
        with _alone(folder):
            _create_file(folder, file)
            spool = _make_tables(file)
            if not (folder / ID_NAME).exists():
                sync_dir(folder)
                write_file(folder / ID_NAME, f"{spool}\n".encode())
            return spool
    except sqlite3.Error as exc:
        raise translated("open", file, exc) from exc
    except OSError as exc:
        raise TransientError(
            f"open the spool {folder}: {exc}; see to the disk or the folder's rights (`sentinel doctor`)"
        ) from exc


def free_bytes(folder: Path) -> int:
    """Bytes that this user may still write on the disk of `folder`."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def make_folder(folder: Path) -> None:
    """The spool's folder, for its owner alone whatever the umask."""
    try:
        make_private_dir(folder).chmod(0o700)
    except OSError as exc:
        raise TransientError(
            f"open the spool {folder}: {exc}; see to the disk or the folder's rights (`sentinel doctor`)"
        ) from exc


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time sets a spool up."""
    fd = os.open(folder / "spool.setup", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(fd, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _create_file(folder: Path, file: Path) -> None:
    """An empty private file. It is never opened by hand once it is there: closing it would drop SQLite's locks."""
    size = file.stat().st_size if file.exists() else 0
    if size == 0 and (folder / ID_NAME).exists():
        raise SpoolDamagedError(
            f"open the spool {file}: the file is {'empty' if file.exists() else 'gone'} though a spool was made here; "
            "put it back, or run `sentinel spool repair` to go on with a new one"
        )
    if not file.exists():
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    file.chmod(0o600)


def has_all_tables(connection: sqlite3.Connection) -> bool:
    """Whether every table of this version is there."""
    found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return found >= TABLES.keys()


def _make_tables(file: Path) -> str:
    """The tables, where they are missing; the spool's id, made once."""
    connection = connect(file)
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise TerminalError(
                f"open the spool {file}: a newer version wrote it (format {version}, this one knows {VERSION}); "
                "install that version again"
            )
        if version == 0:
            if (file.with_name(ID_NAME)).exists():
                raise SpoolDamagedError(f"open the spool {file}: its tables are gone; run `sentinel spool repair`")
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            connection.execute("BEGIN IMMEDIATE")
            for statement in DDL:
                connection.execute(statement)
            connection.execute("INSERT INTO meta VALUES ('spool', ?)", (secrets.token_hex(8),))
            connection.execute("COMMIT")
        if version == VERSION and not has_all_tables(connection):  # a release before this one made it
            connection.execute("BEGIN IMMEDIATE")
            for statement in DDL:
                connection.execute(statement)
            connection.execute("COMMIT")
        (spool,) = connection.execute("SELECT value FROM meta WHERE name = 'spool'").fetchone()
        return str(spool)
    finally:
        connection.close()
