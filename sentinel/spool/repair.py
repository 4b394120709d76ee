"""Repairing a spool: a new file of all rows that can be read, the books put in order, the old files kept aside."""

import contextlib
import os
import secrets
import shutil
import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentinel.durable import sync_dir, write_file
from sentinel.errors import TransientError
from sentinel.spool.database import Database
from sentinel.spool.reconcile import reconcile
from sentinel.spool.salvage import copy_files, is_sound, make_empty, read_rows
from sentinel.spool.schema import SpoolDamagedError
from sentinel.spool.setup import FILE_NAME, ID_NAME, OwnerLock
from sentinel.spool.verify import verify

__all__ = ["Repair", "repair"]

WORK_NAME = "repair.tmp"
UNFINISHED = ".part"


@dataclass(frozen=True, slots=True)
class Repair:
    """What a repair did; `kept_aside` is None where nothing was damaged."""

    kept_aside: Path | None  # the folder with the old files
    rows: dict[str, int]  # salvaged, by table
    lost_records: int  # accepted, and neither delivered nor to be found: counted as dead
    notes: list[str]


def repair(folder: Path, *, now_s: float) -> Repair:
    """Make the spool of `folder` usable again, whatever its file looks like. Harmless where nothing is damaged.

    The new spool has a new id, so that no sequence is ever given twice under one; sequences, positions, checkpoints,
    letters and books are kept as far as they can be read. Records whose delivery had been noted only in lost pages
    are offered again, and the store knows them by their ids. Raises TerminalError while the spool is open elsewhere,
    TransientError where the disk fails.
    """
    owner = OwnerLock(folder, alone=True)
    try:
        unfinished = sorted(folder.glob(f"damaged-*{UNFINISHED}"))
        if not unfinished and _is_whole(folder):
            return Repair(None, {}, 0, ["the file is whole: nothing to repair"])
        return _rebuild(folder, unfinished[0] if unfinished else None, now_s)
    except OSError as exc:
        raise TransientError(f"repair the spool {folder}: {exc}; the old files are still there, try again") from exc
    finally:
        owner.release()


def _is_whole(folder: Path) -> bool:
    file = folder / FILE_NAME
    if not file.exists() or not file.stat().st_size:
        return False
    database = Database(file)
    try:
        return not any("damaged" in finding for finding in verify(database))
    except (SpoolDamagedError, sqlite3.Error):
        return False
    finally:
        database.close()


def _rebuild(folder: Path, unfinished: Path | None, now_s: float) -> Repair:
    """Salvage into a work folder, then put the new file in the place of the old one."""
    work = folder / WORK_NAME
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    copy_files((unfinished or folder) / FILE_NAME, work / "old.db")
    new = work / FILE_NAME
    rows, lost, notes, spool = _salvage(work / "old.db", new, now_s)
    aside = unfinished or _put_aside(folder, now_s)
    for suffix in ("-wal", "-shm"):  # a log of the old file would be played into the new one
        (folder / f"{FILE_NAME}{suffix}").unlink(missing_ok=True)
    new.replace(folder / FILE_NAME)
    write_file(folder / ID_NAME, f"{spool}\n".encode())
    kept = aside.with_name(aside.name.removesuffix(UNFINISHED))
    aside.rename(kept)
    sync_dir(folder)
    shutil.rmtree(work, ignore_errors=True)
    return Repair(kept, rows, lost, notes)


def _put_aside(folder: Path, now_s: float) -> Path:
    """A folder with links to the old files; it counts as unfinished until the new file is in its place."""
    aside = folder / f"damaged-{int(now_s)}-{secrets.token_hex(3)}{UNFINISHED}"
    gathering = folder / f".{aside.name}"
    gathering.mkdir(mode=0o700)
    for suffix in ("", "-wal"):
        if (file := folder / f"{FILE_NAME}{suffix}").exists():
            (gathering / file.name).hardlink_to(file)
    sync_dir(gathering)
    gathering.rename(aside)
    sync_dir(folder)
    return aside


def _salvage(old: Path, new: Path, now_s: float) -> tuple[dict[str, int], int, list[str], str]:
    """Fill a new file; rows by table, lost records, remarks, the new id."""
    connection = make_empty(new)
    counts, spool = Counter[str](), secrets.token_hex(8)
    with contextlib.closing(connection):
        connection.execute("BEGIN IMMEDIATE")
        for table, row in read_rows(old):
            if table != "meta":
                counts[table] += _insert(connection, table, row)
        connection.execute("INSERT INTO meta VALUES ('spool', ?)", (spool,))
        lost, notes = reconcile(connection, now_s)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    fd = os.open(new, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
    return dict(counts), lost, notes, spool


def _insert(connection: sqlite3.Connection, table: str, row: tuple[Any, ...]) -> int:
    """Put one row in, in the place of the empty one that a new spool has; a row that fits nowhere is left out."""
    if not is_sound(table, row):
        return 0
    try:
        done = connection.execute(f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608 our tables
    except sqlite3.IntegrityError:
        return 0
    return done.rowcount
