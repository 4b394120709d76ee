"""Learn which places of texts, and which numbers, always held one of a few values; and which numbers only count on."""

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from sentinel.detect.judge.outcomes import Outcomes, new_numbers
from sentinel.detect.kernel.jit import Booleans, Floats, Integers
from sentinel.detect.learn.corpus import Corpus
from sentinel.detect.read.outcomes import Slot, places_in
from sentinel.detect.tuning.judge import MAX_VALUES
from sentinel.detect.tuning.learn import COUNTS_ON, LATE_SHARE, LINES_A_VALUE, MIN_STEPS
from sentinel.detect.tuning.learn import MIN_LINES_OF_OUTCOMES as MIN_LINES

__all__ = ["counters_in", "learn_numbers", "learn_outcomes", "learn_slots"]

Seen = dict[int, dict[str, float]]


def _nats(counts: Sequence[float]) -> float:
    """−ln of the chance of a value never seen: the share of lines whose value came once, at least half a line."""
    once = sum(1 for count in counts if count <= 1)
    return float(-np.log((once + 0.5) / (sum(counts) + 1.0)))


def _is_slot(counts: Sequence[float]) -> bool:
    return len(counts) <= MAX_VALUES and sum(counts) >= max(MIN_LINES, LINES_A_VALUE * len(counts))


def _seen(texts: Iterable[str], tokens: Iterable[Sequence[str]], lines: Iterable[float]) -> Seen:
    seen: Seen = {}
    for text, template, count in zip(texts, tokens, lines, strict=True):
        for place, value in places_in(text, template) if count else ():
            values = seen.setdefault(place, {})
            if len(values) <= MAX_VALUES or value in values:
                values[value] = values.get(value, 0.0) + count
    return seen


def learn_slots(texts: Sequence[str], tokens: Sequence[Sequence[str]], lines: Floats, late: Floats) -> dict[int, Slot]:
    """The slots of distinct masked texts, by place; `tokens` are their templates', `lines` how often each text came.

    `late` are those of the lines that came in the last third: slots learnt without them say how often a place brings
    a new value, and what is more than the chances promised is taken off all.
    """
    early = {p: v for p, v in _seen(texts, tokens, lines - late).items() if _is_slot(list(v.values()))}
    promised, came = 0.0, 0
    for place, values in _seen(texts, tokens, late).items():
        if place in early:
            promised += min(float(np.exp(-_nats(list(early[place].values())))) * sum(values.values()), 1.0)
            came += any(value not in early[place] for value in values)
    allowance = max(float(np.log((came + 1.0) / (promised + 1.0))), 0.0)
    slots = {}
    for place, values in _seen(texts, tokens, lines).items():
        counts = sorted(values.values(), reverse=True)
        if _is_slot(counts) and (worth := _nats(counts) - allowance) > 0.0:
            names = tuple(sorted(values, key=lambda value: -values[value]))
            slots[place] = Slot(names, int(sum(counts)), worth)
    return slots


def _inside(values: Floats) -> tuple[float, float]:
    """What is no news beside a few values: near and between whole numbers that are close together, which count
    something. Of others, which are codes or never varied, everything is."""
    low, high = float(values.min()), float(values.max())
    if len(values) > 1 and high - low <= 2.0 * len(values):
        return low - (high - low), high + (high - low)
    return np.inf, -np.inf


def _tables(numbers: Floats, places: Integers, size: int) -> Outcomes:
    empty = (np.full((size + 1, 4, MAX_VALUES), np.nan), np.zeros((size + 1, 4)), np.full((size + 1, 4, 2), np.nan))
    found = Outcomes(*empty, np.zeros((size + 1, 4)))
    for k in range(4):
        rows = np.flatnonzero(~np.isnan(numbers[:, k]))
        if not len(rows):
            continue
        pairs, counts = np.unique(np.column_stack([places[rows], numbers[rows, k]]), axis=0, return_counts=True)
        first = np.append(np.flatnonzero(np.diff(pairs[:, 0], prepend=-1.0)), len(pairs))
        for a, b in itertools.pairwise(first.tolist()):
            own = counts[a:b].astype(float).tolist()
            if _is_slot(own):
                t, values = int(pairs[a, 0]), pairs[a:b, 1]
                found.values[t, k, : len(values)] = values
                found.nats[t, k], found.lines[t, k] = max(_nats(own), 0.0), sum(own)
                found.inside[t, k] = _inside(values)
    return found


def learn_numbers(numbers: Floats, places: Integers, size: int, late: Booleans) -> Outcomes:
    """The numbers (n, 4) of templates (`places` (n,), 0…size−1) that are one of a few; `late` as in `learn_slots`."""
    early = _tables(numbers[~late], places[~late], size)
    n = int(late.sum())
    nats, keys, which = np.zeros(n), np.zeros(n, np.uint64), np.full(n, -1)
    with np.errstate(over="ignore", invalid="ignore"):
        new_numbers(places[late], numbers[late], early, nats, keys, which)
    came = len(np.unique(keys[nats > 0.0]))
    slots, seen = early.nats[places[late]], ~np.isnan(numbers[late])
    promised = float(np.exp(-slots[(slots > 0.0) & seen]).sum())
    allowance = max(float(np.log((came + 1.0) / (promised + 1.0))), 0.0)
    found = _tables(numbers, places, size)
    return found._replace(nats=np.maximum(found.nats - allowance, 0.0))


def learn_outcomes(corpus: Corpus, ok: Booleans) -> tuple[Outcomes, dict[int, Slot]]:
    """(numbers, places of codes and states) that always were one of a few, in the lines `ok`, which taught."""
    n, which, known = int(ok.sum()), corpus.words.which[ok], corpus.vocabulary.known
    late = np.arange(n) >= LATE_SHARE * n
    found = [known.find(text) for text in corpus.texts]
    tokens = [cluster.tokens if cluster is not None else () for cluster in found]
    every, newest = (np.bincount(rows, minlength=len(corpus.words.rows)).astype(float) for rows in (which, which[late]))
    slots = learn_slots(corpus.texts, tokens, every[: len(tokens)], newest[: len(tokens)])
    facts = corpus.coded.facts
    return learn_numbers(facts.numbers[ok], facts.template[ok], len(corpus.vocabulary.places), late), slots


def counters_in(numbers: Floats, places: Integers, size: int, writers: Integers) -> Booleans:
    """(size, 4) which numbers of which templates count on: from line to line they nearly always grow, or fall.

    Such a number says nothing by where it is: it was never there before, and after a restart it begins anew. Where
    several `writers` (n,) share a template each counts for itself, and their lines in turn neither grow nor fall.
    """
    out = np.zeros((size, 4), bool)
    for whose in (np.zeros_like(writers), writers):
        order = np.lexsort((whose, places))
        for k in range(4):
            rows = order[~np.isnan(numbers[order, k])]
            same = (np.diff(places[rows]) == 0) & (np.diff(whose[rows]) == 0)
            steps, homes = np.diff(numbers[rows, k])[same], places[rows][1:][same]
            taken = np.bincount(homes, minlength=size)
            for sign in (1.0, -1.0):
                onward = np.bincount(homes, steps * sign > 0.0, size)
                out[:, k] |= (taken >= MIN_STEPS) & (onward >= COUNTS_ON * taken)
    return out
