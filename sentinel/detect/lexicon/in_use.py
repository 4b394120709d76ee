"""The lexicon at work in this process: ours until a process that was told of more, at its start, puts another in."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from sentinel.detect.lexicon.entry import Concept
from sentinel.detect.lexicon.lexicon import Lexicon
from sentinel.detect.lexicon.reader import read_lexicon
from sentinel.detect.tuning.lexicon import MAX_KNOWN

__all__ = ["concepts_of", "in_use", "is_opposite", "leave_out", "use"]


@lru_cache(1)
def _at_work() -> list[Lexicon]:
    return [read_lexicon()]


def in_use() -> Lexicon:
    """The lexicon that every text of this process is read with."""
    return _at_work()[0]


def use(paths: Sequence[Path]) -> None:
    """Read texts with our lexicon and these files and folders from now on; before the first text, that is.

    What was learnt with another lexicon is of another digest. Raises SettingsError as `read_lexicon` does.
    """
    _put(read_lexicon(paths))


def leave_out(concept: Concept) -> None:
    """Read texts without the entries of one concept from now on, as if nobody had written them."""
    _put(Lexicon(entry for entry in in_use().entries if entry.concept is not concept))


def _put(lexicon: Lexicon) -> None:
    if lexicon.digest != in_use().digest:
        _at_work()[0] = lexicon
        concepts_of.cache_clear()
        is_opposite.cache_clear()


@lru_cache(MAX_KNOWN)
def concepts_of(text: str) -> frozenset[Concept]:
    """What a text is about, by the lexicon in use."""
    return in_use().concepts(text)


@lru_cache(MAX_KNOWN)
def is_opposite(word: str) -> bool:
    """Whether a word turns a text into another, by the lexicon in use."""
    return in_use().is_opposite(word)
