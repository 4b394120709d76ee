"""What of a text is weighed: its words, the kinds of its words, and which kind stands before which."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import combinations

from sentinel.detect.lexicon.learnt.kinds import Kinds, words_of
from sentinel.detect.lexicon.spelling import fold
from sentinel.detect.tuning.lexicon import MAX_READ_WORDS, NEAR_WORDS

__all__ = ["Features", "read_features"]

PEER = "peer"  # the kind of an address, whatever words stand around it


class Features:
    """Features of texts, by kinds of words."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds

    def __call__(self, text: str) -> tuple[frozenset[str], frozenset[str]]:
        """(concepts whose words the text holds, its features); of a text without such a concept there are none."""
        words = words_of(fold(text))[:MAX_READ_WORDS]
        places = sorted(set(self._kinds.find(words)))
        kinds = {kind for _, kind in places} | ({PEER} if "<ip>" in words else set())
        possible = self._kinds.possible(kinds)
        return possible, frozenset(_features(words, places)) if possible else frozenset()


def _features(words: Sequence[str], places: Sequence[tuple[int, str]]) -> set[str]:
    found = {f"w:{word}" for word in words} | {f"k:{kind}" for _, kind in places}
    found |= {f"b:{a} {b}" for a, b in zip(("^", *words), (*words, "$"), strict=True)}
    for (i, a), (j, b) in combinations(places, 2):
        if a != b and j - i <= NEAR_WORDS:
            found.add(f"p:{a}>{b}" if i < j else f"p:{a}={b}")
    return found


@cache
def read_features() -> Features:
    """Features by the kinds of this folder."""
    return Features(Kinds((files(__package__) / "kinds.toml").read_text("utf-8")))
