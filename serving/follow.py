"""The live follow reader: lines of the watched files go into the spool as they are written.

What the kernel tells of changes is a hint that saves waiting; looking again and again is the truth.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import watchfiles

from sentinel.errors import SpoolFullError, TerminalError
from sentinel.pipeline.collect import tell
from sentinel.pipeline.collector import Gathered
from serving.repeat import Repeater

__all__ = ["FollowReader", "Hints"]

log = logging.getLogger(__name__)

LOOK_S = 1.0  # between two looks while nobody writes, and nobody hints
LIVELY_S = 0.25  # the same for a while after something came
LIVELY_FOR_S = 5.0
GATHER_S = 0.1  # at the least between two rounds: each has its cost, whatever it brings
GAP_S = 0.03  # after a round that was ended by its time, for other collectors that wait
LEASE_WAIT_S = 0.25
TROUBLE_S = 1.0
MAX_SAID = 10_000
HINTS_RETRY_S = 30.0
HINT_MS = 50  # the watcher looks so often for what the kernel told; each look costs, and nobody needs it sooner


class Rounds(Protocol):
    """What the reader moves: `sentinel.pipeline.collector.Collector`."""

    def round(self, *, wait_s: float) -> Gathered | None:
        """Read, parse and commit what is new; None where another collector has the lease."""

    def close(self) -> None:
        """Close the archives in reading."""


class FollowReader:
    """Takes turns with `collect-files` and `sentinel collect`, by a lease that lasts one round."""

    def __init__(
        self,
        collector: Rounds,
        *,
        hints: "Hints | None" = None,
        notify: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._collector, self._hints, self._notify, self._clock = collector, hints, notify, clock
        self._repeater = Repeater("follow", self.turn, gather_s=GATHER_S)
        self._said: set[tuple[str, str]] = set()
        self._trouble: str | None = None
        self._came_s = float("-inf")
        self._is_busy = False
        self.lines = 0

    def start(self) -> None:
        """Begin to follow."""
        self._repeater.start()
        if self._hints is not None:
            self._hints.start(self._repeater.wake)

    def stop(self) -> None:
        """Finish the round under way."""
        if self._hints is not None:
            self._hints.stop()
        self._repeater.stop()
        self._collector.close()

    @property
    def state(self) -> str:
        """What it does, in a word: `following`, `waiting` (for room, a folder or another collector), `failing`,
        `stopped`."""
        if not self._repeater.is_running:
            return "stopped"
        if self._repeater.error is not None:
            return "failing"
        return "waiting" if self._is_busy or self._trouble is not None else "following"

    @property
    def error(self) -> str | None:
        """Why nothing is read at the moment; None when all is well."""
        return self._repeater.error or self._trouble

    def turn(self) -> float:
        """One round; seconds until the next."""
        try:
            gathered = self._collector.round(wait_s=LEASE_WAIT_S)
        except (SpoolFullError, TerminalError) as exc:
            self._note(str(exc))
            return TROUBLE_S
        self._note(None)
        self._is_busy = gathered is None
        if gathered is None:
            return LIVELY_S
        self._say(gathered)
        for change in gathered.changes:
            log.warning("format changed %s", change)
        if gathered.counts["accepted"]:
            self._came_s = self._clock()
            self.lines += gathered.counts["accepted"]
            self._notify()
        if gathered.is_more:
            return GAP_S
        is_lively = self._clock() - self._came_s < LIVELY_FOR_S
        return LIVELY_S if is_lively or gathered.is_held else LOOK_S

    def _note(self, trouble: str | None) -> None:
        if trouble is not None and trouble != self._trouble:
            log.warning("files not read error=%s", trouble)
        self._trouble = trouble

    def _say(self, gathered: Gathered) -> None:
        """Name what is not read, once."""
        new = [problem for problem in gathered.problems if problem not in self._said]
        if new and len(self._said) < MAX_SAID:
            self._said.update(new)
            for sentence in tell(new):
                log.warning("not read %s", sentence)


class Hints:
    """Wakes somebody when the kernel says that something under these folders has changed."""

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = folders
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, wake: Callable[[], None]) -> None:
        """Begin to listen, in a thread of its own."""
        self._thread = threading.Thread(target=self._listen, args=(wake,), name="hints", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _listen(self, wake: Callable[[], None]) -> None:
        """Without hints (too many folders for the kernel, or none there yet) files are found by looking, a little
        later; now and then it is tried again."""
        is_told = False
        while not self._ended.is_set():
            try:
                for _ in watchfiles.watch(
                    *self._folders,
                    watch_filter=None,
                    debounce=HINT_MS,
                    step=HINT_MS,
                    stop_event=self._ended,
                    raise_interrupt=False,
                    ignore_permission_denied=True,
                ):
                    wake()
            except (OSError, RuntimeError) as exc:
                if not is_told:
                    log.info("no hints of changes error=%s", exc)
                is_told = True
            self._ended.wait(HINTS_RETRY_S)
