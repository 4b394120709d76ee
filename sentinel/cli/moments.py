"""Times among a command's arguments, and what is said of those that are none."""

import time

from sentinel import moments
from sentinel.errors import TerminalError

__all__ = ["unix_time"]


def unix_time(text: str | None, *, ahead: bool = False) -> float | None:
    """A time, or a span back from now (`ahead`: on from now), as Unix time. Raises TerminalError for another thing."""
    if text is None:
        return None
    try:
        return moments.unix_time(text, time.time(), ahead=ahead)
    except (ValueError, OverflowError):
        raise TerminalError(f"read {text!r}: a time is as 2026-11-23T12:00:00Z, or a span as 30m, 1h, 7d") from None
