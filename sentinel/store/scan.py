"""Reading documents back: a point in time, pages by search_after, frames of bounded size."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from elasticsearch import Elasticsearch

from sentinel.store.connection import mapped_errors
from sentinel.store.documents import frame_of

__all__ = ["Query", "scan"]

PAGE = 5_000
KEEP_ALIVE = "2m"
RANGES_A_QUERY = 500  # a bool query takes 1,024 clauses

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Query:
    """What to read, as in `Store.scan`."""

    stream: str
    since: datetime | None = None
    until: datetime | None = None
    spool: str | None = None
    sequences: tuple[Range, ...] | None = None
    newest: int | None = None

    def filters(self, ranges: tuple[Range, ...] | None) -> dict[str, Any]:
        """The query for some of the ranges."""
        wanted: list[dict[str, Any]] = []
        times = {"gte": self.since, "lt": self.until}
        bounds = {name: value.isoformat() for name, value in times.items() if value is not None}
        if bounds:
            wanted.append({"range": {"@timestamp": bounds}})
        if self.spool is not None:
            wanted.append({"term": {"sentinel.spool": self.spool}})
        if ranges is not None:
            either = [{"range": {"sentinel.sequence": {"gte": first, "lte": last}}} for first, last in ranges]
            wanted.append({"bool": {"should": either, "minimum_should_match": 1}})
        return {"bool": {"filter": wanted}} if wanted else {"match_all": {}}


def scan(client: Elasticsearch, index: str, query: Query, batch_rows: int) -> Iterator[pl.DataFrame]:
    """Frames of what the query finds, in the order of spool and sequence. Closes its point in time."""
    if query.sequences is None:
        yield from _pages(client, index, query, None, batch_rows)
        return
    for start in range(0, len(query.sequences), RANGES_A_QUERY):
        yield from _pages(client, index, query, query.sequences[start : start + RANGES_A_QUERY], batch_rows)


def _pages(
    client: Elasticsearch, index: str, query: Query, ranges: tuple[Range, ...] | None, batch_rows: int
) -> Iterator[pl.DataFrame]:
    step = f"scan {index}"
    with mapped_errors(step):
        pit = (
            client.open_point_in_time(index=index, keep_alive=KEEP_ALIVE, ignore_unavailable=True)["id"]
            if _exists(client, index)
            else None
        )
    if pit is None:
        return
    direction = "desc" if query.newest is not None else "asc"
    order: list[dict[str, Any]] = [{"sentinel.spool": direction}, {"sentinel.sequence": direction}]
    if query.newest is not None:
        order.insert(0, {"event.created": "desc"})
    left = query.newest
    after: list[Any] | None = None
    try:
        frames: list[pl.DataFrame] = []
        while left is None or left > 0:
            page = PAGE if left is None else min(PAGE, left)
            with mapped_errors(step):
                hits = client.search(
                    pit={"id": pit, "keep_alive": KEEP_ALIVE},
                    query=query.filters(ranges),
                    sort=order,
                    search_after=after,
                    size=page,
                    track_total_hits=False,
                    allow_partial_search_results=False,
                )["hits"]["hits"]
            if not hits:
                break
            after = hits[-1]["sort"]
            left = None if left is None else left - len(hits)
            frames.append(frame_of(hits, query.stream))
            if query.newest is None and sum(f.height for f in frames) >= batch_rows:
                yield pl.concat(frames)
                frames = []
        if frames:
            found = pl.concat(frames)
            yield from (found.sort("spool", "sequence") if query.newest is not None else found).iter_slices(batch_rows)
    finally:
        with mapped_errors(step):
            client.options(ignore_status=404).close_point_in_time(id=pit)


def _exists(client: Elasticsearch, index: str) -> bool:
    """Whether there is any index of this name or pattern; a point in time wants one."""
    return bool(client.indices.resolve_index(name=index, expand_wildcards="open")["indices"])
