"""The time of one JSON object: a text, a number, or parts (date, clock, zone, nanoseconds) under their own names."""

import re
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from sentinel.parse import timestamps
from sentinel.parse.names import WEAK_TIMES, Found
from sentinel.parse.zones import check_zone

__all__ = ["BadDocumentError", "as_text", "number_ns", "of"]

NS: Final = 1_000_000_000
UNREADABLE: Final = "timestamp_unreadable"
WEAK_SINCE_S: Final = 10**8
"""A number under a name that may mean other things is a time only after 1973."""
_JAVA: Final = ("year", "month", "day", "hour", "minute")
"""What Jackson always writes of a LocalDateTime; seconds and nanoseconds that are 0 it leaves out."""
_DATE: Final = re.compile(r"[0-9]{2,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}")
_BARE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?")
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
    return _read(_zoned(chosen, found.get("zone")), found.get("nanos"), extra)


def _zoned(chosen: tuple[int, str, str, Any], zones: Found | None) -> Any:
    """The value of a time, with the zone that stands beside it in the same object: PHP's `datetime` has it so."""
    _, name, _, value = chosen
    parent = name.rpartition(".")[0]
    if not zones or not parent or type(value) is not str or not _BARE.fullmatch(value):
        return value
    beside = (zone for _, other, _, zone in zones if other.rpartition(".")[0] == parent)
    return next((f"{value} {zone}" for zone in beside if type(zone) is str and check_zone(zone)), value)


def _read(value: Any, nanos: Found | None, extra: dict[str, Any]) -> tuple[int | None, str | None]:
    if type(value) is str:
        return None, value.strip() or None
    if type(value) is list:
        return _of_parts(value)
    if type(value) not in (int, float):
        return None, as_text(value)
    moment = number_ns(value)
    if moment is None:
        extra.setdefault(UNREADABLE, as_text(value))  # digits that are no count of anything, not even of a date
        return None, None
    return moment + _nanos(nanos, moment, extra), None


def _of_parts(parts: list[Any]) -> tuple[int | None, str | None]:
    """Java's `[2026, 7, 1, 15, 4, 5, 34000000]`, seconds and nanoseconds perhaps left out, or `[seconds, nanoseconds]`
    since 1970; others as text."""
    moment = None
    if all(type(part) is int and part >= 0 for part in parts):
        if len(parts) == len(("s", "ns")) and parts[0] >= WEAK_SINCE_S and parts[1] < NS:
            moment = parts[0] * NS + parts[1]
        elif len(_JAVA) <= len(parts) <= len(_JAVA) + 2 and parts[6:] < [NS]:
            moment = _civil_ns(parts)
    if moment is None or not 0 <= moment < timestamps.LATEST_S * NS:
        return None, as_text(parts)
    return moment, None


def _civil_ns(parts: list[int]) -> int | None:
    """Nanoseconds since 1970 of year, month, day, hour, minute, perhaps second and nanosecond; None for none such."""
    year, month, day, hour, minute, second = [*parts, 0][:6]
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return timestamps.now_ns(moment) + sum(parts[6:])


def _keep(candidates: Found | None, extra: dict[str, Any]) -> None:
    extra.update({name: value for _, name, _, value in candidates or ()})


def _is_time(name: str, value: Any) -> bool:
    """Whether a value can be a time at all: it is a look, not the reading."""
    if type(value) is str:
        return any(letter.isdigit() for letter in value) and (name not in WEAK_TIMES or len(value) >= len("10:00:00"))
    if type(value) is list:
        return _of_parts(value)[0] is not None
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
