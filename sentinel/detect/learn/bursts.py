"""Lines of one template and source that stand near each other in time: what belongs to an attack that was found."""

from typing import NamedTuple

import numpy as np

from sentinel.detect.kernel.jit import Booleans, Floats, Integers
from sentinel.detect.learn.corpus import Corpus
from sentinel.detect.tuning.learn import LEAD_S, SLOT_S, WAKE_S

__all__ = ["SLOT_S", "Bursts", "bursts_of"]


class Bursts(NamedTuple):
    """Of each line its quarter hour from the first, the numbers of its template in its source and of its source's
    quarter hour; and how many quarter hours there are."""

    slot: Integers
    pair: Integers
    group: Integers
    slots: int

    def crowds(self, some: Booleans, least: int) -> Booleans:
        """Those of some lines that are at least so many of one source within a quarter hour."""
        found: Booleans = some & (np.bincount(self.group, some)[self.group] >= least)
        return found

    def whole(self, some: Booleans, times: Floats) -> Booleans:
        """Some lines with those of the same template and source in the LEAD_S before, and the WAKE_S after them."""
        order = np.lexsort((times, self.pair))
        marked, here = np.flatnonzero(some[order]), np.arange(len(order))
        found = some.copy()
        if len(marked):
            place = np.searchsorted(marked, here)
            for neighbour, within_s in ((place, LEAD_S), (place - 1, WAKE_S)):
                other = order[marked[np.clip(neighbour, 0, len(marked) - 1)]]
                near = np.abs(times[other] - times[order]) <= within_s
                found[order] |= near & (self.pair[other] == self.pair[order])
        return found


def bursts_of(corpus: Corpus) -> Bursts:
    """The bursts of a training's lines."""
    times, facts = corpus.coded.line.times, corpus.coded.facts
    slot = ((times - times[0]) // SLOT_S).astype(np.int64)
    _, pair = np.unique(facts.template * len(corpus.source_hashes) + facts.source, return_inverse=True)
    _, group = np.unique(facts.source * 10_000_000 + slot, return_inverse=True)
    return Bursts(slot, pair, group, int(slot[-1]) + 1)
