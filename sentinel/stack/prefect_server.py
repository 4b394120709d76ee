"""`python -m sentinel.stack.prefect_server ARG…`: Prefect's command, its garbage collected in a thread of its own.

Prefect's server waits up to a minute for a lock of its SQLite file, in threads that hold the mutex of their connection
meanwhile. Garbage with a cursor of such a connection needs that mutex, too. Collected on the thread of the event loop,
it halts the server: whoever holds the lock cannot go on, and nobody gets an answer until that minute is over.
"""

import gc
import itertools
import runpy
import threading
import time

__all__ = ["collect_garbage", "main"]

YOUNG_S = 1.0  # between collections of what is new
ALL_EVERY = 120  # of these, one looks at all: half a second of a server's quarter of a GB


def main() -> None:
    """Run Prefect's command with the arguments of this one."""
    gc.disable()
    threading.Thread(target=_collect_for_ever, name="garbage", daemon=True).start()
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)


def _collect_for_ever() -> None:
    for turn in itertools.count(1):
        time.sleep(YOUNG_S)
        collect_garbage(turn)


def collect_garbage(turn: int) -> None:
    """One turn: what is new, every so often all."""
    gc.collect(2 if turn % ALL_EVERY == 0 else 1)


if __name__ == "__main__":
    main()
