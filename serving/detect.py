"""The live detect reader: scores what was accepted, reloads the model, and tells requests that wait for a verdict."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from sentinel.spool import Span
from serving.repeat import Repeater

__all__ = ["DetectReader", "LiveDetector"]

log = logging.getLogger(__name__)

IDLE_S = 1.0  # who commits in this process wakes us
GATHER_S = 0.05
"""At the least between two rounds, unless a request waits for verdicts: a round of one record is mostly overhead."""

BIG_ROUND = 500
LEASE_RETRY_S = 2.0
SETTLE_EVERY_S = 10.0


class LiveDetector(Protocol):
    """What the reader moves: `sentinel.pipeline.Live`."""

    @property
    def head(self) -> int:
        """The last sequence that was looked at."""

    @property
    def model(self) -> Any:
        """The model in service, or None."""

    def start(self, *, wait_s: float = ...) -> bool:
        """Take the lease; False when another process has it."""

    def stop(self) -> None:
        """Save the state."""

    def round(self) -> int:
        """Score what is new; how many records that were."""

    def reload(self) -> bool:
        """Serve the champion."""

    def verdicts(self, span: Span, *, timeout_s: float) -> Mapping[int, Mapping[str, object]]:
        """The verdicts on a span, by sequence."""


class DetectReader:
    """Moves `live` in one thread; nobody else calls what changes it (`round`, `reload`, `start`, `stop`)."""

    def __init__(self, live: LiveDetector, *, settle: Callable[[], object] = lambda: None) -> None:
        self._live, self._settle = live, settle
        self._settled_s = 0.0
        self._repeater = Repeater("detect", self.turn, gather_s=GATHER_S)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[asyncio.Event] = set()  # touched by the event loop alone
        self._reload_asked = False
        self.holds_lease = False
        self.has_tried = False  # to load a model, for the first time
        self.rounds = 0

    def start(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Begin to score; requests that wait are woken on `loop`."""
        self._loop = loop
        self._repeater.start()

    def wake(self) -> None:
        """Something was accepted."""
        self._repeater.wake()

    def stop(self) -> None:
        """Finish the round under way, save the state, give the lease back."""
        self._repeater.stop()
        if self.holds_lease:
            self._live.stop()
            self.holds_lease = False

    @property
    def is_starting(self) -> bool:
        """Whether the first load of a model is still to come."""
        return self._repeater.is_running and not self.has_tried

    @property
    def state(self) -> str:
        """What it does, in a word: `scoring`, `no model`, `waiting` (another process scores), `failing`, `stopped`."""
        if not self._repeater.is_running:
            return "stopped"
        if self._repeater.error is not None:
            return "failing"
        if not self.holds_lease:
            return "waiting"
        return "scoring" if self._live.model is not None else "no model"

    @property
    def error(self) -> str | None:
        """Why the last round failed; None when it did not."""
        return self._repeater.error

    def turn(self) -> float:
        """One round; seconds until the next."""
        try:
            if self._reload_asked:
                self._reload_asked = False
                self._live.reload()
                self._tell()
            if not self.holds_lease and not self._begin():
                return LEASE_RETRY_S
            records = self._live.round()
            if time.monotonic() - self._settled_s >= SETTLE_EVERY_S:
                self._settled_s = time.monotonic()
                self._settle()
            self.rounds += 1
            self._tell()
            return 0.0 if records >= BIG_ROUND else IDLE_S
        finally:
            self._note_tried()  # also where it failed: nobody waits for what does not come

    def _begin(self) -> bool:
        """Take the lease and load what is there; False where another process has it."""
        self.holds_lease = self._live.start(wait_s=0.0)
        if self.holds_lease:
            log.info("started detect head=%d", self._live.head)
        else:
            self._live.reload()  # predictions need the newest model also where another process scores
            self._tell()
        self._note_tried()
        return self.holds_lease

    def _note_tried(self) -> None:
        if not self.has_tried:
            self.has_tried = True
            self._tell()

    async def first_load(self, *, timeout_s: float) -> None:
        """Wait until the first load of a model was tried: before that, "there is no model" would be untrue."""
        if self.is_starting:
            await self._until(lambda: self.has_tried, timeout_s)

    async def verdicts(self, span: Span, *, timeout_s: float) -> Mapping[int, Mapping[str, object]]:
        """The verdicts on a span, by sequence, as far as they are there within `timeout_s` seconds."""
        self._repeater.hurry()
        await self._until(lambda: self._live.head >= span.last, timeout_s)
        return self._live.verdicts(span, timeout_s=0.0)

    async def serve(self, version: str, *, timeout_s: float) -> bool:
        """Reload at once; True when `version` is in service within `timeout_s` seconds."""
        self._reload_asked = True
        self._repeater.hurry()
        return await self._until(lambda: getattr(self._live.model, "version", None) == version, timeout_s)

    async def _until(self, is_true: "Claim", timeout_s: float) -> bool:
        """Wait for a claim that a round or a reload makes true."""
        news = asyncio.Event()
        self._waiting.add(news)
        try:
            async with asyncio.timeout(timeout_s):
                while not is_true():
                    await news.wait()
                    news.clear()
        except TimeoutError:
            return is_true()
        finally:
            self._waiting.discard(news)
        return True

    def _tell(self) -> None:
        """Wake the requests that wait; they look for themselves."""
        if self._loop is not None and self._waiting and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake_waiting)

    def _wake_waiting(self) -> None:
        for news in self._waiting:
            news.set()


class Claim(Protocol):
    """A question that is answered at once."""

    def __call__(self) -> bool:
        """Whether it is so."""
