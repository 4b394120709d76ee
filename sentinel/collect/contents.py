"""One file in, its bytes at a position out, inflated where it is gzip; never through a link, never more than asked."""

import os
import zlib
from collections import OrderedDict
from types import TracebackType
from typing import Protocol, Self

from sentinel.collect.walk import Entry

__all__ = ["Contents", "GzipContents", "Inflaters", "PlainContents", "open_contents"]

GZIP_MAGIC = b"\x1f\x8b\x08"
CHUNK_BYTES = 64 * 1024
KEPT_BYTES = 1280  # how much before a position stays readable without inflating anew: the head and a guard
MAX_OPEN = 4  # inflaters kept between polls
BOMB_RATIO = 500  # text never packs this well; deflate's own limit is 1,032
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


class GzipContents:
    """A gzip file, inflated as a stream of one or more members; going back starts it anew."""

    is_whole = True

    def __init__(self, fd: int) -> None:
        self.damage: str | None = None
        self._fd = fd
        self._rewind()

    def _rewind(self) -> None:
        self._packed = 0  # bytes of the packed file already given to the inflater
        self._start = 0  # position of the buffer's first byte
        self._buffer = bytearray()
        self._ended = False
        self._inflater = zlib.decompressobj(wbits=31)

    def read(self, start: int, count: int) -> bytes:
        """Up to `count` inflated bytes from `start`; fewer only at the end (or where the file is damaged)."""
        if start < self._start:
            self._rewind()
        while not self._ended and self._start + len(self._buffer) < start + count:
            surplus = min(start - KEPT_BYTES - self._start, len(self._buffer))
            if surplus > CHUNK_BYTES:
                del self._buffer[:surplus]
                self._start += surplus
            self._inflate()
        at = start - self._start
        return bytes(self._buffer[at : at + count])

    def _inflate(self) -> None:
        packed = self._inflater.unconsumed_tail
        if not packed:
            packed = os.pread(self._fd, CHUNK_BYTES, self._packed)
            self._packed += len(packed)
        if not packed:
            self._end(None if self._inflater.eof else "the gzip stream ends early")
            return
        try:
            if self._inflater.eof:
                self._inflater = zlib.decompressobj(wbits=31)
            self._buffer += self._inflater.decompress(packed, 4 * CHUNK_BYTES)
            self._packed -= len(self._inflater.unused_data)
        except zlib.error as exc:
            self._end(None if not packed.strip(b"\0") else f"damaged gzip: {exc}")
            return
        size = self._start + len(self._buffer)
        if size > BOMB_BYTES and size > BOMB_RATIO * self._packed:
            self._end(f"inflates more than {BOMB_RATIO}-fold: not a log")

    def _end(self, damage: str | None) -> None:
        self._ended = True
        self.damage = damage

    def next_data(self, start: int) -> int:
        """`start`: a stream has no holes."""
        return start

    def close(self) -> None:
        """Nothing: the inflaters keep it for the next turn."""

    def release(self) -> None:
        """Give the file descriptor back."""
        os.close(self._fd)


class Inflaters:
    """The gzip files in reading; kept between polls, they spare a large archive from being inflated once a poll."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[int, int, int, float], GzipContents] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def take(self, entry: Entry) -> GzipContents | None:
        """The inflater of this very file where there is one."""
        key = _key(entry)
        if key in self._open:
            self._open.move_to_end(key)
        return self._open.get(key)

    def keep(self, entry: Entry, contents: GzipContents) -> None:
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
        fd = os.open(entry.location, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        seen = os.fstat(fd)
        if (seen.st_dev, seen.st_ino) != (entry.device, entry.inode):
            os.close(fd)
            return None
        is_gzip = os.pread(fd, 3, 0) == GZIP_MAGIC
    except BaseException:
        os.close(fd)
        raise
    if not is_gzip:
        return PlainContents(fd)
    contents = GzipContents(fd)
    inflaters.keep(entry, contents)
    return contents
