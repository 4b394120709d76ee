"""Learn baseline tables from training lines: usual upper bounds, ranges of numbers, shares of what is new."""

from dataclasses import dataclass

import numpy as np

from sentinel.detect.judge.features import GAPS, GLOBAL_REFS, OF_ACTOR, SOURCE_REFS, TEMPLATE_REFS
from sentinel.detect.judge.surprise import (
    COUNT,
    LENGTH_MEAN,
    LENGTH_SPREAD,
    MEAN_TRUST,
    NEW0,
    NUMBER_TRUST,
    TEMPLATE_COLUMNS,
    Baseline,
)
from sentinel.detect.kernel.jit import Booleans, Floats, Indices, Integers, Singles, compiled
from sentinel.detect.read.coded import Facts
from sentinel.detect.remember.raw import RAW_INDEX
from sentinel.detect.tuning.learn import FEW_SHOW_LITTLE, MIN_MEAN_SEEN, SHRINK_LINES, SOURCE_LINES, UPPER

__all__ = ["Evidence", "learn"]


@compiled
def _group_quantiles(
    order: Indices, groups: Integers, values: Floats | Singles, use: Booleans, q: Floats, out: Floats, counts: Integers
) -> None:
    """Quantiles q by group: `order` sorts rows by (group, value) and leaves out what does not apply; so do `values`."""
    i, n = 0, len(order)
    while i < n:
        g = groups[order[i]]
        j, m = i, 0
        while j < n and groups[order[j]] == g:
            m += use[order[j]]
            j += 1
        counts[g] = m
        for k in range(len(q)):
            target, seen = np.int64(np.floor(q[k] * max(m - 1, 0))), -1
            for r in range(i, j):
                if use[order[r]]:
                    seen += 1
                    if seen == target:
                        out[g, k] = values[r]
                        break
        i = j


@dataclass(slots=True)
class _Sorted:
    """One raw column in log(1 + x): the rows it applies to, sorted by group and value, and their values."""

    values: Floats | Singles  # exact for numbers: they are compared with their own bounds
    groups: Integers
    order: Indices
    size: int
    is_gap: bool = False

    @classmethod
    def of(
        cls, values: Floats | Singles, applies: Booleans, groups: Integers, size: int, *, is_gap: bool = False
    ) -> "_Sorted":
        rows = np.flatnonzero(applies).astype(np.int32)
        order = rows[np.lexsort((values[rows], groups[rows]))]
        return cls(values[order], groups, order, size, is_gap)

    def quantiles(self, use: Booleans, q: tuple[float, ...]) -> tuple[Floats, Integers]:
        """(size, len(q)) quantiles, NaN for groups without rows, and the rows of each group."""
        out, counts = np.full((self.size, len(q)), np.nan), np.zeros(self.size, np.int64)
        _group_quantiles(self.order, self.groups, self.values, use, np.array(q), out, counts)
        return out, counts


class Evidence:
    """All training rows, sorted once, from which `learn` makes tables for any subset of them."""

    def __init__(self, raw: Singles, facts: Facts, templates: int, sources: int) -> None:
        self.raw, self.facts, self.templates, self.sources = raw, facts, templates, sources
        self.homes = np.full(templates, -1)  # a source of each template
        self.homes[facts.template] = facts.source
        nothing = np.zeros(len(raw), np.int64)
        self.t_refs = [self._column(name, facts.template, templates) for name in TEMPLATE_REFS]
        self.s_refs = [self._column(name, facts.source, sources) for name in SOURCE_REFS]
        self.g_refs = [self._column(name, nothing, 1) for name in GLOBAL_REFS]
        self.numbers = [self._number(np.log1p(facts.numbers[:, k])) for k in range(4)]
        warm = raw[:, RAW_INDEX["means_seen"]] >= MIN_MEAN_SEEN
        self.means = [self._number(np.where(warm, raw[:, RAW_INDEX[f"mean{k}"]], np.nan)) for k in range(4)]

    def _column(self, name: str, groups: Integers, size: int) -> _Sorted:
        value = self.raw[:, RAW_INDEX[name]]
        is_gap = name in GAPS
        applies = value >= 0 if is_gap else value > 0
        return _Sorted.of(np.log1p(np.maximum(value, 0.0)), applies, groups, size, is_gap=is_gap)

    def _number(self, values: Floats | Singles) -> _Sorted:
        return _Sorted.of(values, ~np.isnan(values), self.facts.template, self.templates)


