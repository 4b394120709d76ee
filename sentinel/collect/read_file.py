"""One file's turn: bytes from its checkpoint on in, whole lines with their positions and the moved checkpoint out."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sentinel.collect.contents import Contents
from sentinel.records import Checkpoint

__all__ = ["CUT", "GUARD_BYTES", "HEAD_BYTES", "UNTERMINATED", "Turn", "fingerprint", "is_same", "take_turn"]

HEAD_BYTES = 1024
GUARD_BYTES = 256
HOLE_BYTES = 4096  # smaller runs of NUL are read, not jumped over

CUT = "cut"
UNTERMINATED = "unterminated"


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn brought: whole lines without their line ends, where each begins, and marks by row."""

    lines: list[bytes]
    offsets: npt.NDArray[np.int64]
    marks: dict[int, str]  # row → CUT or UNTERMINATED
    checkpoint: Checkpoint
    consumed: int  # bytes by which the checkpoint moved
    skipped: int  # bytes among them that belong to no line: the rest of a cut one, or NULs
    is_more: bool  # there may be more to read at once


def fingerprint(data: bytes) -> str:
    """16 hexadecimal digits that tell byte strings apart."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def is_same(contents: Contents, checkpoint: Checkpoint) -> bool:
    """Whether the bytes that were read under this checkpoint are still there: its head, and those before its offset."""
    head = contents.read(0, checkpoint.head_bytes)
    if len(head) < checkpoint.head_bytes or fingerprint(head) != checkpoint.head_hash:
        return False
    guard = contents.read(checkpoint.offset - checkpoint.guard_bytes, checkpoint.guard_bytes)
    return len(guard) == checkpoint.guard_bytes and fingerprint(guard) == checkpoint.guard_hash


class _Window:
    """The bytes around a checkpoint's offset, read in one go, so that guard and lines are of one moment."""

    def __init__(self, contents: Contents, checkpoint: Checkpoint, count: int) -> None:
        self.base = 0 if checkpoint.offset <= HEAD_BYTES else checkpoint.offset - GUARD_BYTES
        self.data = contents.read(self.base, checkpoint.offset - self.base + count)
        self.body = checkpoint.offset - self.base  # where the unread begins in `data`
        self.is_short = len(self.data) < self.body + count

    def holds(self, checkpoint: Checkpoint) -> bool:
        guard = self.data[self.body - checkpoint.guard_bytes : self.body]
        return len(guard) == checkpoint.guard_bytes and fingerprint(guard) == checkpoint.guard_hash

    def is_inside_line(self) -> bool:
        """Whether the byte before the unread belongs to a line that goes on."""
        return self.body > 0 and self.data[self.body - 1] not in b"\n\0"


def take_turn(
    contents: Contents, checkpoint: Checkpoint, *, is_ended: bool, turn_bytes: int, max_line_bytes: int
) -> Turn | None:
    """Read up to `turn_bytes` (one line may be longer) from the checkpoint's offset.

    The offset moves past a line end only, except inside a line over `max_line_bytes`: its beginning is emitted with the
    mark CUT and the rest is passed by, however long. With `is_ended` (nobody writes there any more) what follows the
    last line end is emitted too, marked UNTERMINATED. None when the file is another one than the checkpoint says.
    """
    window = _Window(contents, checkpoint, turn_bytes)
    if not window.holds(checkpoint):
        return None
    start = window.body
    if window.is_inside_line() and checkpoint.state != "done":
        line_end = window.data.find(b"\n", start)
        if line_end < 0:
            return _turn(window, checkpoint, [], len(window.data), skipped=len(window.data) - start)
        start = line_end + 1
    start = _past_nuls(window.data, start)
    if start == len(window.data) and not window.is_short:
        return _jump(contents, window, checkpoint)
    end = window.data.rfind(b"\n", start) + 1
    if end == 0 and not window.is_short and len(window.data) - start <= max_line_bytes:
        window = _Window(contents, checkpoint, max_line_bytes + 1 + start - window.body)
        end = window.data.rfind(b"\n", start) + 1
    if end == 0 and len(window.data) - start > max_line_bytes:
        piece = window.data[start : start + max_line_bytes]
        return _turn(window, checkpoint, [(start, piece)], start + max_line_bytes, mark=CUT)
    return _whole_lines(window, checkpoint, start, max(end, start), is_ended=is_ended and window.is_short)


