"""A whole file in, from its beginning to its end: its lines as the collector gives them, without any checkpoint."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from sentinel.collect.packed import MAGIC_BYTES, is_packed, unpacker_of
from sentinel.collect.poll import MAX_LINE_BYTES
from sentinel.collect.read_file import CUT, UNTERMINATED
from sentinel.collect.wide import PROBE_BYTES, codec_of, decoded, line_ends

__all__ = ["Line", "lines_of", "pieces_of"]

PIECE_BYTES = 4 * 1024 * 1024


class Line(NamedTuple):
    """One line without its end, in UTF-8; `offset` is where it begins in the file, or in what an archive holds."""

    offset: int
    line: bytes
    mark: str | None  # CUT or UNTERMINATED


def pieces_of(file: BinaryIO, *, is_archive: bool = True) -> Iterator[bytes]:
    """The bytes of a file from its beginning, inflated where it is packed; a stream that cannot go back is no archive.

    Raises DamageError behind all that is sound.
    """
    if is_archive:
        head = file.read(MAGIC_BYTES)
        file.seek(0)
        if is_packed(head):
            archive = unpacker_of(file)
            while piece := archive.read1(PIECE_BYTES):
                yield piece
            return
    while piece := file.read(PIECE_BYTES):
        yield piece


def lines_of(pieces: Iterable[bytes], *, max_line_bytes: int = MAX_LINE_BYTES) -> Iterator[list[Line]]:
    """The lines of a file, some a piece, UTF-16 as UTF-8; of one over `max_line_bytes` its beginning, marked CUT."""
    data, at, codec, is_inside = b"", 0, None, False
    for piece in pieces:
        data += piece
        if at == 0:
            codec = codec_of(data[:PROBE_BYTES])
        ends = _ends(data, codec)
        lines = _cut_apart(data, at, ends, codec)[int(is_inside and len(ends) > 0) :]
        is_inside = is_inside and len(ends) == 0
        done = int(ends[-1]) if len(ends) else 0
        data, at = data[done:], at + done
        if is_inside or len(data) > max_line_bytes:
            if not is_inside:
                lines.append(Line(at, data, None))
            keep = len(data) % 2 if codec else 0
            at, data, is_inside = at + len(data) - keep, data[len(data) - keep :], True
        yield [_readable(line, codec, max_line_bytes) for line in lines]
    if not is_inside and data.strip(b"\0"):
        yield [_readable(Line(at, data, UNTERMINATED), codec, max_line_bytes)]


def _ends(data: bytes, codec: str | None) -> npt.NDArray[np.int64]:
    """Where in `data` each line is over: behind its line feed."""
    if codec is not None:
        return line_ends(data, codec)
    return np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n")) + 1


def _cut_apart(data: bytes, at: int, ends: npt.NDArray[np.int64], codec: str | None) -> list[Line]:
    width = 2 if codec else 1
    begin, lines = 0, []
    for end in ends.tolist():
        lines.append(Line(at + begin, data[begin : end - width], None))
        begin = end
    return lines


def _readable(line: Line, codec: str | None, max_line_bytes: int) -> Line:
    data, mark = (line.line, line.mark) if len(line.line) <= max_line_bytes else (line.line[:max_line_bytes], CUT)
    if codec is not None:
        data = decoded(data, codec)
    return Line(line.offset, data.removesuffix(b"\r").lstrip(b"\0") if mark != CUT else data, mark)
