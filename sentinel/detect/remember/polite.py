"""How much of what one actor does as usual is left out of the rates that its lines show."""

from sentinel.detect.kernel.jit import Floats, compiled
from sentinel.detect.remember.raw import COLUMN

__all__ = ["leave_out"]


@compiled
def leave_out(out: Floats, k: int, most: float, of_source: bool) -> None:
    """Take at most so much of what the actor has done off the rates that this line shows, but never the line itself."""
    mine = max(min(most, out[COLUMN.pair0 + k] - 1.0), 0.0)
    out[COLUMN.pair0 + k] -= mine
    out[COLUMN.template0 + k] = max(out[COLUMN.template0 + k] - mine, 1.0)
    if of_source:
        out[COLUMN.source0 + k] = max(out[COLUMN.source0 + k] - mine, 1.0)
