"""JSON that is none by the letter, as writers and cutters of lines leave it: read as what was meant."""

import json
from collections.abc import Iterator
from typing import Final

from sentinel.parse.names import place

__all__ = ["read_cut", "read_loosely"]

_LOOSE: Final = json.JSONDecoder(strict=False, parse_constant=str)
_CLOSES: Final = {"{": "}", "[": "]"}
MAX_CUT_CHARS: Final = 66_000
"""Who cuts lines cuts them at 64 KiB or less: Docker and CRI at 16, syslog at 8."""
MAX_DEPTH: Final = 100
"""Brackets in brackets of a line that is closed: no log nests deeper."""


def read_loosely(text: str) -> object | None:
    """A JSON value with `NaN`, control characters or halves of surrogate pairs in it; None where it is none even so.

    `NaN` and the infinities become texts: Python's writers put them, RFC 8259 has no such numbers.
    """
    try:
        value: object = _LOOSE.decode(text)
    except (ValueError, RecursionError):
        return None
    return value


def read_cut(text: str) -> dict[str, object] | None:
    """An object whose end was cut off, as far as it goes; None where it is none.

    One that was cut before its message has the text for one.
    """
    for whole in _closed(text) if len(text) <= MAX_CUT_CHARS else ():
        value = read_loosely(whole)
        if isinstance(value, dict) and value:
            return value if any(map(_is_message, value)) else {**value, "message": text}
    return None


def _is_message(name: str) -> bool:
    known = place(name)
    return known is not None and known[0] == "message"


def _closed(text: str) -> Iterator[str]:
    """The text with what may be missing at its end: of a value, of a name, or without the part that was begun."""
    closers, last, is_inside = _open(text)
    if not closers:
        return
    inside = text[:-1] if is_inside and (len(text) - len(text.rstrip("\\"))) % 2 else text
    yield inside + '"' * is_inside + closers
    if last:
        yield f"{text[: last[0]]}{last[1]}"


def _open(text: str) -> tuple[str, tuple[int, str] | None, bool]:
    """What closes the brackets that are open at the end, the place of the last comma and what closes those that are
    open there, and whether a text is open."""
    closers, last, is_inside, is_escaped = "", None, False, False
    for at, letter in enumerate(text):
        if is_inside:
            is_escaped, is_inside = letter == "\\" and not is_escaped, is_escaped or letter != '"'
        elif letter == '"':
            is_inside = True
        elif letter in _CLOSES:
            closers = _CLOSES[letter] + closers
            if len(closers) > MAX_DEPTH:
                return "", None, False
        elif letter == closers[:1]:
            closers = closers[1:]
        elif letter == ",":
            last = (at, closers)
    return closers, last, is_inside
