"""One file in, its bytes at a position out, inflated where it is packed; never through a link."""

import os
from collections import OrderedDict
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from sentinel.collect.packed import MAGIC_BYTES, DamageError, Unpacker, is_packed, unpacker_of
from sentinel.collect.walk import Entry, open_entry

__all__ = ["Contents", "Inflaters", "PackedContents", "PlainContents", "open_contents"]

CHUNK_BYTES = 64 * 1024
KEPT_BYTES = 1280  # how much before a position stays readable without inflating anew: the head and a guard
MAX_OPEN = 4  # inflaters kept between polls
BOMB_RATIO = 500  # text never packs this well
BOMB_BYTES = 64 * 1024 * 1024  # below this size any ratio is harmless


class Contents(Protocol):
    """Bytes of a file by position. `is_whole` tells whether a short read means the end for good."""

    is_whole: bool
    damage: str | None

    def read(self, start: int, count: int) -> bytes:
        """Up to `count` bytes from `start`; fewer only at the end."""

    def next_data(self, start: int) -> int:
        """The first position ≥ `start` that is not inside a hole of a sparse file."""

    def close(self) -> None:
        """Give the file descriptor back."""


class PlainContents:
    """A file that is read as it is, and may still grow."""

    is_whole = False
    damage: str | None = None

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def read(self, start: int, count: int) -> bytes:
        """Up to `count` bytes from `start`; fewer only at the end."""
        data = os.pread(self._fd, count, start)
        while data and len(data) < count:
            more = os.pread(self._fd, count - len(data), start + len(data))
            if not more:
                break
            data += more
        return data

    def next_data(self, start: int) -> int:
        """The first position ≥ `start` that is not inside a hole of a sparse file; `start` where there is none."""
        try:
            return os.lseek(self._fd, start, os.SEEK_DATA)
        except OSError:
            return start

    def close(self) -> None:
        """Give the file descriptor back."""
        os.close(self._fd)


class PackedContents:
    """An archive, inflated as a stream; going back starts it anew."""

    is_whole = True

    def __init__(self, file: BinaryIO) -> None:
        self.damage: str | None = None
        self._file = file
        self._rewind()

    def _rewind(self) -> None:
        self._file.seek(0)
        self._unpacker: Unpacker | None = unpacker_of(self._file)
        self._start = 0  # position of the buffer's first byte
        self._buffer = bytearray()

    def read(self, start: int, count: int) -> bytes:
        """Up to `count` inflated bytes from `start`; fewer only at the end (or where the file is damaged)."""
        if start < self._start:
            self._rewind()
        while self._unpacker is not None and self._start + len(self._buffer) < start + count:
            surplus = min(start - KEPT_BYTES - self._start, len(self._buffer))
            if surplus > CHUNK_BYTES:
                del self._buffer[:surplus]
                self._start += surplus
            self._inflate(self._unpacker)
        at = start - self._start
        return bytes(self._buffer[at : at + count])

    def _inflate(self, unpacker: Unpacker) -> None:
        try:
            piece = unpacker.read1(4 * CHUNK_BYTES)
        except DamageError as exc:
            self._end(str(exc))
            return
        self._buffer += piece
        size = self._start + len(self._buffer)
        if not piece:
            self._end(None)
        elif size > BOMB_BYTES and size > BOMB_RATIO * self._file.tell():
            self._end(f"inflates more than {BOMB_RATIO}-fold: not a log")

    def _end(self, damage: str | None) -> None:
        self._unpacker = None
        self.damage = damage

    def next_data(self, start: int) -> int:
        """`start`: a stream has no holes."""
        return start

    def close(self) -> None:
        """Nothing: the inflaters keep it for the next turn."""

    def release(self) -> None:
        """Give the file descriptor back."""
        self._file.close()


class Inflaters:
    """The archives in reading; kept between polls, they spare a large archive from being inflated once a poll."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[int, int, int, float], PackedContents] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def take(self, entry: Entry) -> PackedContents | None:
        """The inflater of this very file where there is one."""
        key = _key(entry)
        if key in self._open:
            self._open.move_to_end(key)
        return self._open.get(key)

    def keep(self, entry: Entry, contents: PackedContents) -> None:
        """Remember an inflater; the one unused for longest is closed when there are too many."""
        self._open[_key(entry)] = contents
        while len(self._open) > MAX_OPEN:
            self._open.popitem(last=False)[1].release()

    def close(self) -> None:
        """Close them all."""
        while self._open:
            self._open.popitem()[1].release()


def _key(entry: Entry) -> tuple[int, int, int, float]:
    return entry.device, entry.inode, entry.size, entry.written_s


def open_contents(entry: Entry, inflaters: Inflaters) -> Contents | None:
    """Open the file that was seen as `entry`; None when another one is there by now.

    Raises OSError where it may not be read.
    """
    known = inflaters.take(entry)
    if known is not None:
        return known
    try:
        fd = open_entry(entry)
    except FileNotFoundError:
        return None
    try:
        seen = os.fstat(fd)
        if (seen.st_dev, seen.st_ino) != (entry.device, entry.inode):
            os.close(fd)
            return None
        if not is_packed(os.pread(fd, MAGIC_BYTES, 0)):
            return PlainContents(fd)
        file = os.fdopen(fd, "rb")
    except BaseException:
        os.close(fd)
        raise
    contents = PackedContents(file)
    inflaters.keep(entry, contents)
    return contents
