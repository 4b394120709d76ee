"""Runs whose meaning comes from the word before them: users, hosts, ports, status codes."""

from sentinel.detect.hashing import lower_hash
from sentinel.detect.jit import Bytes, compiled
from sentinel.detect.sheet import (
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
    Sheet,
    copy,
    keep,
    put,
)
from sentinel.detect.words import (
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
    MAX_KEY_BYTES,
    SKIP,
    STRONG,
)

__all__ = ["BRACKET", "COLON", "EQUALS", "OTHER", "SPACE", "TWO_SPACES", "word_class", "write_announced"]

EQUALS, SPACE, COLON, OTHER, BRACKET, TWO_SPACES = 1, 2, 4, 8, 16, 32  # bits of what stands after a key word
MAX_USER_BYTES = 64
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
def _followed(sheet: Sheet, at: int, strict: bool) -> bool:
    """Whether what comes after a possible user name is what comes after user names."""
    buffer, stop = sheet.buffer, sheet.state[STOP]
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
def _is_user(sheet: Sheet, a: int, b: int, word: int) -> bool:
    """Whether the run buffer[a:b] is a user's name, from the key word before it and what follows."""
    buffer, key, separator = sheet.buffer, sheet.state[KEY], sheet.state[SEPARATOR]
    if key & STRONG and separator == SPACE:
        return b - a <= MAX_USER_BYTES
    if key & (KEY_USER | KEY_FOR) == 0 or not _looks_like_user(buffer, a, b):
        return False
    if separator & BRACKET and (b >= sheet.state[STOP] or buffer[b] not in (41, 62, 93, 125)):
        return False
    if separator & EQUALS:
        return key & KEY_USER != 0 and separator & SPACE == 0
    if word & SKIP:
        return False
    if key & KEY_USER:
        return separator & (COLON | OTHER | BRACKET) != 0 or _followed(sheet, b, False)
    return separator & SPACE != 0 and _followed(sheet, b, True)


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
def _write_status(sheet: Sheet, a: int, b: int, o: int) -> int:
    """Write a status or exit code as it is, an HTTP status by its class (S4xx) unless it is about log-ins; else -1."""
    buffer = sheet.buffer
    if b - a > 3:
        return -1
    for i in range(a, b):
        if CLASSES[buffer[i]] & DIGIT == 0:
            return -1
    if sheet.state[STATUS_NEXT] == 0:
        return copy(sheet, a, b, o)
    sheet.out[o] = 83  # S
    if b - a == 3 and not (buffer[a] == 52 and buffer[a + 2] in (49, 51)):  # all but 401 and 403
        sheet.out[o + 1], sheet.out[o + 2], sheet.out[o + 3] = buffer[a], 120, 120
        return o + 4
    return copy(sheet, a, b, o + 1)


@compiled
def _keep_port(sheet: Sheet, a: int, b: int) -> None:
    """Keep a port that is aimed at: one that a key calls so (also over an earlier one), or that no address precedes."""
    state, key = sheet.state, sheet.state[KEY]
    if CLASSES[sheet.buffer[a]] & DIGIT == 0 or (key & KEY_PARAM == 0 and state[AFTER_ENTITY] != 0):
        return
    if key & KEY_PARAM and sheet.spans[state[ROW], 2 * PARAM + 1] < a - state[ORIGIN]:
        sheet.entities[state[ROW], PARAM] = 0
    keep(sheet, PARAM, a, b)


@compiled
def write_announced(sheet: Sheet, a: int, b: int, o: int, word: int) -> int:
    """Write the run buffer[a:b] if the word before it says what it is; returns the next place in `out`, -1 if not."""
    state = sheet.state
    key = state[KEY]
    if key & (KEY_USER | KEY_FOR | STRONG) and _is_user(sheet, a, b, word):
        keep(sheet, USER, a, b)
        return put(sheet, o, USER_TOKEN)
    if key & KEY_HOST and state[SEPARATOR] & BRACKET == 0 and _is_host(sheet.buffer, a, b):
        keep(sheet, IP, a, b)
        return put(sheet, o, HOST)
    if state[STATUS_NEXT] or key & KEY_STATUS:
        written = _write_status(sheet, a, b, o)
        state[STATUS_NEXT] = 0
        if written >= 0:
            return written
    if key & (KEY_PORT | KEY_PARAM):
        _keep_port(sheet, a, b)
    return -1
