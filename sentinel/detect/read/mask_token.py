"""Write one run of a message (what stands between blanks, quotes and brackets) with its variable parts masked."""

import numpy as np

from sentinel.detect.kernel.jit import Bytes, compiled
from sentinel.detect.lexicon.words import KEY_ADDRESS, KEY_MEASURE, KEY_ORDINAL, KEY_PARAM, KEY_PORT
from sentinel.detect.read.nobody import is_no_address
from sentinel.detect.read.scan_buffers import (
    ADDRESS_IS_SURE,
    ALNUM,
    BLK,
    CLASSES,
    DIGIT,
    EMAIL,
    HEX,
    IN_REQUEST,
    IP,
    IP_TOKEN,
    KEY,
    MAX_NUMBERS,
    NUM,
    NUMBERS,
    ORIGIN,
    PARAM,
    PATH,
    ROW,
    SESSION,
    STOP,
    URL,
    USER,
    USER_TOKEN,
    UUID,
    ZERO,
    ScanBuffers,
    copy,
    keep,
    look_for_patterns,
    put,
)
from sentinel.detect.read.shapes import (
    ALPHAS,
    ATS,
    BACKS,
    COLONS,
    DIGITS,
    SLASHES,
    count,
    identifier_end,
    ipv4_end,
    is_unit,
    is_uuid,
    number_end,
    whole_token,
)
from sentinel.detect.read.zero_counts import counts_no_trouble
from sentinel.detect.tuning.read import MAX_DIGITS, MIN_ID_DIGITS

__all__ = ["write_run"]

_PORT = np.frombuffer(b" port ", np.uint8)
_B, _L, _K, _UNDERSCORE, _DOT, _ZERO = 98, 108, 107, 95, 46, 48


@compiled
def _keep_address(buffers: ScanBuffers, a: int, b: int) -> None:
    """Keep an address: the first, or the first that a key (`from`, `client`) or `host[address]` announces, or of those
    that a key announces and a port follows the last: before it may stand a user's name, which whoever logs in chooses.
    """
    state, buffer = buffers.state, buffers.buffer
    if is_no_address(buffer, a, b, state[ORIGIN], state[STOP]):
        return
    bracketed = a > state[ORIGIN] + 1 and buffer[a - 1] == 91 and CLASSES[buffer[a - 2]] & ALNUM
    if bracketed or state[KEY] & KEY_ADDRESS:
        sure = 2 if _port_follows(buffer, b, state[STOP]) else 1
        if sure == 2 or state[ADDRESS_IS_SURE] == 0:
            buffers.entities[state[ROW], IP] = 0
            state[ADDRESS_IS_SURE] = sure
    keep(buffers, IP, a, b)


@compiled
def _port_follows(buffer: Bytes, b: int, stop: int) -> bool:
    """Whether ` port ` and a digit stand at `b`."""
    if b + len(_PORT) >= stop or CLASSES[buffer[b + len(_PORT)]] & DIGIT == 0:
        return False
    for i in range(len(_PORT)):
        if buffer[b + i] != _PORT[i]:
            return False
    return True


@compiled
def _measure(buffers: ScanBuffers, a: int, b: int) -> None:
    """Keep the number buffer[a:b] as one of the line's measures, while there is room and unless it names something.

    What has more than one dot is a version, a date or an address, and no amount.
    """
    k = buffers.state[NUMBERS]
    named = buffers.state[KEY] & (KEY_PORT | KEY_PARAM | KEY_ORDINAL)
    padded = buffers.buffer[a] == _ZERO and b - a >= MIN_ID_DIGITS and buffers.buffer[a + 1] != _DOT
    if k >= MAX_NUMBERS or named or padded or b - a > MAX_DIGITS:
        return
    value, scale = 0.0, 0.0
    for i in range(a, b):
        c = buffers.buffer[i]
        if c == _DOT and scale > 0:
            return
        if c == _DOT:
            scale = 1.0
        else:
            value = value * 10.0 + (c - 48.0)
            scale *= 10.0
    buffers.numbers[buffers.state[ROW], k] = value / scale if scale > 0 else value
    buffers.state[NUMBERS] = k + 1


@compiled
def _put_number(buffers: ScanBuffers, a: int, b: int, o: int) -> int:
    """Write the number buffer[a:b] masked, and as another mask where it says that there was no trouble."""
    is_none = counts_no_trouble(buffers.buffer, buffers.state[ORIGIN], a, b, buffers.state[STOP])
    return put(buffers, o, ZERO if is_none else NUM)


