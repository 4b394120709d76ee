"""How much of what one actor does as usual is left out of the rates that its lines show."""

import numpy as np

from sentinel.detect.kernel.jit import Floats, compiled
from sentinel.detect.kernel.table import COUNT0, TIME, Table
from sentinel.detect.remember.raw import COLUMN
from sentinel.detect.tuning.memory import TAUS_S

__all__ = ["done", "leave_out"]


@compiled
def leave_out(out: Floats, k: int, most: float, of_source: bool) -> None:
    """Take at most so much of what the actor has done off the rates that this line shows, but never the line itself."""
    mine = max(min(most, out[COLUMN.pair0 + k] - 1.0), 0.0)
    out[COLUMN.pair0 + k] -= mine
    out[COLUMN.template0 + k] = max(out[COLUMN.template0 + k] - mine, 1.0)
    if of_source:
        out[COLUMN.source0 + k] = max(out[COLUMN.source0 + k] - mine, 1.0)


@compiled
def done(edge: Table, place: int, k: int, t: float) -> float:
    """What an actor has done as usual, as much of it as counts at this time."""
    return float(edge.rows[place, COUNT0 + k] * np.exp(-max(t - edge.rows[place, TIME], 0.0) / TAUS_S[k]))
