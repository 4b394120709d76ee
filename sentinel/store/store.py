"""What every store can do: take records once, give them back as frames, and say what became of each."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from sentinel.records import EVENTS
from sentinel.store.health import Health

__all__ = ["BATCH_ROWS", "Health", "Inspection", "Outcome", "Range", "Search", "Selection", "Store"]

Range = tuple[int, int]
BATCH_ROWS = 50_000


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
class Inspection:
    """What a closer look finds: (what is wrong, what to do) pairs, and what the store's own clock says."""

    health: Health
    problems: Sequence[tuple[str, str]] = ()
    clock_s: float | None = None  # Unix time; None where it has no clock of its own


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records of a stream to read; what is None does not narrow."""

    stream: str = EVENTS
    since: datetime | None = None  # ≤ timestamp; a time without zone is UTC, here and below
    until: datetime | None = None  # > timestamp
    received_since: datetime | None = None  # ≤ received
    spool: str | None = None
    sequences: tuple[Range, ...] | None = None  # closed ranges
    newest: int | None = None  # so many, by arrival
    slice_of: tuple[int, int] | None = None  # (i, n): the i-th (from 0) of n parts that together are all


@dataclass(frozen=True, slots=True)
class Search:
    """Which records a person looks for; what is None does not narrow."""

    stream: str = EVENTS
    since: datetime | None = None  # ≤ timestamp; a time without zone is UTC, here and below
    until: datetime | None = None  # > timestamp
    source: str | None = None
    level: str | None = None
    text: str | None = None  # these words one after the other, in any case; the last may be the beginning of one
    min_score: float | None = None  # anomalies only: ≤ anomaly_score
    limit: int = 100


class Store(Protocol):
    """The contract; `tests/store` runs the same tests on every implementation."""

    kind: str
    in_flight: int = 1  # writes at once that are of use; several only where a record is known again by its id alone

    @abstractmethod
    def setup(self) -> list[str]:
        """Make templates, policies or folders as they should be; what was changed, in words. Can be repeated.

        Raises TransientError when the store is away, TerminalError when something foreign stands in the way.
        """

    @abstractmethod
    def write(self, frame: pl.DataFrame, *, stream: str = EVENTS) -> Outcome:
        """Put records there, each once, however often it is offered. Raises TransientError when the store is away."""

    @abstractmethod
    def read(self, wanted: Selection, *, batch_rows: int = BATCH_ROWS) -> Iterator[pl.DataFrame]:
        """Frames of the stream's columns, at most `batch_rows` each, with bounded memory (that of `newest` records,
        where it is given). In the order of spool and sequence, each record once; nothing found: nothing comes."""

    def scan(
        self,
        *,
        stream: str = EVENTS,
        since: datetime | None = None,
        until: datetime | None = None,
        received_since: datetime | None = None,
        spool: str | None = None,
        sequences: Sequence[Range] | None = None,
        newest: int | None = None,
        slice_of: tuple[int, int] | None = None,
        batch_rows: int = BATCH_ROWS,
    ) -> Iterator[pl.DataFrame]:
        """`read`, with the fields of Selection as keywords."""
        ranges = None if sequences is None else tuple(sequences)
        wanted = Selection(stream, since, until, received_since, spool, ranges, newest, slice_of)
        return self.read(wanted, batch_rows=batch_rows)

    @abstractmethod
    def find(self, wanted: Search) -> pl.DataFrame:
        """The newest `limit` records that fit, newest first by `timestamp`, each once, as far as `refresh` has made
        them visible. Nothing found: a frame of no rows. Raises TransientError when the store is away."""

    @abstractmethod
    def histogram(self, wanted: Search, *, start: datetime, bucket_s: float, buckets: int) -> list[int]:
        """How many records that fit happened in each of `buckets` spans of `bucket_s` seconds from `start` on.

        `limit` does not count here. Raises TransientError when the store is away.
        """

    @abstractmethod
    def put_incidents(self, documents: Sequence[tuple[str, int, Mapping[str, Any]]]) -> None:
        """Keep (id, version, document) of incidents, each in the place of an older version; a newer one stays.

        Raises TransientError when the store is away: nothing is lost by offering all again.
        """

    @abstractmethod
    def incidents(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The documents of these incidents, by id, as far as they are there. Raises TransientError when it is away."""

    @abstractmethod
    def prune_incidents(self, before: datetime) -> int:
        """Delete incidents whose `last` lies before a time, those just put perhaps at the next call; how many.

        Raises TransientError when it is away.
        """

    @abstractmethod
    def existing_ids(self, ids: Sequence[str], *, stream: str = EVENTS) -> set[str]:
        """Those of the event ids that the stream holds, as far as `refresh` has made them visible."""

    @abstractmethod
    def count(self, stream: str = EVENTS) -> int:
        """How many records of the stream can be seen after `refresh`."""

    @abstractmethod
    def refresh(self) -> None:
        """Make what was written visible to `scan` and `count`."""

    @abstractmethod
    def health(self) -> Health:
        """Whether it answers; never raises."""

    def inspect(self) -> Inspection:
        """A closer look, which changes nothing; never raises."""
        return Inspection(self.health())

    @abstractmethod
    def prune(self, before: str) -> list[str]:
        """Delete whole partitions of events that come before the partition `before`; what was deleted."""

    @abstractmethod
    def close(self) -> None:
        """Free connections."""
