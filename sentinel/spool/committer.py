"""Group commit: a thread that runs what many callers want to write in one transaction, and answers after its COMMIT."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from sentinel.errors import SentinelError, TransientError
from sentinel.spool.transaction import Transaction

__all__ = ["MAX_GROUP", "MAX_QUEUED", "Committer"]

MAX_QUEUED = 4_096
MAX_GROUP = 256

T = TypeVar("T")
_Item = tuple[Callable[[Transaction], Any], Future[Any]]


class _Spool(Protocol):
    def transaction(self) -> AbstractContextManager[Transaction]: ...


class Committer:
    """A queue of works and the one thread that commits them, as many at once as wait.

    asyncio waits with `asyncio.wrap_future(committer.submit(work))`.
    """

    def __init__(self, spool: _Spool, *, max_queued: int = MAX_QUEUED, max_group: int = MAX_GROUP) -> None:
        self._spool, self._max_group = spool, max_group
        self._queue: queue.Queue[_Item | None] = queue.Queue(max_queued)
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="spool-committer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Transaction], T]) -> Future[T]:
        """Run `work` in the next transaction; the future is done after the COMMIT, with what `work` returned.

        Where `work` raises, its own writes are undone and the future has its exception; where the commit fails, all
        futures of the group have a TransientError. Raises TransientError at once when too many works wait, or after
        `close`.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise TransientError("commit to the spool: it is closing; send it again after the restart")
            try:
                self._queue.put_nowait((work, future))
            except queue.Full:
                raise TransientError(
                    f"commit to the spool: {self._queue.maxsize} works wait for the disk already; send it again later"
                ) from None
        return future

    def close(self) -> None:
        """Commit what was submitted, then stop. A second call does nothing."""
        with self._lock:
            first, self._closed = not self._closed, True
        if first:
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            group, is_last = self._gather(item)
            self._commit(group)
            if is_last:
                return

    def _gather(self, first: _Item) -> tuple[list[_Item], bool]:
        """What waits right now, up to a bound; True when the end was among it."""
        group = [first]
        while len(group) < self._max_group:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is None:
                return group, True
            group.append(item)
        return group, False

    def _commit(self, group: list[_Item]) -> None:
        """One transaction for the group; only then its futures."""
        running = [(work, future) for work, future in group if future.set_running_or_notify_cancel()]
        results: list[tuple[Any, BaseException | None]] = []
        try:
            with self._spool.transaction() as tx:
                for work, _ in running:
                    results.append(_run_apart(tx, work))
        except Exception as exc:
            failure = (
                exc if isinstance(exc, SentinelError) else TransientError(f"commit to the spool: {exc!r}; try again")
            )
            failure.__cause__ = None if failure is exc else exc
            for _, future in running:
                future.set_exception(failure)
            return
        for (_, future), (result, error) in zip(running, results, strict=True):
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)


def _run_apart(tx: Transaction, work: Callable[[Transaction], Any]) -> tuple[Any, BaseException | None]:
    """Run one work so that its failure undoes it alone; a failing disk is everybody's failure and is raised."""
    try:
        with tx.savepoint():
            return work(tx), None
    except Exception as exc:
        if not tx.is_open:
            raise
        return None, exc
