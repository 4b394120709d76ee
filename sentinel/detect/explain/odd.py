"""Point at the odd part of a strange line: in its template, and in the line itself."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from sentinel.detect.explain.explain import figure
from sentinel.detect.explain.nearest import words_apart
from sentinel.detect.tuning.explain import MAX_PARTS

__all__ = ["Odd", "odd_parts"]

VALUE = re.compile(r"the value (.+?) was never seen there before")
NUMBER = re.compile(r"the number ([^ ]+) is outside")
PLACE = re.compile(
    r"user (?P<user>[^ ]+) was never seen from (?P<address>[^ ]+) before"
    r"|(?:user )?(?P<one>[^ ]+) was never seen in this kind of line before"
)
NUMERAL = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
MASK = re.compile(r"<[A-Z*]+>")
STATUS, CODE = re.compile(r"\bS([1-5])xx\b"), re.compile(r"(?<![\w.:/])[1-5][0-9]{2}(?![\w.:/])")
TEXT_IS_NEW = (
    "a kind of line never seen before",
    "a rare kind of line",
    "holds a text that probing",
    "touches log-ins",
)
ACTOR_MASKS = ("<IP>", "<USER>", "<EMAIL>")


class Odd(NamedTuple):
    """Pieces of a template and of its line that make it strange, as they stand there; empty where it is no piece."""

    template: tuple[str, ...]
    line: tuple[str, ...]


def odd_parts(template: str, nearest: str | None, message: str, reasons: Sequence[str], actor: str) -> Odd:
    """What the reasons speak of: a new value or number, who did it, or the words that no known template has there.

    `nearest` is the known template that is nearest (None: none), `actor` who is behind the line (empty: nobody).
    """
    in_template: list[str] = []
    in_line: list[str] = []
    for reason in reasons:
        if reason.startswith(TEXT_IS_NEW):
            _add_new_words(template, nearest, message, in_template, in_line)
        elif found := VALUE.search(reason):
            in_template += [found[1]]
            in_line += [found[1]]
        elif found := NUMBER.search(reason):
            in_template += ["<NUM>"]
            in_line += [n[0] for n in NUMERAL.finditer(message) if figure(abs(float(n[0]))) == found[1]][:1]
        elif found := PLACE.search(reason):
            in_line += [name for name in found.groups() if name]
            in_template += ACTOR_MASKS
        elif actor and actor in reason:
            in_line += [actor]
            in_template += ACTOR_MASKS
    if not in_line and nearest != template:  # a flood of what no training knew
        _add_new_words(template, nearest, message, in_template, in_line)
    return Odd(_standing(in_template, template), _standing(in_line, message))


def _add_new_words(
    template: str, nearest: str | None, message: str, in_template: list[str], in_line: list[str]
) -> None:
    """Add the words that no known template has there, and the codes of a status that it has not."""
    new = _new_words(template, nearest)
    in_template += new
    in_line += [part for run in new for part in map(str.strip, MASK.split(run)) if part]
    in_line += [code for run in new for code in _codes(run, message)]


def _standing(parts: Sequence[str], text: str) -> tuple[str, ...]:
    """Those of the parts that the text holds, each once."""
    return tuple(dict.fromkeys(part for part in parts if part in text))[:MAX_PARTS]


def _new_words(template: str, nearest: str | None) -> list[str]:
    """Runs of a template's words that stand in no such place of the nearest; all where there is no other."""
    own = words_apart(template)
    if nearest is None or nearest == template:
        return [" ".join(own)]
    same = SequenceMatcher(None, own, words_apart(nearest), autojunk=False).get_opcodes()
    return [" ".join(own[start:end]) for what, start, end, _, _ in same if what in ("replace", "delete")]


def _codes(run: str, message: str) -> list[str]:
    """The status codes of a line that a run of its template shows the class of."""
    classes = {found[1] for found in STATUS.finditer(run)}
    return [found[0] for found in CODE.finditer(message) if found[0][0] in classes]
