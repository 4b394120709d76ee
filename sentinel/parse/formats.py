"""All formats in their order."""

from collections.abc import Iterable, Iterator
from typing import Final

from sentinel.parse import access, applog, logfmt, marked, proxies, stamps, systems
from sentinel.parse.frames import FRAMES
from sentinel.parse.in_use import reading
from sentinel.parse.rules import UPPER, Rule

__all__ = ["BODIES", "LINE_RULES", "bodies", "line_rules", "names_of"]

_DATES: Final = (
    Rule(
        "month-day-year",
        rf"^(?P<head>{stamps.LAYOUTS['month-day-year']}(?::?[ \t]+|$))",
        UPPER,
        rest=applog.AFTER_TIME,
        timed=True,
        unless=r"^[^|;]{0,40}[0-9] [AP]M[|;]",  # no blank behind it: the general reader sees the whole time
    ),
    Rule("month-day", rf"^(?P<head>{stamps.MONTH_DAY}:? )", UPPER, rest=applog.AFTER_TIME, timed=True),
)
BODIES: Final[tuple[Rule, ...]] = (
    *marked.RULES,
    *proxies.RULES,
    *_DATES,
    *systems.RULES,
    *applog.RULES,
    *access.RULES,
    *access.ERROR_RULES,
    logfmt.PIPED,
    logfmt.RULE,
    *applog.BARE_RULES,
)
"""All formats of a line without its frame, in the order in which it is offered to them."""
LINE_RULES: Final[tuple[Rule, ...]] = (*FRAMES, *BODIES)
"""The same for a text that may have a frame of its own."""

_BEHIND: Final[dict[int, tuple[tuple[Rule, ...], tuple[Rule, ...]]]] = {}


def bodies() -> tuple[Rule, ...]:
    """BODIES behind the user's own formats."""
    return _behind(reading().formats, BODIES)


def line_rules() -> tuple[Rule, ...]:
    """LINE_RULES behind the user's own formats."""
    return _behind(reading().formats, LINE_RULES)


def _behind(own: tuple[Rule, ...], rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The same table each time, for the user's formats as they are: what is derived of it is kept by its id."""
    known = _BEHIND.get(id(rules))
    if known is None or known[0] is not own:
        known = _BEHIND[id(rules)] = own, (*own, *rules)
    return known[1]


def names_of(rules: Iterable[Rule]) -> Iterator[str]:
    """The names by which lines are known that these rules read; what stands behind a time has one of its own."""
    for rule in rules:
        yield rule.name
        if rule.timed:
            yield from names_of(rule.rest)
