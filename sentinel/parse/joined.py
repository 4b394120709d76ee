"""JSON values that stand one after another, or in an array with a broken one among them: each is read on its own."""

import itertools
import json
import math
from collections.abc import Iterator
from typing import Final, NoReturn

import numpy as np
import numpy.typing as npt
import orjson

from sentinel.parse.fields import Malformed

__all__ = ["MAX_MARKS", "count_elements", "decoded_bytes", "elements", "has_too_many_marks", "read_value", "values"]

MAX_MARKS: Final = 3_000_000
"""Brackets and commas outside of texts in one body: each stands for a value that costs memory when it is decoded."""

VALUE_BYTES: Final = 100
"""What a small value needs, with its key and its place in what it stands in."""

_CHUNK: Final = 1024 * 1024
_QUOTE, _BACKSLASH, _COMMA = b'"\\,'
_STEP: Final = np.zeros(256, np.int8)
_STEP[list(b"{[")], _STEP[list(b"}]")] = 1, -1
_IS_MARK: Final = _STEP != 0
_IS_MARK[_COMMA] = True
_BETWEEN: Final = b" \t\r\n,\x1e"  # of values; RFC 7464 puts a record separator before each

Ints = npt.NDArray[np.int64]


def has_too_many_marks(raw: bytes) -> bool:
    """Whether a body holds more than MAX_MARKS. Call it before the others: what they need of memory hangs on it."""
    if sum(raw.count(mark) for mark in (b",", b"{", b"[", b"}", b"]")) <= MAX_MARKS:
        return False
    return sum(len(places) for places in _places(raw)) > MAX_MARKS


def decoded_bytes(raw: bytes) -> int:
    """About how many bytes of memory a body needs with its values, or its lines, beside it; rather too many."""
    return len(raw) + VALUE_BYTES * sum(raw.count(mark) for mark in (b",", b"{", b"[", b"\n"))


def count_elements(raw: bytes) -> int:
    """How many elements an array has, at the least, before any of them is decoded; the array may be broken."""
    places, depths = _structure(raw)
    return int(np.count_nonzero((depths == 1) & (_bytes(raw)[places] == _COMMA))) + 1


def values(raw: bytes) -> Iterator[bytes]:
    """The objects and arrays that stand one after another, with or without anything between; the rest is the last."""
    places, depths = _structure(raw)
    ends = places[(depths == 0) & (_STEP[_bytes(raw)[places]] < 0)] + 1
    bounds = [0, *ends.tolist(), len(raw)]
    pieces = (raw[start:end].strip(_BETWEEN) for start, end in itertools.pairwise(bounds))
    return filter(None, pieces)


def elements(raw: bytes) -> list[bytes]:
    """The elements of one whole array; none where it is none, or where nothing stands between two commas."""
    text = raw.strip()
    if text[:1] != b"[":
        return []
    places, depths = _structure(text)
    closed = np.flatnonzero(depths == 0)
    if not closed.size or places[closed[0]] != len(text) - 1:
        return []
    commas = places[(depths == 1) & (_bytes(text)[places] == _COMMA)].tolist()
    bounds = [0, *commas, len(text) - 1]
    pieces = [text[start + 1 : end].strip() for start, end in itertools.pairwise(bounds)]
    return pieces if all(pieces) else []


def read_value(text: bytes, where: str) -> object:
    """One value; Malformed with the reason where it is none. A half of a surrogate pair, as cut texts have, stays."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        reason = f"{where} column {exc.colno}: no JSON: {str(exc.msg)[:200]}"
    if b"\\u" not in text:
        return Malformed(reason)
    try:
        return _LENIENT.decode(text.decode())
    except (ValueError, RecursionError):
        return Malformed(reason)


def _structure(raw: bytes) -> tuple[Ints, Ints]:
    """Places of brackets and commas outside of texts, and the depth after each. Closing what is not open counts not."""
    places = np.concatenate([np.zeros(0, np.int64), *_places(raw)])
    depths = np.cumsum(_STEP[_bytes(raw)[places]], dtype=np.int64)
    if depths.size:
        depths -= np.minimum(np.minimum.accumulate(depths), 0)
    return places, depths


def _places(raw: bytes) -> Iterator[Ints]:
    """The places of brackets and commas outside of texts, a bounded piece of the body at a time."""
    is_inside, is_escaping = 0, 0  # a text, and a backslash that counts, at the end of the piece before
    for start in range(0, len(raw), _CHUNK):
        found = _bytes(raw)[start : start + _CHUNK]
        is_quote = found == _QUOTE
        quotes = np.flatnonzero(is_quote)
        escaped, is_escaping = _escaped(found, quotes, is_escaping)
        is_quote[quotes[escaped]] = False
        inside = np.cumsum(is_quote, dtype=np.uint8) + np.uint8(is_inside) & 1  # odd or even: overflow does not matter
        is_inside = int(inside[-1])
        yield np.flatnonzero(_IS_MARK[found] & (inside == 0)) + start


def _escaped(found: npt.NDArray[np.uint8], quotes: Ints, carried: int) -> tuple[npt.NDArray[np.bool_], int]:
    """Whether an odd number of backslashes stands before each of these places, and (0, 1) before the next piece.

    `carried`: the same before this piece.
    """
    is_slash = found == _BACKSLASH
    begins = np.flatnonzero(is_slash & ~np.concatenate(([False], is_slash[:-1])))
    if begins.size and begins[0] == 0:
        begins[0] = -carried
    ends = np.concatenate((quotes, [found.size]))
    escaped = np.zeros(ends.size, bool)
    after = is_slash[np.maximum(ends - 1, 0)] & (ends > 0)
    escaped[after] = (ends[after] - begins[np.searchsorted(begins, ends[after]) - 1]) % 2 == 1
    escaped[ends == 0] = bool(carried)
    return escaped[:-1], int(escaped[-1])


def _bytes(raw: bytes) -> npt.NDArray[np.uint8]:
    return np.frombuffer(raw, np.uint8)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


_LENIENT: Final = json.JSONDecoder(parse_float=_finite, parse_constant=_no_number)
