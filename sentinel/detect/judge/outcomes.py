"""Numbers that were always one of a few, and news of them: what a line tells that its place never told before."""

from typing import NamedTuple

import numpy as np

from sentinel.detect.kernel.hashing import NONE, mix
from sentinel.detect.kernel.jit import Floats, Hashes, Integers, compiled
from sentinel.detect.kernel.keys import Key
from sentinel.detect.kernel.table import HABITS, LAST_USE, SETTLED, Memory, touch
from sentinel.detect.read.coded import Line

__all__ = ["OUTCOMES_A_LINE", "Outcomes", "new_numbers", "settle_outcomes"]

OUTCOMES_A_LINE = 1  # places of the memory that one line changes
HITS_AT = 7  # column of a row of the habits' table


class Outcomes(NamedTuple):
    """Of template i (the last: any other) and number k: `values` (t+1, 4, 8) it had, NaN = no further one; `nats`
    (t+1, 4) that another is worth, 0 = it is a measure; `inside` (t+1, 4, 2): what lies within is no news; `lines`
    (t+1, 4) it was seen in."""

    values: Floats
    nats: Floats
    inside: Floats
    lines: Floats


@compiled
def new_numbers(
    places: Integers, numbers: Floats, tables: Outcomes, nats: Floats, keys: Hashes, which: Integers
) -> None:
    """Raise `nats` (n,) of lines with a number that its slot never had; set `keys` and `which` (n,) number it is."""
    for i in range(len(places)):
        t = places[i]
        if t < 0:
            continue
        for k in range(4):
            x, worth = numbers[i, k], tables.nats[t, k]
            if worth <= nats[i] or np.isnan(x) or tables.inside[t, k, 0] <= x <= tables.inside[t, k, 1]:
                continue
            known = False
            for j in range(tables.values.shape[2]):
                known = known or tables.values[t, k, j] == x
            if not known:
                nats[i], which[i] = worth, k
                keys[i] = mix(Key.OUTCOME, np.uint64(t * 4 + k + 1), np.uint64(np.int64(x * 1000.0)))


@compiled
def settle_outcomes(memory: Memory, lines: Line, keys: Hashes, nats: Floats) -> None:
    """Take off `nats` (n,) what a new value is known by now: each time it came, in service, as of a rarity."""
    for i in range(len(nats)):
        if nats[i] > 0.0:
            place = touch(memory, HABITS, mix(Key.OUTCOME, keys[i], NONE), lines.times[i])
            memory.habits.aux[place, LAST_USE] = np.uint64(memory.counters[SETTLED])
            hits = memory.habits.rows[place, HITS_AT]
            memory.habits.rows[place, HITS_AT] = hits + 1.0
            nats[i] = max(nats[i] - np.log1p(2.0 * hits), 0.0)
