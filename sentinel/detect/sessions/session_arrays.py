"""What is held of open sessions, as arrays: their places, the log that takes lines back, and the rules of a kind."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sentinel.detect.kernel.jit import Booleans, Floats, Hashes, Integers
from sentinel.detect.tuning.sessions import CELLS, PLACES

__all__ = [
    "ALARMED",
    "BEFORE",
    "BEFORE_S",
    "BORN",
    "CLOCK",
    "COUNTERS",
    "COUNT_BITS",
    "DONE",
    "EXTRA",
    "FAILING",
    "FIRST",
    "FULL",
    "HEAD",
    "HIGHEST",
    "JUDGED",
    "LAST",
    "LINES",
    "LINES_SEEN",
    "MAX_COUNT",
    "OFTEN",
    "PLACES",
    "SAID",
    "STEPS",
    "USED",
    "WORST_A",
    "WORST_B",
    "WORST_NATS",
    "WORTH",
    "Log",
    "Open",
    "Rules",
    "Tail1",
]

COUNT_BITS, MAX_COUNT = 16, 65_535
(
    FIRST,
    LAST,
    LINES,
    BEFORE,
    STEPS,
    WORST_A,
    WORST_B,
    WORST_NATS,
    EXTRA,
    OFTEN,
    FAILING,
    HIGHEST,
    WORTH,
    USED,
    JUDGED,
    SAID,
) = range(16)
HEAD = 16
"""What is known of a session: times of its first and last line, lines, number of the last template (0: none), sum of
the surprises of its steps, the most surprising one; squares of the surprises of extra templates, of how often they come
and of failures; highest nats in flight and when it was judged as a whole; use; 1 when it was judged as it is; 1 when it
was said to be strange (2: it never may be, since its beginning was not seen)."""

CLOCK, BEFORE_S, BORN, LINES_SEEN = range(4)
COUNTERS = 4
"""Time up to which lines have come, of the line before, of the first line; lines seen."""

DONE, FULL, ALARMED = range(3)


class Open(NamedTuple):
    """Sessions that are held, `places` of them in sets of eight: their hashes (0: free), HEAD values, template cells.

    A cell holds a template's number and, in its lower 16 bits, how many lines it has; `counters`: see COUNTERS.
    """

    keys: Hashes
    head: Floats
    cells: npt.NDArray[np.uint32]
    counters: Floats

    @classmethod
    def empty(cls, places: int = PLACES) -> "Open":
        """Room for sessions, none there."""
        cells = np.zeros((places, CELLS), np.uint32)
        return cls(np.zeros(places, np.uint64), np.zeros((places, HEAD)), cells, np.zeros(COUNTERS))


class Log(NamedTuple):
    """What places held at some moment: before each line changed one, or when a session turned out to be over.

    `where`: the place (−1: none), or the session's last line.
    """

    where: Integers
    keys: Hashes
    head: Floats
    cells: npt.NDArray[np.uint32]

    @classmethod
    def sized(cls, lines: int) -> "Log":
        """A log with room for so many entries; all unused."""
        cells = np.zeros((lines, CELLS), np.uint32)
        return cls(np.full(lines, -1, np.int64), np.zeros(lines, np.uint64), np.zeros((lines, HEAD)), cells)

    def first(self, count: int) -> "Log":
        """The first `count` entries."""
        return Log(self.where[:count], self.keys[:count], self.head[:count], self.cells[:count])


class Tail1(NamedTuple):
    """The upper tail of one quantity, see `sessionmodel.Tail`."""

    knots: Floats
    start: Floats
    scale: Floats
    base: Floats


class Rules(NamedTuple):
    """A kind of session as the kernel needs it. By a template's number: its code (V + 1: never seen, −1: of no session
    of this kind), whether it reads as a failure, its time-out; by code: tables of `sessionparts.Usual`."""

    code: Integers
    fails: Booleans
    timeout: Floats
    opens: Booleans
    up: Floats
    most: Integers
    pairs: Integers
    pair_nats: Floats
    other_nats: Floats
    unseen_nats: float
    ceiling: float
    extra: Tail1
    often: Tail1
    failing: Tail1
    norm: Tail1
    rest: float  # what the other parts add to the square of the norm
    cap: float
    longest_s: float
