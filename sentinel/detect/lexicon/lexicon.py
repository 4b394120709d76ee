"""The lexicon: all entries at work, which say of a text what it is about."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from sentinel.detect.lexicon.entry import Concept, Entry
from sentinel.detect.lexicon.literals import MIN_LITERAL, Literals, alternatives, literals_of
from sentinel.detect.lexicon.spelling import fold
from sentinel.errors import SettingsError

__all__ = ["Lexicon", "settled"]

_APART = (Concept.FAILED_LOGIN, Concept.WORKED_LOGIN)
_DENIED = " ~ "
"""What stands where trouble was counted as zero: no word, so nothing is found across it by its words."""


@dataclass(frozen=True)
class _Finder:
    """One alternative of a concept's patterns, compiled when a text first asks for it."""

    place: int
    concept: Concept
    pattern: str

    literals: Literals

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    def finds(self, together: str, apart: str) -> bool:
        """Whether a text is about its concept. Words taken apart tell of log-ins alone."""
        return self.compiled.search(apart if self.concept in _APART else together) is not None

    def may_find(self, folded: str) -> bool:
        """Whether a text that holds one of the first literals holds the others, too."""
        return all(any(literal in folded for literal in group) for group in self.literals[1:])


class Lexicon:
    """Entries of many files as one. What it says of a text depends on the entries alone, in any order.

    Costs a look at each three letters of a text, and a search for the few patterns whose own letters are in it.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries: Sequence[Entry] = tuple(entries)
        parts = sorted({(e.concept, part) for e in self.entries for part in alternatives(e.pattern)})
        finders = [pair for pair in parts if pair[0] is not Concept.OPPOSITE]
        self._finders = [_Finder(i, concept, part, literals_of(part)) for i, (concept, part) in enumerate(finders)]
        self._opposites = re.compile("|".join(part for concept, part in parts if concept is Concept.OPPOSITE) or "(?!)")
        self._always = frozenset(finder.place for finder in self._finders if not finder.literals)
        self._index = self._indexed()
        told = "\n".join(f"{concept}\t{pattern}" for concept, pattern in parts)
        self.digest = hashlib.sha256(told.encode()).hexdigest()
        """SHA-256, in hex, over concepts and patterns: equal where two lexicons read every text alike."""

    def concepts(self, text: str) -> frozenset[Concept]:
        """What a text is about; empty for a plain one. Trouble that is counted as zero is none."""
        return settled(self.read(text)[0])

    def read(self, text: str) -> tuple[set[Concept], str]:
        """(the concepts whose patterns a text holds, the folded text without what is denied in it)."""
        folded = fold(text)
        candidates = self._candidates(folded)
        told = _without(folded, candidates)
        if told != folded:
            candidates = self._candidates(told)
        together = told.partition("\n")[0]
        found: set[Concept] = set()
        for finder in candidates:
            if finder.concept is not Concept.DENIED and finder.concept not in found:
                found |= {finder.concept} if finder.finds(together, told) else set()
        return found, told

    def is_opposite(self, word: str) -> bool:
        """Whether a word, without signs around it, turns a text into another."""
        return self._opposites.fullmatch(fold(word)) is not None

    def undenied(self, text: str) -> str:
        """A text as patterns see it, without what says that there is no trouble."""
        folded = fold(text)
        return _without(folded, self._candidates(folded))

    def check(self, entry: Entry) -> None:
        """Raise SettingsError unless an entry's own pattern finds its examples, and none of those that it must not."""
        pattern = re.compile(entry.pattern)
        reads = fold if entry.concept in (Concept.DENIED, Concept.OPPOSITE) else self.undenied
        found = pattern.fullmatch if entry.concept is Concept.OPPOSITE else pattern.search
        for text in entry.matches:
            if found(reads(text)) is None:
                raise SettingsError(f"{entry.where}: its pattern does not match its example {text!r}")
        for text in entry.not_matches:
            if found(reads(text)) is not None:
                raise SettingsError(f"{entry.where}: its pattern matches {text!r}, which it must not")

    def _indexed(self) -> dict[str, dict[str, list[_Finder]]]:
        """Finders by the letters that they ask for: three of a literal's letters, then the literal."""
        asked = defaultdict(list)
        for finder in self._finders:
            for literal in finder.literals[0] if finder.literals else ():
                asked[literal].append(finder)
        shared = Counter(gram for literal in asked for gram in set(_grams(literal)))
        index: dict[str, dict[str, list[_Finder]]] = defaultdict(dict)
        for literal, finders in asked.items():
            index[min(_grams(literal), key=lambda gram: (shared[gram], gram))][literal] = finders
        return dict(index)

    def _candidates(self, folded: str) -> list[_Finder]:
        """The finders that may find something in a text, in an order of their own."""
        found = set(self._always)
        for gram in self._index.keys() & set(_grams(folded)):
            for literal, finders in self._index[gram].items():
                if literal in folded:
                    found.update(finder.place for finder in finders if finder.may_find(folded))
        return [self._finders[place] for place in sorted(found)]


def settled(found: Iterable[Concept]) -> frozenset[Concept]:
    """Concepts with what follows from them: a failed log-in is a failure and neither one that worked, nor a mere
    connection, nor a firewall's refusal; a grave failure is a failure; a log-in that worked touches privileges.
    """
    settled = set(found)
    if Concept.FAILED_LOGIN in settled:
        settled -= {Concept.WORKED_LOGIN, Concept.CONNECTION, Concept.FILTERED}
        settled.add(Concept.FAILURE)
    if Concept.GRAVE_FAILURE in settled:
        settled.add(Concept.FAILURE)
    if Concept.WORKED_LOGIN in settled:
        settled.add(Concept.PRIVILEGE)
    return frozenset(settled)


def _without(folded: str, candidates: Iterable[_Finder]) -> str:
    """A folded text without what is denied in it; where denials overlap, the one that begins first holds."""
    denials = [finder.compiled for finder in candidates if finder.concept is Concept.DENIED]
    found = sorted((m.start(), -m.end()) for denial in denials for m in denial.finditer(folded))
    told, at = "", 0
    for start, end in found:
        if start >= at:
            told += folded[at:start] + _DENIED
            at = -end
    return told + folded[at:] if found else folded


def _grams(text: str) -> Iterator[str]:
    return (text[i : i + MIN_LITERAL] for i in range(len(text) - MIN_LITERAL + 1))
