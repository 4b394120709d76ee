"""The general reader: of a line that no rule knows, the time near its head, the tokens after it, the message."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from sentinel.parse import requests
from sentinel.parse.levels import leading_code, leading_word
from sentinel.parse.months import ANY_MONTH, ANY_WEEKDAY
from sentinel.parse.peel import Peel
from sentinel.parse.stamps import LAYOUTS
from sentinel.parse.tokens import SEPARATORS

__all__ = ["Head", "read_after_time", "read_line"]

OPENING: Final = " [(<\"'"
SEEN_CHARS: Final = 768
"""A head is not longer: what stands behind costs nothing."""
MAX_BEFORE: Final = 120
"""A time that begins later in a line is none of the line's."""
_GROUPS: Final = re.compile(r"\(\?P<\w+>")
_LETTERS_FIRST: Final = frozenset({"weekday-year", "month-day-year", "weekday", "month-day", "day-month-year"})
_ELSEWHERE: Final = frozenset({"date", "clock", "ordinal", "iso-week"})
"""Ways that are too common in prose to be looked for."""


def _stamp(ways: Iterable[str]) -> re.Pattern[str]:
    """A time in any of these ways, with what opens and closes it."""
    return re.compile(
        r"(?P<open>[\[(<\"']?) ?(?P<stamp>"
        + "|".join(f"(?:{_GROUPS.sub('(?:', way)})" for way in ways)
        + r")(?P<close>[\])>\"']?)(?=[\s\]),:;|/\[#-]|[A-Z\"]|$)"
    )


_DIGITS: Final = _stamp(
    (
        *(way for name, way in LAYOUTS.items() if name not in _ELSEWHERE and name != "weekday-year"),
        r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?(?: ?[AP]M)?|[12][0-9]{9}(?:\.[0-9]{1,9})?|[12][0-9]{12}",
    )
)
_LETTERS: Final = _stamp(way for name, way in LAYOUTS.items() if name in _LETTERS_FIRST)
_CLOCK: Final = re.compile(r"[0-9][:.h][0-9]{2}|[0-9]{6}")
_START: Final = re.compile(
    rf"(?:(?<=[\s\[(<>|,;=:*\"'])|^)[\[(<\"']? ?(?:(?P<digit>[0-9])|(?:{ANY_WEEKDAY}|{ANY_MONTH})[ ,/-])"
)
_OF_REQUEST: Final = re.compile(
    r"\[(?P<stamp>[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?: [+-][0-9]{4})?)\]"
)
"""The time of an access log, which no other line has: it may stand behind any words."""
MAX_WORDS: Final = 5
_HEADISH: Final = re.compile(
    r"[\[({<].*|.*[0-9./:@_=|\]\)}>,].*|[A-Z_-]+[\[(]?|[a-z]+(?:-[a-z]+)+|[Tt]race|[Dd]ebug|[Ii]nfo|[Ww]arn|[Ww]arning|[Ee]rror|[Ff]atal|[Cc]ritical|.|-+|(?:https?|h2|wss?)"
)


@dataclass(slots=True)
class Head:
    """What the head of a line tells, and the message behind it."""

    message: str
    stamp: str | None = None
    level: str | None = None
    source: str | None = None
    host: str | None = None
    known: bool = False  # whether anything stood before the message
    attributes: dict[str, str] = field(default_factory=dict)


def read_line(text: str) -> Head:
    """Read a line from its first character; without a time or a level at its head it is all message."""
    found = _find_time_of_request(text) or _find_time(text)
    if found is not None and text.startswith('{"'):  # a broken document: what is cut out of it is no head
        return Head(text, stamp=found[2], known=True)
    if found is None:
        head = _peeled(text, 0, timed=False)
        if head.level is None or not head.known:
            return _finished(Head(text, level=leading_word(text)))
        return _finished(head)
    start, end, stamp = found
    if start == 0:
        head = _peeled(text, end, timed=True)
    else:
        before = _peeled(text[:start] + "[", 0, timed=False, whole=True)
        if before.message.strip(" \t[(<|:,*.-"):
            head = _peeled(text, end, timed=True)
            head.message = f"{text[:start].rstrip(OPENING)} {head.message}".strip()
        else:
            after = _peeled(text, end, timed=True, level=before.level)
            head = after
            head.level = before.level or after.level
            head.source = after.source or before.source
            head.attributes = {**before.attributes, **after.attributes}
    head.stamp, head.known = stamp, True
    return _finished(head)


def read_after_time(text: str) -> Head:
    """Read what follows a time."""
    return _finished(_peeled(text, 0, timed=True))


def _finished(head: Head) -> Head:
    if head.level is None:
        head.level = requests.level_of(head.message) or leading_code(head.message)
    return head


def _find_time_of_request(text: str) -> tuple[int, int, str] | None:
    """The same of an access log's time; None where none is."""
    found = _OF_REQUEST.search(text, 0, MAX_BEFORE + 40)
    if found is None or len(text[: found.start()].split()) > MAX_WORDS:
        return None
    return found.start(), found.end(), found["stamp"]


def _find_time(text: str) -> tuple[int, int, str] | None:
    """Begin, end and text of the time near the head; None where none is, or only one that the message tells of."""
    if not _CLOCK.search(text, 0, MAX_BEFORE + 40):
        return None
    checked = 0
    for place in _START.finditer(text, 0, MAX_BEFORE):
        edge = text.rfind(" ", checked, place.start())
        if edge > checked:  # whole words that stand before this place and all later ones
            if not all(_HEADISH.fullmatch(word) for word in text[checked:edge].split()):
                return None
            checked = edge
        found = (_DIGITS if place["digit"] else _LETTERS).match(text, place.start())
        if found is None or (found["stamp"].isdigit() and place.start() > 0 and not found["open"]):
            continue
        before = text[: found.start()]
        if before and not all(_HEADISH.fullmatch(word) for word in before.split()):
            return None
        if before and not found["open"] and len(before.split()) > 4:
            return None
        return found.start(), found.end(), found["stamp"]
    return None


def _peeled(text: str, at: int, *, timed: bool, level: str | None = None, whole: bool = False) -> Head:
    peel = Peel(text[: at + SEEN_CHARS], at, timed=timed, level=level, whole=whole)
    end = peel.run()
    gap = SEPARATORS.match(text, end) if peel.steps or timed else None
    if peel.threads:
        peel.attributes.setdefault("thread", peel.threads[0])
    message = text[gap.end() if gap else end :]
    return Head(
        message,
        level=peel.level,
        source=peel.source(),
        host=peel.host,
        known=peel.steps > 0,
        attributes=peel.attributes,
    )
