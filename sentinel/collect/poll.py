"""Places and their checkpoints in, the next lines and the moved checkpoints out; the caller commits both together."""

import base64
import os
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import polars as pl

from sentinel.collect.contents import Inflaters, open_contents
from sentinel.collect.identity import Matcher
from sentinel.collect.match import Match
from sentinel.collect.read_file import Turn, take_turn
from sentinel.collect.walk import Entry, Walk, walk
from sentinel.collect.watched import Watched
from sentinel.collect.windows import Windows
from sentinel.records import Checkpoint

__all__ = ["LINE_SCHEMA", "Collected", "poll"]

MAX_BYTES = 4 * 1024 * 1024
TURN_BYTES = 1024 * 1024 + 64 * 1024  # more than an event may have: a turn always gets past one
MAX_LINE_BYTES = 1024 * 1024
QUIET_S = 30.0
IDLE_S = 5.0
SILENT_S = 1.0
KEEP_S = 7 * 86_400.0

LINE_SCHEMA: dict[str, pl.DataType] = {
    "line": pl.Binary(),  # without its line end
    "origin": pl.String(),  # the file's path
    "generation": pl.String(),  # one life of one file
    "offset": pl.Int64(),  # where the line begins, in bytes (of the inflated text for archives)
    "mark": pl.String(),  # "cut" (only its beginning), "unterminated" (the file ended without a line end), or null
}


@dataclass(frozen=True, slots=True)
class Collected:
    """What one poll brought.

    `lines` has LINE_SCHEMA, each file's lines in their order. `checkpoints` are new or changed, to be kept in the same
    transaction as the lines; the generations in `forgotten` are to be deleted there. `counters` counts lines, bytes,
    skipped_bytes, cut, unterminated, and files by what happened to them: new, renamed, refound, copytruncated,
    truncated, vanished, waiting, unreadable, special; what is 0 is left out. `problems` are (path, reason) pairs of
    what was not read. With `is_more` the next poll will find something at once.

    Of the generations in `unsettled` the file was written to a moment ago: their last event may go on. `held_at` gives
    the checkpoints that leave such an event to the next poll.
    """

    lines: pl.DataFrame
    checkpoints: tuple[Checkpoint, ...]
    forgotten: tuple[str, ...]
    counters: dict[str, int]
    problems: tuple[tuple[str, str], ...]
    is_more: bool
    is_calm: bool  # until a file changes there will be nothing to do
    unsettled: frozenset[str]
    windows: Windows

    def held_at(self, held: Mapping[str, int]) -> tuple[Checkpoint, ...]:
        """`checkpoints`, those of the generations in `held` at the offset there, from which the next poll reads on."""
        return self.windows.held_at(self.checkpoints, held)


def random_generation() -> str:
    """Ten random characters out of 0-9a-v."""
    return base64.b32hexencode(os.urandom(7)).decode("ascii")[:10].lower()


def poll(
    watched: Watched,
    checkpoints: Sequence[Checkpoint],
    *,
    now_s: float,
    max_bytes: int = MAX_BYTES,
    turn_bytes: int = TURN_BYTES,
    max_line_bytes: int = MAX_LINE_BYTES,
    quiet_s: float = QUIET_S,
    idle_s: float = IDLE_S,
    keep_s: float = KEEP_S,
    new_generation: Callable[[], str] = random_generation,
    inflaters: Inflaters | None = None,
    seen: Walk | None = None,
    is_first: bool = False,
    asked: dict[tuple[int, int], float] | None = None,
) -> Collected:
    """Read the next `max_bytes` or so (by at most one line more) of the watched files, in fair turns.

    `checkpoints` are all that were kept. A rotated file is over, and an archive read, `quiet_s` seconds after its last
    change; what follows the last line end of a file in use is read after `idle_s` seconds; a file that has gone is
    known again for `keep_s` seconds. Pass the same `inflaters` to the polls of one run when there may be large
    archives, and `seen` where the walk was just made. `is_first`: nothing was ever collected, so that `begins_now`
    counts. The next poll that is given the same `asked` opens nothing that has not changed. Raises TerminalError when
    no place can be read.
    """
    seen = walk(watched) if seen is None else seen
    with ExitStack() as stack:
        open_files = inflaters if inflaters is not None else stack.enter_context(Inflaters())
        matcher = Matcher(
            now_s=now_s,
            quiet_s=quiet_s,
            keep_s=keep_s,
            new_generation=new_generation,
            inflaters=open_files,
            from_end=is_first and watched.begins_now,
            asked=asked,
        )
        match = matcher.match(seen.entries, checkpoints, seen.blind)
        match.counts["special"] += seen.special
        match.problems[:0] = [*seen.problems, *seen.passed]
        windows = Windows(match.changed)
        reader = _Reader(match, open_files, windows, now_s, turn_bytes, max_line_bytes, quiet_s, idle_s)
        return _collected(reader, is_more=reader.read(max_bytes))


def _collected(reader: "_Reader", *, is_more: bool) -> Collected:
    """What the reader has read."""
    match = reader.match
    return Collected(
        lines=pl.concat(reader.frames) if reader.frames else pl.DataFrame(schema=LINE_SCHEMA),
        checkpoints=tuple(match.changed.values()),
        forgotten=tuple(match.forgotten),
        counters={name: count for name, count in match.counts.items() if count},
        problems=tuple(match.problems),
        is_more=is_more,
        is_calm=not is_more and match.is_calm(reader.now_s),
        unsettled=frozenset(reader.unsettled),
        windows=reader.windows,
    )


@dataclass(slots=True)
class _Reader:
    """Gives each file its turn until the bytes are used up or nothing is left."""

    match: Match
    inflaters: Inflaters
    windows: Windows
    now_s: float
    turn_bytes: int
    max_line_bytes: int
    quiet_s: float
    idle_s: float
    frames: list[pl.DataFrame] = field(default_factory=list)
    unsettled: set[str] = field(default_factory=set)

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
            is_idle = checkpoint.state != "rotated" and entry.changed_s < self.now_s - self.idle_s
            turn = take_turn(
                contents,
                checkpoint,
                is_ended=is_ended,
                is_idle=is_idle,
                turn_bytes=self.turn_bytes,
                max_line_bytes=self.max_line_bytes,
            )
        finally:
            contents.close()
        if turn is None:
            return None
        if is_ended and not turn.is_more:
            turn = replace(turn, checkpoint=replace(turn.checkpoint, state="done"))
        elif turn.lines and (turn.is_more or 0 <= self.now_s - entry.changed_s < SILENT_S):
            self.unsettled.add(checkpoint.generation)
        if not turn.is_more and turn.checkpoint.state == "done":
            self.unsettled.discard(checkpoint.generation)
            if contents.damage:
                self.match.problems.append((entry.path, contents.damage))
        self._keep(entry, checkpoint, turn)
        return turn

    def _keep(self, entry: Entry, before: Checkpoint, turn: Turn) -> None:
        """Note the lines, the moved checkpoint and the counts of one turn."""
        self.windows.keep(before, turn)
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
