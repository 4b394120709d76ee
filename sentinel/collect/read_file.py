"""One file's turn: bytes from its checkpoint on in, whole lines with their positions and the moved checkpoint out."""

import hashlib
import itertools
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sentinel.collect.contents import Contents
from sentinel.collect.wide import decoded, line_ends, wide_of
from sentinel.records import Checkpoint

__all__ = [
    "CUT",
    "GUARD_BYTES",
    "HEAD_BYTES",
    "UNTERMINATED",
    "Turn",
    "Window",
    "at_end",
    "fingerprint",
    "finish",
    "is_same",
    "marked_at",
    "take_turn",
]

HEAD_BYTES = 1024
GUARD_BYTES = 256
END_BYTES = 64 * 1024  # of a file's end in which its last line end is sought
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
    window: tuple[int, bytes]  # (position, bytes) that were looked at


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


class Window:
    """The bytes around a checkpoint's offset, read in one go, so that guard and lines are of one moment."""

    def __init__(self, contents: Contents, checkpoint: Checkpoint, count: int) -> None:
        self.base = 0 if checkpoint.offset <= HEAD_BYTES else checkpoint.offset - GUARD_BYTES
        self.data = contents.read(self.base, checkpoint.offset - self.base + count)
        self.body = checkpoint.offset - self.base  # where the unread begins in `data`
        self.is_short = len(self.data) < self.body + count

    def holds(self, checkpoint: Checkpoint) -> bool:
        """Whether the bytes before the offset are those that the checkpoint was made of."""
        guard = self.data[self.body - checkpoint.guard_bytes : self.body]
        return len(guard) == checkpoint.guard_bytes and fingerprint(guard) == checkpoint.guard_hash

    def is_inside_line(self) -> bool:
        """Whether the byte before the unread belongs to a line that goes on."""
        return self.body > 0 and self.data[self.body - 1] not in b"\n\0"


def take_turn(
    contents: Contents,
    checkpoint: Checkpoint,
    *,
    is_ended: bool,
    turn_bytes: int,
    max_line_bytes: int,
    is_idle: bool = False,
) -> Turn | None:
    """Read up to `turn_bytes` (one line may be longer) from the checkpoint's offset.

    The offset moves past a line end only, except inside a line over `max_line_bytes`: its beginning is emitted with the
    mark CUT and the rest is passed by, however long. With `is_ended` (nobody writes there any more) or `is_idle`
    (nobody has for a while) what follows the last line end is emitted too, marked UNTERMINATED; NULs at the end of an
    idle file may still be written over. None when the file is another one than the checkpoint says.
    """
    window = Window(contents, checkpoint, turn_bytes)
    if not window.holds(checkpoint):
        return None
    if (codec := wide_of(contents)) is not None:
        return _take_wide(contents, window, checkpoint, codec, is_ended or is_idle, max_line_bytes)
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
        window = Window(contents, checkpoint, max_line_bytes + 1 + start - window.body)
        end = window.data.rfind(b"\n", start) + 1
    if end == 0 and len(window.data) - start > max_line_bytes:
        piece = window.data[start : start + max_line_bytes]
        return _turn(window, checkpoint, [(start, piece)], start + max_line_bytes, mark=CUT)
    is_ended = is_ended or (is_idle and window.data[-1:] not in (b"", b"\0", b"\n"))
    turn = _whole_lines(window, checkpoint, start, max(end, start), is_ended=is_ended and window.is_short)
    return _shortened(turn, max_line_bytes) if len(window.data) > max_line_bytes else turn


def _take_wide(
    contents: Contents, window: Window, checkpoint: Checkpoint, codec: str, is_ended: bool, max_line_bytes: int
) -> Turn:
    """The same for UTF-16: positions count the file's bytes, lines are given as UTF-8."""
    if window.is_short is False and len(line_ends(window.data[window.body :], codec)) == 0:
        window = Window(contents, checkpoint, max_line_bytes + 2)
    body = window.data[window.body : len(window.data) - len(window.data) % 2]
    ends = line_ends(body, codec)
    is_inside = window.body > 0 and decoded(window.data[window.body - 2 : window.body], codec) != b"\n"
    skipped = 0
    if is_inside and checkpoint.state != "done":
        skipped = int(ends[0]) if len(ends) else len(body)
        ends = ends[1:]
    starts = np.concatenate(([skipped], ends)).astype(np.int64)
    lines = [decoded(body[a:b], codec).removesuffix(b"\n").removesuffix(b"\r") for a, b in itertools.pairwise(starts)]
    marks: dict[int, str] = {}
    stop, rest = int(starts[-1]), body[int(starts[-1]) :]
    is_cut = not lines and len(rest) >= max_line_bytes
    if rest and (is_cut or (is_ended and window.is_short)):
        marks[len(lines)] = CUT if is_cut else UNTERMINATED
        lines.append(decoded(rest, codec))
        stop = len(body)
    is_done = is_ended and window.is_short and not is_cut and (contents.is_whole or bool(marks))
    offsets = starts[: len(lines)] + window.base + window.body
    return finish(window, checkpoint, lines, offsets, marks, window.body + stop, skipped=skipped, is_ended=is_done)


