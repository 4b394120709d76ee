"""Bounded memory of what was seen: a set-associative table of 64-bit keys in flat arrays, and its undo log."""

from typing import NamedTuple

import numpy as np

from sentinel.detect.kernel.jit import Floats, Hashes, Integers, compiled
from sentinel.detect.tuning.memory import JUMP_S, TAUS_S, USE_BONUS_LINES, WAYS

__all__ = ["Memory", "Table", "UndoLog", "age", "bump", "find", "roll_back", "touch"]

ROW = 8  # floats a key: time, three decaying counters, hits, three decaying distinct counts
AUX = 3  # hashes a key: heaviest contributor, line of last use, previous template

TIME, COUNT0, COUNT1, COUNT2, HITS, DISTINCT0, DISTINCT1, DISTINCT2 = range(ROW)
HEAVIEST, LAST_USE, PREVIOUS = range(AUX)
TAUGHT, WALKED, UNDO_LENGTH, NEWEST, WINDOWS, WINDOW_START, SETTLED = range(7)
COUNTERS = 7
CORE, EDGE, HABITS = range(3)  # the tables of a memory, as `touch` and the undo log name them


class Table(NamedTuple):
    """`capacity` places (a power of two, at least 8): keys (capacity,), rows (capacity, 8), aux (capacity, 3)."""

    keys: Hashes
    rows: Floats
    aux: Hashes

    @classmethod
    def empty(cls, capacity: int) -> "Table":
        """A table with no keys."""
        return cls(np.zeros(capacity, np.uint64), np.zeros((capacity, ROW)), np.zeros((capacity, AUX), np.uint64))

    def copy(self) -> "Table":
        """An equal table with memory of its own."""
        return Table(self.keys.copy(), self.rows.copy(), self.aux.copy())

    @property
    def used(self) -> int:
        """How many places hold a key."""
        return int(np.count_nonzero(self.keys))


class UndoLog(NamedTuple):
    """What places held before they were changed, newest last; `where` (m, 2) says table and place."""

    where: Integers
    keys: Hashes
    rows: Floats
    aux: Hashes

    @classmethod
    def sized(cls, changes: int) -> "UndoLog":
        """An undo log with room for so many changes; 0 keeps none."""
        return cls(
            np.zeros((changes, 2), np.int64),
            np.zeros(changes, np.uint64),
            np.zeros((changes, ROW)),
            np.zeros((changes, AUX), np.uint64),
        )


class Memory(NamedTuple):
    """All that is remembered: templates and sources (`core`), actors and pairs (`edge`), usual loudness (`habits`).

    `counters` (7,): lines taught, lines walked, entries in the undo log, newest time, windows of 600 s with lines,
    begin of the last such window, lines settled.
    """

    core: Table
    edge: Table
    habits: Table
    counters: Floats
    undo_log: UndoLog

    def copy(self) -> "Memory":
        """An equal memory of its own, without an undo log."""
        core, edge, habits = self.core.copy(), self.edge.copy(), self.habits.copy()
        return Memory(core, edge, habits, self.counters.copy(), UndoLog.sized(0))


