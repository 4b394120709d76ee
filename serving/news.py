"""News: what happens, told to all who listen, as server-sent events; who is slow misses some and holds up nobody."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import orjson

from sentinel.incidents import Incident

__all__ = ["News"]

MAX_LISTENERS = 64
MAX_WAITING = 100  # events a listener may be behind; then the oldest go, and it is told to look for itself
BEAT_S = 15.0


class News:
    """Told by any thread, heard in the event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: set[asyncio.Queue[bytes]] = set()
        self._is_over = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on what is told is heard."""
        self._loop = loop

    def stop(self) -> None:
        """End all streams: the server goes. Called in the event loop."""
        self._is_over = True
        for queue in self._listeners:
            _put(queue, b"")

    def tell(self, changed: Sequence[Incident]) -> None:
        """Incidents that are new or changed. Cheap where nobody listens."""
        if self._loop is None or not self._listeners:
            return
        events = [_event("incident", incident.id, incident.shown()) for incident in changed]
        self._loop.call_soon_threadsafe(self._spread, events)

    def _spread(self, events: Sequence[bytes]) -> None:
        for queue in self._listeners:
            for event in events:
                _put(queue, event)

    @property
    def is_full(self) -> bool:
        """Whether nobody more may listen."""
        return len(self._listeners) >= MAX_LISTENERS

    async def listen(self) -> AsyncIterator[bytes]:
        """The stream of one listener: each event as it happens, and a beat now and then, so that proxies keep it."""
        queue: asyncio.Queue[bytes] = asyncio.Queue(MAX_WAITING)
        self._listeners.add(queue)
        try:
            yield b": hello\n\n"
            while not self._is_over:
                try:
                    event = await asyncio.wait_for(queue.get(), BEAT_S)
                except TimeoutError:
                    event = b": beat\n\n"
                if event:
                    yield event
        finally:
            self._listeners.discard(queue)


def _put(queue: asyncio.Queue[bytes], event: bytes) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(event)


def _event(name: str, key: str, content: object) -> bytes:
    return b"event: %s\nid: %s\ndata: %s\n\n" % (name.encode(), key.encode(), orjson.dumps(content, default=str))
