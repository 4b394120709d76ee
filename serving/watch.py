"""Whether the store answers: asked in a thread of its own, so that a store that hangs holds up no request."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sentinel.store import Health, Store

__all__ = ["StoreWatch"]

FRESH_S = 2.0
PATIENCE_S = 1.0


class StoreWatch:
    """Keeps the store's last known health. Used by the event loop alone."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._pool = ThreadPoolExecutor(1, "store-health")
        self._asking: asyncio.Future[Health] | None = None
        self._known: Health | None = None
        self._known_s = float("-inf")

    def is_reachable(self) -> bool | None:
        """Whether it answered when it was last asked; None before that."""
        return self._known.reachable if self._known is not None else None

    async def health(self) -> Health | None:
        """The health of the last two seconds, or the last known where the store does not answer within one."""
        if self._clock() - self._known_s < FRESH_S:
            return self._known
        if self._asking is None:
            self._asking = asyncio.get_running_loop().run_in_executor(self._pool, self._store.health)
            self._asking.add_done_callback(self._note)
        await asyncio.wait({self._asking}, timeout=PATIENCE_S)
        return self._known

    def close(self) -> None:
        """End the thread, without waiting for a store that hangs."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _note(self, asked: asyncio.Future[Health]) -> None:
        self._asking = None
        if not asked.cancelled() and asked.exception() is None:
            self._known, self._known_s = asked.result(), self._clock()
