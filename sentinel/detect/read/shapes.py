"""The shapes of what varies: addresses, identifiers, numbers, told from bytes."""

import numpy as np

from sentinel.detect.kernel.jit import Bytes, Integers, compiled
from sentinel.detect.read.scan_buffers import (
    ALNUM,
    CLASSES,
    DIGIT,
    EMAIL,
    HEX,
    HEXADECIMAL,
    IP_TOKEN,
    PATH,
    TIME,
    URL,
    UUID,
)

__all__ = ["ALPHAS", "ATS", "COUNTS", "DIGITS", "count", "identifier_end", "ipv4_end", "is_uuid", "whole_token"]

# places in a run's counts
DIGITS, ALPHAS, HEXES, DOTS, COLONS, SLASHES, DASHES, ATS, BACKS, REST = range(10)
COUNTS = 10


def _kinds() -> Integers:
    """Which count each byte adds to."""
    table = np.full(256, REST)
    table[48:58] = DIGITS
    table[65:91] = table[97:123] = ALPHAS
    for sign, place in ((".", DOTS), (":", COLONS), ("/", SLASHES), ("-", DASHES), ("@", ATS), ("\\", BACKS)):
        table[ord(sign)] = place
    return table


KINDS = _kinds()


@compiled
def count(buffer: Bytes, a: int, b: int, counts: Integers) -> None:
    """Count what a run is made of."""
    counts[:] = 0
    for i in range(a, b):
        c = buffer[i]
        counts[KINDS[c]] += 1
        if CLASSES[c] & (HEXADECIMAL | DIGIT) == HEXADECIMAL:
            counts[HEXES] += 1


@compiled
def ipv4_end(buffer: Bytes, a: int, b: int) -> int:
    """Where the dotted quad that begins at `a` ends, or -1. A port of 3 to 5 digits may follow a dot, as in tcpdump."""
    i = a
    for part in range(4):
        j = i
        while j < b and j < i + 4 and CLASSES[buffer[j]] & DIGIT:
            j += 1
        if j == i or j > i + 3:
            return -1
        if part < 3:
            if j >= b or buffer[j] != 46:
                return -1
            j += 1
        i = j
    follows = i < b and CLASSES[buffer[i]] & ALNUM
    dotted = i + 1 < b and buffer[i] == 46 and CLASSES[buffer[i + 1]] & ALNUM
    return -1 if follows or (dotted and not _is_port(buffer, i + 1, b)) else i


@compiled
def _is_port(buffer: Bytes, a: int, b: int) -> bool:
    """Whether three to five digits stand at `a`, and neither letter nor further part after them."""
    j = a
    while j < b and CLASSES[buffer[j]] & DIGIT:
        j += 1
    ends = j >= b or not (buffer[j] == 46 or CLASSES[buffer[j]] & ALNUM)
    return 3 <= j - a <= 5 and ends


@compiled
def identifier_end(buffer: Bytes, p: int, b: int) -> int:
    """The end of a hex number or a long mixed identifier that begins at `p`, or -1."""
    i, digits, alphas, hexes = p, 0, 0, 0
    while i < b and CLASSES[buffer[i]] & ALNUM:
        if CLASSES[buffer[i]] & DIGIT:
            digits += 1
        else:
            alphas += 1
            hexes += CLASSES[buffer[i]] & HEXADECIMAL != 0
        i += 1
    is_0x = i - p > 2 and buffer[p] == 48 and buffer[p + 1] | 32 == 120 and hexes >= alphas - 1
    is_hex = digits > 0 and alphas > 0 and hexes == alphas and i - p >= 8
    is_mixed = i - p >= 16 and digits >= 3 and alphas >= 3
    return i if is_0x or is_hex or is_mixed else -1


@compiled
def number_end(buffer: Bytes, a: int, b: int) -> int:
    """The end of the digits, with dots between digits, that begin at `a`."""
    i = a
    while i < b:
        dot = buffer[i] == 46 and i + 1 < b and CLASSES[buffer[i + 1]] & DIGIT
        if not dot and CLASSES[buffer[i]] & DIGIT == 0:
            break
        i += 1
    return i


