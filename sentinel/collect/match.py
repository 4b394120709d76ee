"""What became of the files of one look: which checkpoint each continues, and what of them is still to be done."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from sentinel.collect.contents import Contents
from sentinel.collect.read_file import HEAD_BYTES, fingerprint
from sentinel.collect.walk import Entry
from sentinel.records import Checkpoint

__all__ = ["SETTLED_S", "Match", "alike"]

T = TypeVar("T")

SETTLED_S = 2.0  # a change older than this against the checkpoint cannot have slipped in behind it


@dataclass(slots=True)
class Match:
    """The outcome: files with the checkpoint each continues, what changed, and counts by what happened."""

    sources: list[tuple[Entry, Checkpoint]] = field(default_factory=list)
    changed: dict[str, Checkpoint] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[tuple[str, str]] = field(default_factory=list)

    def note(self, path: str, error: OSError) -> None:
        """Count a file that may not be read; it stops nothing else."""
        self.counts["unreadable"] += 1
        self.problems.append((path, error.strerror or type(error).__name__))

    def is_calm(self, now_s: float) -> bool:
        """Whether all that is there has been read, and is older than what its time of change can tell apart."""
        if self.counts["waiting"]:
            return False
        for entry, before in self.sources:
            checkpoint = self.changed.get(before.generation, before)
            is_read = checkpoint.state == "done" or (checkpoint.state == "live" and entry.size == checkpoint.offset)
            if not is_read or entry.changed_s > now_s - SETTLED_S:
                return False
        return True


def alike(by_head: Mapping[int, Mapping[str, list[T]]], contents: Contents) -> list[T]:
    """What was filed under the head of this file, whatever its length was then."""
    head = contents.read(0, HEAD_BYTES)
    fits: list[T] = []
    for length, by_hash in by_head.items():
        if length <= len(head):
            fits += by_hash.get(fingerprint(head[:length]), [])
    return fits