def _shrunk(column: _Sorted, use: Booleans, *, sources: Integers | None = None) -> Floats:
    """(size + 1,) usual upper bounds by group; the last is for groups never seen.

    Where `sources` of the groups are given, it is about what an actor did elsewhere, which says nothing of a template
    that was hardly seen: the bound of its source's other templates holds. What was hardly seen may stay away as long
    as anything did.
    """
    found, counts = column.quantiles(use, (UPPER,))
    bound = found[:, 0]
    pool = float(np.nanmedian(bound)) if np.any(counts) else 0.7
    rest = pool if sources is not None else min(pool, FEW_SHOW_LITTLE)
    if column.is_gap and np.any(counts):
        rest = float(np.nanmax(bound))
    little = rest if sources is None else _of_sources(bound, counts, sources, pool)
    drawn = (counts * np.nan_to_num(bound) + SHRINK_LINES * little) / (counts + SHRINK_LINES)
    bounds = np.where(counts > 0, np.fmax(bound, drawn), little)
    return np.append(bounds, rest)


def _of_sources(bound: Floats, counts: Integers, sources: Integers, pool: float) -> Floats:
    """(size,) for each template the bound that half the lines of its source have, drawn to the pool where few do."""
    order = np.lexsort((bound, sources))
    lines = np.cumsum(counts[order])
    firsts = np.flatnonzero(np.diff(sources[order], prepend=-2))
    ends = np.append(firsts[1:], len(order))
    before = np.append(0, lines)[firsts]
    middle = order[np.searchsorted(lines, before + (lines[ends - 1] - before + 1) // 2)]
    weight = lines[ends - 1] - before
    own = (weight * np.nan_to_num(bound[middle]) + SOURCE_LINES * pool) / (weight + SOURCE_LINES)
    out = np.empty(len(bound))
    out[order] = np.repeat(own, ends - firsts)
    return out


def _ranges(columns: list[_Sorted], use: Booleans, size: int, counters: Booleans | None) -> Floats:
    out = np.full((size + 1, 12), np.nan)
    for k, column in enumerate(columns):
        out[:size, 3 * k : 3 * k + 3] = column.quantiles(use, (0.01, 0.5, 0.99))[0]
    if counters is not None:
        out[:size][np.repeat(counters, 3, axis=1)] = np.nan
    return out


def _shares_of_new(evidence: Evidence, use: Booleans, template: Floats) -> None:
    """How often lines of a template show a new address, user or pair, after the beginning, where all is new."""
    n, size = len(evidence.raw), evidence.templates
    first = int(0.3 * np.count_nonzero(use))
    late = use & (np.cumsum(use) > first)
    for k, name in enumerate(("new_address", "new_user", "new_pair")):
        hits = evidence.raw[:, RAW_INDEX[name]]
        rows = late & (hits >= 0)
        groups = evidence.facts.template[rows]
        new = np.bincount(groups, hits[rows] == 0, size)
        seen = np.bincount(groups, minlength=size)
        pool = (new.sum() + 1.0) / (seen.sum() + 2.0)
        template[:size, NEW0 + k] = np.clip((new + pool) / (seen + 1.0), 1e-6, 1.0)
        template[size, NEW0 + k] = 0.5
    assert n == len(use)


def learn(
    evidence: Evidence,
    use: Booleans,
    cap: tuple[float, float],
    trust: Floats | None = None,
    counters: Booleans | None = None,
) -> Baseline:
    """Tables from the rows `use`. `cap`: ceilings of rarities, nats; `trust` (templates, 2): belief in numbers;
    `counters` (templates, 4): numbers that count on, and have no range."""
    size = evidence.templates
    groups, length = evidence.facts.template[use], evidence.facts.length[use]
    template = np.zeros((size + 1, TEMPLATE_COLUMNS))
    template[:, NUMBER_TRUST], template[:, MEAN_TRUST] = 1.0, 1.0
    if trust is not None:
        template[:size, NUMBER_TRUST], template[:size, MEAN_TRUST] = trust[:, 0], trust[:, 1]
    count = np.bincount(groups, minlength=size).astype(float)
    mean = np.bincount(groups, length, size) / np.maximum(count, 1)
    square = np.bincount(groups, length * length, size) / np.maximum(count, 1)
    template[:size, COUNT], template[:size, LENGTH_MEAN] = count, mean
    template[:size, LENGTH_SPREAD] = np.sqrt(np.maximum(square - mean * mean, 0.0))
    _shares_of_new(evidence, use, template)
    named = zip(TEMPLATE_REFS, evidence.t_refs, strict=True)
    t_refs = [_shrunk(column, use, sources=evidence.homes if name in OF_ACTOR else None) for name, column in named]
    return Baseline(
        template=template,
        template_refs=np.ascontiguousarray(np.column_stack(t_refs)),
        source_refs=np.ascontiguousarray(np.column_stack([_shrunk(c, use) for c in evidence.s_refs])),
        global_refs=np.array([_shrunk(c, use)[0] for c in evidence.g_refs]),
        numbers=_ranges(evidence.numbers, use, size, counters),
        means=_ranges(evidence.means, use, size, counters),
        cap=np.array(cap),
    )
