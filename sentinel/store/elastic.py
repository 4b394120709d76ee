"""Elasticsearch as a store: concrete indices by partition, our ids, one alias for reading."""

import logging
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from elasticsearch import Elasticsearch

from sentinel.errors import SentinelError, TerminalError
from sentinel.records import ANOMALIES, EVENTS
from sentinel.store import schema
from sentinel.store.bulk import BulkWriter
from sentinel.store.connection import mapped_errors
from sentinel.store.scan import Query, scan
from sentinel.store.store import Health, Outcome, Range

__all__ = ["ElasticStore"]

log = logging.getLogger(__name__)

PARTITION = re.compile(r"\d{4}\.\d\d(\.\d\d)?|all")


class ElasticStore:
    """Records go to `<index>-events-<partition>`, anomalies to `<index>-anomalies`; `<index>` is the alias to read."""

    kind = "elasticsearch"

    def __init__(self, client: Elasticsearch, index: str) -> None:
        self._client, self._index = client, index
        self._writer = BulkWriter(client)
        self._ready = False

    def setup(self) -> list[str]:
        """Put the templates where they are missing or different. Can be repeated.

        Raises TerminalError where something else already has the name that the alias needs.
        """
        done = []
        with mapped_errors(f"set up {self._index}"):
            self._refuse_foreign_index()
            templates = {
                f"{self._index}-events": schema.events_template(self._index),
                f"{self._index}-anomalies": schema.anomalies_template(self._index),
            }
            for name, wanted in templates.items():
                if not self._has_template(name, wanted):
                    self._client.indices.put_index_template(name=name, **wanted)
                    done.append(f"index template {name}")
            if not self._client.indices.exists(index=self._name(ANOMALIES)):
                self._client.options(ignore_status=400).indices.create(index=self._name(ANOMALIES))
                done.append(f"index {self._name(ANOMALIES)}")
        self._ready = True
        return done

    def _refuse_foreign_index(self) -> None:
        """An index of the alias's own name would swallow what is meant for the alias."""
        found = self._client.options(ignore_status=404).indices.get(index=self._index, features="aliases")
        if self._index in found.body:
            raise TerminalError(
                f"set up {self._index}: an index of that name is already there, and it is not ours; set ELASTIC_INDEX "
                "to another name, or reindex it away and delete it"
            )

    def _has_template(self, name: str, wanted: dict[str, Any]) -> bool:
        """Whether the template stands there as we want it: told by a digest that we keep in its `_meta`."""
        answer = self._client.options(ignore_status=404).indices.get_index_template(name=name)
        templates = answer.body.get("index_templates", [])
        found = templates[0]["index_template"] if templates else {}
        return bool(found) and found.get("_meta") == wanted["meta"]

    def _name(self, stream: str, partition: str | None = None) -> str:
        if stream == ANOMALIES:
            return f"{self._index}-anomalies"
        if partition is None:
            return f"{self._index}-events-*"
        if not PARTITION.fullmatch(partition):
            raise TerminalError(f"write to {self._index}: {partition!r} is no partition")
        return f"{self._index}-events-{partition}"

    def write(self, frame: pl.DataFrame, *, stream: str = EVENTS) -> Outcome:
        """As the contract says. Templates are put before the first write, so that no index is made without them."""
        if not self._ready:
            self.setup()
        if stream == ANOMALIES or frame["partition"].n_unique() == 1:
            return self._writer.write(frame, self._name(stream, frame["partition"][0]))
        rows = frame.with_row_index("row")
        delivered, retry = np.zeros(frame.height, bool), np.zeros(frame.height, bool)
        dead: dict[int, str] = {}
        error = None
        for part in rows.partition_by("partition", maintain_order=True):
            at = part["row"].to_numpy()
            outcome = self._writer.write(part.drop("row"), self._name(stream, part["partition"][0]))
            delivered[at], retry[at] = outcome.delivered, outcome.retry
            dead |= {int(at[row]): reason for row, reason in outcome.dead.items()}
            error = error or outcome.error
        return Outcome(delivered, retry, dead, error)

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
        """As the contract says, by point in time and search_after."""
        self.refresh()
        query = Query(stream, since, until, spool, None if sequences is None else tuple(sequences), newest)
        return scan(self._client, self._name(stream), query, batch_rows)

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
        try:
            with mapped_errors("ask Elasticsearch"):
                info = self._client.options(request_timeout=3).info()
        except SentinelError as exc:
            return Health(reachable=False, detail=str(exc))
        return Health(reachable=True, detail=f"Elasticsearch {info['version']['number']}")

    def prune(self, before: str) -> list[str]:
        """As the contract says: whole indices."""
        with mapped_errors(f"prune {self._index}"):
            found = self._client.indices.get(index=self._name(EVENTS), features="aliases", allow_no_indices=True)
            prefix = f"{self._index}-events-"
            old = sorted(n for n in found.body if n.startswith(prefix) and n.removeprefix(prefix) < before)
            for name in old:
                self._client.indices.delete(index=name, ignore_unavailable=True)
        if old:
            log.info("pruned indices=%s", ",".join(old))
        return old

    def close(self) -> None:
        """As the contract says."""
        self._writer.close()
        self._client.close()
