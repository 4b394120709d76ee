"""Runs whose meaning comes from the word before them: users, hosts, ports, status codes."""

from sentinel.detect.kernel.hashing import lower_hash
from sentinel.detect.kernel.jit import Bytes, compiled
from sentinel.detect.lexicon.words import (
    FOLLOW,
    FOLLOW_FOR,
    KEY_CLASSES,
    KEY_FOR,
    KEY_HASHES,
    KEY_HOST,
    KEY_PARAM,
    KEY_PORT,
    KEY_STATUS,
    KEY_USER,
    SKIP,
    STRONG,
)
from sentinel.detect.read.nobody import is_no_user
from sentinel.detect.read.scan_buffers import (
    AFTER_ENTITY,
    CLASSES,
    DELIMITER,
    DIGIT,
    HOST,
    IP,
    KEY,
    ORIGIN,
    PARAM,
    ROW,
    SEPARATOR,
    STATUS_NEXT,
    STOP,
    USER,
    USER_TOKEN,
    ScanBuffers,
    copy,
    keep,
    put,
)
from sentinel.detect.tuning.lexicon import MAX_KEY_BYTES
from sentinel.detect.tuning.read import MAX_USER_BYTES

__all__ = ["BRACKET", "COLON", "EQUALS", "OTHER", "SPACE", "TWO_SPACES", "word_class", "write_announced"]

EQUALS, SPACE, COLON, OTHER, BRACKET, TWO_SPACES = 1, 2, 4, 8, 16, 32  # bits of what stands after a key word
_LAST = len(KEY_HASHES) - 1


@compiled
def word_class(buffer: Bytes, a: int, b: int) -> int:
    """The bits of a key word (`words.py`), 0 for any other."""
    if b - a > MAX_KEY_BYTES or b == a or not 97 <= buffer[a] | 32 <= 122:
        return 0
    h = lower_hash(buffer, a, b)
    i = int(h) & _LAST
    while KEY_HASHES[i] != 0:
        if KEY_HASHES[i] == h:
            return int(KEY_CLASSES[i])
        i = (i + 1) & _LAST
    return 0


@compiled
def _followed(buffers: ScanBuffers, at: int, strict: bool) -> bool:
    """Whether what comes after a possible user name is what comes after user names."""
    buffer, stop = buffers.buffer, buffers.state[STOP]
    if at < stop and buffer[at] in (34, 39):  # the quote that ends the name
        at += 1
    if at < stop and buffer[at] in (44, 58, 59):  # , : ;
        return not strict
    i = at
    while i < stop and buffer[i] == 32:
        i += 1
    if i >= stop or buffer[i] in (40, 91) or CLASSES[buffer[i]] & DIGIT:  # nothing, ( [ or an address
        return not strict
    j = i
    while j < stop and CLASSES[buffer[j]] & DELIMITER == 0 and buffer[j] != 58:
        j += 1
    return word_class(buffer, i, j) & (FOLLOW_FOR if strict else FOLLOW) != 0


@compiled
def _looks_like_user(buffer: Bytes, a: int, b: int) -> bool:
    c = buffer[a]
    if b - a > MAX_USER_BYTES or not (97 <= c | 32 <= 122 or c == 95 or c >= 128):
        return False
    for i in range(a, b):
        if buffer[i] in (47, 58):  # a path, a name with a colon
            return False
    return True


@compiled
def _names_an_address(buffers: ScanBuffers, at: int) -> bool:
    """Whether what stands before `at` says what the quoted figure after it is: `FAIL LOGIN: Client "10.0.0.7"`."""
    buffer = buffers.buffer
    if at + 2 >= buffers.state[STOP] or buffer[at] != 32 or buffer[at + 1] != 34:
        return False
    return CLASSES[buffer[at + 2]] & DIGIT != 0


