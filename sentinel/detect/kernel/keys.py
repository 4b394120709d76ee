"""The kinds of keys that tables hold: each is mixed into a key's hash, so that no two kinds ever share a place."""

from enum import IntEnum

__all__ = ["Key"]


class Key(IntEnum):
    """What a key stands for. The numbers are in saved states: none may change."""

    # in the table `core`
    TEMPLATE = 0
    SOURCE = 1
    TEMPLATE_SOURCE = 2
    LEVEL_SOURCE = 3
    AFTER = 4
    BEFORE = 5
    AFTER_SESSION = 6
    BEFORE_SESSION = 7
    SOURCE_BAD = 8
    ALL_BAD = 9
    SOURCE_FAILURES = 10
    NUMBERS = 11
    PROBE = 12
    # in the table `edge`
    ACTOR = 32
    ACTOR_TEMPLATE = 33
    SESSION = 34
    FAILURES = 35
    USER = 36
    TEMPLATE_USER = 37
    ACTOR_USER = 38
    ACTOR_PARAM = 39
    FAILING_USER = 40
    GUESSED_USER = 42
    KNOWN = 43
    USUAL = 44
    # no place in a table: a process of a source, as a session
    PROCESS = 50
    # in the table `habits`
    TEMPLATE_HABIT = 64
    SOURCE_HABIT = 65
    OUTCOME = 66
    NIGHTLY_HABIT = 67
