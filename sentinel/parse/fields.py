"""One JSON object, taken apart: which of its names is the time, the level, the source, the host, the message."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from sentinel.parse import levels, timestamps
from sentinel.parse.lines import as_text
from sentinel.parse.names import FIELD_OF_NAME

__all__ = ["BadDocumentError", "DocumentFields", "Malformed", "fields_of_document"]

MAX_DEPTH: Final = 16
"""Objects nested deeper than this stay one attribute, as JSON text."""

NS: Final = 1_000_000_000
_TYPE_NAMES: Final = {
    dict: "an object", list: "an array", tuple: "an array", bool: "a boolean", int: "a number", float: "a number",
    type(None): "null", str: "text",
}  # fmt: skip
_WHOLE_NAMES: Final = frozenset({"timestamp", "@timestamp", "time", "ts", "level", "severity", "message", "msg"})
"""An object under one of these names is a mistake, under others (`host`, `log`, `service`) a group of fields."""


class BadDocumentError(ValueError):
    """This one document cannot be a record; the text says why, for the one who sent it."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """Stands in a list of documents where a line was no JSON; it is rejected with `reason`."""

    reason: str


class DocumentFields(NamedTuple):
    """The explicit fields of one document; None where it has none."""

    time_ns: int | None
    time_text: str | None
    level: str | None
    source: str | None
    host: str | None
    message: str | None
    inner: str | None  # the inside of the JSON object of its attributes


def fields_of_document(body: object, *, strict: bool = True) -> DocumentFields:
    """Take one decoded JSON value apart.

    A value that its field cannot hold becomes an attribute (a time: `time_text`); the message may be None. Raises
    BadDocumentError for what is no object; with `strict` also where neither a message nor an attribute is left.
    """
    if type(body) is not dict:
        raise BadDocumentError(_not_an_object(body))
    found, extra = _sorted_out(body)
    tells = any(value is not None for value in extra.values())
    time_ns, time_text = _time(found.get("timestamp"))
    level = _level(found.get("level"), extra)
    message = _message(found.get("message"))
    source = _label("source", found.get("source"), extra)
    host = _label("host", found.get("host"), extra)
    inner = _inner(extra)
    if strict and message is None and not tells:
        raise BadDocumentError("message is empty" if found.get("message") is not None else "message is missing")
    return DocumentFields(time_ns, time_text, level, source, host, message, inner)


def _not_an_object(body: object) -> str:
    if isinstance(body, Malformed):
        return body.reason
    return f"a log must be a JSON object, not {_TYPE_NAMES.get(type(body), f'a {type(body).__name__}')}"


def _message(value: Any) -> str | None:
    """The message as text: journald writes bytes as numbers and several values as an array; None for an empty one."""
    if value is None or type(value) is str:
        return value if value and not value.isspace() else None
    if type(value) is list and value:
        if all(type(part) is str for part in value):
            return "\n".join(value)
        if all(type(part) is int and 0 <= part < 256 for part in value):
            return as_text(bytes(value)) or None
    return _text(value)


def _sorted_out(body: dict[Any, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Field → value, and all other names with their values."""
    found: dict[str, Any] = {}
    ranks: dict[str, tuple[int, str]] = {}
    extra: dict[str, Any] = {}
    for name, value in body.items():
        if type(value) is dict and value and name not in _WHOLE_NAMES:
            return _sorted_out(_flat(body))
        place = FIELD_OF_NAME.get(name)
        if place is None:
            extra[name] = value
            continue
        if value is None:
            continue
        field, rank = place
        held = ranks.get(field)
        if held is None or rank < held[0]:
            if held is not None:
                extra[held[1]] = found[field]
            found[field], ranks[field] = value, (rank, name)
        else:
            extra[name] = value
    return found, extra


def _flat(body: dict[Any, Any]) -> dict[str, Any]:
    """Nested objects as names with dots, MAX_DEPTH deep; what lies deeper as JSON text."""
    flat: dict[str, Any] = {}
    open_objects: list[tuple[str, dict[Any, Any], int]] = [("", body, 1)]
    while open_objects:
        prefix, inside, depth = open_objects.pop()
        for name, value in inside.items():
            path = f"{prefix}{name}"
            if type(value) is not dict or not value or path in _WHOLE_NAMES:
                flat[path] = value
            elif depth < MAX_DEPTH:
                open_objects.append((path + ".", value, depth + 1))
            else:
                flat[path] = _text(value)
    return flat


def _time(value: Any) -> tuple[int | None, str | None]:
    if value is None:
        return None, None
    if type(value) is str:
        return None, value.strip() or None
    moment = _number_ns(value) if type(value) in (int, float) else None
    return moment, None if moment is not None else _text(value)


def _short(value: float) -> bool:
    return type(value) is float or abs(value) < 1 << 128  # Python refuses to print integers of 4,300 digits


def _number_ns(value: float) -> int | None:
    """Nanoseconds since 1970 of a number in s, ms, us or ns by its size; None where it is no time we can hold."""
    if not 0 <= value < 1 << 63:  # also NaN and infinity
        return None
    per_second = 1 if value < 10**11 else 10**3 if value < 10**14 else 10**6 if value < 10**17 else 10**9
    moment = value * (NS // per_second) if type(value) is int else round(value / per_second * 1e6) * 1000
    return int(moment) if moment < timestamps.LATEST_S * NS else None


def _level(value: Any, extra: dict[str, Any]) -> str | None:
    if value is None:
        return None
    level = None
    if type(value) is list and value:  # journald: of several priorities the first speaks
        value = value[0]
    if type(value) is str:
        level = levels.LEVEL_OF_WORD.get(value) or levels.from_word(value)
        if not value or value.isspace():
            return None
    elif type(value) in (int, float):
        level = levels.from_number(value)
    if level is None:
        extra["level"] = value  # not a level we know: kept as it came
    return level


def _label(field: str, value: Any, extra: dict[str, Any]) -> str | None:
    if value is None or type(value) is str:
        return value or None
    if type(value) is list and value and type(value[0]) is str:
        return value[0] or None
    if type(value) in (int, float):
        return _text(value)
    extra[field] = value
    return None


def _inner(extra: dict[str, Any]) -> str | None:
    if not extra:
        return None
    flat = {str(name): v if type(v) is str else _text(v) for name, v in extra.items() if v is not None}
    return orjson.dumps(flat).decode()[1:-1] or None


def _text(value: Any) -> str:
    """A value that is no text as text: numbers and booleans as in JSON, arrays and objects as JSON."""
    if type(value) is int:
        return str(value) if _short(value) else hex(value)
    if type(value) is float:
        return repr(value)
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError as exc:
        raise BadDocumentError(f"a value cannot be kept as text: {exc}") from exc
