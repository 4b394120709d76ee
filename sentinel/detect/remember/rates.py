"""Read a key's counters into the raw values of a line: its rates, its hits so far, whether it is new of late."""

import numpy as np

from sentinel.detect.kernel.hashing import NONE
from sentinel.detect.kernel.jit import Floats, compiled
from sentinel.detect.kernel.table import (
    CORE,
    COUNT0,
    COUNT1,
    COUNT2,
    HEAVIEST,
    HITS,
    TIME,
    Memory,
    Table,
    find,
    touch,
)
from sentinel.detect.tuning.memory import DISTINCT_TAU_S, TAUS_S

__all__ = ["decayed", "hits_then", "is_first", "three_spans", "without_heaviest"]


@compiled
def is_first(rows: Floats, place: int, t: float) -> float:
    """1 where a pair was not seen within the span of distinct counts, else 0; to be asked before it is bumped."""
    fresh = rows[place, COUNT2] == 0.0 or t - rows[place, TIME] > DISTINCT_TAU_S
    return 1.0 if fresh else 0.0


@compiled
def decayed(rows: Floats, place: int, k: int, t: float) -> float:
    """What a key's count of span k is worth at t, which a late line does not raise; the key stays as it is."""
    return float(rows[place, COUNT0 + k] * np.exp(-max(t - rows[place, TIME], 0.0) / TAUS_S[k]))


@compiled
def three_spans(rows: Floats, place: int, out: Floats, at: int) -> None:
    """Write the decaying counts of a key, the shortest span first."""
    out[at], out[at + 1], out[at + 2] = rows[place, COUNT0], rows[place, COUNT1], rows[place, COUNT2]


@compiled
def without_heaviest(
    table: Table, place: int, mine: np.uint64, my_count: float, others: Table, t: float, out: Floats, at: int
) -> None:
    """The rate of a key without its heaviest other contributor, so that a bystander is not blamed for a flood."""
    three_spans(table.rows, place, out, at)
    heaviest = table.aux[place, HEAVIEST]
    if heaviest == mine:
        return
    other = find(others, heaviest) if heaviest != NONE else -1
    if other < 0:
        table.aux[place, HEAVIEST] = mine
        return
    count1 = decayed(others.rows, other, 1, t)
    if my_count > count1:
        table.aux[place, HEAVIEST] = mine
        return
    out[at] = max(out[at] - decayed(others.rows, other, 0, t), 1.0)
    out[at + 1] = max(out[at + 1] - count1, 1.0)
    out[at + 2] = max(out[at + 2] - decayed(others.rows, other, 2, t), 1.0)


@compiled
def hits_then(memory: Memory, which: int, key: np.uint64, t: float, taught: float) -> float:
    """The hits of a key before this line, which then counts."""
    place = touch(memory, which, key, t)
    rows = memory.core.rows if which == CORE else memory.edge.rows
    hits = rows[place, HITS]
    rows[place, HITS] += taught
    return hits
