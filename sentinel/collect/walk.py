"""Places in, their readable log files out; pipes, devices, hidden and temporary files are never touched.

Folders are opened one below the other, each by its name in the one above and never through a link, so that nobody can
swap a folder for a link between the look and the opening.
"""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field

from sentinel.collect.beneath import FOLDER, folder_of
from sentinel.collect.globs import Glob, State, base_of
from sentinel.collect.links import Links
from sentinel.collect.watched import Watched
from sentinel.errors import TerminalError

__all__ = ["Entry", "Walk", "open_entry", "walk"]

TEMPORARY = ("~", ".swp", ".swo", ".swx", ".tmp", ".part", ".partial")
"""Editors and copiers write under these names; what they leave behind is renamed when it is whole."""

ARCHIVES = (".zip", ".7z", ".rar", ".lz4", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")
"""Compressed forms that are not unpacked here; reading them as text would make garbage of every line."""

MAX_DEPTH = 64

UNPACK = "an archive of this kind is not read: unpack it first"
NO_LINK = "a link is not followed: LOG_SENTINEL_LINKS names the folders in which links may end"
FOREIGN = "a hard link to another user's file is not read"
DEEP = f"folders deeper than {MAX_DEPTH} levels are not read"
NO_FILE = "this is no file"
SPECIALS: dict[Callable[[int], bool], str] = {
    stat.S_ISFIFO: "a pipe is not read",
    stat.S_ISSOCK: "a socket is not read",
    stat.S_ISCHR: "a device is not read",
    stat.S_ISBLK: "a device is not read",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One regular file as it was seen at one moment."""

    path: str  # valid text, for people and for checkpoints; of a link its own name
    base: str  # a folder that may be opened through links; below it none is followed
    below: str  # the file's path under `base` (bytes that are not UTF-8 are escaped as surrogates)
    device: int
    inode: int
    size: int
    written_s: float  # Unix time of the last write
    changed_s: float  # Unix time of the last write, rename or change of rights, which no program can forge
    is_link: bool = False

    @property
    def location(self) -> str:
        """What the system knows it by."""
        return f"{'' if self.base == '/' else self.base}/{self.below}"  # asked for each file at each look


@dataclass(slots=True)
class Walk:
    """The files of all places, sorted by path (links last).

    Pairs (path, reason) say what could not be looked at (`problems`) and what is left alone on purpose (`passed`). Of
    files under `blind` nothing is known: these folders could not be read.
    """

    entries: list[Entry] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    passed: list[tuple[str, str]] = field(default_factory=list)
    blind: list[str] = field(default_factory=list)
    special: int = 0  # links, pipes, sockets and devices passed by


def walk(watched: Watched) -> Walk:
    """List the log files of all places, subfolders included. Only a place itself may be a symbolic link.

    A place that is not there is a problem, and all of them a TerminalError: nothing may then be taken for deleted.
    """
    found = Walk()
    scan = _Scan(found, watched)
    failures = [failure for place in watched.places if (failure := scan.place(place))]
    if failures and len(failures) == len(watched.places):
        raise TerminalError(
            f"collect from {'; '.join(failures)}; create the folder or point LOG_SENTINEL_DIR at the logs"
        )
    found.passed.sort()
    if watched.is_part:
        found.blind.append("/")
    unique = {(entry.path, entry.location): entry for entry in found.entries}
    found.entries = [entry for _, entry in sorted(unique.items(), key=lambda known: (known[1].is_link, known[0]))]
    return found


class _Scan:
    """Goes through one place after the other."""

    def __init__(self, found: Walk, watched: Watched) -> None:
        self._found, self._excluded, self._links = found, watched.excluded(), Links(watched.links)

    def place(self, place: str) -> str | None:
        """Add what is there; why it cannot be read, where it cannot."""
        base, pattern = base_of(os.path.abspath(place))  # noqa: PTH100  (Path.absolute leaves `..` in)
        try:
            try:
                fd = os.open(base, FOLDER)
            except NotADirectoryError:
                self._file(base)
                return None
            glob = Glob(pattern) if pattern else None
            self._folder(fd, base, "", glob, glob.start if glob else frozenset(), 0)
        except OSError as exc:
            self._found.blind.append(base)
            self._found.problems.append((_text(base), exc.strerror or type(exc).__name__))
            return f"{_text(base)}: {exc.strerror}"
        return None

    def _file(self, path: str) -> None:
        """A place that is a file; it may be a link, for somebody chose it."""
        folder, name = os.path.split(os.path.realpath(path))
        fd = os.open(folder, FOLDER)
        try:
            seen = os.stat(name, dir_fd=fd, follow_symlinks=False)
            self._judge(fd, name, seen, _entry(path, folder, name, seen))
        finally:
            os.close(fd)

    def _folder(self, fd: int, base: str, below: str, glob: Glob | None, state: State, depth: int) -> None:
        """Add what one open folder holds, and what its folders hold; closes it."""
        front, inner = ("" if base == "/" else base) + "/", f"{below}/" if below else ""
        try:
            with os.scandir(fd) as items:
                listed = list(items)
            for item in listed:
                path = inner + item.name
                is_wanted, reached = self._want(item.name, front + path, glob, state)
                if not is_wanted and not reached:
                    continue
                if item.is_dir(follow_symlinks=False):
                    deeper = None if is_wanted else glob
                    self._subfolder(fd, item.name, base, path, deeper, reached, depth + 1)
                elif is_wanted:
                    self._item(fd, item, front + path, base, path)
        finally:
            os.close(fd)

    def _want(self, name: str, location: str, glob: Glob | None, state: State) -> tuple[bool, State]:
        """Whether this is collected (a folder: all that is in it), and where a glob stands behind it."""
        if name.endswith(TEMPORARY) or (glob is None and name.startswith(".")):
            return False, frozenset()
        if self._excluded.holds(name, location):
            return False, frozenset()
        if glob is None:
            return True, state
        reached = glob.step(state, name)
        return glob.is_met(reached), reached

    def _subfolder(self, fd: int, name: str, base: str, path: str, glob: Glob | None, state: State, depth: int) -> None:
        shown = _text(os.path.join(base, path))  # noqa: PTH118
        if depth > MAX_DEPTH:
            self._found.passed.append((shown, DEEP))
            return
        try:
            self._folder(os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=fd), base, path, glob, state, depth)
        except FileNotFoundError:  # gone since the folder above was listed
            pass
        except OSError as exc:
            self._found.blind.append(shown)
            self._found.problems.append((shown, exc.strerror or type(exc).__name__))

    def _item(self, fd: int, item: "os.DirEntry[str]", location: str, base: str, path: str) -> None:
        try:
            seen = item.stat(follow_symlinks=False)
        except FileNotFoundError:  # gone since the folder was listed: the next poll judges
            return
        if stat.S_ISLNK(seen.st_mode):
            self._link(location)
        else:
            self._judge(fd, item.name, seen, _entry(location, base, path, seen))

    def _link(self, location: str) -> None:
        end = self._links.end_of(location)
        if end is None:
            self._pass_by(location, NO_LINK)
            return
        root, below, seen = end
        self._found.entries.append(_entry(location, root, below, seen, is_link=True))

    def _judge(self, fd: int, name: str, seen: os.stat_result, made: Entry) -> None:
        """Take a regular file, or say why not."""
        if not stat.S_ISREG(seen.st_mode):
            reason = next((reason for is_it, reason in SPECIALS.items() if is_it(seen.st_mode)), NO_FILE)
            self._pass_by(made.location, reason)
        elif name.endswith(ARCHIVES):
            self._found.passed.append((made.path, UNPACK))
        elif seen.st_nlink > 1 and seen.st_uid != os.fstat(fd).st_uid:
            self._found.passed.append((made.path, FOREIGN))
        else:
            self._found.entries.append(made)

    def _pass_by(self, location: str, reason: str) -> None:
        self._found.special += 1
        self._found.passed.append((_text(location), reason))


def _entry(path: str, base: str, below: str, seen: os.stat_result, *, is_link: bool = False) -> Entry:
    changed_s = max(seen.st_mtime, seen.st_ctime)
    return Entry(_text(path), base, below, seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime, changed_s, is_link)


def open_entry(entry: Entry) -> int:
    """Open what was seen, from its base down and through no link; a file descriptor. Raises OSError."""
    with folder_of(entry.base, entry.below) as (fd, name):
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=fd)


def _text(location: str) -> str:
    """The path as valid text: bytes that are not UTF-8 appear as \\xNN."""
    if location.isascii():
        return location
    return os.fsencode(location).decode("utf-8", "backslashreplace")
