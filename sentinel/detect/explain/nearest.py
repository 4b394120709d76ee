"""Find the known template that a strange one is nearest to, by the words that both have in the same order."""

import math
from collections import defaultdict
from collections.abc import Iterable
from difflib import SequenceMatcher
from heapq import nlargest

from sentinel.detect.tuning.explain import MAX_COMPARED, MAX_REMEMBERED, MAX_WORDS, MIN_LIKENESS

__all__ = ["Nearest", "words_apart"]

PUNCTUATION = ".,:;()[]{}\"'!?"


def words_apart(template: str) -> list[str]:
    """The words of a template, its masks among them, no more than are looked at."""
    return template.split()[:MAX_WORDS]


def _bare(word: str) -> str:
    return word.strip(PUNCTUATION).lower()


def _fixed(template: str) -> list[str]:
    return [word for word in map(_bare, words_apart(template)) if word and "<" not in word]


class Nearest:
    """Known templates, asked for the one that is nearest to another. More may be added; none goes."""

    def __init__(self, templates: Iterable[str] = ()) -> None:
        self._places: dict[str, int] = {}
        self._texts: list[str] = []
        self._with: defaultdict[str, list[int]] = defaultdict(list)
        self._found: dict[str, str | None] = {}
        self.add(templates)

    def add(self, templates: Iterable[str]) -> None:
        """Know these, too."""
        for template in templates:
            if template in self._places:
                continue
            place = self._places[template] = len(self._texts)
            self._texts.append(template)
            for word in set(_fixed(template)):
                self._with[word].append(place)
            self._found.clear()

    def to(self, template: str) -> str | None:
        """The nearest known template, the same one where it is known; None where nothing resembles it."""
        if template in self._places:
            return template
        if template not in self._found:
            if len(self._found) >= MAX_REMEMBERED:
                self._found.clear()
            self._found[template] = self._look_for(template)
        return self._found[template]

    def _look_for(self, template: str) -> str | None:
        weights: defaultdict[int, float] = defaultdict(float)
        for word in dict.fromkeys(_fixed(template)):
            holders = self._with.get(word, ())
            for place in holders:
                weights[place] += math.log1p(len(self._texts) / len(holders))
        best, likeness = None, MIN_LIKENESS
        own = list(map(_bare, words_apart(template)))
        for place in nlargest(MAX_COMPARED, weights, key=weights.__getitem__):
            other = list(map(_bare, words_apart(self._texts[place])))
            found = SequenceMatcher(None, own, other, autojunk=False).ratio()
            if found > likeness:
                best, likeness = self._texts[place], found
        return best
