"""Write one run of a message (what stands between blanks, quotes and brackets) with its variable parts masked."""

import numpy as np

from sentinel.detect.hashing import hash_bytes
from sentinel.detect.jit import Bytes, Floats, Hashes, Integers, compiled

__all__ = ["KEY", "NUMBERS", "SENSITIVE_SEEN", "TOKENS", "has_pattern", "put", "write_run"]

TOKENS = (
    "<NUM>",
    "<IP>",
    "<HEX>",
    "<UUID>",
    "<TIME>",
    "<PATH>",
    "<USER>",
    "<STR>",
    "<HOST>",
    "<URL>",
    "<EMAIL>",
    "<BLK>",
)
"""What variable parts become, in the order of `put`'s numbers."""
NUM, IP_TOKEN, HEX, UUID, TIME, PATH, USER_TOKEN, STR, HOST, URL, EMAIL, BLK = range(12)
_BYTES = np.frombuffer("".join(TOKENS).encode(), np.uint8)
_STARTS = np.cumsum([0, *(len(token) for token in TOKENS)]).astype(np.int64)

KEY, NUMBERS, SENSITIVE_SEEN = 0, 4, 5  # places in the line's scratch
_KEY_PORTS, _KEY_MEASURE, _KEY_ADDRESS = 8 | 16, 4096, 8192  # `words.py`: KEY_PORT, KEY_PARAM, KEY_…
_REQUEST, _IP_IS_KEYED = 6, 7
MIN_ID_DIGITS = 5  # a whole number as long as this, that no key calls a measure, names a thing
_MAX_NUMBER = 1e15
_IP, _USER, _SESSION, _PARAM = 0, 1, 2, 3

# places in a run's counts
_DIGITS, _ALPHAS, _HEXES, _DOTS, _COLONS, _SLASHES, _DASHES, _ATS, _BACKS, _REST = range(10)


@compiled
def put(out: Bytes, o: int, token: int) -> int:
    """Write a mask token at out[o:]; returns the next place."""
    for i in range(_STARTS[token], _STARTS[token + 1]):
        out[o] = _BYTES[i]
        o += 1
    return o


@compiled
def has_pattern(buffer: Bytes, start: int, end: int, patterns: Bytes, starts: Integers) -> bool:
    """Whether one of the sensitive texts (in small letters) is in buffer[start:end]."""
    for i in range(start, end):
        c = buffer[i] | 32 if 65 <= buffer[i] <= 90 else buffer[i]
        if not (97 <= c <= 122 or c == 47 or c == 46 or c == 37 or c == 60 or c == 39 or c == 64):
            continue
        for k in range(len(starts) - 1):
            a, b = starts[k], starts[k + 1]
            if patterns[a] != c or i + (b - a) > end:
                continue
            j = 1
            while j < b - a:
                d = buffer[i + j] | 32 if 65 <= buffer[i + j] <= 90 else buffer[i + j]
                if d != patterns[a + j]:
                    break
                j += 1
            if j == b - a:
                return True
    return False


@compiled
def _is_digit(c: int) -> bool:
    return 48 <= c <= 57


@compiled
def _is_alnum(c: int) -> bool:
    return 48 <= c <= 57 or 65 <= c <= 90 or 97 <= c <= 122 or c >= 128


@compiled
def _is_hex(c: int) -> bool:
    return 48 <= c <= 57 or 65 <= c <= 70 or 97 <= c <= 102


@compiled
def _copy(buffer: Bytes, a: int, b: int, out: Bytes, o: int) -> int:
    for i in range(a, b):
        out[o] = buffer[i]
        o += 1
    return o


@compiled
def _entity(entities: Hashes, spans: Integers, which: int, buffer: Bytes, a: int, b: int, origin: int) -> None:
    if entities[which] == 0:
        entities[which] = hash_bytes(buffer, a, b)
        spans[2 * which] = a - origin
        spans[2 * which + 1] = b - origin


@compiled
def _address(buffer: Bytes, a: int, b: int, entities: Hashes, spans: Integers, origin: int, state: Integers) -> None:
    """Keep an address: the first, or the first that a key (`from`, `client`) or `host[address]` announces."""
    bracketed = a > origin + 1 and buffer[a - 1] == 91 and _is_alnum(buffer[a - 2])
    if (bracketed or state[KEY] & _KEY_ADDRESS) and state[_IP_IS_KEYED] == 0:
        entities[_IP] = 0
        state[_IP_IS_KEYED] = 1
    _entity(entities, spans, _IP, buffer, a, b, origin)


