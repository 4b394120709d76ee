"""How texts are read in this process: by a lexicon, ours until a process that was told of more, at its start, puts
another in; and by the reader that learnt from examples, where no entry knows a text."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from sentinel.detect.lexicon.entry import Concept
from sentinel.detect.lexicon.learnt import Learnt, read_learnt
from sentinel.detect.lexicon.lexicon import Lexicon, settled
from sentinel.detect.lexicon.reader import read_built_in, read_lexicon
from sentinel.detect.tuning.lexicon import MAX_KNOWN

__all__ = ["Reading", "concepts_of", "in_use", "is_opposite", "leave_out", "leave_out_learnt", "use"]


@dataclass(frozen=True)
class Reading:
    """A lexicon, and beside it what was learnt; None to do without."""

    lexicon: Lexicon
    learnt: Learnt | None

    def concepts(self, text: str) -> frozenset[Concept]:
        """What a text is about; empty for a plain one. What is denied is not read at all.

        What entries say stands, but for a mere failure in a text that is surely harmless. What was learnt is asked
        where they say nothing, or of a failure which one it is, and whether a client asked wrongly.
        """
        found, told = self.lexicon.read(text)
        if self.learnt is not None and found <= {Concept.FAILURE}:
            found = self._weighed(self.learnt, told) if found else set(self.learnt.concepts(told))
        return settled(found)

    def _weighed(self, learnt: Learnt, told: str) -> set[Concept]:
        """What a mere failure is, by what was learnt: a failure that a user's entry reads is one, and ours."""
        if Concept.FAILURE in self._users.read(told)[0]:
            return {Concept.FAILURE, *learnt.concepts(told) - {Concept.CLIENT_ERROR}}
        return set(learnt.weigh_failure(told))

    @cached_property
    def _users(self) -> Lexicon:
        """The entries that are not ours."""
        ours = set(read_built_in())
        return Lexicon(entry for entry in self.lexicon.entries if entry not in ours)

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex: equal where two read every text alike."""
        learnt = "" if self.learnt is None else self.learnt.digest
        return hashlib.sha256(f"{self.lexicon.digest}{learnt}".encode()).hexdigest()


@lru_cache(1)
def _at_work() -> list[Reading]:
    return [Reading(read_lexicon(), read_learnt())]


def in_use() -> Reading:
    """How every text of this process is read."""
    return _at_work()[0]


def use(paths: Sequence[Path]) -> None:
    """Read texts with our lexicon and these files and folders from now on; before the first text, that is.

    What was learnt with another lexicon is of another digest. Raises SettingsError as `read_lexicon` does.
    """
    _put(Reading(read_lexicon(paths), in_use().learnt))


def leave_out(concept: Concept) -> None:
    """Read texts without one concept from now on, as if nobody had written of it."""
    now = in_use()
    entries = Lexicon(entry for entry in now.lexicon.entries if entry.concept is not concept)
    _put(Reading(entries, None if now.learnt is None else now.learnt.without(concept)))


def leave_out_learnt() -> None:
    """Read texts by entries alone from now on."""
    _put(Reading(in_use().lexicon, None))


def _put(reading: Reading) -> None:
    if reading.digest != in_use().digest:
        _at_work()[0] = reading
        concepts_of.cache_clear()
        is_opposite.cache_clear()


@lru_cache(MAX_KNOWN)
def concepts_of(text: str) -> frozenset[Concept]:
    """What a text is about, by what is in use."""
    return in_use().concepts(text)


@lru_cache(MAX_KNOWN)
def is_opposite(word: str) -> bool:
    """Whether a word turns a text into another, by the lexicon in use."""
    return in_use().lexicon.is_opposite(word)