@compiled
def is_unit(buffer: Bytes, a: int, b: int) -> bool:
    """Whether buffer[a:b] may stand behind a number: nothing, a per cent sign, up to five letters."""
    if b - a > 5:
        return False
    for i in range(a, b):
        if KINDS[buffer[i]] != ALPHAS and buffer[i] != 37:
            return False
    return True


@compiled
def is_uuid(buffer: Bytes, a: int, b: int) -> bool:
    """Whether buffer[a:b] is a UUID: 36 bytes, dashes and hex digits in place."""
    if b - a != 36:
        return False
    for i in range(36):
        dash = i in (8, 13, 18, 23)
        if dash != (buffer[a + i] == 45) or (not dash and CLASSES[buffer[a + i]] & HEXADECIMAL == 0):
            return False
    return True


@compiled
def has_scheme(buffer: Bytes, a: int, b: int) -> bool:
    """Whether `://` is in buffer[a:b]."""
    for i in range(a, b - 2):
        if buffer[i] == 58 and buffer[i + 1] == 47 and buffer[i + 2] == 47:
            return True
    return False


@compiled
def _clock_token(buffer: Bytes, a: int, b: int, counts: Integers) -> int:
    """TIME, HEX (a hardware address) or IP_TOKEN (IPv6) for runs with colons; -1 when they are none of these."""
    digits, colons, dots, length = counts[DIGITS], counts[COLONS], counts[DOTS], b - a
    if digits + colons + dots == length and 3 <= digits <= 12 and colons <= 2 and dots <= 1:
        return TIME if buffer[a + 1] == 58 or buffer[a + 2] == 58 else -1
    if colons >= 2 and digits + counts[HEXES] + colons + dots == length and counts[ALPHAS] == counts[HEXES]:
        return HEX if colons == 5 and length == 17 else IP_TOKEN
    return -1


@compiled
def _is_scoped(buffer: Bytes, a: int, b: int) -> bool:
    """Whether buffer[a:b] is an IPv6 address with a zone, `fe80::9%eth0` (RFC 4007)."""
    i, colons = a, 0
    while i < b and (buffer[i] in (46, 58) or CLASSES[buffer[i]] & (DIGIT | HEXADECIMAL)):
        colons += buffer[i] == 58
        i += 1
    if colons < 2 or i + 1 >= b or buffer[i] != 37:
        return False
    for k in range(i + 1, b):
        if CLASSES[buffer[k]] & ALNUM == 0 and buffer[k] not in (45, 46, 95):
            return False
    return True


@compiled
def whole_token(buffer: Bytes, a: int, b: int, counts: Integers) -> int:
    """The mask token that a run is as a whole, or -1."""
    slashes, alphas, dots = counts[SLASHES], counts[ALPHAS], counts[DOTS]
    token = -1
    if slashes >= 2 and counts[COLONS] > 0 and has_scheme(buffer, a, b):
        return URL
    if counts[ATS] == 1 and dots > 0 and alphas > 2 and slashes == 0 and buffer[a] != 64:
        return -1 if dots >= 3 and CLASSES[buffer[b - 1]] & DIGIT else EMAIL
    if counts[DASHES] == 4 and is_uuid(buffer, a, b):
        return UUID
    if counts[COLONS] >= 2 and counts[REST] > 0 and _is_scoped(buffer, a, b):
        return IP_TOKEN
    if counts[COLONS] > 0:
        token = _clock_token(buffer, a, b, counts)
    if token >= 0:
        return token
    if b - a >= 10 and counts[DIGITS] >= 8 and counts[DASHES] >= 2 and buffer[a + 4] == 45 and buffer[a + 7] == 45:
        return TIME
    is_path = slashes >= 2 and (alphas > 0 or (buffer[a] == 47 and CLASSES[buffer[a + 1]] & DIGIT == 0))
    return PATH if is_path or counts[BACKS] >= 2 else -1
