"""A store in memory, for tests: the contract and nothing else."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from sentinel.errors import TransientError
from sentinel.records import ANOMALIES, EVENTS
from sentinel.store.digests import conflict_reason, digests_of
from sentinel.store.find import count_by_time, find
from sentinel.store.frames import as_utc, columns_of, in_order, schema_of, select, unusable
from sentinel.store.health import Health
from sentinel.store.store import BATCH_ROWS, Outcome, Search, Selection, Store

__all__ = ["MemoryStore"]


class MemoryStore(Store):
    """Keeps one frame for each stream. `away` (a sentence) makes it unreachable."""

    kind = "memory"

    def __init__(self) -> None:
        self.away: str | None = None
        self._lock = threading.Lock()
        self._frames = {stream: pl.DataFrame(schema=schema_of(stream)) for stream in (EVENTS, ANOMALIES)}
        self._digests: dict[str, dict[str, str]] = {EVENTS: {}, ANOMALIES: {}}  # by event id
        self._incidents: dict[str, tuple[int, dict[str, Any]]] = {}

    def setup(self) -> list[str]:
        """Nothing needs to be made."""
        return []

    def write(self, frame: pl.DataFrame, *, stream: str = EVENTS) -> Outcome:
        """As the contract says."""
        self._answer()
        dead = unusable(frame)
        delivered = np.ones(frame.height, bool)
        delivered[list(dead)] = False
        with self._lock:
            known, fresh = self._digests[stream], list[int]()
            for row, (name, digest) in enumerate(zip(frame["event_id"], digests_of(frame), strict=True)):
                if row in dead or known.get(name) == digest:
                    continue
                if name in known:
                    dead[row], delivered[row] = conflict_reason(name, "memory"), False
                else:
                    known[name] = digest
                    fresh.append(row)
            self._frames[stream] = pl.concat([self._frames[stream], frame[fresh].select(columns_of(stream))])
        return Outcome(delivered, np.zeros(frame.height, bool), dead)

    def read(self, wanted: Selection, *, batch_rows: int = BATCH_ROWS) -> Iterator[pl.DataFrame]:
        """As the contract says."""
        self._answer()
        found = in_order(select(self._frames[wanted.stream].lazy(), wanted), wanted.newest)
        if found.height:
            yield from found.iter_slices(batch_rows)

    def find(self, wanted: Search) -> pl.DataFrame:
        """As the contract says."""
        self._answer()
        return find(self._frames[wanted.stream].lazy(), wanted)

    def histogram(self, wanted: Search, *, start: datetime, bucket_s: float, buckets: int) -> list[int]:
        """As the contract says."""
        self._answer()
        return count_by_time(self._frames[wanted.stream].lazy(), wanted, start, bucket_s, buckets)

    def put_incidents(self, documents: Sequence[tuple[str, int, Mapping[str, Any]]]) -> None:
        """As the contract says."""
        self._answer()
        for id_, version, document in documents:
            if version >= self._incidents.get(id_, (0, {}))[0]:
                self._incidents[id_] = version, dict(document)

    def incidents(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """As the contract says."""
        self._answer()
        return {id_: self._incidents[id_][1] for id_ in ids if id_ in self._incidents}

    def prune_incidents(self, before: datetime) -> int:
        """As the contract says."""
        self._answer()
        old = [
            id_ for id_, (_, found) in self._incidents.items() if datetime.fromisoformat(found["last"]) < as_utc(before)
        ]
        for id_ in old:
            del self._incidents[id_]
        return len(old)

    def existing_ids(self, ids: Sequence[str], *, stream: str = EVENTS) -> set[str]:
        """As the contract says."""
        self._answer()
        return self._digests[stream].keys() & set(ids)

    def count(self, stream: str = EVENTS) -> int:
        """As the contract says."""
        return self._frames[stream].height

    def refresh(self) -> None:
        """All is visible at once."""

    def health(self) -> Health:
        """As the contract says."""
        return Health(self.away is None, self.away or "in memory")

    def prune(self, before: str) -> list[str]:
        """As the contract says."""
        with self._lock:
            is_old = pl.col("partition") < before
            gone = self._frames[EVENTS].filter(is_old)
            self._frames[EVENTS] = self._frames[EVENTS].filter(~is_old)
            for name in gone["event_id"]:
                del self._digests[EVENTS][name]
        return sorted(gone["partition"].unique())

    def close(self) -> None:
        """Nothing to free."""

    def _answer(self) -> None:
        if self.away:
            raise TransientError(f"ask the memory store: {self.away}; the records stay in the spool")
