"""What stands where an actor's name would and names nobody: unspecified addresses, networks, versions, placeholders."""

import numpy as np

from sentinel.detect.kernel.hashing import hash_text, lower_hash
from sentinel.detect.kernel.jit import Bytes, compiled
from sentinel.detect.read.scan_buffers import ALNUM, CLASSES, DIGIT

__all__ = ["is_no_address", "is_no_user"]

_VERSIONS = "version ver firmware build versao versão versión versione"
_NOBODY = "null nil none undefined redacted filtered masked hidden removed"
"""What Rails, Java, JavaScript, Python and those who mask write where there is no name, or none that may be shown."""


def _hashes(words: str) -> "np.ndarray[tuple[int], np.dtype[np.uint64]]":
    return np.array([hash_text(word) for word in words.split()], np.uint64)


_VERSION_WORDS, _NOBODY_WORDS = _hashes(_VERSIONS), _hashes(_NOBODY)
_MAX_NOBODY = max(len(word) for word in _NOBODY.split())


@compiled
def is_no_address(buffer: Bytes, a: int, b: int, origin: int, stop: int) -> bool:
    """Whether the address buffer[a:b] of the line buffer[origin:stop] is nobody's.

    Such are `0.0.0.0` and `::` (unspecified, RFC 6890), from 255 on (masks, broadcast), a network (`10.0.0.0/8`, a
    prefix behind a last part of 0), and a version (`version 1.2.3.4`, `Chrome/139.0.0.0`).
    """
    if _is_unspecified(buffer, a, b):
        return True
    if buffer[a + 1] == 53 and buffer[a] == 50 and buffer[a + 2] == 53 and buffer[a + 3] == 46:  # 255.
        return True
    ends_in_zero = buffer[b - 1] == 48 and buffer[b - 2] == 46
    if ends_in_zero and b + 1 < stop and buffer[b] == 47 and CLASSES[buffer[b + 1]] & DIGIT:
        return True
    if a > origin + 1 and buffer[a - 1] == 47 and CLASSES[buffer[a - 2]] & (ALNUM | DIGIT) == ALNUM:
        return bool(ends_in_zero and buffer[b - 3] == 48 and buffer[b - 4] == 46)
    return _is_version(buffer, a, origin)


@compiled
def _is_unspecified(buffer: Bytes, a: int, b: int) -> bool:
    """Whether an address is all zeros."""
    for i in range(a, b):
        if buffer[i] not in (46, 48, 58):
            return False
    return True


@compiled
def _is_version(buffer: Bytes, a: int, origin: int) -> bool:
    """Whether the word before buffer[a] says that a version follows."""
    end = a
    while end > origin and buffer[end - 1] in (32, 34, 40, 58, 61):  # blank " ( : =
        end -= 1
    start = end
    while start > origin and (97 <= buffer[start - 1] | 32 <= 122 or buffer[start - 1] >= 128):
        start -= 1
    return end < a and end > start and _is_one_of(lower_hash(buffer, start, end), _VERSION_WORDS)


@compiled
def _is_one_of(found: np.uint64, words: "np.ndarray[tuple[int], np.dtype[np.uint64]]") -> bool:
    for k in range(len(words)):
        if words[k] == found:
            return True
    return False


@compiled
def is_no_user(buffer: Bytes, a: int, b: int, origin: int, stop: int) -> bool:
    """Whether buffer[a:b] in a user's place is what masking put there (`<CARD>`, `[FILTERED]`), or says that there is
    none (`null`)."""
    if b - a <= _MAX_NOBODY and _is_one_of(lower_hash(buffer, a, b), _NOBODY_WORDS):
        return True
    if a == origin or b >= stop or buffer[a - 1] != 60 or buffer[b] != 62:
        return False
    for i in range(a, b):
        if not (65 <= buffer[i] <= 90 or buffer[i] == 95):
            return False
    return True
