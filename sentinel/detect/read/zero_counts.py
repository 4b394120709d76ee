"""Tell a zero that counts trouble (`0 errors`, `failed_jobs=0`) from other numbers: it says that there is none."""

from sentinel.detect.kernel.jit import Bytes, compiled
from sentinel.detect.lexicon.words import TROUBLE_BYTES, TROUBLE_STARTS
from sentinel.detect.read.scan_buffers import ALNUM, CLASSES, DIGIT, small
from sentinel.detect.tuning.read import MAX_LINK_BYTES, MAX_SIGNS, WORDS_AHEAD, WORDS_BEHIND

__all__ = ["counts_no_trouble"]

_BLANK, _DOT, _ZERO, _PERCENT, _COMMA = 32, 46, 48, 37, 44


@compiled
def _is_zero(buffer: Bytes, a: int, b: int) -> bool:
    zeros = 0
    for i in range(a, b):
        zeros += buffer[i] in (_ZERO, _DOT, _COMMA)
    return zeros == b - a


@compiled
def _figure(buffer: Bytes, origin: int, a: int, b: int, stop: int) -> tuple[int, int]:
    """The bounds of a number with its decimals after a comma, of which buffer[a:b] is one side."""
    if a > origin + 1 and buffer[a - 1] == _COMMA and CLASSES[buffer[a - 2]] & DIGIT:
        a -= 1
        while a > origin and CLASSES[buffer[a - 1]] & DIGIT:
            a -= 1
    if b + 1 < stop and buffer[b] == _COMMA and CLASSES[buffer[b + 1]] & DIGIT:
        b += 1
        while b < stop and CLASSES[buffer[b]] & DIGIT:
            b += 1
    return a, b


@compiled
def _is_word(c: int) -> bool:
    return CLASSES[c] & ALNUM != 0 or c in (45, 95)  # - _


@compiled
def _names_trouble(buffer: Bytes, a: int, b: int) -> bool:
    """Whether a part of the word buffer[a:b] begins as a word for trouble: at its start, after a sign, at a capital."""
    for i in range(a, b):
        c = buffer[i]
        if i > a and CLASSES[buffer[i - 1]] & ALNUM and not (65 <= c <= 90 and buffer[i - 1] >= 97):
            continue
        for k in range(len(TROUBLE_STARTS) - 1):
            start, length = TROUBLE_STARTS[k], TROUBLE_STARTS[k + 1] - TROUBLE_STARTS[k]
            j = 0
            while i + j < b and j < length and small(buffer[i + j]) == TROUBLE_BYTES[start + j]:
                j += 1
            if j == length:
                return True
    return False


@compiled
def _ahead(buffer: Bytes, i: int, stop: int) -> bool:
    """Whether one of the words right after a number names trouble."""
    if i + 1 < stop and buffer[i] == _BLANK and buffer[i + 1] == _PERCENT:
        i += 1
    if i < stop and buffer[i] == _PERCENT:
        i += 1
    for _ in range(WORDS_AHEAD):
        if i < stop and buffer[i] == _BLANK:
            i += 1
        j = i
        while j < stop and _is_word(buffer[j]):
            j += 1
        if j == i:
            return False
        if _names_trouble(buffer, i, j):
            return True
        i = j
    return False


@compiled
def _behind(buffer: Bytes, origin: int, i: int) -> bool:
    """Whether what a number belongs to names trouble: the word before it, or one before that behind a sign."""
    j, linked = i, False
    while j > origin and i - j < MAX_SIGNS and buffer[j - 1] in (_BLANK, 34, 39, 40, 58, 61, 91):  # blank " ' ( : = [
        j -= 1
        linked |= buffer[j] in (58, 61)
    for _ in range(WORDS_BEHIND):
        k = j
        while k > origin and _is_word(buffer[k - 1]):
            k -= 1
        if k == j:
            return False
        if _names_trouble(buffer, k, j):
            return True
        linked |= j - k <= MAX_LINK_BYTES
        if not linked or k == origin or buffer[k - 1] != _BLANK:
            return False
        j = k - 1
    return False


@compiled
def counts_no_trouble(buffer: Bytes, origin: int, a: int, b: int, stop: int) -> bool:
    """Whether the number buffer[a:b] of the line buffer[origin:stop] is a zero beside a word for trouble."""
    a, b = _figure(buffer, origin, a, b, stop)
    return _is_zero(buffer, a, b) and (_behind(buffer, origin, a) or _ahead(buffer, b, stop))
