"""What came of one turn of a reader that delivers, and since when its attempts fail."""

from dataclasses import dataclass

import msgspec

from sentinel.spool import Spool
from sentinel.streams import ANOMALIES, EVENTS

__all__ = ["READERS", "Failing", "Round", "failing_since_s"]

READERS = {"deliver": EVENTS, "deliver-anomalies": ANOMALIES}
"""The readers that deliver, and the stream of each."""


@dataclass(frozen=True, slots=True)
class Round:
    """One turn of one reader: what was delivered, what died, and what must wait (`error` says why).

    A turn is one round, or several in a row of which the next is read and sent while the one before is on its way.
    """

    delivered: int = 0
    dead: int = 0
    busy: bool = False  # somebody else holds the lease
    paused: bool = False  # the pause after a failure is not over: nothing was tried
    wait_s: float = 0.0  # before the next try
    write_s: float = 0.0  # what the store took to answer, the longest of its rounds
    left: int = 0  # records that came later than those of this round
    error: str | None = None

    @property
    def is_idle(self) -> bool:
        """Nothing was there to do."""
        return not (self.delivered or self.dead or self.busy or self.error or self.wait_s)


class Failing(msgspec.Struct, frozen=True):
    """Since when a reader's attempts fail, kept beside its position."""

    since_s: float


def failing_since_s(spool: Spool, reader: str) -> float | None:
    """Unix time of the first of the failed attempts in a row; None while the last attempt went well."""
    if not spool.position(reader).attempts:
        return None
    kept = spool.blob(f"failing-{reader}")
    return msgspec.json.decode(kept, type=Failing).since_s if kept else None
