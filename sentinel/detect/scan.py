"""Scan raw messages, bytes in: masked text, entities, numbers and a flag out; one pass, one code for a batch and a line."""

import numpy as np

from sentinel.detect.hashing import hash_bytes, lower_hash
from sentinel.detect.jit import Bytes, Floats, Hashes, Integers, compiled
from sentinel.detect.runs import has_pattern, put, write_run
from sentinel.detect.words import (
    FOLLOW,
    FOLLOW_FOR,
    KEY_FOR,
    KEY_HOST,
    KEY_PARAM,
    KEY_PORT,
    KEY_STATUS,
    KEY_USER,
    NAME,
    QUALIFIER,
    SKIP,
    STRONG,
)

__all__ = ["ENTITIES", "IP", "MAX_NUMBERS", "PARAM", "SESSION", "USER", "scan_lines"]

IP, USER, SESSION, PARAM = 0, 1, 2, 3
ENTITIES = 4  # columns of `entities`; twice as many in `spans` (start and end in bytes, from the message's beginning)
MAX_NUMBERS = 4
MAX_SCAN_BYTES = 4096  # what follows in a longer message is neither masked nor searched

# scratch of one line
_KEY, _SEPARATOR, _BEFORE, _STATUS, _NUMBERS, _SENSITIVE, _REQUEST, _IP_IS_KEYED, _QUOTE_END = range(9)
SCRATCH = 9
_EQUALS, _SPACE, _COLON, _OTHER, _BRACKET, _TWO_SPACES = 1, 2, 4, 8, 16, 32


@compiled
def _is_delimiter(c: int) -> bool:
    # space tab " ' ( ) , ; < = > [ ] { } | and controls
    return (
        c <= 34
        or c == 39
        or c == 40
        or c == 41
        or c == 44
        or c == 59
        or (60 <= c <= 62)
        or c == 91
        or c == 93
        or c == 123
        or c == 125
        or c == 124
    )


@compiled
def _word_class(buffer: Bytes, start: int, end: int, words: Hashes, classes: Integers) -> int:
    """The bits of a key word (`words.py`), 0 for any other."""
    if end - start > 16 or end == start or not 97 <= buffer[start] | 32 <= 122:
        return 0
    h = lower_hash(buffer, start, end)
    last = len(words) - 1
    i = np.int64(h & np.uint64(last))
    while words[i] != 0:
        if words[i] == h:
            return int(classes[i])
        i = (i + 1) & last
    return 0


@compiled
def _followed(buffer: Bytes, at: int, end: int, words: Hashes, classes: Integers, strict: bool) -> bool:
    """Whether what comes after a possible user name is what comes after user names."""
    i = at
    while i < end and buffer[i] == 32:
        i += 1
    if i >= end:
        return not strict
    c = buffer[i]
    if c == 40 or c == 91 or 48 <= c <= 57 or (i == at and (c == 58 or c == 44 or c == 59)):  # ( [ digit : , ;
        return not strict
    if i == at and (c == 34 or c == 39):  # the quote that ends the name
        return _followed(buffer, at + 1, end, words, classes, strict)
    j = i
    while j < end and not _is_delimiter(buffer[j]) and buffer[j] != 58:
        j += 1
    return _word_class(buffer, i, j, words, classes) & (FOLLOW_FOR if strict else FOLLOW) != 0


@compiled
def _looks_like_user(buffer: Bytes, start: int, end: int) -> bool:
    if end - start > 64 or end == start:
        return False
    c = buffer[start]
    if not (65 <= c <= 90 or 97 <= c <= 122 or c == 95 or c >= 128):
        return False
    for i in range(start, end):
        c = buffer[i]
        if c == 47 or c == 58:  # a path, a name with a colon
            return False
    return True


@compiled
def _closes(c: int) -> bool:
    return c == 93 or c == 41 or c == 62 or c == 125  # ] ) > }


@compiled
def _is_user(
    buffer: Bytes, start: int, end: int, stop: int, state: Integers, words: Hashes, classes: Integers, word: int
) -> bool:
    """Whether the run buffer[start:end] is a user's name, from the key word before it and what follows."""
    key, separator = state[_KEY], state[_SEPARATOR]
    if key & STRONG and separator == _SPACE:
        return end - start <= 64
    if key & (KEY_USER | KEY_FOR) == 0 or not _looks_like_user(buffer, start, end):
        return False
    if separator & _BRACKET and (end >= stop or not _closes(buffer[end])):
        return False
    if separator & _EQUALS:
        return key & KEY_USER != 0 and separator & _SPACE == 0
    if word & SKIP:
        return False
    if key & KEY_USER:
        return separator & (_COLON | _OTHER | _BRACKET) != 0 or _followed(buffer, end, stop, words, classes, False)
    return separator & _SPACE != 0 and _followed(buffer, end, stop, words, classes, True)


@compiled
def _request_end(buffer: Bytes, start: int, stop: int) -> int:
    """The closing quote of the quoted text opening at `start`, or -1."""
    for i in range(start + 1, stop):
        if buffer[i] == 34 and buffer[i - 1] != 92:
            return i
    return -1


