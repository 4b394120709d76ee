"""The codes and states that a text holds, and which of them its place in the text never showed before."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sentinel.detect.kernel.hashing import hash_text
from sentinel.detect.read.drain import WILDCARD, plain
from sentinel.detect.tuning.read import MAX_SAID

__all__ = ["News", "Slot", "places_in"]

_CODE = re.compile(r"(?<![A-Za-z0-9])S[1-5][0-9x]{2}(?![A-Za-z0-9])|(?<![A-Za-z0-9])[0-9]+(?![A-Za-z0-9])")
_STATE = re.compile(r"[^\W\d_][\w-]*[.,;:]?$")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in texts that always held one of a few values: these by frequency, how many lines, and −ln of the chance
    that the next line brings another one (Good 1953, doi:10.1093/biomet/40.3-4.237)."""

    values: tuple[str, ...]
    lines: int
    nats: float

    def said(self, value: str) -> str:
        """What is new, in words."""
        if len(self.values) == 1:
            usual = f"always {self.values[0]}"
        else:
            usual = f"one of {', '.join(self.values[:MAX_SAID])}" + (" and others" * (len(self.values) > MAX_SAID))
        return f"the value {value} was never seen there before: {usual} in {self.lines:,} lines"


@dataclass(frozen=True, slots=True)
class News:
    """A value that its slot never showed: nats, a key of slot and value, the reason in words."""

    nats: float
    key: int
    said: str

    @classmethod
    def of(cls, place: int, slot: Slot, value: str) -> "News":
        """The news that `value` stands in the slot at `place`."""
        return cls(slot.nats, hash_text(f"{place}\n{value}"), slot.said(value))


def places_in(masked: str, tokens: Sequence[str]) -> Iterator[tuple[int, str]]:
    """(place, value) of the codes in a masked text, and of the words that stand where its template (`tokens`) varies.

    A code is a number that was not masked (a status, an exit code) or the class of an HTTP status; its place is known
    by all of the text but its codes.
    """
    masked = plain(masked)
    frame = _CODE.sub("#", masked)
    for k, found in enumerate(_CODE.finditer(masked)):
        yield hash_text(f"{k}\n{frame}"), found[0]
    if WILDCARD in tokens:
        own = masked.split(" ")
        template = " ".join(tokens)
        for k, (mine, theirs) in enumerate(zip(tokens, own, strict=False)):
            if mine == WILDCARD and _STATE.match(theirs):
                yield hash_text(f"{k}\n{template}"), theirs