def _past_nuls(data: bytes, start: int) -> int:
    """Where the first byte other than NUL stands; a sparse or preallocated stretch is no part of a line."""
    if start >= len(data) or data[start]:
        return start
    return len(data) - len(data[start:].lstrip(b"\0"))


def _whole_lines(window: Window, checkpoint: Checkpoint, start: int, end: int, *, is_ended: bool) -> Turn:
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
    return finish(window, checkpoint, lines, starts, marks, stop, skipped=start - window.body, is_ended=is_ended)


def _shortened(turn: Turn, max_line_bytes: int) -> Turn:
    """The turn with the beginnings alone of lines that are too long."""
    long = [row for row, line in enumerate(turn.lines) if len(line) > max_line_bytes]
    for row in long:
        turn.lines[row] = turn.lines[row][:max_line_bytes]
    return replace(turn, marks=turn.marks | dict.fromkeys(long, CUT))


def _turn(
    window: Window,
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
    return finish(window, checkpoint, lines, offsets, marks, stop, skipped=skipped, is_ended=False)


def finish(
    window: Window,
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
    moved = marked_at(checkpoint, window.base, window.data, stop)
    consumed = moved.offset - checkpoint.offset
    if is_ended:
        moved = replace(moved, state="done")
    elif consumed and checkpoint.state == "done":
        moved = replace(moved, state="live")
    is_more = not window.is_short or CUT in marks.values()
    return Turn(lines, offsets, marks, moved, consumed, skipped, is_more, (window.base, window.data))


def marked_at(checkpoint: Checkpoint, base: int, data: bytes, stop: int) -> Checkpoint:
    """The checkpoint at `data[stop]`, where `data` stands at position `base` of the file."""
    guard = data[max(0, stop - GUARD_BYTES) : stop]
    moved = replace(checkpoint, offset=base + stop, guard_bytes=len(guard), guard_hash=fingerprint(guard))
    if base == 0 and (checkpoint.head_bytes < HEAD_BYTES or stop < HEAD_BYTES):
        head = data[: min(HEAD_BYTES, stop)]
        moved = replace(moved, head_bytes=len(head), head_hash=fingerprint(head))
    return moved


def at_end(contents: Contents, checkpoint: Checkpoint, size: int) -> Checkpoint:
    """The checkpoint of a file of which nothing that is there now is to be read.

    It stands behind the last line end; an archive is done with.
    """
    if contents.is_whole:
        head = contents.read(0, HEAD_BYTES)
        return replace(marked_at(checkpoint, 0, head, len(head)), state="done")
    base = 0 if size <= END_BYTES else (size - END_BYTES) & ~1
    data = contents.read(base, size - base)
    stop = len(data) if (end := last_line_end(contents, data)) == 0 else end
    moved = marked_at(checkpoint, base, data, stop)
    if base:
        head = contents.read(0, HEAD_BYTES)
        moved = replace(moved, head_bytes=len(head), head_hash=fingerprint(head))
    return moved


def last_line_end(contents: Contents, data: bytes) -> int:
    """Where in `data` (from an even position of the file) the last line ends; 0 where none does."""
    codec = wide_of(contents)
    if codec is None:
        return data.rfind(b"\n") + 1
    ends = line_ends(data, codec)
    return int(ends[-1]) if len(ends) else 0


def _jump(contents: Contents, window: Window, checkpoint: Checkpoint) -> Turn:
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
        [],
        np.empty(0, dtype=np.int64),
        {},
        moved,
        len(window.data) - window.body,
        data_at - checkpoint.offset,
        True,
        (window.base, window.data),
    )
