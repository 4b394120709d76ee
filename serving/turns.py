"""Turns: how many bytes of bodies may be decoded at one time; who comes later waits, first come first served."""

import asyncio
from collections import deque

__all__ = ["Turns"]


class Turns:
    """Used by the event loop alone. Nobody waits for bytes that nobody holds: what is more than all there are is
    alone."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes, self.used_bytes = max_bytes, 0
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return sum(not turn.cancelled() for turn, _ in self._waiting)

    async def take(self, n_bytes: int) -> int:
        """Wait until there is room for so many; gives how many to `give_back`."""
        wanted = min(n_bytes, self.max_bytes)
        if not self._waiting and self.used_bytes + wanted <= self.max_bytes:
            self.used_bytes += wanted
            return wanted
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, wanted))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._admit()  # it may have been the one that did not fit
            else:
                self.give_back(wanted)
            raise
        return wanted

    def give_back(self, n_bytes: int) -> None:
        """Let those in whose turn it is now."""
        self.used_bytes -= n_bytes
        self._admit()

    def _admit(self) -> None:
        while self._waiting:
            turn, wanted = self._waiting[0]
            if turn.cancelled():  # who gave up is no more in the way
                self._waiting.popleft()
            elif self.used_bytes + wanted <= self.max_bytes:
                self._waiting.popleft()
                self.used_bytes += wanted
                turn.set_result(None)
            else:
                return
