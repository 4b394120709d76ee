"""What sessions usually hold (counts of templates, what follows what, count vectors), and how far one is off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from sentinel.detect.kernel.jit import Floats, Hashes, Integers
from sentinel.detect.sessions.content import Content, failing, flat, steps_of
from sentinel.detect.tuning.sessions import COUNTING_ERROR, MAX_VECTORS, MIN_RECURRING, MIN_RECURRING_SHARE
from sentinel.detect.tuning.sessions import MAX_TEMPLATES_OF_PARTS as MAX_TEMPLATES
from sentinel.errors import ArtifactError

__all__ = ["EXTRA", "FAILING", "MISSING", "OFTEN", "ORDER", "PARTS", "Usual", "learn", "recurs"]

PARTS = ("extra", "often", "missing", "less", "failing", "far", "order")
"""How a session differs: rare or new templates, some too often, missing, some too seldom, failures, counts unlike any
known, odd order. Over templates the root of the sum of squares: what comes together is not counted for each alone."""

EXTRA, OFTEN, MISSING, LESS, FAILING, FAR, ORDER = range(len(PARTS))
NO_BOUND = np.inf
BUCKETS = 48
_EXACT = 32  # counts up to here have a bucket each, then four to a doubling
_LN2 = float(np.log(2.0))
_BUCKET_STEPS = 4.0
_FREE_NATS = _LN2  # what half of all sessions do is no surprise


@dataclass(frozen=True, slots=True)
class Usual:
    """Tables over V templates of n sessions, all of plain numbers.

    `keys` (V,) sorted; `present` (V,) sessions that have it; `most` (V,) greatest count; `up`, `low` (V, 48): −ln of
    the share of sessions with at least / at most so many; `pairs`, `pair_nats`: transitions a·(V + 2) + b, sorted, and
    −ln P(b | a); `other_nats` (V + 2,): of any other b; `vectors` (R, V) known counts; `vector_nats` (R,): −ln of the
    share of sessions that hold just these, ∞ where too few do; `weights` (V,) of templates.
    """

    sessions: int
    keys: Hashes
    present: Integers
    most: Integers
    up: Floats
    low: Floats
    pairs: Integers
    pair_nats: Floats
    other_nats: Floats
    vectors: Floats
    vector_nats: Floats
    weights: Floats
    failing: npt.NDArray[np.bool_]
    unseen_nats: float
    ceiling: float

    def code(self, keys: Hashes) -> tuple[Integers, Hashes]:
        """The place of each key; never seen ones follow from V on, in the order of their keys, which are returned."""
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = self.keys[place] == keys
        unseen, which = np.unique(keys[~known], return_inverse=True)
        code = place.astype(np.int64)
        code[~known] = len(self.keys) + which
        return code, unseen

    def step_nats(self, before: Integers, after: Integers) -> Floats:
        """Surprise of each transition between codes; V is the outside (start and end), above it the never seen."""
        place, found, origin = self._steps(before, after)
        nats: Floats = np.where(found, self.pair_nats[place], self.other_nats[origin])
        return np.minimum(nats, self.ceiling)

    def is_usual_step(self, before: Integers, after: Integers) -> npt.NDArray[np.bool_]:
        """Whether each transition between codes comes again and again; how often is worked out from its nats."""
        place, found, origin = self._steps(before, after)
        out = np.exp(self.other_nats[origin]) / (2.0 * (len(self.keys) + 2))  # as `_transitions` counts
        times = np.floor(np.exp(-self.pair_nats[place]) * out + COUNTING_ERROR)
        return found & recurs(times, self.sessions)

    def _steps(self, before: Integers, after: Integers) -> tuple[Integers, npt.NDArray[np.bool_], Integers]:
        """Of each transition: its place among the pairs, whether it is there, and the code it comes from."""
        v = len(self.keys)
        origin = np.minimum(before, v + 1)
        wanted = origin * (v + 2) + np.minimum(after, v + 1)
        place = np.minimum(np.searchsorted(self.pairs, wanted), len(self.pairs) - 1)
        return place, self.pairs[place] == wanted, origin

    def one_step_nats(self, before: int, after: int) -> float:
        """The same of one transition."""
        return float(self.step_nats(np.array([before]), np.array([after]))[0])

    def has_step(self, before: int, after: int) -> bool:
        """Whether a transition between codes (V: outside) is known."""
        return bool(np.isin(before * (len(self.keys) + 2) + after, self.pairs))

    def parts(self, content: Content) -> Floats:
        """How far each session is off, (n, 7) in the order of PARTS; the scales differ, tails make them comparable."""
        found = self.rising(content)
        known = content.code < len(self.keys)
        row, code, bucket = content.row[known], content.code[known], _bucket(content.times[known])
        low = np.maximum(self.low - _FREE_NATS, 0.0) ** 2
        missing = low[:, 0].sum() - np.bincount(row, low[code, 0], content.sessions)
        found[:, MISSING] = np.sqrt(np.maximum(missing, 0.0))
        found[:, LESS] = np.sqrt(np.bincount(row, low[code, bucket], content.sessions))
        found[:, FAR] = self._far(content)
        found[:, ORDER] = content.steps
        return np.maximum(found, 0.0)

    def rising(self, content: Content) -> Floats:
        """The parts that only grow while a session lasts ("extra", "often", "failing"), (n, 7); the others are 0."""
        found = np.zeros((content.sessions, len(PARTS)))
        extra, often = self.extra_nats(content), self.often_nats(content)
        failing = np.append(self.failing, content.unseen_failing)[content.code]
        for part, nats in ((EXTRA, extra), (OFTEN, often), (FAILING, np.where(failing, extra, 0.0))):
            found[:, part] = np.sqrt(np.bincount(content.row, nats**2, content.sessions))
        return found

    def extra_nats(self, content: Content) -> Floats:
        """How surprising it is, for each entry of a content, that the template is there."""
        code = np.minimum(content.code, len(self.keys) - 1)
        known = np.maximum(self.up_nats(code, np.ones_like(code)) - _FREE_NATS, 0.0)
        return np.where(content.code < len(self.keys), known, self.unseen_nats)

    def often_nats(self, content: Content) -> Floats:
        """How much more surprising it is that there is so much of it."""
        code = np.minimum(content.code, len(self.keys) - 1)
        known = np.maximum(self.up_nats(code, content.times) - _FREE_NATS, 0.0)
        again = _LN2 * np.minimum(content.times - 1, 4)
        return np.where(content.code < len(self.keys), known - self.extra_nats(content), again)

    def up_nats(self, code: Integers, count: Integers) -> Floats:
        """−ln of the share of sessions with a known template at least so often; above all, each doubling adds."""
        beyond = np.log2(np.maximum(count, 1) / np.maximum(self.most[code], 1))
        nats: Floats = self.up[code, _bucket(count)] + np.maximum(beyond, 0.0) * 2 * _LN2
        return nats

    def low_nats(self, code: Integers, count: Integers) -> Floats:
        """−ln of the share of sessions with a known template at most so often."""
        nats: Floats = self.low[code, _bucket(count)]
        return nats

    def _far(self, content: Content) -> Floats:
        """Weighted L1 distance to the nearest known count vector, as a share of the larger of the two: 0…1."""
        v = len(self.keys)
        sums = self.vectors @ self.weights
        order = np.lexsort((content.code, content.row))
        row, code, count = content.row[order], content.code[order], content.times[order].astype(np.float64)
        ends = np.searchsorted(row, np.arange(content.sessions + 1))
        seen: dict[bytes, float] = {}
        far = np.zeros(content.sessions)
        for i in range(content.sessions):
            here = slice(ends[i], ends[i + 1])
            own, many = code[here], count[here]
            known = own < v
            lost = float(many[~known].sum()) * self.unseen_nats
            own, many = own[known], many[known]
            name = own.tobytes() + many.tobytes() + np.float64(lost).tobytes()
            distance = seen.get(name)
            if distance is None:
                held, mine = self.vectors[:, own] * self.weights[own], many * self.weights[own]
                apart = sums + (np.abs(held - mine) - held).sum(1) + lost
                whole = np.maximum(sums, mine.sum() + lost)
                distance = seen[name] = float((apart / np.maximum(whole, 1e-9)).min())
            far[i] = max(distance, 0.0)
        return far

    def bound(self, content: Content, nats: Floats, *, ended: bool) -> Floats:
        """(n,) the nats of sessions, at most those of what recurs: that is a way of its own, however rare it is.

        Ended sessions are bound by the counts that they hold, others by all that they may yet come to.
        """
        v, ways = len(self.keys), np.flatnonzero(self.vector_nats < NO_BOUND)
        vectors, of_way = self.vectors[ways], self.vector_nats[ways]
        found = nats.copy()
        for i in np.flatnonzero(nats > of_way.min(initial=NO_BOUND)).tolist():
            here = slice(*np.searchsorted(content.row, [i, i + 1]))
            counts = np.bincount(content.code[here], content.times[here], minlength=v)
            if len(counts) == v:  # nothing never seen
                fits = (vectors == counts).all(1) if ended else (vectors >= counts).all(1)
                found[i] = min(nats[i], of_way[fits].min(initial=NO_BOUND))
        return found

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Plain arrays by name."""
        return {name: np.asarray(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """The inverse of `to_arrays`. Raises ArtifactError where arrays are missing or do not fit together."""
        try:
            numbers: dict[str, Any] = {name: np.asarray(arrays[name]) for name in cls.__slots__}
            numbers["sessions"] = int(numbers["sessions"])
            for name in ("unseen_nats", "ceiling"):
                numbers[name] = float(numbers[name])
        except (KeyError, TypeError, ValueError) as exc:
            raise ArtifactError(f"read tables of sessions: {exc!r}; train again") from exc
        usual = cls(**numbers)
        v = len(usual.keys)
        shapes = {usual.up.shape, usual.low.shape} == {(v, BUCKETS)}
        lengths = {len(usual.present), len(usual.most), len(usual.weights), len(usual.failing)} == {v}
        pairs = len(usual.pairs) == len(usual.pair_nats) > 0 and len(usual.other_nats) == v + 2
        if not (v and shapes and lengths and pairs and usual.vectors.shape == (len(usual.vector_nats), v)):
            raise ArtifactError("read tables of sessions: arrays of different lengths; train again")
        return usual


def _bucket(count: Integers) -> Integers:
    many = np.maximum(count, _EXACT)
    beyond = _EXACT + np.floor(np.log2(many / _EXACT) * _BUCKET_STEPS).astype(np.int64)
    return np.where(count < _EXACT, count, np.minimum(beyond, BUCKETS - 1)).astype(np.int64)


def learn(sequences: Sequence[Sequence[int]], texts: Mapping[int, str], *, history: int) -> Usual:
    """Tables of sessions; no surprise exceeds what `history` sessions could yield, so that tables compare."""
    keys, offsets = flat(sequences)
    n = len(sequences)
    distinct, code, total = np.unique(keys, return_inverse=True, return_counts=True)
    kept = np.sort(np.argsort(-total, kind="stable")[:MAX_TEMPLATES])
    place = np.full(len(distinct), len(kept), np.int64)
    place[kept] = np.arange(len(kept))
    code, distinct, v = place[code], distinct[kept], len(kept)
    row = np.repeat(np.arange(n), np.diff(offsets))
    cells, count = np.unique((row * (v + 1) + code)[code < v], return_counts=True)
    owner, template = cells // (v + 1), cells % (v + 1)
    ceiling = float(np.log(2.0 * (history + 1)))
    present = np.bincount(template, minlength=v)
    most = np.zeros(v, np.int64)
    np.maximum.at(most, template, count)
    up, low = _shares(template, count, present, n, ceiling)
    weights = np.maximum(np.log((n + 1) / (present + 0.5)), 0.1)
    odd = len(np.unique(owner[present[template] == 1]))  # Good and Turing: as many sessions will bring a new template
    steps = steps_of(code, row, offsets, v)
    return Usual(
        n, distinct, present, most, up, low, *_transitions(steps[0], steps[1], v),
        *_vectors(owner, template, count, n, v), weights,
        failing(distinct, texts),
        min(float(-np.log((odd + 0.5) / (n + 1))), ceiling), ceiling,
    )  # fmt: skip


def _shares(template: Integers, count: Integers, present: Integers, n: int, ceiling: float) -> tuple[Floats, Floats]:
    """−ln of the share of sessions with at least, and with at most, a count; half a session is added to each."""
    histogram = np.zeros((len(present), BUCKETS))
    np.add.at(histogram, (template, _bucket(count)), 1.0)
    histogram[:, 0] = n - present
    at_least = histogram[:, ::-1].cumsum(1)[:, ::-1]
    at_most = histogram.cumsum(1)
    up, low = (-np.log((share + 0.5) / (n + 1.0)) for share in (at_least, at_most))
    return np.clip(up, 0.0, ceiling), np.clip(low, 0.0, ceiling)


def _transitions(before: Integers, after: Integers, v: int) -> tuple[Integers, Floats, Floats]:
    """−ln P(after | before) of each pair there is and of any other one, drawn to how often `after` comes at all."""
    pairs, count = np.unique(before * (v + 2) + after, return_counts=True)
    origin, target = pairs // (v + 2), pairs % (v + 2)
    out = np.bincount(origin, count, v + 2)
    into = np.bincount(target, count, v + 2) / max(count.sum(), 1)
    nats = -np.log((count + into[target]) / (out[origin] + 1.0))
    return pairs, nats, np.log((out + 1.0) * 2.0 * (v + 2))


def _vectors(owner: Integers, template: Integers, count: Integers, n: int, v: int) -> tuple[Floats, Floats]:
    """The most frequent count vectors, (R, v), and −ln of the share of sessions with each that recurs, (R,)."""
    ends = np.searchsorted(owner, np.arange(n + 1))
    found: dict[bytes, list[int]] = {}
    for i in range(n):
        here = slice(ends[i], ends[i + 1])
        held = found.setdefault(template[here].tobytes() + count[here].tobytes(), [0, i])
        held[0] += 1
    kept = sorted(found.values(), key=lambda held: (-held[0], held[1]))[:MAX_VECTORS]
    vectors = np.zeros((len(kept), v))
    for k, (_, i) in enumerate(kept):
        vectors[k, template[ends[i] : ends[i + 1]]] = count[ends[i] : ends[i + 1]]
    times = np.array([held for held, _ in kept], np.float64)
    return vectors, np.where(recurs(times, n), -np.log((times + 0.5) / (n + 1.0)), NO_BOUND)


def recurs(times: Floats, sessions: int) -> npt.NDArray[np.bool_]:
    """Whether what so many of the sessions hold comes again and again: a few alike may have one cause."""
    return (times >= MIN_RECURRING) & (times >= MIN_RECURRING_SHARE * sessions)
