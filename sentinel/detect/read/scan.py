"""Scan raw messages, bytes in, masked text and findings out: one pass, the same code for a batch and for one line."""

import numpy as np

from sentinel.detect.kernel.hashing import hash_bytes
from sentinel.detect.kernel.jit import Bytes, Floats, Hashes, Integers, compiled
from sentinel.detect.lexicon.words import KEY_PARAM, KEY_PORT, KEY_USER, NAME, QUALIFIER, STRONG
from sentinel.detect.read.mask_token import write_run
from sentinel.detect.read.named_token import (
    BRACKET,
    COLON,
    EQUALS,
    OTHER,
    SPACE,
    TWO_SPACES,
    word_class,
    write_announced,
)
from sentinel.detect.read.scan_buffers import (
    AFTER_ENTITY,
    CLASSES,
    DELIMITER,
    DIGIT,
    ENTITIES,
    IN_REQUEST,
    IP,
    KEY,
    MASK_BEGIN,
    MASK_END,
    MAX_NUMBERS,
    NAMED_SESSION,
    ORIGIN,
    PARAM,
    PATH,
    QUOTE_END,
    REPEATED,
    ROW,
    SENSITIVE_SEEN,
    SEPARATOR,
    SESSION,
    STATUS_NEXT,
    STOP,
    STR,
    USER,
    ScanBuffers,
    copy,
    drop,
    keep,
    look_for_patterns,
    put,
)
from sentinel.detect.read.shapes import has_scheme
from sentinel.detect.tuning.read import LIST_GAP, LIST_KEPT, MAX_SCAN_BYTES, OPAQUE_BYTES, OPAQUE_PROSE_BYTES

__all__ = ["ENTITIES", "IP", "MAX_NUMBERS", "PARAM", "SESSION", "USER", "scan_lines"]

_QUOTE, _BACKSLASH, _MASK_OPENS, _MASK_CLOSES, _UUID_BEGINS = 34, 92, 60, 62, 85


@compiled
def _quote_close(buffer: Bytes, start: int, stop: int) -> int:
    """The closing quote of the text that opens at `start`, or -1."""
    for i in range(start + 1, stop):
        if buffer[i] == _QUOTE and buffer[i - 1] != _BACKSLASH:
            return i
    return -1


@compiled
def _is_request(buffer: Bytes, close: int, stop: int) -> bool:
    """Whether a quoted text is followed by a three-digit status, as in access logs."""
    if close + 4 >= stop or buffer[close + 1] != 32:
        return False
    for i in range(close + 2, close + 5):
        if CLASSES[buffer[i]] & DIGIT == 0:
            return False
    return close + 5 >= stop or buffer[close + 5] == 32


@compiled
def _write_request(buffers: ScanBuffers, start: int, close: int, o: int) -> int:
    """Write `"METHOD <PATH>"` for a request, `"<STR>"` for rubbish in its place; the path is the parameter."""
    buffer = buffers.buffer
    i = start + 1
    while i < close and 65 <= buffer[i] <= 90:
        i += 1
    buffers.out[o] = _QUOTE
    if 3 <= i - start - 1 <= 9 and i < close and buffer[i] == 32:
        j = i + 1
        while j < close and buffer[j] not in (32, 63):  # the query is left out
            j += 1
        keep(buffers, PARAM, i + 1, j)
        o = put(buffers, copy(buffers, start + 1, i + 1, o + 1), PATH)
    else:
        o = put(buffers, o + 1, STR)
    buffers.out[o] = _QUOTE
    return o + 1


@compiled
def _write_quoted(buffers: ScanBuffers, i: int, o: int) -> tuple[int, int]:
    """Write a quoted text that is a request or opaque: (next input, next output); input unmoved if it is neither."""
    buffer, state = buffers.buffer, buffers.state
    stop = state[STOP]
    close = stop - 1 if state[IN_REQUEST] else _quote_close(buffer, i, stop)  # referrer and agent are one text
    if close <= i:
        return i, o
    if state[IN_REQUEST] == 0 and _is_request(buffer, close, stop):
        state[STATUS_NEXT], state[IN_REQUEST] = 1, 1
        o = _write_request(buffers, i, close, o)
    else:
        blanks = 0
        for j in range(i + 1, close):
            blanks += buffer[j] == 32
        if state[IN_REQUEST] == 0 and close - i <= (OPAQUE_PROSE_BYTES if blanks else OPAQUE_BYTES):
            state[QUOTE_END] = close
            return i, o
        buffers.out[o] = _QUOTE
        o = put(buffers, o + 1, STR)
        buffers.out[o] = _QUOTE
        o += 1
    look_for_patterns(buffers, i, close)
    return close + 1, o


@compiled
def _pass_delimiter(c: int, state: Integers) -> None:
    """Remember what stands between a key word and the run after it."""
    if c in (9, 32):
        state[SEPARATOR] |= TWO_SPACES if state[SEPARATOR] & SPACE else SPACE
    elif c == 61:
        state[SEPARATOR] |= EQUALS
    elif c in (44, 59):
        state[KEY] = 0
    elif c in (34, 39):
        state[SEPARATOR] |= OTHER
    else:
        state[SEPARATOR] |= BRACKET


@compiled
def _run_end(buffer: Bytes, start: int, stop: int) -> int:
    """Where a run ends; one with `://` goes on to the next blank, quote or bracket."""
    end = start
    while end < stop and CLASSES[buffer[end]] & DELIMITER == 0:
        end += 1
    if end < stop and end - start > 4 and buffer[end] in (44, 59, 61) and has_scheme(buffer, start, end):
        while end < stop and (CLASSES[buffer[end]] & DELIMITER == 0 or buffer[end] in (44, 59, 61)):
            end += 1
    return end