@compiled
def _is_request(buffer: Bytes, start: int, close: int, stop: int) -> bool:
    """Whether a quoted text is followed by a three-digit status, as in access logs."""
    if close + 4 >= stop or buffer[close + 1] != 32:
        return False
    for i in range(close + 2, close + 5):
        if not 48 <= buffer[i] <= 57:
            return False
    return close + 5 >= stop or buffer[close + 5] == 32


@compiled
def _set(entities: Hashes, spans: Integers, which: int, buffer: Bytes, start: int, end: int, origin: int) -> None:
    if entities[which] == 0:
        entities[which] = hash_bytes(buffer, start, end)
        spans[2 * which] = start - origin
        spans[2 * which + 1] = end - origin


@compiled
def _write_request(
    buffer: Bytes, start: int, close: int, out: Bytes, o: int, entities: Hashes, spans: Integers, origin: int
) -> int:
    """Write `"METHOD <PATH>"` for a request, `"<STR>"` for rubbish in its place; the path is the parameter."""
    i = start + 1
    out[o] = 34
    o += 1
    while i < close and 65 <= buffer[i] <= 90:
        i += 1
    if 3 <= i - start - 1 <= 9 and i < close and buffer[i] == 32:
        for j in range(start + 1, i + 1):
            out[o] = buffer[j]
            o += 1
        j = i + 1
        while j < close and buffer[j] != 32 and buffer[j] != 63:
            j += 1
        _set(entities, spans, PARAM, buffer, i + 1, j, origin)
        o = put(out, o, 5)
    else:
        o = put(out, o, 7)
    out[o] = 34
    return o + 1


@compiled
def _quoted(
    buffer: Bytes,
    i: int,
    stop: int,
    out: Bytes,
    o: int,
    entities: Hashes,
    spans: Integers,
    origin: int,
    state: Integers,
    patterns: Bytes,
    starts: Integers,
) -> tuple[int, int]:
    """Write a quoted text that is a request or opaque; returns (next input, next output), input unmoved if neither."""
    close = stop - 1 if state[_REQUEST] else _request_end(buffer, i, stop)  # referrer and agent are one text
    if close < 0:
        return i, o
    if _is_request(buffer, i, close, stop):
        state[_STATUS] = 1
        state[_REQUEST] = 1
        o = _write_request(buffer, i, close, out, o, entities, spans, origin)
    else:
        spaces = 0
        for j in range(i + 1, close):
            spaces += buffer[j] == 32
        opaque = state[_REQUEST] or close - i > (80 if spaces else 60)
        if not opaque:
            state[_QUOTE_END] = close
            return i, o
        out[o] = 34
        o = put(out, o + 1, 7)
        out[o] = 34
        o += 1
    if has_pattern(buffer, i, close, patterns, starts):
        state[_SENSITIVE] = 1
    return close + 1, o


@compiled
def _is_host(buffer: Bytes, start: int, end: int) -> bool:
    dots = 0
    for i in range(start, end):
        c = buffer[i]
        if c == 46 and start < i < end - 1:
            dots += 1
        elif not (48 <= c <= 57 or 97 <= c <= 122 or 65 <= c <= 90 or c == 45):
            return False
    return dots >= 1


@compiled
def _delimiter(c: int, state: Integers) -> None:
    """Remember what stands between a key word and the run after it."""
    if c == 61:
        state[_SEPARATOR] |= _EQUALS
    elif c == 32 or c == 9:
        state[_SEPARATOR] |= _TWO_SPACES if state[_SEPARATOR] & _SPACE else _SPACE
    elif c == 44 or c == 59:
        state[_KEY] = 0
    elif c != 34 and c != 39:
        state[_SEPARATOR] |= _BRACKET
    else:
        state[_SEPARATOR] |= _OTHER


@compiled
def _special(
    buffer: Bytes,
    a: int,
    b: int,
    stop: int,
    out: Bytes,
    o: int,
    entities: Hashes,
    spans: Integers,
    origin: int,
    state: Integers,
    words: Hashes,
    classes: Integers,
    word: int,
) -> int:
    """Write a run whose meaning comes from the key before it (user, host, status); returns -1 when it is none of these."""
    key = state[_KEY]
    if _is_user(buffer, a, b, stop, state, words, classes, word):
        _set(entities, spans, USER, buffer, a, b, origin)
        return put(out, o, 6)
    letter = 97 <= buffer[b - 1] | 32 <= 122
    if key & KEY_HOST and letter and state[_SEPARATOR] & _BRACKET == 0 and _is_host(buffer, a, b):
        _set(entities, spans, IP, buffer, a, b, origin)
        return put(out, o, 8)
    if state[_STATUS] == 1 or key & KEY_STATUS:
        digits = 0
        for i in range(a, b):
            digits += 48 <= buffer[i] <= 57
        if digits == b - a and digits <= 3:
            if state[_STATUS] == 1:
                out[o] = 83  # S404; but of those that say little more than their class, S2xx
                o += 1
                if digits == 3 and not (buffer[a] == 52 and (buffer[a + 2] == 49 or buffer[a + 2] == 51)):
                    out[o], out[o + 1], out[o + 2] = buffer[a], 120, 120
                    state[_STATUS] = 0
                    return o + 3
            for i in range(a, b):
                out[o] = buffer[i]
                o += 1
            state[_STATUS] = 0
            return o
    state[_STATUS] = 0
    if key & (KEY_PORT | KEY_PARAM) and (key & KEY_PARAM or state[_BEFORE] == 0) and 48 <= buffer[a] <= 57:
        if key & KEY_PARAM and entities[PARAM] != 0 and spans[2 * PARAM + 1] < a - origin:
            entities[PARAM] = 0
        _set(entities, spans, PARAM, buffer, a, b, origin)
    return -1


