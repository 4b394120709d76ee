"""The live deliver reader: what waits in the spool goes to the store as it comes, and what is done is pruned."""

import logging
import time
from collections.abc import Callable
from typing import Protocol

from sentinel.errors import TerminalError, TransientError
from sentinel.pipeline.deliver import deliver_round, note_failure
from sentinel.pipeline.deliver_incidents import deliver_incidents
from sentinel.pipeline.rounds import READERS, Round
from sentinel.spool import Spool
from sentinel.store import Store
from serving.repeat import Repeater

__all__ = ["DeliverReader"]

log = logging.getLogger(__name__)

IDLE_S = 2.0  # who commits in this process wakes us; `sentinel collect` cannot
BUSY_S = 0.25
GATHER_S = 0.5
"""At the least between two rounds, unless the last was a big one or much is left (after an outage rounds begin small):
bulks of one record cost more than they give."""

BIG_ROUND = 2_000
SETUP_RETRY_S = 5.0
PRUNE_EVERY_S = 60.0
INCIDENTS_EVERY_S = 2.0
INCIDENTS_RETRY_S = 30.0


class Observe(Protocol):
    """Who wants to know of each round that had something to do."""

    def __call__(self, reader: str, took_s: float, *, is_retry: bool) -> None:
        """One round: how long it took, and whether some of it must be tried again."""


def _unobserved(reader: str, took_s: float, *, is_retry: bool) -> None:
    """Nobody wants to know."""


class DeliverReader:
    """Takes turns with the `load-elastic` flow, by the lease; the position stands in the spool, shared."""

    def __init__(
        self,
        spool: Spool,
        store: Store,
        *,
        clock: Callable[[], float] = time.time,
        observe: Observe = _unobserved,
        observe_write: Callable[[str, float], None] = lambda reader, took_s: None,
    ) -> None:
        self._spool, self._store, self._clock, self._observe = spool, store, clock, observe
        self._observe_write = observe_write
        self._is_set_up = False
        self._pruned_s = self._incidents_s = 0.0
        self.incidents_error: str | None = None
        self._repeater = Repeater("deliver", self.turn, gather_s=GATHER_S)
        self.last: dict[str, Round] = {}
        self.store_error: str | None = None

    def start(self) -> None:
        """Begin to deliver."""
        self._repeater.start()

    def wake(self) -> None:
        """Something was accepted."""
        self._repeater.wake()

    def stop(self) -> None:
        """Finish the round under way."""
        self._repeater.stop()

    @property
    def state(self) -> str:
        """What it does, in a word: `delivering`, `waiting` (for the store), `failing`, `stopped`."""
        if not self._repeater.is_running:
            return "stopped"
        if self._repeater.error is not None:
            return "failing"
        return "waiting" if self.error is not None else "delivering"

    @property
    def error(self) -> str | None:
        """Why the last round could not deliver everything; None when it could."""
        if self._repeater.error is not None:
            return self._repeater.error
        return self.store_error or next((turn.error for turn in self.last.values() if turn.error), None)

    def turn(self) -> float:
        """One round of each stream; seconds until the next."""
        if not self._set_up():
            return SETUP_RETRY_S
        rounds = [self._round(reader) for reader in READERS]
        self._incidents()
        self._prune()
        return min(self._pause_s(turn) for turn in rounds)

    def _set_up(self) -> bool:
        """Templates first: a record must never meet an index whose fields nobody has declared."""
        if self._is_set_up:
            return True
        try:
            self._store.setup()
        except (TransientError, TerminalError) as exc:
            if self.store_error != str(exc):
                log.warning("store not ready kind=%s error=%s", self._store.kind, exc)
            self.store_error = str(exc)
            note_failure(self._spool, str(exc), now_s=self._clock())
            return False
        self._is_set_up, self.store_error = True, None
        return True

    def _round(self, reader: str) -> Round:
        now_s, started_s = self._clock(), time.perf_counter()
        turn = deliver_round(self._spool, self._store, reader, now_s=now_s)
        took_s = time.perf_counter() - started_s
        if not turn.paused and (turn.delivered or turn.dead or turn.error):
            self._observe(reader, took_s, is_retry=turn.error is not None)
        if turn.write_s:
            self._observe_write(reader, turn.write_s)
        self.last[reader] = turn
        return turn

    def _incidents(self) -> None:
        """What changed, at most every INCIDENTS_EVERY_S: an incident under way changes with each round."""
        now_s = self._clock()
        if not 0 <= now_s - self._incidents_s < (INCIDENTS_RETRY_S if self.incidents_error else INCIDENTS_EVERY_S):
            self._incidents_s = now_s
            self.incidents_error = deliver_incidents(self._spool, self._store)

    def _pause_s(self, turn: Round) -> float:
        if turn.wait_s:
            return min(turn.wait_s, IDLE_S)
        if turn.busy:
            return BUSY_S
        return 0.0 if max(turn.delivered + turn.dead, turn.left) >= BIG_ROUND else IDLE_S

    def _prune(self) -> None:
        now_s = self._clock()
        if not 0 <= now_s - self._pruned_s < PRUNE_EVERY_S:  # below 0: the clock was set back
            self._pruned_s = now_s
            self._spool.prune(now_s=now_s)
