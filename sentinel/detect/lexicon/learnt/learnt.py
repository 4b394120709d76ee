"""The reader that learnt from examples: which concepts a text reads as, by weights of its features."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files

import numpy as np

from sentinel.detect.lexicon.entry import Concept
from sentinel.detect.lexicon.learnt.features import Features, read_features
from sentinel.detect.tuning.lexicon import LEAST_LEARNT, MOST_HARMLESS, WEIGHT_STEP

__all__ = ["HARMLESS", "MADE", "READ", "Learnt", "read_learnt"]

MADE = "weights.json"
HARMLESS = "harmless"
READ = (
    *(Concept.FAILED_LOGIN, Concept.WORKED_LOGIN, Concept.PRIVILEGE, Concept.FAILURE, Concept.GRAVE_FAILURE),
    *(Concept.CLIENT_ERROR, Concept.FILTERED),
)
"""What it reads; the weights say beside these how harmless a text is. Connections are left to entries: services connect
to each other all day, and to read that as somebody at a door made 41 false incidents a day of 2.5."""


@dataclass(frozen=True)
class Learnt:
    """Weights of features in steps of WEIGHT_STEP, one for each of READ and one for harmless, and what they begin with.

    A text reads as a concept where it holds the kinds of words that the concept needs, where its weights together say
    so, and do not say that it is harmless. Knows no text itself: what it says follows from its weights alone.
    """

    features: Features
    start: Sequence[int]
    weights: Mapping[str, Sequence[int]]
    made_of: str
    """Digest of what they were learnt from."""
    left_out: frozenset[Concept] = frozenset()

    def concepts(self, text: str) -> frozenset[Concept]:
        """What a text reads as; empty for a plain one."""
        possible, features = self.features(text)
        if not possible:
            return frozenset()
        rows = [row for feature in features if (row := self._rows.get(feature)) is not None]
        says = self._table[[0, *rows]].sum(axis=0) * WEIGHT_STEP
        if says[-1] >= _odds(MOST_HARMLESS):
            return frozenset()
        least = _odds(LEAST_LEARNT)
        return frozenset(
            concept
            for concept, value in zip(READ, says.tolist(), strict=False)
            if value >= least and concept in possible and concept not in self.left_out
        )

    def without(self, concept: Concept) -> "Learnt":
        """The same that never reads a concept."""
        return replace(self, left_out=self.left_out | {concept})

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex: equal where two read every text alike."""
        told = [self.start, sorted(self.weights.items()), self.made_of, sorted(self.left_out)]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    @cached_property
    def _rows(self) -> Mapping[str, int]:
        return {feature: row for row, feature in enumerate(self.weights, 1)}

    @cached_property
    def _table(self) -> np.ndarray:
        return np.array([self.start, *self.weights.values()], np.int64)


def _odds(share: float) -> float:
    return math.log(share / (1.0 - share))


@cache
def read_learnt() -> Learnt:
    """The reader of this folder."""
    made = json.loads((files(__package__) / MADE).read_text("utf-8"))
    return Learnt(read_features(), made["start"], made["weights"], made["made_of"])