def _past_nuls(data: bytes, start: int) -> int:
    """Where the first byte other than NUL stands; a sparse or preallocated stretch is no part of a line."""
    if start >= len(data) or data[start]:
        return start
    return len(data) - len(data[start:].lstrip(b"\0"))


def _whole_lines(window: _Window, checkpoint: Checkpoint, start: int, end: int, *, is_ended: bool) -> Turn:
    """The lines of `data[start:end]`, and the unterminated rest where nothing more will come."""
    if start == end and not is_ended:
        # Only half a line, or NULs that may yet be overwritten: the offset stays, unless a skipped line ended here.
        stop = start if start > window.body and window.data[start - 1] != 0 else window.body
        return _turn(window, checkpoint, [], stop, skipped=stop - window.body)
    region = window.data[start:end]
    lines = region.split(b"\n")
    lines.pop()
    starts = np.empty(len(lines), dtype=np.int64)
    if lines:
        starts[0] = 0
        starts[1:] = np.flatnonzero(np.frombuffer(region, dtype=np.uint8)[:-1] == 10) + 1
        starts += window.base + start
    if b"\r\n" in region:
        lines = [line.removesuffix(b"\r") for line in lines]
    if b"\0" in region:
        lines = [line.lstrip(b"\0") for line in lines]
    marks: dict[int, str] = {}
    rest = window.data[end:].strip(b"\0") if is_ended else b""
    if rest:
        marks[len(lines)] = UNTERMINATED
        lines.append(rest)
        starts = np.append(starts, window.base + end)
    stop = len(window.data) if is_ended else end
    return _finish(window, checkpoint, lines, starts, marks, stop, skipped=start - window.body, is_ended=is_ended)


def _turn(
    window: _Window,
    checkpoint: Checkpoint,
    pieces: list[tuple[int, bytes]],
    stop: int,
    *,
    mark: str | None = None,
    skipped: int = 0,
) -> Turn:
    """A turn that brought at most one line."""
    offsets = np.array([window.base + at for at, _ in pieces], dtype=np.int64)
    marks = {0: mark} if mark else {}
    lines = [line.lstrip(b"\0") for _, line in pieces]
    return _finish(window, checkpoint, lines, offsets, marks, stop, skipped=skipped, is_ended=False)


def _finish(
    window: _Window,
    checkpoint: Checkpoint,
    lines: list[bytes],
    offsets: npt.NDArray[np.int64],
    marks: dict[int, str],
    stop: int,
    *,
    skipped: int,
    is_ended: bool,
) -> Turn:
    """Move the checkpoint to `data[stop]` and fingerprint what lies before it."""
    guard = window.data[max(0, stop - GUARD_BYTES) : stop]
    moved = replace(checkpoint, offset=window.base + stop, guard_bytes=len(guard), guard_hash=fingerprint(guard))
    if checkpoint.head_bytes < HEAD_BYTES and window.base == 0:
        head = window.data[: min(HEAD_BYTES, stop)]
        moved = replace(moved, head_bytes=len(head), head_hash=fingerprint(head))
    consumed = moved.offset - checkpoint.offset
    if is_ended:
        moved = replace(moved, state="done")
    elif consumed and checkpoint.state == "done":
        moved = replace(moved, state="live")
    is_more = not window.is_short or CUT in marks.values()
    return Turn(lines, offsets, marks, moved, consumed, skipped, is_more)


def _jump(contents: Contents, window: _Window, checkpoint: Checkpoint) -> Turn:
    """Pass by a stretch of NULs that goes on beyond the window; holes of a sparse file cost nothing."""
    end = window.base + len(window.data)
    data_at = contents.next_data(end)
    if data_at - end < HOLE_BYTES:
        return _turn(window, checkpoint, [], len(window.data), skipped=len(window.data) - window.body)
    guard = fingerprint(bytes(GUARD_BYTES))
    head_bytes = min(HEAD_BYTES, data_at)
    head = fingerprint(window.data[:head_bytes]) if window.base == 0 else checkpoint.head_hash
    moved = replace(
        checkpoint, offset=data_at, guard_bytes=GUARD_BYTES, guard_hash=guard, head_bytes=head_bytes, head_hash=head
    )
    return Turn(
        [], np.empty(0, dtype=np.int64), {}, moved, len(window.data) - window.body, data_at - checkpoint.offset, True
    )
