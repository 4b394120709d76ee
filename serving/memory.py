"""Memory is given back: the C library keeps what big bodies needed unless it is told not to."""

import ctypes
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from serving.repeat import Repeater

__all__ = ["GiveBack", "keep_little"]

log = logging.getLogger(__name__)

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # mallopt(3)
FEW_ARENAS = 2  # each thread would have one of its own, and each keeps what it once needed
OF_POLARS = "_RJEM_MALLOC_CONF"
BIG_BYTES = 1024 * 1024
CHANGED_BYTES = 8 * BIG_BYTES
LOOK_EVERY_S = 5.0
STATM = Path("/proc/self/statm")


def keep_little() -> bool:
    """Let malloc take big blocks from the system and return them at once; False where it is not glibc's.

    Before polars is loaded: its own malloc reads its settings then.
    """
    os.environ.setdefault(OF_POLARS, f"narenas:{FEW_ARENAS}")
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # musl has none, and keeps little by itself
        return False
    wanted = ((M_ARENA_MAX, FEW_ARENAS), (M_MMAP_THRESHOLD, BIG_BYTES), (M_TRIM_THRESHOLD, BIG_BYTES))
    return sum(int(mallopt(name, value)) for name, value in wanted) == len(wanted)


class GiveBack:
    """Returns free pages to the system after the process has grown or shrunk: malloc itself gives back only what lies
    at the end of its heaps, and one small block there holds all that is free before it.
    """

    def __init__(self, resident: Callable[[], int] | None = None, trim: Callable[[], object] | None = None) -> None:
        self._resident, self._trim = resident or _resident_bytes, trim or _trim
        self._known = 0  # bytes, when it last looked or trimmed
        self._repeater = Repeater("give-back", self.turn)

    def start(self) -> bool:
        """Look from now on, every few seconds; False where the system has nothing to look at, or malloc no trim."""
        try:
            self._known = self._resident()
            self._trim()
        except (OSError, AttributeError):
            return False
        self._repeater.start()
        return True

    def stop(self) -> None:
        """End the thread."""
        self._repeater.stop()

    def turn(self) -> float:
        """Trim where memory has changed much since the last time; seconds until the next look."""
        now = self._resident()
        if abs(now - self._known) > CHANGED_BYTES:
            self._trim()
            self._known = self._resident()
            log.debug("gave memory back before_mb=%d after_mb=%d", now // BIG_BYTES, self._known // BIG_BYTES)
        return LOOK_EVERY_S


def _resident_bytes() -> int:
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _trim() -> None:
    ctypes.CDLL(None).malloc_trim(0)
