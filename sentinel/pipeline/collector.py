"""The rounds of collecting: a lease, some chunks of lines parsed and committed with their checkpoints, and no more."""

import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import polars as pl

from sentinel.collect import Collected, Inflaters, Walk, Watched, is_packed_name, poll, walk
from sentinel.parse import Parsed, hide_secrets, parse_lines
from sentinel.pipeline.secrets import count_masked
from sentinel.pipeline.votes import Change, Votes, read_votes
from sentinel.records import Checkpoint
from sentinel.spool import Lease, Spool

__all__ = ["READER", "Collector", "Gathered", "count_rejected"]

CHUNK_BYTES = 3 * 1024 * 1024  # of raw lines a commit, so that none holds up an answer for long
READER = "collect"  # only a lock: collectors take turns
ROUND_S = 1.5  # a round begins no further chunk after so long: others wait for the lease
LOOK_AGAIN_S = 60.0  # after so long checkpoints are matched though no file has changed: the old ones are forgotten
PACKED_RATIO = 8  # how many times bigger the text of an archive is taken to be
BEGUN = "collect-begun"  # the state that says that files were collected before


@dataclass(slots=True)
class Gathered:
    """What rounds brought: counts, records by file, what was not read, and whether there is more."""

    counts: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    problems: dict[tuple[str, str], None] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)  # files that are written in another format than before
    is_more: bool = False
    is_held: bool = False  # an event that may go on waits for its end

    def add(self, later: "Gathered") -> None:
        """Add what came later."""
        self.counts += later.counts
        self.rows += later.rows
        self.problems |= later.problems
        self.changes += later.changes
        self.is_more, self.is_held = later.is_more, later.is_held


