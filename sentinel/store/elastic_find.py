"""What a person looks for, asked of Elasticsearch: one search, or one aggregation by time."""

import itertools
from datetime import datetime
from typing import Any

import polars as pl
from elasticsearch import Elasticsearch

from sentinel.store.answers import mapped_errors
from sentinel.store.documents import frame_of
from sentinel.store.find import WORD
from sentinel.store.frames import as_utc
from sentinel.store.store import Search

__all__ = ["find", "histogram"]

NOTHING_YET: dict[str, Any] = {"ignore_unavailable": True, "allow_no_indices": True}
NEWEST = [
    {"@timestamp": {"order": "desc", "unmapped_type": "date_nanos"}},
    {"sentinel.sequence": {"order": "desc", "unmapped_type": "long"}},
]


def find(client: Elasticsearch, index: str, wanted: Search) -> pl.DataFrame:
    """The newest documents that fit, newest first. Raises TransientError when Elasticsearch is away."""
    with mapped_errors(f"search {index}"):
        answer = client.search(
            index=index, query=_query(wanted), sort=NEWEST, size=wanted.limit, track_total_hits=False, **NOTHING_YET
        )
    return frame_of(answer["hits"]["hits"], wanted.stream)


def histogram(
    client: Elasticsearch, index: str, wanted: Search, start: datetime, bucket_s: float, buckets: int
) -> list[int]:
    """How many documents that fit fall into each span: one range aggregation, counted by the server."""
    start_ms, step_ms = round(as_utc(start).timestamp() * 1000), bucket_s * 1000
    edges = [round(start_ms + step_ms * n) for n in range(buckets + 1)]
    spans = [{"from": left, "to": right} for left, right in itertools.pairwise(edges)]
    counted = {"date_range": {"field": "@timestamp", "format": "epoch_millis", "ranges": spans}}
    whole = {"range": {"@timestamp": {"gte": edges[0], "lt": edges[-1], "format": "epoch_millis"}}}
    with mapped_errors(f"count by time {index}"):
        answer = client.search(
            index=index,
            query={"bool": {"filter": [whole, _query(wanted)]}},
            size=0,
            track_total_hits=False,
            aggs={"spans": counted},
            **NOTHING_YET,
        )
    found = answer.get("aggregations", {}).get("spans", {}).get("buckets", [])
    return [int(span["doc_count"]) for span in found] or [0] * buckets


def _query(wanted: Search) -> dict[str, Any]:
    times = {"gte": wanted.since, "lt": wanted.until}
    bounds = {name: as_utc(value).isoformat() for name, value in times.items() if value is not None}
    filters: list[dict[str, Any]] = [{"range": {"@timestamp": bounds}}] if bounds else []
    if wanted.source is not None:
        filters.append({"term": {"event.dataset": wanted.source}})
    if wanted.level is not None:
        filters.append({"term": {"log.level": wanted.level}})
    if wanted.min_score is not None:
        filters.append({"range": {"anomaly.score": {"gte": wanted.min_score}}})
    if WORD.search(wanted.text or ""):
        filters.append({"match_phrase_prefix": {"message": {"query": wanted.text, "max_expansions": 200}}})
    return {"bool": {"filter": filters}} if filters else {"match_all": {}}
