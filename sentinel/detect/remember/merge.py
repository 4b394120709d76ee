"""Bring what a new model was taught into the memory that runs: of each key the history that holds more of it."""

import numpy as np

from sentinel.detect.kernel.jit import compiled
from sentinel.detect.kernel.table import (
    AUX,
    HITS,
    LAST_USE,
    NEWEST,
    ROW,
    TAUGHT,
    TIME,
    WALKED,
    WINDOW_START,
    WINDOWS,
    Memory,
    Table,
    find,
    touch,
)

__all__ = ["merge"]


@compiled
def _merge_table(memory: Memory, which: int, mine: Table, taught: Table, share: float) -> None:
    """`share`: lines walked here for each line walked there, so that the last use of a key means the same."""
    for k in range(len(taught.keys)):
        key = taught.keys[k]
        if key == 0:
            continue
        place = find(mine, key)
        if place >= 0:
            more = taught.rows[k, HITS] - mine.rows[place, HITS]
            if more < 0.0 or (more == 0.0 and taught.rows[k, TIME] <= mine.rows[place, TIME]):
                continue
        used = np.uint64(np.float64(taught.aux[k, LAST_USE]) * share)
        if place < 0:
            place = touch(memory, which, key, taught.rows[k, TIME])
        else:
            used = max(used, mine.aux[place, LAST_USE])
        for c in range(ROW):
            mine.rows[place, c] = taught.rows[k, c]
        for c in range(AUX):
            mine.aux[place, c] = taught.aux[k, c]
        mine.aux[place, LAST_USE] = used


def merge(memory: Memory, taught: Memory) -> None:
    """Take into `memory`, in place, what `taught` knows and it does not, or knows less of; nothing is counted twice.

    A history that both have seen counts once: of each key the row with more hits stands, of equal ones the newer. So
    what a model was taught is no news to a server that ran before, and what the server has seen stays known.
    """
    share = memory.counters[WALKED] / max(taught.counters[WALKED], 1.0)
    pairs = ((0, memory.core, taught.core), (1, memory.edge, taught.edge), (2, memory.habits, taught.habits))
    with np.errstate(over="ignore"):  # hashes wrap around; only plain code would warn
        for which, mine, theirs in pairs:
            _merge_table(memory, which, mine, theirs, float(share))
    for counter in (TAUGHT, NEWEST, WINDOWS, WINDOW_START):
        memory.counters[counter] = max(memory.counters[counter], taught.counters[counter])
