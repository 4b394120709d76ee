"""Reading documents back: a point in time, pages by search_after, frames of bounded size."""

import logging
from collections.abc import Iterator
from typing import Any

import polars as pl
from elasticsearch import ApiError, Elasticsearch

from sentinel.errors import SentinelError
from sentinel.store.answers import mapped_errors
from sentinel.store.documents import frame_of
from sentinel.store.frames import as_utc, in_order, select
from sentinel.store.store import Range, Selection

__all__ = ["scan"]

log = logging.getLogger(__name__)

MIN_PAGE, FIRST_PAGE, MAX_PAGE = 50, 1_000, 10_000  # documents; Elasticsearch allows 10,000
PAGE_BYTES = 8 * 1024 * 1024  # of a page's frame: pages of long messages are made shorter
KEEP_ALIVE = "10m"  # the reader may take its time between two pages
RANGES_A_QUERY = 500  # a bool query takes 1,024 clauses
NO_POINT_IN_TIME = {400, 403, 404, 405}  # statuses of a server, proxy or key without it
ORDER = ("sentinel.spool", "sentinel.sequence")  # no two records share them; a point in time breaks ties itself


def scan(client: Elasticsearch, index: str, wanted: Selection, batch_rows: int) -> Iterator[pl.DataFrame]:
    """Frames of what is wanted, as in `Store.read`. Closes its point in time, also when it is left half-way.

    Raises TransientError when Elasticsearch goes away.
    """
    pages = (frame for ranges in _chunks(wanted.sequences) for frame in _Pages(client, index, wanted, ranges))
    if wanted.newest is None:
        yield from _batches(pages, batch_rows)
    elif frames := list(pages):
        yield from in_order(pl.concat(frames), wanted.newest).iter_slices(batch_rows)


def _chunks(ranges: tuple[Range, ...] | None) -> list[tuple[Range, ...] | None]:
    """The ranges in order, so many as one query takes at a time."""
    if ranges is None:
        return [None]
    ordered = sorted(ranges)
    return [tuple(ordered[start : start + RANGES_A_QUERY]) for start in range(0, len(ordered), RANGES_A_QUERY)]


def _batches(pages: Iterator[pl.DataFrame], batch_rows: int) -> Iterator[pl.DataFrame]:
    """Pages joined or cut to frames of `batch_rows`, the last one shorter."""
    held: list[pl.DataFrame] = []
    for page in pages:
        held.append(page)
        if sum(frame.height for frame in held) >= batch_rows:
            *full, rest = pl.concat(held).iter_slices(batch_rows)
            yield from full
            if rest.height == batch_rows:
                yield rest
            held = [rest] if rest.height < batch_rows else []
    if held:
        yield pl.concat(held)


class _Pages:
    """The pages of one query, in order; with `newest`, the newest first and no more than so many documents."""

    def __init__(self, client: Elasticsearch, index: str, wanted: Selection, ranges: tuple[Range, ...] | None) -> None:
        self._client, self._index, self._wanted, self._ranges = client, index, wanted, ranges
        self._step = f"scan {index}"
        self._sliced = Selection(slice_of=wanted.slice_of)  # without a point in time, slicing is ours to do

    def __iter__(self) -> Iterator[pl.DataFrame]:
        point = self._open_point()
        left, size, after = self._wanted.newest, FIRST_PAGE, None
        try:
            while left is None or left > 0:
                hits = self._search(point, size if left is None else min(size, left), after)
                if not hits:
                    return
                frame = frame_of(hits, self._wanted.stream)
                yield frame if point is not None else select(frame.lazy(), self._sliced)
                after = hits[-1]["sort"]
                left = None if left is None else left - len(hits)
                size = _next_size(frame)
        finally:
            self._close_point(point)

    def _open_point(self) -> str | None:
        """A point in time; None where there is none to be had: then the pages are of the indices as they are."""
        with mapped_errors(self._step):
            try:
                answer = self._client.open_point_in_time(
                    index=self._index, keep_alive=KEEP_ALIVE, ignore_unavailable=True
                )
            except ApiError as exc:
                if exc.meta.status not in NO_POINT_IN_TIME:
                    raise
                log.info("scan without point in time index=%s status=%d", self._index, exc.meta.status)
                return None
        return str(answer["id"])

    def _close_point(self, point: str | None) -> None:
        """Free it. A server that is away cannot; it does by itself when `KEEP_ALIVE` is over."""
        if point is None:
            return
        try:
            with mapped_errors(self._step):
                self._client.options(ignore_status=404).close_point_in_time(id=point)
        except SentinelError as exc:
            log.info("point in time left open index=%s error=%s", self._index, exc)

    def _search(self, point: str | None, size: int, after: list[Any] | None) -> list[dict[str, Any]]:
        """One page of hits."""
        direction = "asc" if self._wanted.newest is None else "desc"
        first = [] if self._wanted.newest is None else ["event.created"]
        where: dict[str, Any] = {"pit": {"id": point, "keep_alive": KEEP_ALIVE}}
        if point is None:
            where = {"index": self._index, "ignore_unavailable": True, "allow_no_indices": True}
        elif self._wanted.slice_of is not None:
            where["slice"] = {
                "id": self._wanted.slice_of[0],
                "max": self._wanted.slice_of[1],
                "field": "sentinel.sequence",
            }
        with mapped_errors(self._step):
            answer = self._client.search(
                **where,
                query=self._query(),
                sort=[{name: {"order": direction, "unmapped_type": "keyword"}} for name in (*first, *ORDER)],
                search_after=after,
                size=size,
                track_total_hits=False,
                allow_partial_search_results=False,
            )
        hits: list[dict[str, Any]] = answer["hits"]["hits"]
        return hits

    def _query(self) -> dict[str, Any]:
        """The filters of what is wanted."""
        wanted = self._wanted
        times = {"gte": wanted.since, "lt": wanted.until}
        bounds = {name: as_utc(value).isoformat() for name, value in times.items() if value is not None}
        filters: list[dict[str, Any]] = [{"range": {"@timestamp": bounds}}] if bounds else []
        if wanted.received_since is not None:
            filters.append({"range": {"event.created": {"gte": as_utc(wanted.received_since).isoformat()}}})
        if wanted.spool is not None:
            filters.append({"term": {"sentinel.spool": wanted.spool}})
        if self._ranges is not None:
            either = [{"range": {"sentinel.sequence": {"gte": first, "lte": last}}} for first, last in self._ranges]
            filters.append({"bool": {"should": either, "minimum_should_match": 1}})
        return {"bool": {"filter": filters}} if filters else {"match_all": {}}


def _next_size(frame: pl.DataFrame) -> int:
    """How many documents make a page of PAGE_BYTES, going by the page that was just read."""
    bytes_a_row = max(1, int(frame.estimated_size()) // frame.height)
    return max(MIN_PAGE, min(MAX_PAGE, PAGE_BYTES // bytes_a_row))
