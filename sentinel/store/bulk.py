"""One write to one index: bulks of bounded size, three in flight, the answers read item by item."""

import itertools
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from elasticsearch import ApiError, Elasticsearch

from sentinel.counted import counted
from sentinel.errors import SentinelError, TransientError
from sentinel.records import EVENTS
from sentinel.store.answers import is_about, judge, mapped_errors, reason_of
from sentinel.store.digests import conflict_reason, digests_of
from sentinel.store.documents import bulk_lines
from sentinel.store.proof import LookUp, look_up_in
from sentinel.store.store import Outcome

__all__ = ["BULK_BYTES", "BULK_RECORDS", "BulkWriter"]

BULK_RECORDS = 2_000
BULK_BYTES = 4 * 1024 * 1024
IN_FLIGHT = 3
TRIES = 3
PAUSE_S = 0.25  # doubled before each further try, with full jitter: at most 1.5 s in all
WARY_BULKS = 100  # after one in which something was refused, so many are read item by item at once
MAX_CULPRITS = 16  # refused one by one, with nothing accepted in between: doubt the server before the documents
HARMLESS = '{"delete":{"_id":"none-of-ours"}}\n'
JSON = "application/vnd.elasticsearch+json; compatible-with=8"
HEADERS = {"content-type": "application/vnd.elasticsearch+x-ndjson; compatible-with=8", "accept": JSON}
QUICK = {"filter_path": "errors,took"}
FULL = {
    "filter_path": "errors,items.*._id,items.*.status,items.*.error.type,items.*.error.reason,"
    "items.*.error.caused_by.reason"
}

Rows = npt.NDArray[np.int64]
Post = Callable[[str, Mapping[str, str]], Mapping[str, Any]]
"""Sends a body with query parameters and gives the answer."""


@dataclass(slots=True)
class _Wariness:
    """Whether to expect refusals: where there are some now and then, asking the quick way first would send all twice.

    Threads share it without a lock; a count that is off by one costs one longer answer.
    """

    left: int = 0  # bulks that are still read item by item

    def take(self) -> bool:
        """Whether this bulk is to be read item by item at once."""
        is_wary = self.left > 0
        self.left -= is_wary
        return is_wary

    def wake(self) -> None:
        """Something was refused."""
        self.left = WARY_BULKS


@dataclass(frozen=True, slots=True)
class _Way:
    """How to reach one index."""

    index: str
    post: Post
    look_up: LookUp
    wariness: _Wariness


class BulkWriter:
    """Writes frames to concrete indices. Thread-safe. `jitter` turns the longest pause into the one to take, in s."""

    def __init__(
        self,
        client: Elasticsearch,
        *,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[float], float] = lambda most_s: random.uniform(0, most_s),  # noqa: S311 not for secrets
    ) -> None:
        self._client, self._sleep, self._jitter = client, sleep, jitter
        self._pool = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="bulk")
        self._wariness = _Wariness()

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False)

    def write(self, frame: pl.DataFrame, index: str, stream: str = EVENTS) -> Outcome:
        """What became of each record. Raises TransientError where nothing at all could be sent."""
        if frame.is_empty():
            return Outcome.all_delivered(0)
        post, look_up = self._post_to(index), look_up_in(self._client, index, stream)
        way = _Way(index, post, look_up, self._wariness)
        pieces = self._pool.map(lambda piece: self._write_piece(piece, way), frame.iter_slices(BULK_RECORDS))
        return _join([bulk for bulks in pieces for bulk in bulks])

    def _write_piece(self, frame: pl.DataFrame, way: "_Way") -> list["_Bulk"]:
        """The bulks of at most BULK_RECORDS; written as JSON here, so that the server works on one piece meanwhile."""
        ids, digests = frame["event_id"], digests_of(frame)
        lines = bulk_lines(frame, digests)
        cuts = _cuts(lines.str.len_bytes().to_numpy())
        return [
            self._send(_Bulk(way, ids[first:end], digests[first:end], lines[first:end]))
            for first, end in itertools.pairwise(cuts)
        ]

    def _send(self, bulk: "_Bulk") -> "_Bulk":
        """Offer all; those refused for now a few times more, the rest is the spool's to keep."""
        for attempt in range(TRIES):
            if attempt:
                self._sleep(self._jitter(PAUSE_S * 2**attempt))
            if bulk.offer(is_first=not attempt):
                break
        return bulk

    def _post_to(self, index: str) -> Post:
        def post(body: str, parameters: Mapping[str, str]) -> Mapping[str, Any]:
            with mapped_errors(f"bulk to {index}"):
                content = self._client.perform_request(
                    "POST", f"/{index}/_bulk", params=dict(parameters), headers=HEADERS, body=body.encode()
                ).body
            if not isinstance(content, dict):
                raise TransientError(f"bulk to {index}: the answer is not JSON; is ELASTIC_ADDR an Elasticsearch?")
            return content

        return post


def _cuts(sizes: npt.NDArray[np.uint32]) -> list[int]:
    """Where bulks begin, and the end: none larger than the bounds, but for a single large record."""
    ends = np.cumsum(sizes, dtype=np.int64)
    cuts = [0]
    while cuts[-1] < len(sizes):
        before = int(ends[cuts[-1] - 1]) if cuts[-1] else 0
        fits = int(np.searchsorted(ends, before + BULK_BYTES, side="right"))
        cuts.append(min(max(fits, cuts[-1] + 1), cuts[-1] + BULK_RECORDS, len(sizes)))
    return cuts


