"""What the scanner reads from and writes to: bytes in, masked bytes out, and one line's findings."""

from typing import NamedTuple

import numpy as np

from sentinel.detect.kernel.hashing import hash_bytes
from sentinel.detect.kernel.jit import Bytes, Floats, Hashes, Integers, compiled
from sentinel.detect.lexicon.words import PATTERN_BYTES, PATTERN_STARTS

__all__ = ["ENTITIES", "IP", "MAX_NUMBERS", "PARAM", "SESSION", "TOKENS", "USER", "ScanBuffers"]

IP, USER, SESSION, PARAM = 0, 1, 2, 3
ENTITIES = 4  # columns of `entities`; twice as many in `spans`
MAX_NUMBERS = 4

TOKENS = "<NUM> <IP> <HEX> <UUID> <TIME> <PATH> <USER> <STR> <HOST> <URL> <EMAIL> <BLK> <ZERO>"
"""What variable parts become, in the order of the numbers that `put` takes."""
NUM, IP_TOKEN, HEX, UUID, TIME, PATH, USER_TOKEN, STR, HOST, URL, EMAIL, BLK, ZERO = range(13)
_TOKEN_BYTES = np.frombuffer(TOKENS.replace(" ", "").encode(), np.uint8)
_TOKEN_STARTS = np.cumsum([0, *(len(token) for token in TOKENS.split())]).astype(np.int64)

DELIMITER, DIGIT, ALNUM, HEXADECIMAL, PATTERN_START = 1, 2, 4, 8, 16


def _classes() -> Bytes:
    """What each byte is. Bytes above 127, parts of letters in UTF-8, count as letters."""
    table = np.zeros(256, np.uint8)
    table[:35] |= DELIMITER  # controls, blank, ! is none, "
    table[33] = 0
    for sign in "'(),;<=>[]{}|":
        table[ord(sign)] |= DELIMITER
    table[48:58] |= DIGIT | ALNUM | HEXADECIMAL
    for first, last in ((65, 91), (97, 123), (128, 256)):
        table[first:last] |= ALNUM
    table[65:71] |= HEXADECIMAL
    table[97:103] |= HEXADECIMAL
    for start in PATTERN_STARTS[:-1]:
        table[PATTERN_BYTES[start]] |= PATTERN_START
        table[ord(chr(PATTERN_BYTES[start]).upper())] |= PATTERN_START
    return table


CLASSES = _classes()

# places in `state`: what is remembered from run to run within a line
(
    KEY,  # class of the word before
    SEPARATOR,  # what stands between that word and here
    AFTER_ENTITY,  # 1 where an address or user stands before the word
    STATUS_NEXT,  # 1 between a request and its status
    NUMBERS,  # how many measures were kept
    SENSITIVE_SEEN,
    IN_REQUEST,  # 1 from a request on
    ADDRESS_IS_SURE,  # 1 once a key has announced the address
    QUOTE_END,  # where the quote that is being read closes
    ROW,
    ORIGIN,  # where the line begins in `buffer`
    STOP,  # where it ends
    MASK_BEGIN,  # the last run that is a mask, in `out`
    MASK_END,
    REPEATED,  # how many of that mask stand in a row, as in a list
    NAMED_SESSION,  # 1 where one of them was kept as the session
) = range(16)
STATE = 16


class ScanBuffers(NamedTuple):
    """`buffer` is read, `out` is written; findings go to row `state[ROW]` of the arrays (n, …), see `scan_lines`."""

    buffer: Bytes
    out: Bytes
    entities: Hashes
    spans: Integers
    numbers: Floats
    state: Integers
    counts: Integers


@compiled
def put(buffers: ScanBuffers, o: int, token: int) -> int:
    """Write a mask token at out[o:]; returns the next place."""
    for i in range(_TOKEN_STARTS[token], _TOKEN_STARTS[token + 1]):
        buffers.out[o] = _TOKEN_BYTES[i]
        o += 1
    return o


@compiled
def copy(buffers: ScanBuffers, a: int, b: int, o: int) -> int:
    """Write buffer[a:b] as it is at out[o:]; returns the next place."""
    for i in range(a, b):
        buffers.out[o] = buffers.buffer[i]
        o += 1
    return o


@compiled
def keep(buffers: ScanBuffers, which: int, a: int, b: int) -> None:
    """Keep buffer[a:b] as the line's address, user, session or parameter, unless it has one."""
    row = buffers.state[ROW]
    if buffers.entities[row, which] == 0:
        buffers.entities[row, which] = hash_bytes(buffers.buffer, a, b)
        buffers.spans[row, 2 * which] = a - buffers.state[ORIGIN]
        buffers.spans[row, 2 * which + 1] = b - buffers.state[ORIGIN]


@compiled
def drop(buffers: ScanBuffers, which: int) -> None:
    """Take back what was kept as the line's address, user, session or parameter."""
    row = buffers.state[ROW]
    buffers.entities[row, which] = 0
    buffers.spans[row, 2 * which] = buffers.spans[row, 2 * which + 1] = 0


@compiled
def small(c: int) -> int:
    """A letter made small."""
    return c | 32 if 65 <= c <= 90 else c


@compiled
def look_for_patterns(buffers: ScanBuffers, a: int, b: int) -> None:
    """Remember if one of the sensitive texts is in buffer[a:b]."""
    for i in range(a, b):
        if CLASSES[buffers.buffer[i]] & PATTERN_START == 0:
            continue
        first = small(buffers.buffer[i])
        for k in range(len(PATTERN_STARTS) - 1):
            start, length = PATTERN_STARTS[k], PATTERN_STARTS[k + 1] - PATTERN_STARTS[k]
            if PATTERN_BYTES[start] != first or i + length > b:
                continue
            j = 1
            while j < length and small(buffers.buffer[i + j]) == PATTERN_BYTES[start + j]:
                j += 1
            if j == length:
                buffers.state[SENSITIVE_SEEN] = 1
                return
