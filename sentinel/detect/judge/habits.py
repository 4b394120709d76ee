"""What is loud most of the time is a habit, not news: lower the nats of lines by what their template usually shows."""

import numpy as np

from sentinel.detect.judge.combine import BULK, HABIT, LEAST, NATS, PRIOR
from sentinel.detect.kernel.flags import TROUBLE, Level
from sentinel.detect.kernel.hashing import NONE, mix
from sentinel.detect.kernel.jit import Floats, compiled
from sentinel.detect.kernel.keys import Key
from sentinel.detect.kernel.table import HABITS, LAST_USE, SETTLED, Memory, touch
from sentinel.detect.read.coded import Line
from sentinel.detect.remember.raw import COLUMN
from sentinel.detect.tuning.judge import (
    CALM_NATS,
    DOWN_NATS,
    FORGET_S,
    JUMP_S,
    LOUD_NATS,
    NEXT_NIGHT_S,
    NIGHT_S,
    NIGHTS,
    NIGHTS_BAD,
    NOVEL_WINDOWS,
    QUICK,
    SAME_S,
    UP_BAD_NATS,
    UP_NATS,
    WINDOW_S,
    YOUNG_WINDOWS,
)

__all__ = ["HABITS_A_LINE", "settle"]

HABITS_A_LINE = 3  # places that one line changes

CHANNELS, DECISIVE_CHANNEL = 3, 1  # what speaks: the line as a whole, a decisive feature, a flood

START, LOUDEST, USUALLY = 0, 1, 4  # columns of a row of the table, the last two one a channel
NIGHT, NOW, BEFORE, EARLIER = 4, 1, 2, 3  # columns of a row of a nightly habit: nights in a row, loudness of three


@compiled
def _close(row: Floats, t: float, windows: float, trouble: bool) -> None:
    """End the window of a key where it is over, and move the usual loudness."""
    if row[START] - JUMP_S < t < row[START] + WINDOW_S:
        return
    since = max(t - row[START], 0.0)
    kept = np.exp(-since / FORGET_S)
    for k in range(CHANNELS):
        above = row[LOUDEST + k] - row[USUALLY + k]
        step = UP_BAD_NATS if trouble and k != DECISIVE_CHANNEL else UP_NATS
        if windows < YOUNG_WINDOWS and since < 2.0 * WINDOW_S and not trouble:
            step = max(UP_NATS, QUICK * above)
        row[USUALLY + k] = kept * (row[USUALLY + k] + (min(above, step) if above > 0.0 else max(above, -DOWN_NATS)))
        row[LOUDEST + k] = 0.0
    row[START] = t


@compiled
def _place(
    memory: Memory, kind: int, source: np.uint64, template: np.uint64, t: float, windows: float, trouble: bool
) -> int:
    place = touch(memory, HABITS, mix(kind, source, template), t)
    memory.habits.aux[place, LAST_USE] = np.uint64(memory.counters[SETTLED])  # lines walked may be ahead of this one
    _close(memory.habits.rows[place], t, windows, trouble)
    return place


@compiled
def _nightly(memory: Memory, source: np.uint64, template: np.uint64, t: float, loud: float, trouble: bool) -> float:
    """The nats that what comes this loud each night at about this hour is known to have, 0 before it is known."""
    place = touch(memory, HABITS, mix(Key.NIGHTLY_HABIT, source, template), t)
    memory.habits.aux[place, LAST_USE] = np.uint64(memory.counters[SETTLED])
    row = memory.habits.rows[place]
    since = t - row[START]
    if row[NOW] == 0.0 or not -JUMP_S < since < SAME_S:
        if row[NOW] > 0.0 and NIGHT_S <= since <= NEXT_NIGHT_S:
            row[NIGHT] += 1.0
        else:
            row[NIGHT], row[NOW], row[BEFORE] = 0.0, 0.0, 0.0
        row[EARLIER], row[BEFORE], row[NOW], row[START] = row[BEFORE], row[NOW], 0.0, t
    row[NOW] = max(row[NOW], loud)
    return min(row[BEFORE], row[EARLIER]) if row[NIGHT] >= (NIGHTS_BAD if trouble else NIGHTS) else 0.0


@compiled
def settle(memory: Memory, lines: Line, raw: Floats, parts: Floats) -> None:
    """Fill HABIT0… (nats taken off each channel) and NATS of parts (n, len(PARTS)), line by line in order.

    A window of 600 s of a template in a source is as loud as its loudest line. The usual loudness follows the level
    that three in four windows stay below, by at most 1 nat a window (where lines read as failures: ¼); what of it
    exceeds 4 nats is taken off. So a log that changed for good is quiet again within hours, while one attack moves
    hardly anything. What is as loud each night at about the same hour is a habit from the third night on (where lines
    read as failures: from the fourth). The prior stays, and what a fatal line is worth at least.
    """
    rows = memory.habits.rows
    for i in range(len(lines.times)):
        t, source, windows = lines.times[i], lines.sources[i], raw[i, COLUMN.windows_template]
        trouble = lines.flags[i] & TROUBLE != 0 or lines.levels[i] >= Level.ERROR
        own = _place(memory, Key.TEMPLATE_HABIT, source, lines.templates[i], t, windows, trouble)
        shared = own
        if windows < NOVEL_WINDOWS:
            shared = _place(memory, Key.SOURCE_HABIT, source, NONE, t, YOUNG_WINDOWS, trouble)
        parts[i, NATS] = max(parts[i, PRIOR], parts[i, LEAST])
        loudest, nightly = max(parts[i, BULK], parts[i, BULK + 1], parts[i, BULK + 2]), 0.0
        if loudest >= LOUD_NATS:
            nightly = _nightly(memory, source, lines.templates[i], t, loudest, trouble)
        for k in range(CHANNELS):
            loud = parts[i, BULK + k]
            usual = max(rows[own, USUALLY + k], rows[shared, USUALLY + k], nightly)
            rows[own, LOUDEST + k] = max(rows[own, LOUDEST + k], loud)
            rows[shared, LOUDEST + k] = max(rows[shared, LOUDEST + k], loud)
            parts[i, HABIT + k] = max(usual - CALM_NATS, 0.0)
            parts[i, NATS] = max(parts[i, NATS], loud - parts[i, HABIT + k])
        memory.counters[SETTLED] += 1.0
