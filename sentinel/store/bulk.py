"""One write to one index: bulks of bounded size, two in flight, the answers read item by item."""

import itertools
import random
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from elasticsearch import ApiError, Elasticsearch

from sentinel.errors import TransientError
from sentinel.store.connection import mapped_errors, reason_of
from sentinel.store.documents import bulk_lines
from sentinel.store.store import Outcome

__all__ = ["BulkWriter"]

BULK_RECORDS = 2_500
BULK_BYTES = 4 * 1024 * 1024
IN_FLIGHT = 2
TRIES = 3
PAUSE_S = 0.25
WARY_BULKS = 100  # after one in which something was refused, so many are read item by item at once
HEADERS = {"content-type": "application/vnd.elasticsearch+x-ndjson; compatible-with=8", "accept": "application/json"}
QUICK = {"filter_path": "errors,took"}
FULL = {"filter_path": "errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason"}
DONE = {200, 201, 409}
LATER = {0, 401, 403, 404, 429}  # 0: no status at all
LATER_TYPES = (
    "cluster_block",
    "rejected_execution",
    "unavailable_shards",
    "index_closed",
    "circuit_breaking",
    "timeout",
)


class BulkWriter:
    """Writes frames to concrete indices. Thread-safe."""

    def __init__(self, client: Elasticsearch) -> None:
        self._client = client
        self._pool = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="bulk")
        self._wariness = _Wariness()

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False)

    def write(self, frame: pl.DataFrame, index: str) -> Outcome:
        """What became of each record. Raises TransientError where nothing at all could be sent."""
        sizes = frame["message"].str.len_bytes().fill_null(0).to_numpy().astype(np.int64) + 600
        lines = list(self._pool.map(lambda part: bulk_lines(part).to_list(), frame.iter_slices(BULK_RECORDS)))
        flat = [line for part in lines for line in part]
        marks = _cuts(sizes)
        bulks = [_Bulk(self._client, index, flat[a:b], self._wariness) for a, b in itertools.pairwise(marks)]
        done = list(self._pool.map(_Bulk.send, bulks))
        return _join(done)


def _cuts(sizes: npt.NDArray[np.int64]) -> list[int]:
    """Where bulks begin, and the end: none larger than the bounds, but for a single large record."""
    cuts, total = [0], 0
    for row, size in enumerate(sizes.tolist()):
        if row > cuts[-1] and (total + size > BULK_BYTES or row - cuts[-1] >= BULK_RECORDS):
            cuts.append(row)
            total = 0
        total += size
    return [*cuts, len(sizes)]


def _join(outcomes: list["_Bulk"]) -> Outcome:
    """One outcome of several bulks; an error of the whole store only when no bulk got through."""
    failed = [bulk.failure for bulk in outcomes if bulk.failure is not None]
    if failed and len(failed) == len(outcomes):
        raise failed[0]
    delivered = np.concatenate([bulk.delivered for bulk in outcomes])
    dead: dict[int, str] = {}
    start = 0
    for bulk in outcomes:
        dead |= {start + row: reason for row, reason in bulk.dead.items()}
        start += len(bulk.lines)
    retry = ~delivered
    retry[list(dead)] = False
    error = next((bulk.error for bulk in outcomes if bulk.error), None) or (str(failed[0]) if failed else None)
    return Outcome(delivered, retry, dead, error)


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


class _Bulk:
    """The lines of one request and what became of each."""

    def __init__(self, client: Elasticsearch, index: str, lines: list[str], wariness: _Wariness) -> None:
        self._client, self._index, self.lines, self._wariness = client, index, lines, wariness
        self.delivered = np.zeros(len(lines), bool)
        self.dead: dict[int, str] = {}
        self.error: str | None = None
        self.failure: TransientError | None = None

    def send(self) -> "_Bulk":
        """Offer all; those refused for now a few times more, the rest is the spool's to keep."""
        rows = list(range(len(self.lines)))
        for attempt in range(TRIES):
            if attempt:
                time.sleep(random.uniform(0, PAUSE_S * 2**attempt))  # noqa: S311 jitter
            try:
                rows = self._offer(rows, quick=not attempt and not self._wariness.take())
            except TransientError as exc:
                self.error = str(exc)
                if not (self.delivered.any() or self.dead):
                    self.failure = exc
                return self
            if not rows:
                return self
        return self

    def _offer(self, rows: list[int], *, quick: bool) -> list[int]:
        """Send these rows; those that must be offered again. The quick way asks only whether anything was refused;
        if so the same goes out again with the full answer: what went in the first time answers 409."""
        try:
            answer = self._post(rows, QUICK if quick else FULL)
            if quick and answer.get("errors") is False:
                self.delivered[rows] = True
                return []
            if quick:
                answer = self._post(rows, FULL)
            if answer.get("errors") is not False:
                self._wariness.wake()
        except ApiError as exc:
            return self._split(rows, exc)
        items = answer.get("items")
        if not isinstance(items, list) or len(items) != len(rows):
            self.error = "the answer to a bulk was cut short or is not about what was sent"
            return rows
        return [row for row, item in zip(rows, items, strict=True) if self._judge(row, item)]

    def _post(self, rows: list[int], parameters: Mapping[str, str]) -> Mapping[str, Any]:
        body = "\n".join(self.lines if len(rows) == len(self.lines) else [self.lines[row] for row in rows]).encode()
        try:
            with mapped_errors(f"bulk to {self._index}"):
                response = self._client.perform_request(
                    "POST", f"/{self._index}/_bulk", params=dict(parameters), headers=HEADERS, body=body
                )
        except Exception as exc:
            if isinstance(exc.__cause__, ApiError) and exc.__cause__.meta.status in {400, 413}:
                raise exc.__cause__ from None
            if isinstance(exc, TransientError):
                raise
            raise TransientError(f"bulk to {self._index}: {exc}") from exc
        content = response.body
        if not isinstance(content, dict):
            raise TransientError(f"bulk to {self._index}: the answer is not JSON; is ELASTIC_ADDR an Elasticsearch?")
        return content

    def _split(self, rows: list[int], exc: ApiError) -> list[int]:
        """A request refused as a whole (400, 413): halve it until the culprit stands alone; that one is dead."""
        if len(rows) == 1:
            self.dead[rows[0]] = f"{exc.meta.status} {reason_of(exc.body) or exc.message}"
            return []
        middle = len(rows) // 2
        return [*self._offer(rows[:middle], quick=False), *self._offer(rows[middle:], quick=False)]

    def _judge(self, row: int, item: Mapping[str, Any]) -> bool:
        """Enter one item of the answer; True where it must be offered again."""
        result: Mapping[str, Any] = next(iter(item.values()), {}) if isinstance(item, dict) else {}
        status, error = int(result.get("status", 0)), result.get("error") or {}
        kind = str(error.get("type", ""))
        if status in DONE:
            self.delivered[row] = True
            return False
        reason = f"{status} {kind}: {error.get('reason', '')}"
        if cause := (error.get("caused_by") or {}).get("reason"):
            reason += f" ({cause})"
        if status in LATER or status >= 500 or any(t in kind for t in LATER_TYPES):
            self.error = reason[:500]
            return True
        self.dead[row] = reason[:500]
        return False
