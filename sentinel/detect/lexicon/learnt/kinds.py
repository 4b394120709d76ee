"""Kinds of words: beginnings of words in six languages, found in the words of a text."""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from sentinel.detect.lexicon.spelling import fold
from sentinel.detect.tuning.lexicon import MIN_LITERAL

__all__ = ["Kinds", "words_of"]

_WORD = re.compile(r"<[a-z]+>|[^\W\d_]+|\d+")
_TWO_LETTERS = re.compile("([aou])e")


def words_of(folded: str) -> list[str]:
    """The words of a folded text, masks and numbers among them; `ae`, `oe`, `ue` as one letter.

    >>> words_of("ungueltiges passwort von <ip>: 3")
    ['ungultiges', 'passwort', 'von', '<ip>', '3']
    """
    return _WORD.findall(_TWO_LETTERS.sub(r"\1", folded.rpartition("\n")[2]))


class Kinds:
    """Kinds by the beginnings of words that are of them, as `kinds.toml` tells them."""

    def __init__(self, content: str) -> None:
        table = tomllib.loads(content)
        self.needs: Mapping[str, Sequence[frozenset[str]]] = {
            concept: tuple(map(frozenset, lists)) for concept, lists in table["needs"].items()
        }
        """Of each concept, sets of kinds: a text that is about it holds a word of each set."""
        self.bars: Mapping[str, frozenset[str]] = {
            concept: frozenset(kinds) for concept, kinds in table["bars"].items()
        }
        """Of a concept, kinds: a text that holds one is not about it."""
        found: dict[str, set[str]] = defaultdict(set)
        for kind, languages in table["kinds"].items():
            for beginning in (text for texts in languages.values() for text in texts):
                found[_spelt(beginning)].add(kind)
        self._index = _by_first_letters(found)

    def possible(self, kinds: Set[str]) -> frozenset[str]:
        """The concepts that a text of these kinds of words may be about."""
        return frozenset(
            concept
            for concept, needs in self.needs.items()
            if all(need & kinds for need in needs) and not self.bars.get(concept, frozenset()) & kinds
        )

    def find(self, words: Iterable[str]) -> Iterator[tuple[int, str]]:
        """(number of the word, kind) of all that is found in a text's words; some may come twice."""
        text, at = f" {' '.join(words)} ", -1
        for i in range(len(text) - MIN_LITERAL + 1):
            at += text[i] == " "
            for beginning, kinds in self._index.get(text[i : i + MIN_LITERAL], ()):
                if text.startswith(beginning, i):
                    for kind in kinds:
                        yield at, kind


def _spelt(beginning: str) -> str:
    """A beginning as it stands in a text with a blank around each word."""
    words = " ".join(words_of(fold(beginning.strip("~$"))))
    return f"{'' if beginning.startswith('~') else ' '}{words}{' ' if beginning.endswith('$') else ''}"


def _by_first_letters(found: Mapping[str, set[str]]) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    index = defaultdict(list)
    for beginning, kinds in sorted(found.items()):
        index[beginning[:MIN_LITERAL]].append((beginning, tuple(sorted(kinds))))
    return dict(index)