@compiled
def find(table: Table, key: np.uint64) -> int:
    """The place of a key, or −1."""
    base = np.int64(key & np.uint64(len(table.keys) // WAYS - 1)) * WAYS
    for i in range(base, base + WAYS):
        if table.keys[i] == key:
            return i
    return -1


@compiled
def _victim(table: Table, base: int) -> int:
    """The first empty place of a set, else the one least recently and least often used."""
    bonus = USE_BONUS_LINES * len(table.keys) / 1024.0
    best, worth = base, np.inf
    for i in range(base, base + WAYS):
        if table.keys[i] == 0:
            return i
        w = np.float64(table.aux[i, LAST_USE]) + bonus * min(table.rows[i, HITS], 64.0)
        if w < worth:
            best, worth = i, w
    return best


@compiled
def _copy_row(table: Table, place: int, rows: Floats, aux: Hashes, n: int) -> None:
    for k in range(ROW):
        rows[n, k] = table.rows[place, k]
    for k in range(AUX):
        aux[n, k] = table.aux[place, k]


@compiled
def _write_down(undo_log: UndoLog, counters: Floats, which: int, table: Table, place: int) -> None:
    n = np.int64(counters[UNDO_LENGTH])
    if n >= len(undo_log.keys):  # kernels do not check bounds: one entry too many would be written over other memory
        raise IndexError("the undo log is full")
    undo_log.where[n, 0], undo_log.where[n, 1] = which, place
    undo_log.keys[n] = table.keys[place]
    _copy_row(table, place, undo_log.rows, undo_log.aux, int(n))
    counters[UNDO_LENGTH] = n + 1.0


@compiled
def touch(memory: Memory, which: int, key: np.uint64, t: float) -> int:
    """The place of a key that is about to change, made when missing (hits 0); the undo log keeps what it was.

    `which` is CORE, EDGE or HABITS. Raises IndexError where the undo log is full; nothing of this
    key was changed then, and what the log holds can be rolled back.
    """
    table = memory.core if which == CORE else (memory.edge if which == EDGE else memory.habits)
    place = find(table, key)
    fresh = place < 0
    if fresh:
        place = _victim(table, int(np.int64(key & np.uint64(len(table.keys) // WAYS - 1))) * WAYS)
    if len(memory.undo_log.keys) > 0:
        _write_down(memory.undo_log, memory.counters, which, table, place)
    if fresh:
        table.keys[place] = key
        table.rows[place, :] = 0.0
        table.rows[place, TIME] = t
        table.aux[place, :] = 0
    table.aux[place, LAST_USE] = np.uint64(memory.counters[WALKED])
    return place


@compiled
def age(rows: Floats, place: int, t: float) -> None:
    """Let a key's counters decay until t. A late line (t in the past) changes nothing; a clock set back begins anew."""
    dt = t - rows[place, TIME]
    if dt < -JUMP_S:
        rows[place, COUNT0 : COUNT2 + 1] = 0.0
        rows[place, DISTINCT0:] = 0.0
        rows[place, TIME] = t
    elif dt > 0.0:
        long = np.exp(-dt / TAUS_S[2])
        decay = long * long * long  # 1,800 s is 3 × 600, 10 × 180, 120 × 15: one exponential does for all
        middle = decay * decay * decay * long
        square = middle * middle
        short = square * square * square  # 6 × 180 s …
        rows[place, COUNT0] *= short * short  # … twice
        rows[place, COUNT1] *= middle
        rows[place, COUNT2] *= long
        rows[place, DISTINCT0] *= decay
        rows[place, DISTINCT1] *= decay
        rows[place, DISTINCT2] *= decay
        rows[place, TIME] = t


@compiled
def bump(rows: Floats, place: int, t: float, taught: float) -> None:
    """Count one more line for a key at time t."""
    age(rows, place, t)
    rows[place, COUNT0] += 1.0
    rows[place, COUNT1] += 1.0
    rows[place, COUNT2] += 1.0
    rows[place, HITS] += taught


@compiled
def roll_back(memory: Memory) -> None:
    """Undo every change in the undo log, newest first."""
    undo_log = memory.undo_log
    for n in range(np.int64(memory.counters[UNDO_LENGTH]) - 1, -1, -1):
        which = undo_log.where[n, 0]
        table = memory.core if which == CORE else (memory.edge if which == EDGE else memory.habits)
        place = undo_log.where[n, 1]
        table.keys[place] = undo_log.keys[n]
        for k in range(ROW):
            table.rows[place, k] = undo_log.rows[n, k]
        for k in range(AUX):
            table.aux[place, k] = undo_log.aux[n, k]
    memory.counters[UNDO_LENGTH] = 0.0
