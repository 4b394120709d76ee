"""A store in memory, for tests: the contract and nothing else."""

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime

import polars as pl

from sentinel.errors import TransientError
from sentinel.records import EVENTS
from sentinel.store.frames import columns_of, select
from sentinel.store.store import Health, Outcome, Range

__all__ = ["MemoryStore"]


class MemoryStore:
    """Keeps frames by stream and id. `away` (a sentence) makes it unreachable."""

    kind = "memory"

    def __init__(self) -> None:
        self.away: str | None = None
        self._lock = threading.Lock()
        self._rows: dict[tuple[str, str], pl.DataFrame] = {}

    def setup(self) -> list[str]:
        """Nothing needs to be made."""
        return []

    def write(self, frame: pl.DataFrame, *, stream: str = EVENTS) -> Outcome:
        """As the contract says."""
        if self.away:
            raise TransientError(f"write to the memory store: {self.away}; the records stay in the spool")
        with self._lock:
            for row, key in enumerate(frame["event_id"].to_list()):
                self._rows.setdefault((stream, key), frame.slice(row, 1).select(columns_of(stream)))
        return Outcome.all_delivered(frame.height)

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
        """As the contract says."""
        with self._lock:
            frames = [frame for (name, _), frame in self._rows.items() if name == stream]
        if not frames:
            return
        found = select(
            pl.concat(frames).lazy(), since=since, until=until, spool=spool, sequences=sequences, newest=newest
        ).collect()
        yield from found.iter_slices(batch_rows)

    def count(self, stream: str = EVENTS) -> int:
        """As the contract says."""
        return sum(name == stream for name, _ in self._rows)

    def refresh(self) -> None:
        """All is visible at once."""

    def health(self) -> Health:
        """As the contract says."""
        return Health(self.away is None, self.away or "in memory")

    def prune(self, before: str) -> list[str]:
        """As the contract says."""
        with self._lock:
            gone = {key: f["partition"][0] for key, f in self._rows.items() if f["partition"][0] < before}
            for key in gone:
                del self._rows[key]
        return sorted(set(gone.values()))

    def close(self) -> None:
        """Nothing to free."""