@compiled
def _is_user(buffers: ScanBuffers, a: int, b: int, word: int) -> bool:
    """Whether the run buffer[a:b] is a user's name, from the key word before it and what follows."""
    buffer, key, separator = buffers.buffer, buffers.state[KEY], buffers.state[SEPARATOR]
    if key & STRONG and separator == SPACE:
        return b - a <= MAX_USER_BYTES
    if key & (KEY_USER | KEY_FOR) == 0 or not _looks_like_user(buffer, a, b):
        return False
    if separator & BRACKET and (b >= buffers.state[STOP] or buffer[b] not in (41, 62, 93, 125)):
        return False
    if separator & EQUALS:
        return key & KEY_USER != 0 and separator & SPACE == 0
    if word & SKIP:
        return False
    if key & KEY_USER:
        if separator & COLON and _names_an_address(buffers, b):
            return False
        return separator & (COLON | OTHER | BRACKET) != 0 or _followed(buffers, b, False)
    return separator & SPACE != 0 and _followed(buffers, b, True)


@compiled
def _is_host(buffer: Bytes, a: int, b: int) -> bool:
    """Whether buffer[a:b] is a host's name: letters, digits, dashes, and a dot inside; a letter at the end."""
    if not 97 <= buffer[b - 1] | 32 <= 122:
        return False
    dots = 0
    for i in range(a, b):
        c = buffer[i]
        if c == 46 and i > a:
            dots += 1
        elif not (48 <= c <= 57 or 97 <= c | 32 <= 122 or c == 45):
            return False
    return dots >= 1


@compiled
def _write_status(buffers: ScanBuffers, a: int, b: int, o: int) -> int:
    """Write a status or exit code as it is, an HTTP status by its class (S4xx) unless it is about log-ins; else -1."""
    buffer = buffers.buffer
    if b - a > 3:
        return -1
    for i in range(a, b):
        if CLASSES[buffer[i]] & DIGIT == 0:
            return -1
    if buffers.state[STATUS_NEXT] == 0:
        return copy(buffers, a, b, o)
    buffers.out[o] = 83  # S
    if b - a == 3 and not (buffer[a] == 52 and buffer[a + 2] in (49, 51)):  # all but 401 and 403
        buffers.out[o + 1], buffers.out[o + 2], buffers.out[o + 3] = buffer[a], 120, 120
        return o + 4
    return copy(buffers, a, b, o + 1)


@compiled
def _keep_port(buffers: ScanBuffers, a: int, b: int) -> None:
    """Keep a port that is aimed at: one that a key calls so (also over an earlier one), or that no address precedes."""
    state, key = buffers.state, buffers.state[KEY]
    if CLASSES[buffers.buffer[a]] & DIGIT == 0 or (key & KEY_PARAM == 0 and state[AFTER_ENTITY] != 0):
        return
    if key & KEY_PARAM and buffers.spans[state[ROW], 2 * PARAM + 1] < a - state[ORIGIN]:
        buffers.entities[state[ROW], PARAM] = 0
    keep(buffers, PARAM, a, b)


@compiled
def write_announced(buffers: ScanBuffers, a: int, b: int, o: int, word: int) -> int:
    """Write the run buffer[a:b] if the word before it says what it is; returns the next place in `out`, -1 if not."""
    state = buffers.state
    key = state[KEY]
    if key & (KEY_USER | KEY_FOR | STRONG) and _is_user(buffers, a, b, word):
        if not is_no_user(buffers.buffer, a, b, state[ORIGIN], state[STOP]):
            keep(buffers, USER, a, b)
        return put(buffers, o, USER_TOKEN)
    if key & KEY_HOST and state[SEPARATOR] & BRACKET == 0 and _is_host(buffers.buffer, a, b):
        keep(buffers, IP, a, b)
        return put(buffers, o, HOST)
    if state[STATUS_NEXT] or key & KEY_STATUS:
        written = _write_status(buffers, a, b, o)
        state[STATUS_NEXT] = 0
        if written >= 0:
            return written
    if key & (KEY_PORT | KEY_PARAM):
        _keep_port(buffers, a, b)
    return -1