@compiled
def _count(buffer: Bytes, a: int, b: int, counts: Integers) -> None:
    counts[:] = 0
    for i in range(a, b):
        c = buffer[i]
        if 48 <= c <= 57:
            counts[_DIGITS] += 1
        elif 65 <= c <= 90 or 97 <= c <= 122:
            counts[_ALPHAS] += 1
            counts[_HEXES] += int(c | 32 <= 102)
        elif c == 46:
            counts[_DOTS] += 1
        elif c == 58:
            counts[_COLONS] += 1
        elif c == 47:
            counts[_SLASHES] += 1
        elif c == 45:
            counts[_DASHES] += 1
        elif c == 64:
            counts[_ATS] += 1
        elif c == 92:
            counts[_BACKS] += 1
        else:
            counts[_REST] += 1


@compiled
def _ipv4_end(buffer: Bytes, a: int, b: int) -> int:
    """Where the dotted quad that begins at `a` ends, or -1."""
    i = a
    for part in range(4):
        j = i
        while j < b and j < i + 4 and 48 <= buffer[j] <= 57:
            j += 1
        if j == i or j > i + 3:
            return -1
        if part < 3:
            if j >= b or buffer[j] != 46:
                return -1
            j += 1
        i = j
    if i < b and (_is_alnum(buffer[i]) or (buffer[i] == 46 and i + 1 < b and _is_alnum(buffer[i + 1]))):
        return -1
    return i


@compiled
def _measure(buffer: Bytes, a: int, b: int, numbers: Floats, state: Integers) -> None:
    """Keep the number buffer[a:b] as one of the line's measures, while there is room."""
    k = state[NUMBERS]
    if k >= len(numbers) or state[KEY] & _KEY_PORTS:
        return
    value, scale = 0.0, 0.0
    for i in range(a, b):
        c = buffer[i]
        if c == 46:
            scale = 1.0
        else:
            value = value * 10.0 + (c - 48.0)
            scale *= 10.0
    numbers[k] = min(value / scale if scale > 0 else value, _MAX_NUMBER)
    state[NUMBERS] = k + 1


@compiled
def _is_unit(buffer: Bytes, a: int, b: int) -> bool:
    """Whether buffer[a:b] may stand behind a number: nothing, a per cent sign, up to five letters."""
    if b - a > 5:
        return False
    for i in range(a, b):
        c = buffer[i]
        if not (65 <= c <= 90 or 97 <= c <= 122 or c == 37):
            return False
    return True


@compiled
def _number_end(buffer: Bytes, a: int, b: int) -> int:
    """The end of the digits, with dots between digits, that begin at `a`."""
    i = a
    while i < b and (_is_digit(buffer[i]) or (buffer[i] == 46 and i + 1 < b and _is_digit(buffer[i + 1]))):
        i += 1
    return i


@compiled
def _identifier_end(buffer: Bytes, p: int, b: int) -> int:
    """The end of a hex number or a long mixed identifier that begins at `p`, or -1."""
    i, digits, alphas, hexes = p, 0, 0, 0
    while i < b and _is_alnum(buffer[i]):
        if _is_digit(buffer[i]):
            digits += 1
        else:
            alphas += 1
            hexes += _is_hex(buffer[i])
        i += 1
    if i - p > 2 and buffer[p] == 48 and buffer[p + 1] | 32 == 120 and hexes >= alphas - 1:  # 0x…
        return i
    if digits > 0 and alphas > 0:
        if hexes == alphas and i - p >= 8:
            return i
        if i - p >= 16 and digits >= 3 and alphas >= 3:
            return i
    return -1


@compiled
def _write_mixed(
    buffer: Bytes,
    a: int,
    b: int,
    out: Bytes,
    o: int,
    entities: Hashes,
    spans: Integers,
    origin: int,
    numbers: Floats,
    state: Integers,
) -> int:
    """Write a run of letters and digits: addresses, numbers and identifiers inside it are masked."""
    p = a
    while p < b:
        c = buffer[p]
        edge = p == a or not _is_alnum(buffer[p - 1])
        if edge and _is_alnum(c):
            q = _ipv4_end(buffer, p, b) if _is_digit(c) else -1
            if q > 0:
                _address(buffer, p, q, entities, spans, origin, state)
                o, p = put(out, o, IP_TOKEN), q
                continue
            q = _identifier_end(buffer, p, b)
            if q > 0:
                o, p = put(out, o, HEX), q
                continue
        if _is_digit(c):
            q = _number_end(buffer, p, b)
            if edge or q - p > 2:
                if edge and (p == a or (p == a + 1 and not _is_alnum(buffer[a]))) and _is_unit(buffer, q, b):
                    _measure(buffer, p, q, numbers, state)
                o, p = put(out, o, NUM), q
            else:
                o, p = _copy(buffer, p, q, out, o), q
            continue
        if (c == 45 or c == 43) and edge and p + 1 < b and _is_digit(buffer[p + 1]):
            p += 1
            continue
        out[o] = c
        o += 1
        p += 1
    return o


