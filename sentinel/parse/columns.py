"""Columns behind a time, between tabs, bars, semicolons, dashes or colons, one of which is the level."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from sentinel.parse import tokens as t
from sentinel.parse.levels import LEVEL_OF_WORD

__all__ = ["Columns", "read"]

MAX_COLUMNS: Final = 6
"""Level, logger, thread, process, place in code and one more: no head has more columns."""
_PARTS: Final = (
    re.compile(r"[ \t]*\t[ \t]*"),
    re.compile(r" *\| *"),
    re.compile(r" *; +"),
    re.compile(r" +--? +"),
    re.compile(r" *: +"),
)
_SIGNS: Final = dict(zip(_PARTS, ("\t", "|", "; ", "- ", ": "), strict=True))
"""What a text must hold to be parted so, found in a tenth of the time."""
SEEN_CHARS: Final = 200
"""Columns that begin later are none of a head."""
MAX_BLANKS: Final = 1
"""In a column without brackets: a thread may be called by two words, a message has more."""
_SEMICOLON, _DASH, _COLON = _PARTS[2:]
_LEAD: Final = re.compile(r"[ \t]*(?:[|;]|--?(?= ))?[ \t]*")
_WRAPPED: Final = re.compile(r"\[([^\[\]]*)\]|\(([^()]*)\)|<([^<>]*)>")
_OPENING: Final = frozenset("[(<")
_LETTERS: Final = frozenset("VDIWEF")


@dataclass(slots=True)
class Columns:
    """What the columns tell, and where the message begins."""

    level: str | None = None
    end: int = 0
    names: list[str] = field(default_factory=list)
    threads: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)


def read(text: str, at: int, level: str | None = None) -> Columns | None:
    """The columns from there on; None where no way of parting them has a level that another column stands before.

    A `level` that stood before the time is theirs too, where bars, tabs or semicolons part them.
    """
    for part in _PARTS if level is None else _PARTS[:3]:
        if text.find(_SIGNS[part], at, at + SEEN_CHARS) < 0:
            continue
        found = Columns(level)
        for number, (column, end) in enumerate(_columns(part, text, at)):
            is_loose = part is _DASH or part is _COLON  # signs of prose: the message begins behind level and logger
            if (is_loose and found.level and found.names) or not _take(found, column, is_a_word=part is not _COLON):
                break
            is_level_first = found.level is not None and number == 0 and level is None
            if is_level_first and part is not _SEMICOLON:  # the common way, read elsewhere
                break
            found.end = end
        if found.level is not None and found.end:
            return found
    return None


def _columns(part: re.Pattern[str], text: str, at: int) -> Iterator[tuple[str, int]]:
    """Each column and where what parts it from the next one ends; the last column is none, but the message."""
    lead = part.match(text, at) or _LEAD.match(text, at)
    begin = lead.end() if lead else at
    for _ in range(MAX_COLUMNS):
        found = part.search(text, begin)
        if found is None:
            return
        yield text[begin : found.start()].strip(), found.end()
        begin = found.end()


def _take(found: Columns, column: str, *, is_a_word: bool) -> bool:
    """Take what a column tells; False for one that can only be the message's."""
    wrapped = _WRAPPED.fullmatch(column) if column[:1] in _OPENING else None
    if wrapped is None and column.count(" ") > MAX_BLANKS:
        return False
    inside = (wrapped[1] or wrapped[2] or wrapped[3] or "").strip() if wrapped else column
    if found.level is None and (inside in _LETTERS or (len(inside) > 1 and inside.lower() in LEVEL_OF_WORD)):
        found.level = LEVEL_OF_WORD[inside.lower()]
    elif t.is_id(inside) or inside in t.NOTHING:
        found.attributes.setdefault("pid", inside)
    elif (code := t.CODE.fullmatch(inside)) is not None:
        found.files.append(code["file"])
        found.attributes.setdefault("line", code["line"] or code["line2"] or code["line3"])
    elif t.is_thread(inside):
        found.threads.append(inside)
    elif not (is_a_word or wrapped or t.is_class(inside)) or (found.level is not None and found.names):
        return False
    elif t.is_name(inside) and not t.EXCEPTION.fullmatch(inside):
        found.names.append(inside)
    else:
        return False
    return True
