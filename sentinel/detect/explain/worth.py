"""Tell whether a reason is worth a person's time: one that is as good as usual, or follows from another, is not."""

import re
from collections.abc import Sequence

from sentinel.detect.tuning.explain import HARDLY_RARE, MIN_CASES, MIN_LENGTH_SHARE, OFTEN_FOLLOWED, OFTEN_SEEN

__all__ = ["adds_little", "says_little"]

_COUNTED = re.compile(r"about ([\d,]+) .+; usual: at most ([\d,.e+]+)", re.DOTALL)
_LONG = re.compile(r"([\d,]+) bytes long; such lines have ([\d,]+)")
_SEEN = re.compile(r"a rare kind of line: seen ([\d,]+) times? in ([\d,]+) lines.*")
_SHARE = re.compile(r"(?:this level|the source .+) is rare.*: ([\d,.e+]+) of ([\d,]+) lines", re.DOTALL)
_FOLLOWED = re.compile(r"came after a line like the one before it in only ([\d,]+) of ([\d,]+) cases so far")
_NEW, _NEW_TEXT = "a kind of line never seen before", "in a kind of line never seen before"
_CASES = re.compile(r"like the one before it.* ([\d,]+) cases so far")


def says_little(reason: str) -> bool:
    """Whether a person would shrug: a count that rounds to the usual one, a length nearly as usual, too few cases.

    >>> says_little("about 8 lines of this kind within 3 min; usual: at most 8")
    True
    """
    if found := _COUNTED.fullmatch(reason):
        return _whole(found[1]) <= _whole(found[2])
    if found := _LONG.fullmatch(reason):
        return abs(_whole(found[1]) - _whole(found[2])) < MIN_LENGTH_SHARE * _whole(found[2])
    found = _CASES.search(reason)
    return found is not None and _whole(found[1]) < MIN_CASES


def adds_little(reason: str, told: Sequence[str]) -> bool:
    """Whether a further reason only repeats what those `told` before it say, or is nearly usual.

    A template that was never seen never followed anything, and nobody was ever seen in it.

    >>> adds_little("root was never seen in this kind of line before", ["a kind of line never seen before in 9 lines"])
    True
    """
    if found := _SEEN.fullmatch(reason):
        return _whole(found[1]) > OFTEN_SEEN * _whole(found[2])
    if found := _FOLLOWED.fullmatch(reason):
        return _whole(found[1]) > OFTEN_FOLLOWED * _whole(found[2])
    if found := _SHARE.fullmatch(reason):
        return _whole(found[1]) > HARDLY_RARE * _whole(found[2])
    if not any(_NEW in one for one in told):
        return False
    if reason.startswith("never came after") or reason.endswith("was never seen in this kind of line before"):
        return True
    repeats = any(one.endswith(_NEW_TEXT) for one in told)
    return repeats and reason.startswith(_NEW) and "reads as" not in reason


def _whole(text: str) -> float:
    return float(text.replace(",", ""))
