"""Formats of events in, the vote of each followed file out: its format, how sure that is, and when it became another.

Nothing is read by a vote: a line is read by what it is, so that a wrong vote does no harm. It is what people see.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import polars as pl

from sentinel.collect import is_living_name
from sentinel.spool import Spool, Transaction

__all__ = ["BLOCK", "FREE_TEXT", "Change", "Vote", "Votes", "read_votes"]

log = logging.getLogger(__name__)

FREE_TEXT = "text"  # the format of what no format is known of
BLOCK = 100  # events that vote together
BLOCKS = 2  # so many in a row must vote against a format
TIMES = 2  # that is: another one reads more than so many times as many of their events
FOLLOWS = 0.2  # the weight of the newest block in the confidence
MAX_KNOWN = 8  # formats of one file that are told of: one that has more is a mixture
MAX_FILES = 500  # whose vote is kept; the one longest unheard of gives way
MAX_PATH = 1_000  # characters
BLOB = "formats"


class Vote(msgspec.Struct, array_like=True):
    """What one file is written in."""

    format: str = ""  # empty before the first block is whole
    confidence: float = 0.0  # [0, 1]: the share of its events that the format reads, of late
    since_s: float = 0.0  # Unix time of the vote
    before: str = ""  # the format before that
    said_s: float = 0.0  # Unix time at which a format was last told of as new
    against: int = 0  # blocks in a row that voted against the format
    known: list[str] = msgspec.field(default_factory=list)  # formats that were voted for: each is told of once
    counted: dict[str, int] = msgspec.field(default_factory=dict)  # events by format of the block that is not whole yet

    def leading(self) -> tuple[str, float]:
        """Format and confidence; of a file with few events what they say so far."""
        if self.format or not self.counted:
            return self.format, self.confidence
        return _winner(self.counted)

    def count(self, name: str, events: int, now_s: float) -> Iterator[str]:
        """Count events of one format on; what comes out are formats that are new for this file, but for its first."""
        while events:
            room = BLOCK - sum(self.counted.values())
            taken = min(room, events)
            self.counted[name] = self.counted.get(name, 0) + taken
            events -= taken
            if taken == room:
                yield from self._close(now_s)
                self.counted = {}

    def _close(self, now_s: float) -> Iterator[str]:
        name, share = _winner(self.counted)
        own = self.counted.get(self.format, 0) / BLOCK
        is_against = bool(self.format) and share > TIMES * own
        self.against = self.against + 1 if is_against else 0
        if self.format and self.against < BLOCKS:
            self.confidence += FOLLOWS * (own - self.confidence)
            return
        is_news = bool(self.format) and name not in self.known and len(self.known) < MAX_KNOWN
        self.before, self.format, self.confidence = self.format, name, share
        self.since_s, self.against = now_s, 0
        if name not in self.known:
            self.known = [*self.known, name][:MAX_KNOWN]
        if is_news:
            self.said_s = now_s
            yield name


@dataclass(frozen=True, slots=True)
class Change:
    """A file that is written in another format than before."""

    path: str
    before: str
    format: str
    confidence: float

    def __str__(self) -> str:
        return f"{self.path}: its lines were {self.before}, and are {self.format} now ({self.confidence:.0%})"


class Votes:
    """The votes of all files, by path."""

    def __init__(self, kept: bytes | None = None) -> None:
        self.by_path = msgspec.json.decode(kept, type=dict[str, Vote]) if kept else {}

    def count(self, paths: pl.Series, formats: pl.Series | None, now_s: float) -> list[Change]:
        """Count the events of a batch, of each file in its order; what changed that was not known of the file."""
        frame = pl.DataFrame([paths.alias("path"), pl.Series("format", formats, dtype=pl.String).fill_null(FREE_TEXT)])
        before = {path: sum(vote.counted.values()) for path, vote in self.by_path.items()}
        place = pl.int_range(pl.len()).over("path") + pl.col("path").replace_strict(before, default=0)
        blocks = frame.group_by("path", (place // BLOCK).alias("block"), "format", maintain_order=True).len("events")
        changes = []
        for path, _, name, events in blocks.iter_rows():
            if len(path) > MAX_PATH or not is_living_name(path):
                continue
            vote = self.by_path.setdefault(path, Vote())
            news = vote.count(name, events, now_s)  # one after the other: each with the vote as it is then
            changes += [Change(path, vote.before, one, vote.confidence) for one in news]
        for path in paths.unique(maintain_order=True).to_list():  # those heard of last stand last
            if path in self.by_path:
                self.by_path[path] = self.by_path.pop(path)
        for path in list(self.by_path)[: max(len(self.by_path) - MAX_FILES, 0)]:
            del self.by_path[path]
        return changes

    def rows(self, most: int) -> list[dict[str, object]]:
        """The votes as plain values, those whose lines came last first, at most so many."""
        return [
            {
                "file": path,
                **dict(zip(("format", "confidence"), vote.leading(), strict=True)),
                "since": f"{datetime.fromtimestamp(vote.since_s, UTC):%Y-%m-%dT%H:%M:%SZ}" if vote.since_s else None,
                "before": vote.before or None,
            }
            for path, vote in list(self.by_path.items())[: -most - 1 : -1]
        ]

    def said_since(self, since_s: float) -> list[Change]:
        """What was told of as new since then."""
        return [
            Change(path, vote.before, vote.format, vote.confidence)
            for path, vote in self.by_path.items()
            if vote.said_s > since_s
        ]

    def save(self, tx: Transaction) -> None:
        """Keep them, in the transaction that moves the files' positions."""
        tx.put_blob(BLOB, msgspec.json.encode(self.by_path))


def read_votes(spool: Spool) -> Votes:
    """The votes as they were kept last; none where another version kept them in another form."""
    try:
        return Votes(spool.blob(BLOB))
    except msgspec.MsgspecError as exc:
        log.warning("began to vote anew: the votes that were kept cannot be read error=%s", exc)
        return Votes()


def _winner(counted: dict[str, int]) -> tuple[str, float]:
    """The most frequent format, of equals the first by name, and its share."""
    name = min(counted, key=lambda name: (-counted[name], name))
    return name, counted[name] / sum(counted.values())
