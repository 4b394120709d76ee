"""Times as people write them: ISO 8601, or a span such as `7d` from now."""

import re
from datetime import UTC, datetime

__all__ = ["moment", "unix_time"]

SPAN = re.compile(r"([0-9]{1,6})([smhdw])")
SPAN_S = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}


def moment(text: str) -> datetime:
    """An ISO 8601 time; UTC where it names no zone. Raises ValueError."""
    value = datetime.fromisoformat(text)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def unix_time(text: str, now_s: float, *, ahead: bool = False) -> float:
    """A time, or a span back from now (`ahead`: on from now), as Unix time. Raises ValueError, or OverflowError for a
    time that no clock has.

    >>> unix_time("1h", 7_200.0), unix_time("1h", 7_200.0, ahead=True), unix_time("1970-01-01T00:01", 0.0)
    (3600.0, 10800.0, 60.0)
    """
    if span := SPAN.fullmatch(text):
        seconds = int(span[1]) * SPAN_S[span[2]]
        return now_s + seconds if ahead else now_s - seconds
    return moment(text).timestamp()
