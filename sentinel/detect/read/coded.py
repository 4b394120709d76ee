"""Lines as integers: what the state pass walks, what the baseline looks up, and where their texts are found again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sentinel.detect.kernel.jit import Booleans, Floats, Hashes, Integers
from sentinel.detect.read.text import Meaning, Scanned

__all__ = ["Coded", "Facts", "Line", "One"]


class Line(NamedTuple):
    """Lines as integers, arrays of n rows (or the values of one line): see `walk`."""

    times: Floats
    levels: Integers
    sources: Hashes
    templates: Hashes
    flags: Integers
    entities: Hashes
    numbers: Floats
    taught: Floats


class Facts(NamedTuple):
    """What lines say without their past, arrays of n rows: places in the tables (−1 = not there), level, flags, …"""

    template: Integers
    source: Integers
    level: Integers
    flags: Integers
    length: Floats
    rarity: Floats
    numbers: Floats


@dataclass(frozen=True, slots=True)
class Coded:
    """Records as arrays, row by row; `scanned` finds the texts again.

    `sessions` are the hashes of ids of sessions (0: none) without processes, `named` whether attributes name them.
    `meanings` are the distinct ones of the batch, `which` (n,) says which of them each line has.
    """

    line: Line
    facts: Facts
    scanned: Scanned
    sessions: Hashes
    named: Booleans
    meanings: Sequence[Meaning]
    which: Integers


@dataclass(frozen=True, slots=True)
class One:
    """One record as `peek_one` takes it: seconds since 1970, level of LEVELS or None, JSON text or None."""

    time_s: float
    level: str | None
    source: str
    message: str
    attributes: str | None = None