@compiled
def _write_number(buffers: ScanBuffers, a: int, b: int, p: int, edge: bool, o: int) -> tuple[int, int]:
    """Write the digits at `p` of the run buffer[a:b]: (next input, next output). `eth0` keeps its digit."""
    q = number_end(buffers.buffer, p, b)
    if not edge and q - p <= 2:
        return q, copy(buffers, p, q, o)
    leads = p == a or (p == a + 1 and CLASSES[buffers.buffer[a]] & ALNUM == 0)
    if edge and leads and is_unit(buffers.buffer, q, b):
        _measure(buffers, p, q)
    return q, _put_number(buffers, p, q, o)


@compiled
def _write_mixed(buffers: ScanBuffers, a: int, b: int, o: int) -> int:
    """Write a run of letters and digits: addresses, numbers and identifiers inside it are masked."""
    buffer = buffers.buffer
    p = a
    while p < b:
        c = buffer[p]
        kind = CLASSES[c]
        edge = p == a or CLASSES[buffer[p - 1]] & ALNUM == 0
        q = -1
        if edge and kind & DIGIT:
            q = ipv4_end(buffer, p, b)
            if q > 0:
                _keep_address(buffers, p, q)
                o, p = put(buffers, o, IP_TOKEN), q
                continue
        if edge and kind & ALNUM:
            q = identifier_end(buffer, p, b)
        if q > 0:
            o, p = put(buffers, o, HEX), q
        elif kind & DIGIT:
            p, o = _write_number(buffers, a, b, p, edge, o)
        elif c in (43, 45) and edge and p + 1 < b and CLASSES[buffer[p + 1]] & DIGIT:
            p += 1  # a sign
        else:
            buffers.out[o] = c
            o, p = o + 1, p + 1
    return o


@compiled
def _keep_whole(buffers: ScanBuffers, token: int, a: int, b: int) -> None:
    """Keep what a run masked as a whole stands for."""
    if token == IP_TOKEN:
        _keep_address(buffers, a, b)
    elif token == EMAIL:
        keep(buffers, USER, a, b)
    elif token == UUID:
        keep(buffers, SESSION, a, b)
    elif token in (PATH, URL):
        keep(buffers, PARAM, a, b)
        look_for_patterns(buffers, a, b)


@compiled
def _write_named(buffers: ScanBuffers, a: int, b: int, o: int) -> int:
    """Write `req-<uuid>` (OpenStack) and `blk_…` (HDFS), which name sessions; -1 for any other run."""
    buffer = buffers.buffer
    if b - a >= 40 and buffer[a + 3] == 45 and is_uuid(buffer, a + 4, a + 40):
        keep(buffers, SESSION, a, b)
        return put(buffers, copy(buffers, a, a + 4, o), UUID)
    is_block = b - a > 5 and buffer[a] == _B and buffer[a + 1] == _L and buffer[a + 2] == _K
    if is_block and buffer[a + 3] == _UNDERSCORE:
        keep(buffers, SESSION, a, b)
        return put(buffers, o, BLK)
    return -1


@compiled
def _write_user_part(buffers: ScanBuffers, a: int, b: int, o: int) -> tuple[int, int]:
    """Write the user of `user@address`: (next input, next output); nothing moves for any other run."""
    at = a
    while buffers.buffer[at] != 64:
        at += 1
    if at > a and ipv4_end(buffers.buffer, at + 1, b) > 0:
        keep(buffers, USER, a, at)
        return at, put(buffers, o, USER_TOKEN)
    return a, o


@compiled
def write_run(buffers: ScanBuffers, a: int, b: int, o: int) -> int:
    """Write the run buffer[a:b] at out[o:], masked; keeps entities and numbers; returns the next place in `out`."""
    counts, state = buffers.counts, buffers.state
    count(buffers.buffer, a, b, counts)
    if counts[DIGITS] + counts[SLASHES] + counts[ATS] + counts[BACKS] + counts[COLONS] == 0:
        return copy(buffers, a, b, o)
    if counts[DIGITS] == b - a:
        if b - a >= MIN_ID_DIGITS and state[IN_REQUEST] == 0 and state[KEY] & (KEY_PORT | KEY_PARAM | KEY_MEASURE) == 0:
            keep(buffers, SESSION, a, b)
        _measure(buffers, a, b)
        return _put_number(buffers, a, b, o)
    token = whole_token(buffers.buffer, a, b, counts)
    if token >= 0:
        _keep_whole(buffers, token, a, b)
        return put(buffers, o, token)
    named = _write_named(buffers, a, b, o)
    if named >= 0:
        return named
    if counts[ATS] == 1 and counts[ALPHAS] > 1:
        a, o = _write_user_part(buffers, a, b, o)
    return _write_mixed(buffers, a, b, o)
