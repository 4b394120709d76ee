"""Patterns for texts in small letters: `re` is three times as slow where it has to ignore the case."""

import re

__all__ = ["small"]

_ESCAPE_OR_CAPITAL = re.compile(r"\\.|[A-Z]")


def small(pattern: str) -> re.Pattern[str]:
    """Compile a pattern, whose letters stand for both cases, for search in `text.lower()`.

    It finds what the pattern with `re.IGNORECASE` finds in the text itself, but for letters beyond ASCII that have no
    single small one. Escapes (`\\S`) stay as they are; groups may have no name with a capital letter.
    """
    return re.compile(_ESCAPE_OR_CAPITAL.sub(_lowered, pattern))


def _lowered(found: re.Match[str]) -> str:
    text = found[0]
    return text if text[0] == "\\" else text.lower()