@compiled
def _url_end(buffer: Bytes, start: int, end: int, stop: int) -> int:
    """Where a run ends: one with `://` goes on to the next blank, quote or bracket."""
    if end >= stop or end - start < 5 or (buffer[end] != 61 and buffer[end] != 44 and buffer[end] != 59):
        return end
    for i in range(start, end - 2):
        if buffer[i] == 58 and buffer[i + 1] == 47 and buffer[i + 2] == 47:
            while end < stop and (not _is_delimiter(buffer[end]) or buffer[end] in (61, 44, 59)):
                end += 1
            break
    return end


@compiled
def _scan_one(
    buffer: Bytes,
    start: int,
    stop: int,
    out: Bytes,
    o: int,
    entities: Hashes,
    spans: Integers,
    numbers: Floats,
    state: Integers,
    words: Hashes,
    classes: Integers,
    patterns: Bytes,
    starts: Integers,
    counts: Integers,
) -> int:
    i = start
    while i < stop:
        c = buffer[i]
        if c == 34 and i != state[_QUOTE_END]:
            j, o = _quoted(buffer, i, stop, out, o, entities, spans, start, state, patterns, starts)
            if j > i:
                i = j
                continue
        if _is_delimiter(c):
            out[o] = 32 if c < 32 else c
            o += 1
            i += 1
            _delimiter(c, state)
            continue
        j = i
        while j < stop and not _is_delimiter(buffer[j]):
            j += 1
        j = _url_end(buffer, i, j, stop)
        b = j
        while b > i + 1 and (buffer[b - 1] == 58 or buffer[b - 1] == 46 or buffer[b - 1] == 33 or buffer[b - 1] == 63):
            b -= 1
        if b == i + 1 and c == 58:  # the colon between a quoted key and its value
            out[o] = c
            o += 1
            i = j
            state[_SEPARATOR] |= _COLON
            continue
        word = _word_class(buffer, i, b, words, classes)
        if word & NAME and state[_KEY] & KEY_USER:
            word |= KEY_USER
        seen = entities[IP] != 0, entities[USER] != 0
        p = _special(buffer, i, b, stop, out, o, entities, spans, start, state, words, classes, word)
        if p < 0:
            p = write_run(buffer, i, b, out, o, entities, spans, start, numbers, state, patterns, starts, counts)
        o = p
        for k in range(b, j):
            out[o] = buffer[k]
            o += 1
        if word & (KEY_PORT | KEY_PARAM) == 0:
            state[_BEFORE] = int(seen[0] != (entities[IP] != 0) or seen[1] != (entities[USER] != 0))
        state[_KEY] = word | STRONG if word & KEY_USER and state[_KEY] & QUALIFIER else word
        state[_SEPARATOR] = _COLON if b < j else 0
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
    words: Hashes,
    classes: Integers,
    patterns: Bytes,
    starts: Integers,
) -> None:
    """Scan lines buffer[offsets[i]:offsets[i+1]].

    Fills `out` with the masked texts (line i at out_offsets[i]:out_offsets[i+1]; up to 4 bytes a byte and 16 a line),
    `masked` with their hashes, `entities` (n, 4) with the hashes of the first address, user, session and parameter
    (0 = none), `spans` (n, 8) with where they stand, `numbers` (n, 4) with the first measures (NaN = none), and
    `sensitive` with 1 where a masked part holds a sensitive text.
    """
    state = np.zeros(SCRATCH, np.int64)
    counts = np.zeros(10, np.int64)
    o = 0
    out_offsets[0] = 0
    for i in range(len(offsets) - 1):
        start, stop = offsets[i], min(offsets[i + 1], offsets[i] + MAX_SCAN_BYTES)
        state[:] = 0
        entities[i, :] = 0
        spans[i, :] = 0
        numbers[i, :] = np.nan
        begin = o
        o = _scan_one(
            buffer,
            start,
            stop,
            out,
            o,
            entities[i],
            spans[i],
            numbers[i],
            state,
            words,
            classes,
            patterns,
            starts,
            counts,
        )
        sensitive[i] = state[_SENSITIVE]
        out_offsets[i + 1] = o
        masked[i] = hash_bytes(out, begin, o)
