"""What a verb did, in counts whose books balance and in rows that a person can read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["Progress", "Report", "nobody"]


class Progress(Protocol):
    """Is told how far a long verb is: `done` of `total` of a step (0: not known), and how many lines that were."""

    def __call__(self, step: str, done: int, total: int, lines: int) -> None:
        """Take note; called a few times a second at the most where the work is even."""


def nobody(step: str, done: int, total: int, lines: int) -> None:
    """The progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class Report:
    """The counts a verb returns, and one row a thing it handled (a file, a partition, a model check)."""

    verb: str
    counts: Mapping[str, int]
    rows: Sequence[Mapping[str, object]] = ()
    took_s: float = 0.0
    notes: Sequence[str] = field(default_factory=tuple)

    def table(self) -> list[dict[str, object]]:
        """The report as rows of a table: each row of detail, or the counts alone where there is no detail."""
        return [dict(row) for row in self.rows] or [dict(self.counts)]

    def summary(self) -> str:
        """One line for a log: the verb in the past tense's place, then key=value."""
        counts = " ".join(f"{name}={value}" for name, value in self.counts.items())
        notes = "; ".join(self.notes)
        return f"{self.verb} {counts} took_s={self.took_s:.2f}" + (f" ({notes})" if notes else "")
