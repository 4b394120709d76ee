"""Find the training lines that the champion calls an attack, so that the next model does not learn it as normal.

Never done here: leave out single odd lines (the threshold must learn to bear them), or what has come to stay.
"""

import numpy as np

from sentinel.detect.judge.combine import NATS, NORM, PARTS, PRIOR, Switches, combine
from sentinel.detect.judge.features import FAMILIES, FEATURES, TABLE
from sentinel.detect.judge.surprise import surprises
from sentinel.detect.judge.tails import TOLERANCE, tail_nats
from sentinel.detect.kernel.jit import Booleans, Floats, Integers
from sentinel.detect.learn.bursts import Bursts, bursts_of
from sentinel.detect.learn.corpus import Corpus
from sentinel.detect.learn.crossfit import rows_of
from sentinel.detect.models.model import Model
from sentinel.detect.read.coded import Facts
from sentinel.detect.tuning.learn import CHUNK_LINES, MAX_SHARE, MIN_NORM_NATS, STAYS_SHARE, STAYS_SLOTS
from sentinel.detect.tuning.learn import CROWD_LINES_OF_EXCLUDE as CROWD_LINES

__all__ = ["attacks"]

NEEDS_A_PAST = tuple(family.name for family in FAMILIES if family.asks_the_past)
"""Causes that ask whether something was ever seen: a training window begins with an empty memory and cannot say."""

_NEEDS_A_PAST_AT = np.array([i for i, feature in enumerate(TABLE) if feature.family in NEEDS_A_PAST])


def attacks(corpus: Corpus, champion: Model) -> Booleans:
    """(n,) the lines of a training that may not teach, as the champion sees them.

    These are lines of guessed passwords by the fixed prior, and crowds (ten anomalies of one source within 15 min) by
    rates, distinct counts and numbers, with the lines of their templates five minutes before: an attack is called one
    some lines after it began. Left in are crowds of a template that has come to stay: in half
    of the quarter hours from its first anomaly to the end, and for six hours at least. None, where it would be 30 % of
    all lines.
    """
    nats, prior = _judge(corpus, champion)
    guesses: Booleans = prior >= champion.threshold_nats
    strange = guesses | (nats >= champion.threshold_nats)
    bursts = bursts_of(corpus)
    crowds = bursts.crowds(strange, CROWD_LINES)
    for found in (guesses | (crowds & ~_stays(corpus, champion, crowds, bursts)), guesses):
        whole = bursts.whole(found, corpus.coded.line.times)
        if np.count_nonzero(whole) <= MAX_SHARE * len(corpus):
            return whole
    return np.zeros(len(corpus), bool)


def _moved(places: Integers, own: list[int], theirs: list[int]) -> Integers:
    """Places among `own` keys as places among `theirs`, −1 where the key is not there."""
    at = {key: i for i, key in enumerate(theirs)}
    moved: Integers = np.array([at.get(key, -1) for key in own], np.int64)[places]
    return moved


def _facts(corpus: Corpus, champion: Model) -> Facts:
    """The facts of all lines with the champion's places; how rare words are is not asked."""
    facts = corpus.coded.facts
    return facts._replace(
        template=_moved(facts.template, list(corpus.vocabulary.places), champion.template_keys.tolist()),
        source=_moved(facts.source, corpus.source_hashes.tolist(), champion.source_hashes.tolist()),
    )


def _judge(corpus: Corpus, champion: Model) -> tuple[Floats, Floats]:
    """((n,) nats of all lines under the champion, but for causes that need a past; (n,) nats of the prior alone)."""
    n, facts = len(corpus), _facts(corpus, champion)
    nats, prior = np.empty(n), np.empty(n)
    for a in range(0, n, CHUNK_LINES):
        rows = slice(a, min(a + CHUNK_LINES, n))
        parts = _parts(corpus.raw[rows].astype(np.float64), rows_of(facts, np.arange(rows.start, rows.stop)), champion)
        nats[rows], prior[rows] = parts[:, NATS], parts[:, PRIOR]
    return nats, prior


def _parts(raw: Floats, facts: Facts, champion: Model) -> Floats:
    """The parts of some lines' scores."""
    found = np.empty((len(raw), len(FEATURES)))
    surprises(raw, facts, champion.baseline, found)
    tails, forest, parts = np.zeros_like(found), np.zeros(len(raw)), np.empty((len(raw), len(PARTS)))
    if champion.trees is None:  # a warm-up model knows only the prior
        combine(raw, facts.flags, found * 0.0, tails, forest, champion.calibration, 0.0, Switches(), True, parts)
        return parts
    tail_nats(found, champion.tail_places[facts.source], champion.tails, TOLERANCE, tails)
    tails[:, _NEEDS_A_PAST_AT] = 0.0
    combine(raw, facts.flags, found, tails, forest, champion.calibration, 0.0, Switches(forest=False), False, parts)
    asked = np.flatnonzero(parts[:, NORM] >= MIN_NORM_NATS)
    if len(asked):
        some = np.empty((len(asked), len(PARTS)))
        scores = champion.trees.score_samples(tails[asked])
        combine(
            raw[asked],
            facts.flags[asked],
            found[asked],
            tails[asked],
            scores,
            champion.calibration,
            0.0,  # a crowd of ten lines is no lone alarm
            Switches(),
            False,
            some,
        )
        parts[asked] = some
    return parts


def _stays(corpus: Corpus, champion: Model, crowds: Booleans, bursts: Bursts) -> Booleans:
    """(n,) lines of a template and source whose anomalies have become its habit by the end of the training."""
    slot, pair, end = bursts.slot, bursts.pair, bursts.slots
    own = np.array(list(corpus.vocabulary.places), np.uint64)
    known = np.isin(own, champion.template_keys)[corpus.coded.facts.template]
    counted = crowds | (~known & (np.bincount(pair, crowds)[pair] > 0))  # a new template is one habit, calm or not
    first = np.full(int(pair.max()) + 1, end)
    np.minimum.at(first, pair[counted], slot[counted])
    filled = np.bincount(np.unique(pair[counted] * end + slot[counted]) // end, minlength=len(first))
    lasts = end - first
    stays: Booleans = ((lasts >= STAYS_SLOTS) & (filled >= STAYS_SHARE * lasts))[pair]
    return stays
