"""64-bit hashes of bytes and of pairs, the same in compiled and in plain code, across runs and machines."""

import numpy as np

from sentinel.detect.kernel.jit import Bytes, compiled

__all__ = ["NONE", "hash_bytes", "hash_text", "lower_hash", "mix"]

NONE = np.uint64(0)
"""No address, no user, no session, an empty place: the hash of nothing."""

_MASK = 0xFFFFFFFFFFFFFFFF
_OFFSET = np.uint64(0xCBF29CE484222325)  # FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/
_PRIME = np.uint64(0x100000001B3)
_M1 = np.uint64(0xBF58476D1CE4E5B9)  # finaliser of splitmix64, https://prng.di.unimi.it/splitmix64.c
_M2 = np.uint64(0x94D049BB133111EB)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_S27, _S30, _S31 = np.uint64(27), np.uint64(30), np.uint64(31)
_ONE, _ZERO = np.uint64(1), np.uint64(0)


@compiled
def _finish(h: np.uint64) -> np.uint64:
    h = (h ^ (h >> _S30)) * _M1
    h = (h ^ (h >> _S27)) * _M2
    h = h ^ (h >> _S31)
    return h if h != _ZERO else _ONE  # 0 means "none" and "empty slot" everywhere


@compiled
def hash_bytes(buffer: Bytes, start: int, end: int) -> np.uint64:
    """Hash buffer[start:end]; never 0."""
    h = _OFFSET
    for i in range(start, end):
        h = (h ^ np.uint64(buffer[i])) * _PRIME
    return _finish(h)


@compiled
def lower_hash(buffer: Bytes, start: int, end: int) -> np.uint64:
    """Hash buffer[start:end] with ASCII letters made small; never 0."""
    h = _OFFSET
    for i in range(start, end):
        c = buffer[i]
        if 65 <= c <= 90:
            c += 32
        h = (h ^ np.uint64(c)) * _PRIME
    return _finish(h)


@compiled
def mix(tag: int, first: np.uint64, second: np.uint64) -> np.uint64:
    """One key from a kind of table (a small number) and two hashes, order counting; never 0."""
    h = _finish(first + np.uint64(tag) * _GOLDEN)
    return _finish((h ^ second) * _GOLDEN + second)


def hash_text(text: str) -> int:
    """`hash_bytes` of a text's UTF-8, in plain integers; never 0."""
    h = int(_OFFSET)
    for byte in text.encode("utf-8", "surrogatepass"):
        h = ((h ^ byte) * int(_PRIME)) & _MASK
    h = ((h ^ (h >> 30)) * int(_M1)) & _MASK
    h = ((h ^ (h >> 27)) * int(_M2)) & _MASK
    return (h ^ (h >> 31)) or 1