@compiled
def _is_uuid(buffer: Bytes, a: int, b: int) -> bool:
    if b - a != 36:
        return False
    for i in range(36):
        dash = i == 8 or i == 13 or i == 18 or i == 23
        if dash != (buffer[a + i] == 45) or (not dash and not _is_hex(buffer[a + i])):
            return False
    return True


@compiled
def _whole_token(buffer: Bytes, a: int, b: int, counts: Integers) -> int:
    """The mask token a run is as a whole, or -1."""
    digits, alphas, dots, colons = counts[_DIGITS], counts[_ALPHAS], counts[_DOTS], counts[_COLONS]
    length = b - a
    if counts[_SLASHES] >= 2 and colons > 0:
        for i in range(a, b - 2):
            if buffer[i] == 58 and buffer[i + 1] == 47 and buffer[i + 2] == 47:
                return URL
    if counts[_ATS] == 1 and dots > 0 and alphas > 2 and counts[_SLASHES] == 0 and buffer[a] != 64:
        return -1 if dots >= 3 and _is_digit(buffer[b - 1]) else EMAIL
    if length == 36 and counts[_DASHES] == 4 and _is_uuid(buffer, a, b):
        return UUID
    if colons >= 1 and digits + colons + dots == length and 3 <= digits <= 12 and colons <= 2 and dots <= 1:
        return TIME if buffer[a + 1] == 58 or buffer[a + 2] == 58 else -1
    if colons >= 2 and digits + counts[_HEXES] + colons + dots == length and alphas == counts[_HEXES]:
        return HEX if colons == 5 and length == 17 else IP_TOKEN
    if length >= 10 and digits >= 8 and counts[_DASHES] >= 2 and buffer[a + 4] == 45 and buffer[a + 7] == 45:
        return TIME
    if counts[_SLASHES] >= 2 and (alphas > 0 or buffer[a] == 47):
        return PATH if buffer[a] != 47 or not 48 <= buffer[a + 1] <= 57 or alphas > 0 else -1
    if counts[_BACKS] >= 2:
        return PATH
    return -1


@compiled
def write_run(
    buffer: Bytes,
    a: int,
    b: int,
    out: Bytes,
    o: int,
    entities: Hashes,
    spans: Integers,
    origin: int,
    numbers: Floats,
    state: Integers,
    patterns: Bytes,
    starts: Integers,
    counts: Integers,
) -> int:
    """Write the run buffer[a:b] at out[o:], masked; keeps entities and numbers; returns the next place in `out`."""
    _count(buffer, a, b, counts)
    if (
        counts[_ALPHAS] == b - a
        or counts[_DIGITS] + counts[_SLASHES] + counts[_ATS] + counts[_BACKS] + counts[_COLONS] == 0
    ):
        return _copy(buffer, a, b, out, o)
    if counts[_DIGITS] == b - a:
        if b - a >= MIN_ID_DIGITS and state[_REQUEST] == 0 and state[KEY] & (_KEY_PORTS | _KEY_MEASURE) == 0:
            _entity(entities, spans, _SESSION, buffer, a, b, origin)
        _measure(buffer, a, b, numbers, state)
        return put(out, o, NUM)
    token = _whole_token(buffer, a, b, counts)
    if token == IP_TOKEN:
        _address(buffer, a, b, entities, spans, origin, state)
    elif token == EMAIL:
        _entity(entities, spans, _USER, buffer, a, b, origin)
    elif token == UUID:
        _entity(entities, spans, _SESSION, buffer, a, b, origin)
    elif token == PATH or token == URL:
        _entity(entities, spans, _PARAM, buffer, a, b, origin)
        if has_pattern(buffer, a, b, patterns, starts):
            state[SENSITIVE_SEEN] = 1
    if token >= 0:
        return put(out, o, token)
    if b - a >= 40 and buffer[a + 3] == 45 and _is_uuid(buffer, a + 4, a + 40):  # req-<uuid>, OpenStack's
        _entity(entities, spans, _SESSION, buffer, a, b, origin)
        return put(out, _copy(buffer, a, a + 4, out, o), UUID)
    if b - a > 5 and buffer[a] == 98 and buffer[a + 1] == 108 and buffer[a + 2] == 107 and buffer[a + 3] == 95:  # blk_…
        _entity(entities, spans, _SESSION, buffer, a, b, origin)
        return put(out, o, BLK)
    if counts[_ATS] == 1 and counts[_ALPHAS] > 1:
        at = a
        while buffer[at] != 64:
            at += 1
        if at > a and _ipv4_end(buffer, at + 1, b) > 0:  # user@address
            _entity(entities, spans, _USER, buffer, a, at, origin)
            o, a = put(out, o, USER_TOKEN), at
    return _write_mixed(buffer, a, b, out, o, entities, spans, origin, numbers, state)
