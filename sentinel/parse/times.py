"""The time of one JSON object: a text, a number, or parts (date, clock, zone, nanoseconds) under their own names."""

import re
from typing import Any, Final

import orjson

from sentinel.parse import timestamps
from sentinel.parse.names import WEAK_TIMES, Found

__all__ = ["BadDocumentError", "as_text", "number_ns", "of"]

NS: Final = 1_000_000_000
UNREADABLE: Final = "timestamp_unreadable"
WEAK_SINCE_S: Final = 10**8
"""A number under a name that may mean other things is a time only after 1973."""
_DATE: Final = re.compile(r"[0-9]{2,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}")
_CLOCK: Final = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?")


class BadDocumentError(ValueError):
    """This one document cannot be a record; the text says why, for the one who sent it."""


def of(found: dict[str, Found], extra: dict[str, Any]) -> tuple[int | None, str | None]:
    """Nanoseconds since 1970, or the time as it is written, of what stands under the names of a time.

    All that it does not need goes to the attributes.
    """
    candidates = found.get("timestamp")
    if candidates is None:
        _keep(found.get("zone"), extra)
        _keep(found.get("nanos"), extra)
        return None, None
    if len(candidates) > 1:
        candidates = sorted(candidates, key=lambda one: one[0])
    joined = _joined(candidates, found.get("zone"), extra)
    if joined is not None:
        _keep([one for one in candidates if one[2] not in ("date", "time")], extra)
        return None, joined
    _keep(found.get("zone"), extra)
    chosen = next((one for one in candidates if _is_time(one[2], one[3])), None)
    if chosen is None:
        strong = [one for one in candidates if one[2] not in WEAK_TIMES]
        chosen = strong[0] if strong else candidates[0]
        if chosen[2] in WEAK_TIMES and type(chosen[3]) in (int, float) and chosen[3] >= 0:
            _keep(candidates, extra)  # a duration or the like
            return None, None
    _keep([one for one in candidates if one is not chosen], extra)
    return _read(chosen[3], found.get("nanos"), extra)


def _read(value: Any, nanos: Found | None, extra: dict[str, Any]) -> tuple[int | None, str | None]:
    if type(value) is str:
        return None, value.strip() or None
    if type(value) not in (int, float):
        return None, as_text(value)
    moment = number_ns(value)
    if moment is None:
        extra.setdefault(UNREADABLE, as_text(value))  # digits that are no count of anything, not even of a date
        return None, None
    return moment + _nanos(nanos, moment, extra), None


def _keep(candidates: Found | None, extra: dict[str, Any]) -> None:
    extra.update({name: value for _, name, _, value in candidates or ()})


def _is_time(name: str, value: Any) -> bool:
    """Whether a value can be a time at all: it is a look, not the reading."""
    if type(value) is str:
        return any(letter.isdigit() for letter in value) and (name not in WEAK_TIMES or len(value) >= len("10:00:00"))
    if type(value) not in (int, float) or number_ns(value) is None:
        return False
    return name not in WEAK_TIMES or bool(value >= WEAK_SINCE_S)


def _joined(candidates: Found, zones: Found | None, extra: dict[str, Any]) -> str | None:
    """`date`, `time` and a zone as one text; None where they are no parts of one time."""
    values = {plain: value for _, _, plain, value in candidates if type(value) is str}
    date, clock = values.get("date", ""), values.get("time", "")
    if not _DATE.fullmatch(date) or not _CLOCK.fullmatch(clock):
        return None
    zone = str(zones[0][3]) if zones else ""
    _keep(zones, extra)
    return f"{date} {clock} {zone}".strip()


def _nanos(parts: Found | None, moment: int, extra: dict[str, Any]) -> int:
    """What a writer of seconds puts beside them; 0 for none."""
    if not parts:
        return 0
    value = parts[0][3]
    if type(value) is int and 0 <= value < NS and moment % NS == 0:
        return value
    _keep(parts, extra)
    return 0


def _short(value: float) -> bool:
    return type(value) is float or abs(value) < 1 << 128  # Python refuses to print integers of 4,300 digits


def number_ns(value: float) -> int | None:
    """Nanoseconds since 1970 of a number in s, ms, us or ns by its size; None where it is no time we can hold."""
    if not 0 <= value < 1 << 63:  # also NaN and infinity
        return None
    per_second = 1 if value < 10**11 else 10**3 if value < 10**14 else 10**6 if value < 10**17 else 10**9
    moment = value * (NS // per_second) if type(value) is int else round(value / per_second * 1e6) * 1000
    return int(moment) if moment < timestamps.LATEST_S * NS else None


def as_text(value: Any) -> str:
    """A value that is no text as text: numbers and booleans as in JSON, arrays and objects as JSON.

    Raises BadDocumentError for what no JSON can hold.
    """
    if type(value) is int:
        return str(value) if _short(value) else hex(value)
    if type(value) is float:
        return repr(value)
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError as exc:
        raise BadDocumentError(f"a value cannot be kept as text: {exc}") from exc
