"""The reader that learnt from examples: which concepts a text reads as, by weights of its features."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from sentinel.detect.lexicon.entry import Concept
from sentinel.detect.lexicon.learnt.features import Features, read_features

__all__ = ["HARMLESS", "MADE", "READ", "Bounds", "Learnt", "read_learnt"]

MADE = "weights.json"
HARMLESS = "harmless"
OF_CLIENT = "failure_of_client"  # what `kinds.toml` calls what such a failure needs
READ = (
    *(Concept.FAILED_LOGIN, Concept.WORKED_LOGIN, Concept.PRIVILEGE, Concept.FAILURE, Concept.GRAVE_FAILURE),
    *(Concept.CLIENT_ERROR, Concept.FILTERED),
)
"""What it reads; the weights say beside these how harmless a text is. Connections are left to entries: services connect
to each other all day, and to read that as somebody at a door made 41 false incidents a day of 2.5."""


class Bounds(NamedTuple):
    """How much the weights together have to say, in steps of WEIGHT_STEP: found on examples that were left out."""

    least: Sequence[int]
    """For each of READ: from here on a text reads so."""
    harmless: int
    """From here on a text reads as nothing."""
    surely_harmless: int
    """From here on a mere failure that an entry reads is none."""
    surely_client: int
    """From here on a failure that an entry reads is a client's."""


@dataclass(frozen=True)
class Learnt:
    """Weights of features in steps of WEIGHT_STEP, one for each of READ and one for harmless, and what they begin with.

    A text reads as a concept where it holds the kinds of words that the concept needs, where its weights together say
    so, and do not say that it is harmless. Knows no text itself: what it says follows from its weights alone.
    """

    features: Features
    start: Sequence[int]
    weights: Mapping[str, Sequence[int]]
    bounds: Bounds
    made_of: str
    """Digest of what they were learnt from."""
    left_out: frozenset[Concept] = frozenset()

    def concepts(self, text: str) -> frozenset[Concept]:
        """What a text reads as; empty for a plain one."""
        possible, says = self.says(text)
        if not possible or says[-1] >= self.bounds.harmless:
            return frozenset()
        return frozenset(
            concept
            for concept, value, least in zip(READ, says, self.bounds.least, strict=False)
            if value >= least and concept in possible and concept not in self.left_out
        )

    def weigh_failure(self, text: str) -> frozenset[Concept]:
        """What a text reads as that an entry reads as a mere failure; without failure where it is surely none."""
        possible, says = self.says(text)
        if possible and says[-1] >= self.bounds.surely_harmless:
            return frozenset()
        found = self.concepts(text) | {Concept.FAILURE}
        is_clients = OF_CLIENT in possible and says[READ.index(Concept.CLIENT_ERROR)] >= self.bounds.surely_client
        return found if is_clients else found - {Concept.CLIENT_ERROR}

    def says(self, text: str) -> tuple[frozenset[str], Sequence[int]]:
        """(concepts whose words a text holds; what the weights say for each of READ, and for harmless)."""
        possible, features = self.features(text)
        rows = [row for feature in features if (row := self._rows.get(feature)) is not None]
        return possible, self._table[[0, *rows]].sum(axis=0).tolist()

    def without(self, concept: Concept) -> "Learnt":
        """The same that never reads a concept."""
        return replace(self, left_out=self.left_out | {concept})

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex: equal where two read every text alike."""
        told = [self.start, self.bounds, sorted(self.weights.items()), self.made_of, sorted(self.left_out)]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    @cached_property
    def _rows(self) -> Mapping[str, int]:
        return {feature: row for row, feature in enumerate(self.weights, 1)}

    @cached_property
    def _table(self) -> np.ndarray:
        return np.array([self.start, *self.weights.values()], np.int64)


@cache
def read_learnt() -> Learnt:
    """The reader of this folder."""
    made = json.loads((files(__package__) / MADE).read_text("utf-8"))
    return Learnt(read_features(), made["start"], made["weights"], Bounds(*made["bounds"]), made["made_of"])
