"""What every store can do: take records once, give them back as frames, and say what became of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from sentinel.records import EVENTS

__all__ = ["Health", "Outcome", "Store"]

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of each record of one write: exactly one of delivered, to be offered again, or dead."""

    delivered: npt.NDArray[np.bool_]  # (n_records,); there now, or there already
    retry: npt.NDArray[np.bool_]  # (n_records,); refused for now
    dead: Mapping[int, str] = field(default_factory=dict)  # row → why it can never be delivered
    error: str | None = None  # why some must be offered again

    @classmethod
    def all_delivered(cls, n_records: int) -> "Outcome":
        """Every record is there."""
        return cls(np.ones(n_records, bool), np.zeros(n_records, bool))


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the store answers right now, and what it says of itself or why not."""

    reachable: bool
    detail: str


class Store(Protocol):
    """The contract; `tests/store` runs the same tests on every implementation."""

    kind: str

    def setup(self) -> list[str]:
        """Make templates, policies or folders as they should be; what was changed, in words. Can be repeated."""

    def write(self, frame: pl.DataFrame, *, stream: str = EVENTS) -> Outcome:
        """Put records there, each once, however often it is offered. Raises TransientError when the store is away."""

    def scan(
        self,
        *,
        stream: str = EVENTS,
        since: datetime | None = None,
        until: datetime | None = None,
        spool: str | None = None,
        sequences: Sequence[Range] | None = None,
        newest: int | None = None,
        batch_rows: int = 50_000,
    ) -> Iterator[pl.DataFrame]:
        """Frames of the stream's columns, with bounded memory.

        `since` ≤ event time < `until`; `sequences` are closed ranges of one spool; `newest` takes the newest by
        arrival. In the order of spool and sequence; nothing found: nothing comes.
        """

    def count(self, stream: str = EVENTS) -> int:
        """How many records of the stream can be seen after `refresh`."""

    def refresh(self) -> None:
        """Make what was written visible to `scan` and `count`."""

    def health(self) -> Health:
        """Whether it answers; never raises."""

    def prune(self, before: str) -> list[str]:
        """Delete whole partitions that come before the partition `before`; their names."""

    def close(self) -> None:
        """Free connections."""
