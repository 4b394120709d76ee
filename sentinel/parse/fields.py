"""One JSON object, taken apart: which of its names is the time, the level, the source, the host, the message."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final, NamedTuple

import orjson

from sentinel.parse import scales, times
from sentinel.parse.lines import as_text
from sentinel.parse.names import Found, Shape, is_protocol, place, shape_of
from sentinel.parse.times import BadDocumentError

__all__ = ["BadDocumentError", "DocumentFields", "Malformed", "fields_of_document"]

MAX_DEPTH: Final = 16
"""Objects nested deeper than this stay one attribute, as JSON text."""

_TYPE_NAMES: Final = {
    dict: "an object", list: "an array", tuple: "an array", bool: "a boolean", int: "a number", float: "a number",
    type(None): "null", str: "text",
}  # fmt: skip
MAX_SHAPE: Final = 64
"""Names of a document whose places are remembered."""
MAX_SOURCE: Final = 200
"""A longer text names nothing."""
_NO_SOURCE: Final = re.compile(r"[0-9][0-9.,]* ?(?:[nu\u00b5m]?s|[kMG]?B|%|min|h)")
"""Heroku's `service=30000ms`."""
_TELLING: Final = frozenset({"message", "msg", "log", "body", "event", "shortmessage"})
_RANK: Final = itemgetter(0)


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
    shape = shape_of(tuple(body)) if len(body) <= MAX_SHAPE else None
    return (shape and _read_plainly(body, shape)) or _weighed(body, strict=strict)


def _read_plainly(body: dict[Any, Any], shape: Shape) -> DocumentFields | None:
    """The same for a document in which each field has one name and a plain value; None for one to be weighed."""
    written = body[shape.timestamp] if shape.timestamp is not None else ""
    message = body[shape.message]
    if type(written) is not str or type(message) is not str or not message or message.isspace():
        return None
    level_name, level_plain = shape.level
    source_name, source_plain = shape.source
    host_name, host_plain = shape.host
    level = scales.level_in(body)(level_plain, body[level_name]) if level_name is not None else None
    source = _source(source_plain, body[source_name]) if source_name is not None else None
    host = _label(host_plain, body[host_name]) if host_name is not None else None
    for name, text in ((level_name, level), (source_name, source), (host_name, host)):
        if name is not None and text is None and body[name] is not None:
            return None
    inner = None
    if shape.others:
        extra = {name: body[name] for name in shape.others}
        if any(type(value) is dict and value for value in extra.values()):
            return None
        if level is None:
            level = scales.level_of_others(extra)
        inner = _inner(extra)
    return DocumentFields(None, written.strip() or None, level, source, host, message, inner)


def _weighed(body: dict[Any, Any], *, strict: bool) -> DocumentFields:
    """The same where several names compete for a field, or hold what is no plain value."""
    found, extra = _sorted_out(body)
    tells = any(value is not None for value in extra.values())
    time_ns, time_text = times.of(found, extra)
    message = _first(found.get("message"), extra, _message)
    level = _first(found.get("level"), extra, scales.level_in(body))
    source = _first(found.get("source"), extra, _source)
    host = _first(found.get("host"), extra, _label)
    if level is None and extra:
        level = scales.level_of_others(extra)
    if strict and message is None and not tells:
        raise BadDocumentError("message is empty" if "message" in found else "message is missing")
    return DocumentFields(time_ns, time_text, level, source, host, message, _inner(extra))


def _first(candidates: Found | None, extra: dict[str, Any], read: Callable[[str, Any], str | None]) -> str | None:
    """What the first of the candidates that is of use says; the others become attributes."""
    if candidates is None:
        return None
    said: str | None = None
    for _, name, plain, value in candidates if len(candidates) == 1 else sorted(candidates, key=_RANK):
        text = read(plain, value) if said is None else None
        if text is None:
            if value is not None and value != "":
                extra[name] = value
        else:
            said = text
    return said


def _not_an_object(body: object) -> str:
    if isinstance(body, Malformed):
        return body.reason
    return f"a log must be a JSON object, not {_TYPE_NAMES.get(type(body), f'a {type(body).__name__}')}"


def _message(name: str, value: Any) -> str | None:
    """The message as text: journald writes bytes as numbers and several values as an array; None for an empty one."""
    if value is None or type(value) is str:
        return value if value and not value.isspace() else None
    if type(value) is list and value:
        if all(type(part) is str for part in value):
            return "\n".join(value).strip() or None
        if all(type(part) is int and 0 <= part < 256 for part in value):
            return as_text(bytes(value)) or None
    return times.as_text(value) if name in _TELLING else None


def _source(name: str, value: Any) -> str | None:
    """A number, an id, a dash, a quantity is no source."""
    text = _label(name, value)
    if text is None or len(text) > MAX_SOURCE or not any(map(str.isalpha, text)) or _NO_SOURCE.fullmatch(text):
        return None
    return None if name == "target" and text[0] == "/" else text


def _label(_: str, value: Any) -> str | None:
    if type(value) is list and value:
        value = value[0]
    if type(value) is str:
        return value.strip() or None
    return times.as_text(value) if type(value) in (int, float) else None


def _sorted_out(body: dict[Any, Any]) -> tuple[dict[str, Found], dict[str, Any]]:
    """Field → what stands under its names, and all other names with their values."""
    found: dict[str, Found] = {}
    extra: dict[str, Any] = {}
    for name, value in body.items():
        if type(value) is dict and value:
            return _sorted_out(_flat(body))
        known = place(name)
        if known is None or value is None or is_protocol(name, body):
            extra[name] = value
            continue
        field, rank, plain = known
        if field not in found:
            found[field] = [(rank, name, plain, value)]
        else:
            found[field].append((rank, name, plain, value))
    return found, extra


def _flat(body: dict[Any, Any]) -> dict[str, Any]:
    """Nested objects as names with dots, MAX_DEPTH deep; what lies deeper as JSON text.

    Where two ways lead to one name (`{"a.b": 1, "a": {"b": 2}}`) the second value is kept as `a.b#2`.
    """
    flat: dict[str, Any] = {}
    open_objects: list[tuple[str, dict[Any, Any], int]] = [("", body, 1)]
    while open_objects:
        prefix, inside, depth = open_objects.pop()
        for name, value in inside.items():
            path = f"{prefix}{name}"
            if type(value) is not dict or not value:
                flat[_free(flat, path, value)] = value
            elif depth < MAX_DEPTH:
                open_objects.append((path + ".", value, depth + 1))
            else:
                flat[_free(flat, path, value)] = times.as_text(value)
    return flat


def _free(flat: dict[str, Any], path: str, value: Any) -> str:
    """The name, or one beside it where another value has it already."""
    name, number = path, 2
    while name in flat and flat[name] != value:
        name, number = f"{path}#{number}", number + 1
    return name


def _inner(extra: dict[str, Any]) -> str | None:
    if not extra:
        return None
    flat = {str(name): v if type(v) is str else times.as_text(v) for name, v in extra.items() if v is not None}
    return orjson.dumps(flat).decode()[1:-1] or None
