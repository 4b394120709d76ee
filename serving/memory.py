"""Memory is given back: the C library keeps what big bodies needed unless it is told not to."""

import ctypes
import sys

__all__ = ["keep_little"]

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # mallopt(3)
FEW_ARENAS = 2  # each thread would have one of its own, and each keeps what it once needed
BIG_BYTES = 1024 * 1024


def keep_little() -> bool:
    """Let malloc take big blocks from the system and return them at once; False where it is not glibc's."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # musl has none, and keeps little by itself
        return False
    wanted = ((M_ARENA_MAX, FEW_ARENAS), (M_MMAP_THRESHOLD, BIG_BYTES), (M_TRIM_THRESHOLD, BIG_BYTES))
    return sum(int(mallopt(name, value)) for name, value in wanted) == len(wanted)
