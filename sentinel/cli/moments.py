"""Times among a command's arguments: ISO 8601, or a span such as `7d` from now."""

import re
import time
from datetime import UTC, datetime

from sentinel.errors import TerminalError

__all__ = ["moment", "unix_time"]

SPAN = re.compile(r"([0-9]{1,6})([smhdw])")
SPAN_S = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}


def moment(text: str) -> datetime:
    """An ISO 8601 time; UTC where it names no zone. Raises ValueError, which the parser of arguments tells."""
    value = datetime.fromisoformat(text)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def unix_time(text: str | None, *, ahead: bool = False) -> float | None:
    """A time, or a span back from now (`ahead`: on from now), as Unix time. Raises TerminalError for another thing."""
    if text is None:
        return None
    if span := SPAN.fullmatch(text):
        seconds = int(span[1]) * SPAN_S[span[2]]
        return time.time() + seconds if ahead else time.time() - seconds
    try:
        return moment(text).timestamp()
    except ValueError:
        raise TerminalError(f"read {text!r}: a time is as 2026-11-23T12:00:00Z, or a span as 30m, 1h, 7d") from None
