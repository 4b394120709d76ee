"""Elasticsearch as a store: concrete indices by partition, our ids, one alias for reading."""

import contextlib
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from elasticsearch import Elasticsearch

from sentinel.errors import SentinelError, SettingsError
from sentinel.records import ANOMALIES, EVENTS
from sentinel.store.answers import mapped_errors
from sentinel.store.bulk import BulkWriter
from sentinel.store.elastic_find import find, histogram
from sentinel.store.elastic_incidents import find_incidents, prune_incidents, put_incidents
from sentinel.store.frames import PARTITION, as_utc, unusable
from sentinel.store.health import TIMEOUT_S, Health, cluster_health
from sentinel.store.inspection import clock_of, find_problems
from sentinel.store.scan import scan
from sentinel.store.setup import Features, detect_features, set_up
from sentinel.store.store import BATCH_ROWS, Inspection, Outcome, Search, Selection, Store

__all__ = ["ElasticStore"]

log = logging.getLogger(__name__)

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,100}")
IDS_A_QUERY = 5_000


class ElasticStore(Store):
    """Records go to `<index>-events-<partition>`, anomalies to `<index>-anomalies`; `<index>` is the alias to read.

    With `retention_days` (0: for ever) the cluster deletes old indices by itself where it has lifecycle management.
    Raises SettingsError for a name that can be no index.
    """

    kind = "elasticsearch"
    in_flight = 2  # one is taken in by the server while the next is read and written as JSON

    def __init__(self, client: Elasticsearch, index: str, *, retention_days: int = 0, period: str = "month") -> None:
        if not NAME.fullmatch(index):
            raise SettingsError(
                f"open the store: ELASTIC_INDEX {index!r} takes lower-case letters, digits, '.', '_', '-'"
            )
        self._client, self._index = client, index
        self._retention_days, self._period = retention_days, period
        self._writer = BulkWriter(client)
        self._is_set_up = False

    def setup(self) -> list[str]:
        """As the contract says: puts the templates where they are missing or different."""
        done = set_up(self._client, self._index, retention_days=self._retention_days, period=self._period)
        self._is_set_up = True
        if done:
            log.info("set up index=%s changed=%s", self._index, "; ".join(done))
        return done

    def features(self) -> Features:
        """What the server is and can do. Raises as `setup`."""
        return detect_features(self._client)

    def _name(self, stream: str) -> str:
        """What a stream is read by."""
        return f"{self._index}-anomalies" if stream == ANOMALIES else f"{self._index}-events-*"

    def write(self, frame: pl.DataFrame, *, stream: str = EVENTS) -> Outcome:
        """As the contract says. Templates are put before the first write, so that no index is made without them."""
        if not self._is_set_up:
            self.setup()
        delivered, retry = np.zeros(frame.height, bool), np.zeros(frame.height, bool)
        dead = unusable(frame)
        rows = frame.with_row_index("row")
        if dead:
            rows = rows.filter(~pl.col("row").is_in(list(dead)))
        error, is_first = None, True
        for index, part in self._by_index(rows, stream):
            at = part["row"].to_numpy()
            try:
                outcome = self._writer.write(part.drop("row"), index, stream)
            except SentinelError as exc:
                if is_first and not dead:
                    raise
                outcome = Outcome(np.zeros(len(at), bool), np.ones(len(at), bool), {}, str(exc))
            delivered[at], retry[at] = outcome.delivered, outcome.retry
            dead |= {int(at[row]): reason for row, reason in outcome.dead.items()}
            error, is_first = error or outcome.error, False
        return Outcome(delivered, retry, dead, error)

    def _by_index(self, rows: pl.DataFrame, stream: str) -> Iterator[tuple[str, pl.DataFrame]]:
        """The rows of each concrete index; the partition, validated, is all that a name takes from a record."""
        if stream == ANOMALIES:
            yield self._name(ANOMALIES), rows
            return
        for part in rows.partition_by("partition", maintain_order=True):
            yield f"{self._index}-events-{part['partition'][0]}", part

    def read(self, wanted: Selection, *, batch_rows: int = BATCH_ROWS) -> Iterator[pl.DataFrame]:
        """As the contract says, by point in time and search_after. What was written up to now is seen."""
        with contextlib.suppress(SentinelError):  # without that privilege: what is older than a second is seen
            self.refresh()
        return scan(self._client, self._name(wanted.stream), wanted, batch_rows)

    def find(self, wanted: Search) -> pl.DataFrame:
        """As the contract says."""
        return find(self._client, self._name(wanted.stream), wanted)

    def histogram(self, wanted: Search, *, start: datetime, bucket_s: float, buckets: int) -> list[int]:
        """As the contract says."""
        return histogram(self._client, self._name(wanted.stream), wanted, start, bucket_s, buckets)

    def put_incidents(self, documents: Sequence[tuple[str, int, Mapping[str, Any]]]) -> None:
        """As the contract says, by external version. Templates are put before the first write."""
        if not self._is_set_up:
            self.setup()
        put_incidents(self._client, f"{self._index}-incidents", documents)

    def incidents(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """As the contract says."""
        return find_incidents(self._client, f"{self._index}-incidents", ids) if ids else {}

    def prune_incidents(self, before: datetime) -> int:
        """As the contract says."""
        return prune_incidents(self._client, f"{self._index}-incidents", as_utc(before))

    def existing_ids(self, ids: Sequence[str], *, stream: str = EVENTS) -> set[str]:
        """As the contract says."""
        found: set[str] = set()
        name = self._name(stream)
        for chunk in (ids[start : start + IDS_A_QUERY] for start in range(0, len(ids), IDS_A_QUERY)):
            with mapped_errors(f"look for ids in {name}"):
                answer = self._client.search(
                    index=name,
                    query={"ids": {"values": list(chunk)}},
                    size=2 * IDS_A_QUERY,
                    source=False,
                    track_total_hits=False,
                    ignore_unavailable=True,
                    allow_no_indices=True,
                    allow_partial_search_results=False,
                )
            found.update(hit["_id"] for hit in answer["hits"]["hits"])
        return found

    def count(self, stream: str = EVENTS) -> int:
        """As the contract says."""
        with mapped_errors(f"count {self._name(stream)}"):
            answer = self._client.count(index=self._name(stream), allow_no_indices=True, ignore_unavailable=True)
        return int(answer["count"])

    def refresh(self) -> None:
        """As the contract says."""
        names = f"{self._name(EVENTS)},{self._name(ANOMALIES)}"
        with mapped_errors(f"refresh {names}"):
            self._client.indices.refresh(index=names, allow_no_indices=True, ignore_unavailable=True)

    def health(self) -> Health:
        """As the contract says; asks with a short time-out."""
        return cluster_health(self._client)

    def inspect(self) -> Inspection:
        """As the contract says: privileges, names, blocks, the node's clock."""
        health = self.health()
        if not health.reachable:
            return Inspection(health)
        client = self._client.options(request_timeout=2 * TIMEOUT_S)
        problems = find_problems(client, self._index, retention_days=self._retention_days)
        return Inspection(health, problems, clock_of(client))

    def prune(self, before: str) -> list[str]:
        """As the contract says: whole indices, by name."""
        prefix = f"{self._index}-events-"
        with mapped_errors(f"prune {self._index}"):
            found = self._client.indices.get(index=f"{prefix}*", features="aliases", allow_no_indices=True)
            partitions = (name.removeprefix(prefix) for name in found.body)
            old = sorted(p for p in partitions if PARTITION.fullmatch(p) and p != "all" and p < before)
            for partition in old:
                self._client.indices.delete(index=f"{prefix}{partition}", ignore_unavailable=True)
        if old:
            log.info("pruned index=%s partitions=%s", self._index, ",".join(old))
        return [f"{prefix}{partition}" for partition in old]

    def close(self) -> None:
        """As the contract says."""
        self._writer.close()
        self._client.close()