class Collector:
    """Takes rounds; what it keeps in between only spares work: the truth are files and spool."""

    def __init__(self, spool: Spool, watched: Watched, *, period: str, clock: Callable[[], float] = time.time) -> None:
        self._spool, self._watched, self._period, self._clock = spool, watched, period, clock
        self._inflaters = Inflaters()
        self._name = secrets.token_hex(4)  # who takes the lease after another collector, of whatever process, knows it
        self._token: int | None = None  # of the lease under which `_kept` was read
        self._kept: dict[str, Checkpoint] = {}
        self._votes = Votes()
        self._asked: dict[tuple[int, int], float] = {}
        self._is_begun = False
        self._calm: Walk | None = None  # after this look nothing was left to do
        self._late: dict[str, tuple[Checkpoint, pl.DataFrame]] = {}  # held events, should their file go meanwhile
        self._polled_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the archives in reading."""
        self._inflaters.close()

    def round(self, *, wait_s: float, max_s: float = ROUND_S) -> Gathered | None:
        """Read, parse and commit what is new, for about `max_s` seconds; None where another collector has the lease.

        Raises SpoolFullError, and TerminalError where no watched place can be read.
        """
        gathered, ends_s = Gathered(), time.monotonic() + max_s
        with self._spool.lease(READER, holder=self._name, wait_s=wait_s) as lease:
            if lease is None:
                return None
            ends_s = max(ends_s, time.monotonic() + max_s / 2)  # the wait for the lease took some of it
            self._recall(lease)
            while True:
                self._chunk(gathered)
                if not gathered.is_more or time.monotonic() >= ends_s:
                    return gathered

    def left_bytes(self) -> int:
        """About how many bytes of the watched files are still to be read; packed ones count for what they may hold.

        Raises TerminalError where no watched place can be read.
        """
        known = {(checkpoint.device, checkpoint.inode): checkpoint for checkpoint in self._spool.checkpoints()}
        left = 0
        for entry in walk(self._watched).entries:
            checkpoint = known.get((entry.device, entry.inode))
            if is_packed_name(entry.path):
                left += 0 if checkpoint and checkpoint.state == "done" else entry.size * PACKED_RATIO
            else:
                left += max(0, entry.size - (checkpoint.offset if checkpoint else 0))
        return left

    def _recall(self, lease: Lease) -> None:
        """Read the checkpoints anew, unless nobody else can have moved them since."""
        if self._token is None:  # a commit failed: what is in reading may belong to a file that nobody has noted
            self._inflaters.close()
        if self._token != lease.token:
            self._kept = {checkpoint.generation: checkpoint for checkpoint in self._spool.checkpoints()}
            self._votes = read_votes(self._spool)
            self._is_begun = bool(self._kept) or self._spool.blob(BEGUN) is not None
            self._token, self._calm = lease.token, None
            self._late.clear()
            self._asked.clear()

    def _chunk(self, gathered: Gathered) -> None:
        """One poll and its commit."""
        now_s = self._clock()
        seen = walk(self._watched)
        gathered.is_more = gathered.is_held = False
        if self._calm is not None and seen.entries == self._calm.entries and 0 <= now_s - self._polled_s < LOOK_AGAIN_S:
            return
        self._polled_s, self._calm = now_s, None
        token, self._token = self._token, None  # what is kept holds again when all of this is done
        present = {(entry.device, entry.inode) for entry in seen.entries}
        self._asked = {inode: changed_s for inode, changed_s in self._asked.items() if inode in present}
        saved = self._rescue(seen)
        collected = poll(
            self._watched,
            list(self._kept.values()),
            now_s=now_s,
            max_bytes=CHUNK_BYTES,
            inflaters=self._inflaters,
            seen=seen,
            is_first=not self._is_begun,
            asked=self._asked,
        )
        gathered.problems |= dict.fromkeys(collected.problems)
        gathered.is_more = collected.is_more
        self._take(collected, saved, gathered, now_s)
        self._token = token
        if collected.is_calm and not gathered.is_held:
            self._calm = seen

    def _take(self, collected: Collected, saved: list[pl.DataFrame], gathered: Gathered, now_s: float) -> None:
        """Parse and commit what a poll brought."""
        parsed = parse_lines(
            collected.lines,
            now=datetime.fromtimestamp(now_s, UTC),
            period=self._period,
            unsettled=collected.unsettled,
        )
        gathered.is_held = bool(parsed.held)
        read = parsed.records["origin"]
        checkpoints = collected.held_at(parsed.held)
        if saved:
            kept, masked = hide_secrets(pl.concat(saved))
            masked.update(parsed.masked)
            parsed = replace(parsed, records=pl.concat([parsed.records, kept]), masked=masked)
        is_news = parsed.records.height or parsed.rejected.height or checkpoints or collected.forgotten
        if not is_news and self._is_begun:
            return
        self._hold(collected, parsed, checkpoints)
        changes = self._votes.count(read, parsed.formats, now_s)
        self._commit(collected, parsed, checkpoints)
        gathered.changes += changes
        self._kept |= {checkpoint.generation: checkpoint for checkpoint in checkpoints}
        for generation in collected.forgotten:
            del self._kept[generation]
        self._is_begun = True
        gathered.counts["rejected"] += parsed.rejected.height
        gathered.counts["accepted"] += parsed.records.height
        gathered.counts["received"] += parsed.rejected.height + parsed.records.height
        gathered.counts["bytes"] += collected.counters.get("bytes", 0)
        for path, lines in parsed.records["origin"].value_counts().iter_rows():
            gathered.rows[path] += lines

    def _rescue(self, seen: Walk) -> list[pl.DataFrame]:
        """The held events whose file was deleted, emptied or replaced before they were over: they are over now.

        Their checkpoints stand behind them from here on, so that nothing of them is read again.
        """
        sizes = {(entry.device, entry.inode): entry.size for entry in seen.entries}
        saved = []
        for generation, (moved, events) in self._late.items():
            size = sizes.get((moved.device, moved.inode))
            if size is None or (size < moved.offset and not is_packed_name(moved.path)):
                self._kept[generation] = moved
                saved.append(events)
        return saved

    def _hold(self, collected: Collected, parsed: Parsed, checkpoints: tuple[Checkpoint, ...]) -> None:
        """Remember the held events of this poll, and forget those of files that went on."""
        for checkpoint in (*checkpoints, *collected.checkpoints):
            self._late.pop(checkpoint.generation, None)
        if parsed.late is not None:
            for checkpoint in collected.checkpoints:
                if checkpoint.generation in parsed.held:
                    lines = parsed.late.filter(pl.col("generation") == checkpoint.generation)
                    self._late[checkpoint.generation] = checkpoint, lines

    def _commit(self, collected: Collected, parsed: Parsed, checkpoints: tuple[Checkpoint, ...]) -> None:
        rejected = count_rejected(parsed.rejected, collected.lines["origin"])
        with self._spool.transaction() as tx:
            if parsed.records.height:
                tx.append(parsed.records)
                self._votes.save(tx)
            if rejected:
                tx.count_rejected(rejected)
            count_masked(tx, parsed.masked)
            tx.put_checkpoints(checkpoints)
            tx.forget_checkpoints(collected.forgotten)
            if not self._is_begun:
                tx.put_blob(BEGUN, b"1")


def count_rejected(rejected: pl.DataFrame, origins: pl.Series) -> dict[tuple[str, str], int]:
    """How many were rejected, by (where they came from, why)."""
    if rejected.is_empty():
        return {}
    pairs = zip(origins.gather(rejected["index"]).to_list(), rejected["reason"].to_list(), strict=True)
    return dict(Counter(pairs))
