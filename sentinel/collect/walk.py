"""A folder in, its readable log files out; links, pipes, devices, hidden and temporary files are never touched."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from sentinel.errors import TerminalError

__all__ = ["Entry", "Walk", "walk"]

TEMPORARY = ("~", ".swp", ".swo", ".swx", ".tmp", ".part", ".partial")
"""Editors and copiers write under these names; what they leave behind is renamed when it is whole."""

ARCHIVES = (".zip", ".7z", ".bz2", ".xz", ".zst", ".lz4", ".tar", ".tgz", ".tar.gz")
"""Compressed forms that are not unpacked here; reading them as text would make garbage of every line."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One regular file as it was seen at one moment."""

    path: str  # valid text, for people and for checkpoints
    location: str  # what the system knows it by (bytes that are not UTF-8 are escaped as surrogates)
    device: int
    inode: int
    size: int
    written_s: float  # Unix time of the last write
    changed_s: float  # Unix time of the last write, rename or change of rights, which no program can forge


@dataclass(frozen=True, slots=True)
class Walk:
    """The files of a folder, sorted by path, and what could not be looked at: (path, reason) pairs."""

    entries: list[Entry]
    problems: list[tuple[str, str]]
    special: int  # links, pipes, sockets and devices passed by


def walk(root: Path) -> Walk:
    """List the log files under `root`, subfolders included. Only `root` itself may be a symbolic link.

    Raises TerminalError when the folder is not there or cannot be read: nothing may then be taken for deleted.
    """
    found = Walk([], [], 0)
    special = 0
    folders = [str(root.absolute())]
    top = folders[0]
    while folders:
        folder = folders.pop()
        try:
            special += _scan(folder, found, folders, follow=folder == top)
        except OSError as exc:
            if folder == top:
                raise TerminalError(
                    f"collect from {_text(folder)}: {exc.strerror}; "
                    "create the folder or point LOG_SENTINEL_DIR at the logs"
                ) from exc
            if not isinstance(exc, FileNotFoundError):
                found.problems.append((_text(folder), exc.strerror or type(exc).__name__))
    found.entries.sort(key=lambda entry: entry.location)
    return Walk(found.entries, found.problems, special)


def _scan(folder: str, found: Walk, folders: list[str], *, follow: bool) -> int:
    """Add one folder's files to `found` and its subfolders to `folders`; return how many special files it holds."""
    special = 0
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | (0 if follow else os.O_NOFOLLOW))
    try:
        with os.scandir(fd) as items:
            for item in items:
                if item.name.startswith(".") or item.name.endswith(TEMPORARY):
                    continue
                location = os.path.join(folder, item.name)  # noqa: PTH118  (a Path a file would double the cost)
                if item.is_dir(follow_symlinks=False):
                    folders.append(location)
                elif not item.is_file(follow_symlinks=False):
                    special += 1
                elif item.name.endswith(ARCHIVES):
                    found.problems.append((_text(location), "an archive of this kind is not read: unpack it first"))
                else:
                    _add(item, location, found)
    finally:
        os.close(fd)
    return special


def _add(item: "os.DirEntry[str]", location: str, found: Walk) -> None:
    try:
        seen = item.stat(follow_symlinks=False)
    except FileNotFoundError:  # gone since the folder was listed: the next poll judges
        return
    if stat.S_ISREG(seen.st_mode):
        changed_s = max(seen.st_mtime, seen.st_ctime)
        entry = Entry(_text(location), location, seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime, changed_s)
        found.entries.append(entry)


def _text(location: str) -> str:
    """The path as valid text: bytes that are not UTF-8 appear as \\xNN."""
    return os.fsencode(location).decode("utf-8", "backslashreplace")