@compiled
def _is_repeated(buffers: ScanBuffers, begin: int, end: int) -> bool:
    """Whether out[begin:end] is the same as the mask before it, with nothing but a comma and blanks between them."""
    out, state = buffers.out, buffers.state
    before, gap = state[MASK_BEGIN], begin - state[MASK_END]
    if state[REPEATED] == 0 or state[MASK_END] - before != end - begin or not 1 <= gap <= LIST_GAP:
        return False
    for i in range(state[MASK_END], begin):
        if out[i] not in (32, 44):
            return False
    same = 0
    while same < end - begin and out[before + same] == out[begin + same]:
        same += 1
    return same == end - begin


@compiled
def _shorten_list(buffers: ScanBuffers, begin: int, end: int, named: bool) -> int:
    """Leave out a mask out[begin:end] before which two of its kind stand: lists of any length read the same.

    `named`: whether the run was kept as the line's session; what is one of a list names none. Returns where the output
    ends.
    """
    out, state = buffers.out, buffers.state
    if end - begin < 3 or out[begin] != _MASK_OPENS or out[end - 1] != _MASK_CLOSES:
        state[REPEATED] = 0
        return end
    state[REPEATED] = state[REPEATED] + 1 if _is_repeated(buffers, begin, end) else 1
    state[NAMED_SESSION] = int(named or (state[REPEATED] > 1 and state[NAMED_SESSION] != 0))
    pair_is_list = out[begin + 1] != _UUID_BEGINS  # two of them are a request and a tenant, a trace and a span
    if state[NAMED_SESSION] and state[REPEATED] > (1 if pair_is_list else 2):
        drop(buffers, SESSION)
        state[NAMED_SESSION] = 0
    if state[REPEATED] > LIST_KEPT:
        return state[MASK_END]
    state[MASK_BEGIN], state[MASK_END] = begin, end
    return end


@compiled
def _write_next_run(buffers: ScanBuffers, i: int, j: int, o: int) -> int:
    """Write the run buffer[i:j] and the punctuation at its end, and remember it as the word before what follows."""
    buffer, state = buffers.buffer, buffers.state
    if buffer[i] == 58 and (j == i + 1 or (i > state[ORIGIN] and buffer[i - 1] == _QUOTE)):
        state[SEPARATOR] |= COLON  # between a quoted key and its value, which may follow at once
        o, i = copy(buffers, i, i + 1, o), i + 1
        if i == j:
            return o
    b = j
    while b > i + 1 and buffer[b - 1] in (33, 46, 58, 63):
        b -= 1
    word = word_class(buffer, i, b)
    if word & NAME and state[KEY] & KEY_USER:
        word |= KEY_USER
    entities, row = buffers.entities, state[ROW]
    address, user, session = entities[row, IP], entities[row, USER], entities[row, SESSION]
    written = write_announced(buffers, i, b, o, word)
    end = write_run(buffers, i, b, o) if written < 0 else written
    o = _shorten_list(buffers, o, end, session != entities[row, SESSION])
    if word & (KEY_PORT | KEY_PARAM) == 0:
        state[AFTER_ENTITY] = int(address != entities[row, IP] or user != entities[row, USER])
    state[KEY] = word | STRONG if word & KEY_USER and state[KEY] & QUALIFIER else word
    state[SEPARATOR] = COLON if b < j else 0
    return copy(buffers, b, j, o)


@compiled
def _scan_line(buffers: ScanBuffers, o: int) -> int:
    """Scan the line that `state` points at; returns the next place in `out`."""
    buffer, state = buffers.buffer, buffers.state
    i, stop = state[ORIGIN], state[STOP]
    while i < stop:
        c = buffer[i]
        if c == _QUOTE and i != state[QUOTE_END]:
            j, o = _write_quoted(buffers, i, o)
            if j > i:
                i = j
                continue
        if CLASSES[c] & DELIMITER:
            buffers.out[o] = 32 if c < 32 else c
            _pass_delimiter(c, state)
            o, i = o + 1, i + 1
        else:
            j = _run_end(buffer, i, stop)
            o = _write_next_run(buffers, i, j, o)
            i = j
    return o


@compiled
def scan_lines(
    buffer: Bytes,
    offsets: Integers,
    out: Bytes,
    out_offsets: Integers,
    entities: Hashes,
    spans: Integers,
    numbers: Floats,
    sensitive: Bytes,
    masked: Hashes,
    state: Integers,
    counts: Integers,
) -> None:
    """Scan lines buffer[offsets[i]:offsets[i+1]].

    Fills `out` with the masked texts (line i at out_offsets[i]:out_offsets[i+1]; up to 4 bytes a byte and 16 a line),
    `masked` with their hashes, `entities` (n, 4) with the hashes of address, user, session and parameter (0 = none),
    `spans` (n, 8) with where they stand, `numbers` (n, 4) with the first measures (NaN = none), and `sensitive` with 1
    where a masked part holds a sensitive text.
    """
    entities[:] = 0
    spans[:] = 0
    numbers[:] = np.nan
    buffers = ScanBuffers(buffer, out, entities, spans, numbers, state, counts)
    o = 0
    out_offsets[0] = 0
    for i in range(len(offsets) - 1):
        state[:] = 0
        state[ROW], state[ORIGIN], state[QUOTE_END] = i, offsets[i], -1
        state[STOP] = min(offsets[i + 1], offsets[i] + MAX_SCAN_BYTES)
        begin = o
        o = _scan_line(buffers, o)
        sensitive[i] = state[SENSITIVE_SEEN]
        out_offsets[i + 1] = o
        masked[i] = hash_bytes(out, begin, o)
