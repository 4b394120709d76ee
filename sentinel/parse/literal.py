"""Objects as programs print them, not as JSON: Node's `{ level: 'info' }`, Python's `{'level': 'INFO'}`."""

import re
from typing import Any, Final

from sentinel.parse.names import place

__all__ = ["read_literal"]

MAX_CHARS: Final = 66_000
MAX_DEPTH: Final = 16
_BLANK: Final = re.compile(r"\s*")
_KEY: Final = re.compile(r"([A-Za-z_$][\w$]*|\[?Symbol\([\w.-]+\)\]?|[0-9]+)\s*:")
_TEXT: Final = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|`((?:[^`\\]|\\.)*)`", re.DOTALL)
_BARE: Final = re.compile(r"[^\s,{}\[\]'\"][^,{}\[\]\n'\"]*(?:\([^()\n]*\))?")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}
_CONSTANTS: Final = {
    "true": True, "True": True, "false": False, "False": False, "null": None, "None": None, "undefined": None,
}  # fmt: skip
_FIELDS: Final = frozenset({"message", "level", "timestamp"})


class _NoObjectError(Exception):
    """The text is no such object."""


def read_literal(text: str) -> dict[str, Any] | None:
    """The object; None for what is none, or does not say two of message, level and time."""
    if len(text) > MAX_CHARS:
        return None
    try:
        value, end = _object(text, _after(text, 0), 0)
    except _NoObjectError:
        return None
    known = {found[0] for found in map(place, value) if found is not None}
    return value if not text[end:].strip() and len(known & _FIELDS) > 1 else None


def _after(text: str, at: int) -> int:
    """The place of the next character that is not white."""
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _object(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    """The object that begins here, and where it ends."""
    if text[at : at + 1] != "{" or depth > MAX_DEPTH:
        raise _NoObjectError
    found: dict[str, Any] = {}
    at = _after(text, at + 1)
    while text[at : at + 1] != "}":
        name, at = _name(text, at)
        found[name], at = _value(text, _after(text, at), depth)
        at = _next(text, at, "}")
    return found, at + 1


def _name(text: str, at: int) -> tuple[str, int]:
    """A name and what stands behind its colon."""
    quoted = _TEXT.match(text, at)
    if quoted is not None:
        end = _after(text, quoted.end())
        if text[end : end + 1] != ":":
            raise _NoObjectError
        return _plain(quoted), end + 1
    bare = _KEY.match(text, at)
    if bare is None:
        raise _NoObjectError
    return bare[1], bare.end()


def _next(text: str, at: int, closing: str) -> int:
    """Behind the comma, or at what closes."""
    at = _after(text, at)
    if text[at : at + 1] == ",":
        return _after(text, at + 1)
    if text[at : at + 1] != closing:
        raise _NoObjectError
    return at


def _value(text: str, at: int, depth: int) -> tuple[Any, int]:
    """The value that begins here, and where it ends."""
    letter = text[at : at + 1]
    if letter == "{":
        return _object(text, at, depth + 1)
    if letter == "[":
        return _array(text, at, depth + 1)
    quoted = _TEXT.match(text, at)
    if quoted is not None:
        return _plain(quoted), quoted.end()
    bare = _BARE.match(text, at)
    if bare is None:
        raise _NoObjectError
    word = bare[0].strip()
    return _CONSTANTS.get(word, _number(word)), bare.end()


def _array(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    """The array that begins here, or Node's `[Object]`, and where it ends."""
    if depth > MAX_DEPTH:
        raise _NoObjectError
    values: list[Any] = []
    at = _after(text, at + 1)
    while text[at : at + 1] != "]":
        value, at = _value(text, at, depth)
        values.append(value)
        at = _next(text, at, "]")
    return values, at + 1


def _number(word: str) -> int | str:
    return int(word) if word.isascii() and word.isdigit() and len(word) < len("9223372036854775807") else word


def _plain(quoted: re.Match[str]) -> str:
    """The text between the quotes, its escapes undone."""
    inside = next(group for group in quoted.groups() if group is not None)
    return _ESCAPE.sub(lambda one: _ESCAPES.get(one[1], one[1]), inside) if "\\" in inside else inside
