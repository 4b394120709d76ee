"""Say what would make a strange line normal: for each reason the other way round, with the same figures."""

import re
from collections.abc import Sequence

from sentinel.counted import filled

__all__ = ["would_be_normal"]

KNOWN = "once it is known: called a false alarm, or learnt by a training"
_FORMS = (
    (
        r"(?P<who>.+) tried .+; usual: at most (?P<most>.+)",
        "at most {most} {most|path or port|paths or ports} from {who} within 10 min",
    ),
    (
        r"(?P<who>.+) caused .+; usual: at most (?P<most>.+)",
        "at most {most} {most|kind of line|kinds of lines} from {who} within 10 min",
    ),
    (
        r"(?P<who>.+) appeared with .+; usual: at most (?P<most>.+)",
        "at most {most} {most|user|users} from {who} within 10 min",
    ),
    (r"user (?P<who>.+) came from .+; usual: at most (?P<most>.+)", "user {who} from at most {most} within 10 min"),
    (
        r".+ times? the line (?P<name>“.+”); usual: at most (?P<most>.+)",
        "at most {most} {most|time|times} {name} in the session",
    ),
    (r"failed log-ins from .+; usual: at most (?P<most>.+)", "failed log-ins from at most {most} within 10 min"),
    (r"(?P<now>.+); usual(?: for .+?)?: at most (?P<most>.+)", "at most {most}, instead of {now}"),
    (r"(?P<now>.+); others show it a few times at most.*", "a few at most, instead of {now}"),
    (r"(?P<now>.+); more than people mistype.*", "as few as people mistype, instead of {now}"),
    (
        r"a (?:kind of line never seen before|rare kind of line).*, and it reads as a (?P<what>.+)",
        "a line like it that does not read as a {what}",
    ),
    (r"(?:a kind of line never seen before|a rare kind of line|holds a text|touches log-ins).*", f"the same {KNOWN}"),
    (r"the source (?P<source>.+) (?:was never seen before|is rare.*)", f"the source {{source}} {KNOWN}"),
    (r"this level is rare for (?P<source>.+?): .*", "a level that {source} usually has"),
    (r"(?P<who>.+) was never seen (?:from .+|in this kind of line) before", f"{{who}} {KNOWN}"),
    (r"the number .+ is outside the usual (?P<low>.+) to (?P<high>.+) of such lines", "a number from {low} to {high}"),
    (r"the last numbers .+; usual: (?P<low>.+) to (?P<high>.+)", "an average from {low} to {high}"),
    (r".+ bytes? long; such lines have (?P<usual>.+)", "about {usual} {usual|byte|bytes}"),
    (r"the first (?P<what>line .+) for .+; the usual gap is at most (?P<gap>.+)", "a {what} at least every {gap}"),
    (r"(?:never )?came after a line like the one before it.+", "the same line after one that it usually follows"),
    (
        r"the value .+ was never seen there before: (?:always |one of )(?P<usual>.+) in [^ ]+ lines?",
        "{usual} there",
    ),
    (
        r"silent for .+ came every (?P<gap>.+) in training, the longest gap was (?P<longest>.+)",
        "a line at least every {longest}",
    ),
    (
        r"fewer than (?P<many>.+) lines? in .+, within (?P<longest>.+) at the most",
        "{many} {many|line|lines} within {longest}",
    ),
    (r"back after an outage of .+", "no outage"),
    (r"its own program calls it fatal", "a lower level than fatal"),
    (r"(?:.+ times? )?the line (?P<name>“.+”): no session had it", "a session without {name}"),
    (r"(?:.+ times? )?the line (?P<name>“.+”): .+ of sessions have it(?: so often)?", "a session with fewer of {name}"),
    (r"only .+ times? the line (?P<name>“.+”): .+", "a session with more of {name}"),
    (r"the line (?P<name>“.+”) is missing: .+", "a session with {name}"),
    (r"(?:begins with|ends after|“).+", "the order of lines that the sessions learnt from have"),
    (r"as a whole unlike every session learnt from", "a session like those learnt from"),
    (r"unusual as a whole: .+", "less of all that is a little odd in it: no single part is"),
)
_COMPILED = tuple((re.compile(form, re.DOTALL), said) for form, said in _FORMS)


def would_be_normal(reasons: Sequence[str]) -> list[str]:
    """What would make each reason go away, each once; nothing for a reason whose form is not known.

    >>> would_be_normal(["the number 900 is outside the usual 3 to 12 of such lines"])
    ['a number from 3 to 12']
    """
    return list(dict.fromkeys(said for reason in reasons if (said := _turned(reason))))


def _turned(reason: str) -> str:
    for form, said in _COMPILED:
        if found := form.fullmatch(reason):
            return filled(said, found.groupdict())
    return ""
