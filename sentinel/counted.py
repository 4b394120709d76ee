"""How many of what, as a person says it: a number with its noun in the singular or the plural."""

import re
from collections.abc import Mapping

__all__ = ["CHOICE", "counted", "filled"]

CHOICE = re.compile(r"\{(\w+)\|([^|{}]*)\|([^|{}]*)\}")
"""Words of a text that a figure chooses, of one and of any other number: `{count} {count|line|lines}`."""


def counted(count: int, one: str, more: str | None = None) -> str:
    """The number, thousands parted, and what is counted; `more` where the plural is not `one` with an s.

    >>> counted(1, "line"), counted(1_204, "line"), counted(0, "record waits", "records wait")
    ('1 line', '1,204 lines', '0 records wait')
    """
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def filled(text: str, figures: Mapping[str, object]) -> str:
    """The text with its figures, and with the words that they choose. Raises KeyError for a figure that is not given.

    >>> filled("{n} {n|line|lines}", {"n": 1}), filled("{n} {n|line|lines}", {"n": "1,204"})
    ('1 line', '1,204 lines')
    """
    return CHOICE.sub(lambda found: found[2] if str(figures[found[1]]) == "1" else found[3], text).format(**figures)
