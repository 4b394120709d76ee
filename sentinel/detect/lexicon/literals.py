"""Which plain texts must stand in whatever a pattern matches: patterns whose texts are absent are never tried.

The idea is that of an index of trigrams for regular expressions (Russ Cox, "Regular Expression Matching with a Trigram
Index", 2012). What is not understood asks for nothing, so a pattern is then always tried.
"""

from collections.abc import Iterator

from sentinel.detect.tuning.lexicon import MIN_LITERAL

__all__ = ["MIN_LITERAL", "alternatives", "literals_of"]

_HEX_DIGITS = {"x": 2, "u": 4, "U": 8}  # after \\x, \\u, \\U
_OPTIONAL = ("?", "*", "{0")

Literals = tuple[frozenset[str], ...]
"""Every match holds one of each of these sets, the set that is met least often first; empty where nothing is known."""


def alternatives(pattern: str) -> Iterator[str]:
    """The parts of a pattern between the bars that stand outside of all groups."""
    depth, begin, i = 0, 0, 0
    while i < len(pattern):
        c = pattern[i]
        if c == "[":
            i = _class_end(pattern, i)
            continue
        depth += (c == "(") - (c == ")")
        if c == "|" and depth == 0:
            yield pattern[begin:i]
            begin = i + 1
        i += 2 if c == "\\" else 1
    yield pattern[begin:]


def literals_of(pattern: str) -> Literals:
    """Sets of texts: every match of the pattern holds at least one text of each."""
    return tuple(sorted(_read(pattern, 0)[0], key=_rank, reverse=True))


def _rank(found: frozenset[str]) -> tuple[int, int]:
    """High for what is met seldom: long texts, then few."""
    return min(4, *map(len, found)), -len(found)


def _class_end(pattern: str, i: int) -> int:
    """Where the class that begins at `i` has ended."""
    i += 2 if pattern[i + 1] == "^" else 1
    i += pattern[i] == "]"
    while pattern[i] != "]":
        i += 2 if pattern[i] == "\\" else 1
    return i + 1


def _read(pattern: str, i: int) -> tuple[Literals, int]:
    """The literals of a group's alternatives, and the place after it: of several, the best set of each together."""
    parts: list[Literals] = []
    while True:
        found, i = _sequence(pattern, i)
        parts.append(found)
        if i >= len(pattern) or pattern[i] == ")":
            break
        i += 1  # the bar
    if len(parts) == 1:
        return parts[0], i + 1
    if not all(parts):
        return (), i + 1
    return (frozenset().union(*(max(part, key=_rank) for part in parts)),), i + 1


def _sequence(pattern: str, i: int) -> tuple[Literals, int]:
    """The literals of one alternative, and where it ends."""
    sets: list[frozenset[str]] = []
    run = ""
    while i < len(pattern) and pattern[i] not in "|)":
        literal, group, i = _atom(pattern, i)
        optional, i, repeated = _quantifier(pattern, i)
        if not optional:
            sets += group
        if literal and not optional:
            run += literal
        if not literal or optional or repeated:
            sets += _long_enough(run)
            run = ""
    return (*sets, *_long_enough(run)), i


def _atom(pattern: str, i: int) -> tuple[str, Literals, int]:
    """What stands at `i`: a letter, or a group's literals, or neither; and the place after it."""
    c = pattern[i]
    if c == "\\":
        escaped = pattern[i + 1]
        if escaped.isalnum():
            return "", (), i + 2 + _HEX_DIGITS.get(escaped, 0)
        return escaped, (), i + 2
    if c == "[":
        return "", (), _class_end(pattern, i)
    if c == "(":
        counts = pattern.startswith("(?:", i)
        start = i + 3 if pattern.startswith(("(?:", "(?=", "(?!"), i) else i + 4 if pattern[i + 1] == "?" else i + 1
        group, end = _read(pattern, start)
        return "", group if counts else (), end
    return ("" if c in ".^$" else c), (), i + 1


def _quantifier(pattern: str, i: int) -> tuple[bool, int, bool]:
    """(whether what came before may be absent, the place after the quantifier, whether there is one)."""
    if i >= len(pattern) or pattern[i] not in "?*+{":
        return False, i, False
    optional = pattern.startswith(_OPTIONAL, i)
    i = pattern.index("}", i) + 1 if pattern[i] == "{" else i + 1
    return optional, i + (pattern[i : i + 1] == "?"), True


def _long_enough(run: str) -> Literals:
    return (frozenset((run,)),) if len(run) >= MIN_LITERAL else ()
