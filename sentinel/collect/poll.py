"""A folder and its checkpoints in, the next lines and the moved checkpoints out; the caller commits both together."""

import base64
import os
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from sentinel.collect.contents import Inflaters, open_contents
from sentinel.collect.identity import Match, Matcher
from sentinel.collect.read_file import Turn, take_turn
from sentinel.collect.walk import Entry, walk
from sentinel.records import Checkpoint

__all__ = ["LINE_SCHEMA", "Collected", "poll"]

MAX_BYTES = 4 * 1024 * 1024
TURN_BYTES = 256 * 1024
MAX_LINE_BYTES = 1024 * 1024
QUIET_S = 30.0
KEEP_S = 7 * 86_400.0

LINE_SCHEMA: dict[str, pl.DataType] = {
    "line": pl.Binary(),  # without its line end
    "origin": pl.String(),  # the file's path
    "generation": pl.String(),  # one life of one file
    "offset": pl.Int64(),  # where the line begins, in bytes (of the inflated text for gzip)
    "mark": pl.String(),  # "cut" (only its beginning), "unterminated" (the file ended without a line end), or null
}


@dataclass(frozen=True, slots=True)
class Collected:
    """What one poll brought.

    `lines` has LINE_SCHEMA, each file's lines in their order. `checkpoints` are new or changed, to be kept in the same
    transaction as the lines; the generations in `forgotten` are to be deleted there. `counters` counts lines, bytes,
    skipped_bytes, cut, unterminated, and files by what happened to them: new, renamed, refound, copytruncated,
    truncated, vanished, waiting, unreadable, special; what is 0 is left out. `problems` say `path: reason` of what
    could not be read. With `is_more` the next poll will find something at once.
    """

    lines: pl.DataFrame
    checkpoints: tuple[Checkpoint, ...]
    forgotten: tuple[str, ...]
    counters: dict[str, int]
    problems: tuple[str, ...]
    is_more: bool


def random_generation() -> str:
    """Ten random characters out of 0-9a-v."""
    return base64.b32hexencode(os.urandom(7)).decode("ascii")[:10].lower()


def poll(
    root: Path,
    checkpoints: Sequence[Checkpoint],
    *,
    now_s: float,
    max_bytes: int = MAX_BYTES,
    turn_bytes: int = TURN_BYTES,
    max_line_bytes: int = MAX_LINE_BYTES,
    quiet_s: float = QUIET_S,
    keep_s: float = KEEP_S,
    new_generation: Callable[[], str] = random_generation,
    inflaters: Inflaters | None = None,
) -> Collected:
    """Read the next `max_bytes` or so (by at most one line more) of the files under `root`, in fair turns.

    `checkpoints` are all that were kept. A file is quiet, and its unterminated end or its archive read, `quiet_s`
    seconds after its last change; a file that has gone is known again for `keep_s` seconds. Pass the same `inflaters`
    to the polls of one run when there may be large gzip files. Raises TerminalError when `root` cannot be read.
    """
    seen = walk(root)
    with ExitStack() as stack:
        open_files = inflaters if inflaters is not None else stack.enter_context(Inflaters())
        matcher = Matcher(
            now_s=now_s, quiet_s=quiet_s, keep_s=keep_s, new_generation=new_generation, inflaters=open_files
        )
        match = matcher.match(seen.entries, checkpoints)
        match.counts["special"] += seen.special
        match.problems[:0] = seen.problems
        reader = _Reader(match, open_files, now_s, turn_bytes, max_line_bytes, quiet_s)
        is_more = reader.read(max_bytes)
    return Collected(
        lines=pl.concat(reader.frames) if reader.frames else pl.DataFrame(schema=LINE_SCHEMA),
        checkpoints=tuple(match.changed.values()),
        forgotten=tuple(match.forgotten),
        counters={name: count for name, count in match.counts.items() if count},
        problems=tuple(f"{path}: {reason}" for path, reason in match.problems),
        is_more=is_more,
    )


@dataclass(slots=True)
class _Reader:
    """Gives each file its turn until the bytes are used up or nothing is left."""

    match: Match
    inflaters: Inflaters
    now_s: float
    turn_bytes: int
    max_line_bytes: int
    quiet_s: float
    frames: list[pl.DataFrame] = field(default_factory=list)

    def read(self, max_bytes: int) -> bool:
        """Read about `max_bytes`, those files first whose turn was longest ago; whether something is left."""
        waiting = [source for source in self.match.sources if self._may_have_more(*source)]
        queue = deque(sorted(waiting, key=lambda source: (source[1].updated_s, source[0].location)))
        while queue and max_bytes > 0:
            entry, checkpoint = queue.popleft()
            try:
                turn = self._take_turn(entry, checkpoint)
            except OSError as exc:
                self.match.note(entry.path, exc)
                continue
            if turn is None:
                continue
            max_bytes -= turn.consumed
            if turn.is_more:
                queue.append((entry, turn.checkpoint))
        return bool(queue)

    def _may_have_more(self, entry: Entry, checkpoint: Checkpoint) -> bool:
        if checkpoint.state == "done":  # grown after all, unless the offset counts inflated bytes
            return entry.size > checkpoint.offset
        return entry.size != checkpoint.offset or checkpoint.state == "rotated"

    def _take_turn(self, entry: Entry, checkpoint: Checkpoint) -> Turn | None:
        contents = open_contents(entry, self.inflaters)
        if contents is None:
            return None
        try:
            if contents.is_whole and checkpoint.state == "done":
                return None
            is_quiet = entry.changed_s < self.now_s - self.quiet_s
            is_ended = contents.is_whole or (checkpoint.state == "rotated" and is_quiet)
            turn = take_turn(
                contents,
                checkpoint,
                is_ended=is_ended,
                turn_bytes=self.turn_bytes,
                max_line_bytes=self.max_line_bytes,
            )
        finally:
            contents.close()
        if turn is None:
            return None
        if is_ended and not turn.is_more:
            turn = replace(turn, checkpoint=replace(turn.checkpoint, state="done"))
            if contents.damage:
                self.match.problems.append((entry.path, contents.damage))
        self._keep(entry, checkpoint, turn)
        return turn

    def _keep(self, entry: Entry, before: Checkpoint, turn: Turn) -> None:
        """Note the lines, the moved checkpoint and the counts of one turn."""
        if turn.checkpoint != before:
            self.match.changed[before.generation] = replace(turn.checkpoint, updated_s=self.now_s)
        counts = self.match.counts
        counts.update(Counter(turn.marks.values()))
        counts["bytes"] += turn.consumed
        counts["skipped_bytes"] += turn.skipped
        counts["lines"] += len(turn.lines)
        if turn.lines:
            self.frames.append(_frame(entry, turn))


def _frame(entry: Entry, turn: Turn) -> pl.DataFrame:
    """One turn's lines in LINE_SCHEMA."""
    marks = pl.Series("mark", [None], dtype=pl.String()).new_from_index(0, len(turn.lines))
    if turn.marks:
        marks = marks.scatter(list(turn.marks), list(turn.marks.values()))
    return pl.DataFrame(
        {
            "line": pl.Series(turn.lines, dtype=pl.Binary()),
            "offset": turn.offsets,
            "mark": marks,
        }
    ).select(
        "line",
        pl.lit(entry.path).alias("origin"),
        pl.lit(turn.checkpoint.generation).alias("generation"),
        "offset",
        "mark",
    )
