"""How many connections there are, and what that asks of each: who comes too late, and how fast a body must come."""

from typing import Protocol

__all__ = ["IS_CROWDED", "MAX_CONNECTIONS", "Crowd"]

MAX_CONNECTIONS = 2_000
"""Requests on connections beyond these are answered 503, but for the probes."""

MAX_OPEN = 6_000
"""Connections beyond these cost the oldest of those that have not sent their headers yet: descriptors are bounded."""

IS_CROWDED = "log_sentinel.is_crowded"
"""In a request's `state`: whether it came on a connection beyond MAX_CONNECTIONS."""

SLOWEST_BYTES_S = 256
"""What a body must bring in a second, where few are on their way; of twice as many each pays four times as much."""

FASTEST_BYTES_S = 16 * 1024
FEW_BODIES = 100


class Waiting(Protocol):
    """A connection that can be given up."""

    def give_up(self) -> None:
        """Close it at once."""


class Crowd:
    """The connections of one server. Used by the event loop alone."""

    def __init__(self, *, max_connections: int = MAX_CONNECTIONS, max_open: int = MAX_OPEN) -> None:
        self.max_connections, self.max_open = max_connections, max_open
        self.open = 0
        self.bodies = 0  # on their way
        self._waiting: dict[Waiting, None] = {}  # for headers, the oldest first

    @property
    def is_over(self) -> bool:
        """Whether a request that comes now comes too late."""
        return self.open > self.max_connections

    @property
    def least_bytes_s(self) -> int:
        """How many bytes a second a body must bring now."""
        return round(min(FASTEST_BYTES_S, SLOWEST_BYTES_S * max(1.0, self.bodies / FEW_BODIES) ** 2))

    def wait(self, connection: Waiting) -> None:
        """It waits for headers now; where there are too many, the oldest that does is given up."""
        self._waiting[connection] = None
        if self.open > self.max_open:
            next(iter(self._waiting)).give_up()

    def leave(self, connection: Waiting) -> None:
        """It does not wait for headers any more."""
        self._waiting.pop(connection, None)
