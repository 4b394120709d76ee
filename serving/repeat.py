"""A thread that takes turns: calls one function again and again, sleeps as it says, wakes early when there is news."""

import logging
import threading
from collections.abc import Callable

from sentinel.errors import SentinelError
from sentinel.secrecy import blot

__all__ = ["Repeater"]

log = logging.getLogger(__name__)

FAILED_PAUSE_S = 1.0
FAILED_PAUSE_CAP_S = 30.0
STOP_TIMEOUT_S = 20.0


class Repeater:
    """Runs `turn()` in a thread of its own until stopped; `turn` returns how many seconds nothing needs to happen.

    Between two turns there are at least `gather_s` seconds, unless the first wanted none or somebody is in a hurry:
    what comes in a drip is handled together.

    A turn that raises is logged and tried again, ever later; `error` says why until a turn succeeds.
    """

    def __init__(self, name: str, turn: Callable[[], float], *, gather_s: float = 0.0) -> None:
        self.name, self._turn, self._gather_s = name, turn, gather_s
        self._news, self._hurry = threading.Event(), threading.Event()
        self._stopping = False
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.error: str | None = None

    def start(self) -> None:
        """Take the first turn at once."""
        self._thread.start()

    def wake(self) -> None:
        """There is news: do not sleep on. Callable from any thread, and cheap."""
        self._news.set()

    def hurry(self) -> None:
        """Somebody waits: do not even gather. Callable from any thread, and cheap."""
        self._hurry.set()
        self._news.set()

    def stop(self) -> None:
        """Finish the turn under way and end. Harmless when it was never started."""
        self._stopping = True
        self.hurry()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_S)

    @property
    def is_running(self) -> bool:
        """Whether the thread is there."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping:
            self._news.clear()
            self._hurry.clear()
            pause_s = self._take_turn()
            if pause_s > 0 and not self._stopping:
                gather_s = min(self._gather_s, pause_s)
                self._hurry.wait(gather_s)
                self._news.wait(pause_s - gather_s)

    def _take_turn(self) -> float:
        try:
            pause_s = self._turn()
        except Exception as exc:
            self._failures += 1
            if self.error != blot(str(exc)):
                is_known = isinstance(exc, SentinelError | OSError)  # a traceback would say no more
                log.error("failed reader=%s error=%s", self.name, exc, exc_info=not is_known)
            self.error = blot(str(exc)) or type(exc).__name__
            return float(min(FAILED_PAUSE_CAP_S, FAILED_PAUSE_S * 2 ** min(self._failures - 1, 10)))
        self._failures, self.error = 0, None
        return pause_s
