"""Tell whether a reason is worth a person's time: one whose figures are as good as usual is not."""

import re

from sentinel.detect.tuning.explain import MIN_CASES, MIN_LENGTH_SHARE

__all__ = ["says_little"]

_COUNTED = re.compile(r"about ([\d,]+) .+; usual: at most ([\d,.e+]+)", re.DOTALL)
_LONG = re.compile(r"([\d,]+) bytes long; lines of this template have ([\d,]+)")
_CASES = re.compile(r"like the one before it.* ([\d,]+) cases so far")


def says_little(reason: str) -> bool:
    """Whether a person would shrug: a count that rounds to the usual one, a length nearly as usual, too few cases.

    >>> says_little("about 8 lines of this template within 3 min; usual: at most 8")
    True
    """
    if found := _COUNTED.fullmatch(reason):
        return _whole(found[1]) <= _whole(found[2])
    if found := _LONG.fullmatch(reason):
        return abs(_whole(found[1]) - _whole(found[2])) < MIN_LENGTH_SHARE * _whole(found[2])
    found = _CASES.search(reason)
    return found is not None and _whole(found[1]) < MIN_CASES


def _whole(text: str) -> float:
    return float(text.replace(",", ""))
