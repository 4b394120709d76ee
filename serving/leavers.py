"""Clients that leave before their answer: counted, and told in one line a minute, whatever their number."""

import logging
import time
from collections.abc import Callable

__all__ = ["Leavers"]

log = logging.getLogger(__name__)

EVERY_S = 60.0


class Leavers:
    """Used by the event loop alone. `count` is called for each of them."""

    def __init__(self, count: Callable[[], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._count, self._clock = count, clock
        self._told_s, self._untold = float("-inf"), 0

    def note(self) -> None:
        """One more has left."""
        self._count()
        self._untold += 1
        now_s = self._clock()
        if now_s - self._told_s >= EVERY_S:
            log.info("clients left before their answer count=%d", self._untold)
            self._told_s, self._untold = now_s, 0