def _join(bulks: list["_Bulk"]) -> Outcome:
    """One outcome of several bulks; an error of the whole store only when no bulk got anything through."""
    error = next((bulk.error for bulk in bulks if bulk.error), None)
    if not any(bulk.was_answered or bulk.dead for bulk in bulks):
        offered = sum(len(bulk.delivered) for bulk in bulks)
        raise TransientError(f"{error}; {counted(offered, 'record stays', 'records stay')} in the spool")
    delivered = np.concatenate([bulk.delivered for bulk in bulks])
    starts = itertools.accumulate((len(bulk.delivered) for bulk in bulks), initial=0)
    dead = {start + row: why for start, bulk in zip(starts, bulks, strict=False) for row, why in bulk.dead.items()}
    retry = ~delivered
    retry[list(dead)] = False
    return Outcome(delivered, retry, dead, error if retry.any() else None)


class _Bulk:
    """The documents of one request and what became of each."""

    def __init__(self, way: _Way, ids: pl.Series, digests: pl.Series, lines: pl.Series) -> None:
        self._way, self._ids, self._digests, self._lines = way, ids, digests, lines
        self._rows: Rows = np.arange(len(ids))  # not settled yet
        self.delivered = np.zeros(len(ids), bool)
        self.dead: dict[int, str] = {}
        self.error: str | None = None  # why some are not settled
        self.was_answered = False  # item by item, be it for a part

    def offer(self, *, is_first: bool) -> bool:
        """Send what is not settled; whether there is no use in sending the rest again soon."""
        is_quick = is_first and not self._way.wariness.take()
        try:
            self._rows = np.array(list(self._offer(self._rows, is_quick=is_quick)), dtype=np.int64)
        except (SentinelError, ApiError) as exc:
            self.error = str(exc)
            self._rows = np.flatnonzero(~self.delivered & ~np.isin(np.arange(len(self._ids)), list(self.dead)))
            return True
        return not len(self._rows)

    def _offer(self, rows: Rows, *, is_quick: bool) -> Iterator[int]:
        """Send these rows; those that must be offered again.

        The quick way asks only whether anything was refused; if so the same goes out again with the full answer, and
        what went in the first time is there already.
        """
        try:
            answer = self._way.post(self._body(rows), QUICK if is_quick else FULL)
        except SentinelError as exc:
            refusal = exc.__cause__
            if not isinstance(refusal, ApiError) or refusal.meta.status not in {400, 413}:
                raise
            return self._halve(rows, refusal)
        if is_quick and answer.get("errors") is False:
            self.delivered[rows] = self.was_answered = True
            return iter(())
        if answer.get("errors") is not False:
            self._way.wariness.wake()
        return self._offer(rows, is_quick=False) if is_quick else self._settle(rows, answer.get("items"))

    def _body(self, rows: Rows) -> str:
        lines = self._lines if len(rows) == len(self._lines) else self._lines.gather(rows)
        return str(lines.str.join("\n").item()) + "\n"

    def _halve(self, rows: Rows, refusal: ApiError) -> Iterator[int]:
        """A request refused as a whole (400, 413): halve it until the culprit stands alone; that one is dead."""
        reason = f"{refusal.meta.status} {reason_of(refusal.body) or refusal.message}"
        if len(rows) == 1:
            self.dead[int(rows[0])] = reason
            if not self.was_answered and len(self.dead) >= MAX_CULPRITS:
                self._doubt(reason)
            return
        for half in np.array_split(rows, 2):
            yield from self._offer(half, is_quick=False)

    def _doubt(self, reason: str) -> None:
        """So many culprits and not one good document: ask for something harmless, to tell bad documents from a server
        (or a proxy before it) that refuses whatever comes. For the latter nothing is dead: raises TransientError."""
        try:
            self._way.post(HARMLESS, FULL)
        except SentinelError as exc:
            self.dead.clear()
            raise TransientError(f"bulk: Elasticsearch refuses every request: {reason}") from exc
        self.was_answered = True

    def _settle(self, rows: Rows, items: object) -> Iterator[int]:
        """Enter the items of an answer; those that must be offered again."""
        if not is_about(items, self._ids.gather(rows).to_list()):
            self.error = "bulk: the answer was cut short or is not about what was sent; it is sent again"
            yield from rows
            return
        assert isinstance(items, list)
        self.was_answered = True
        there = list[int]()
        for row, item in zip(rows.tolist(), items, strict=True):
            verdict, why = judge(item)
            if verdict == "done":
                self.delivered[row] = True
            elif verdict == "there":
                there.append(row)
            elif verdict == "dead":
                self.dead[row] = why
            else:
                self.error = f"bulk: {why}"
                yield row
        if there:
            yield from self._compare(there)

    def _compare(self, rows: Sequence[int]) -> Iterator[int]:
        """Look at what stands under the ids of these rows: the same record is delivered, another one makes it dead."""
        found = self._way.look_up([self._ids[row] for row in rows])
        for row in rows:
            name, digest = self._ids[row], found.get(self._ids[row])
            if digest == self._digests[row]:
                self.delivered[row] = True
            elif digest is not None:
                self.dead[row] = conflict_reason(name, self._way.index)
            else:
                self.error = f"bulk: {name} is said to be there already, and is not found; it is sent again"
                yield row
