"""How improbable a value is under training: −ln of the upper tail, by feature and group, in small tables."""

from typing import NamedTuple

import numpy as np

from sentinel.detect.judge.features import FEATURE_INDEX, SHARED
from sentinel.detect.kernel.jit import Floats, Integers, compiled
from sentinel.detect.tuning.judge import CAP_NATS, MIN_GROUP_LINES, MIN_TAIL_LINES, SHRINK_LINES, TOLERANCE, WAKE_NATS

__all__ = ["CAP_NATS", "TOLERANCE", "Tails", "fit_tails", "pooled_nats", "tail_nats"]

LEVELS = np.array([0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.965, 0.975, 0.98, 0.9875, 0.993, 0.9965, 0.999, 0.9995, 1.0])
KNOTS = len(LEVELS)
ABSENT = -1.0  # a feature that does not apply: it says nothing, and its tail is that of the lines it applies to
_LN2 = float(np.log(2.0))
_SHARED_AT = np.array([FEATURE_INDEX[name] for name in SHARED])


class Tails(NamedTuple):
    """Group 0 is all lines pooled; −ln p at `knots` is `nats`, beyond `start` an exponential tail of scale `scale`.

    `knots`, `nats` (groups, features, 16); `start`, `scale`, `base` (groups, features): base is −ln p at the start;
    `weight` (groups, features): how far a group's own tail counts against the pooled one.
    """

    knots: Floats
    nats: Floats
    start: Floats
    scale: Floats
    base: Floats
    weight: Floats


class _Tail(NamedTuple):
    knots: Floats
    nats: Floats
    start: float
    scale: float
    base: float
    lines: int


def _one_tail(column: Floats, q: float, floor: float) -> _Tail:
    """The tail of the lines that a feature applies to (a value above ABSENT)."""
    values = np.sort(column[column > ABSENT])
    n = len(values)
    if n < MIN_TAIL_LINES:  # hardly ever seen: what is usual ends at 0, the tables' bound
        return _Tail(np.linspace(ABSENT, 0.0, KNOTS), np.linspace(0.0, 4.0, KNOTS), 0.0, max(floor, 0.1), 4.0, n)
    knots = values[np.minimum(np.floor(LEVELS * (n - 1) + 1e-9).astype(int), n - 1)]
    reached = n - np.searchsorted(values, knots, side="left")
    nats = -np.log((reached + 1.0) / (n + 1.0))
    nats[0] = 0.0  # what six in ten lines do is nothing
    start = values[int(q * (n - 1))]
    above = values[values > start]
    share = max(len(above) / n, 1.0 / (n + 1))
    mean = float((above - start).mean()) if len(above) else 0.0
    scale = max(mean + 0.05 * float(values.std()) + 0.02, floor)
    return _Tail(knots, nats, float(start), scale, -float(np.log(share)), n)


def _places(sizes: Integers, rest: int) -> tuple[list[int], Integers, bool]:
    """Groups with a tail of their own, each group's place (small ones share one, if enough), whether they are."""
    big = np.flatnonzero(sizes >= MIN_GROUP_LINES)
    places = np.zeros(len(sizes) + 1, np.int64)
    places[big] = 1 + np.arange(len(big))
    shared = rest >= MIN_GROUP_LINES
    if shared:
        places[:-1][sizes < MIN_GROUP_LINES] = len(big) + 1
        places[-1] = len(big) + 1
    return big.tolist(), places, shared


def fit_tails(
    values: Floats, groups: Integers, count: int, *, floors: Floats, q: float = 0.98
) -> tuple[Tails, Integers]:
    """Tails of values (n, features): pooled, and of each group in 0…count−1 with enough rows.

    Returns the tails and, for each group and finally any other group, its place in them; small groups share one place.
    """
    sizes = np.bincount(groups, minlength=count) if len(groups) else np.zeros(count, np.int64)
    rest = sizes[groups] < MIN_GROUP_LINES if count else np.zeros(len(values), bool)
    big, places, shared = _places(sizes[:count], int(rest.sum()))
    some = [
        np.arange(len(values)),
        *(np.flatnonzero(groups == g) for g in big),
        *([np.flatnonzero(rest)] if shared else []),
    ]
    found = [[_one_tail(values[rows, f], q, float(floors[f])) for f in range(values.shape[1])] for rows in some]
    lines = np.array([[tail.lines for tail in row] for row in found], np.float64)
    weight = lines / (lines + SHRINK_LINES)
    weight[0] = 0.0
    return Tails(
        np.array([[tail.knots for tail in row] for row in found]),
        np.array([[tail.nats for tail in row] for row in found]),
        np.array([[tail.start for tail in row] for row in found]),
        np.array([[tail.scale for tail in row] for row in found]),
        np.array([[tail.base for tail in row] for row in found]),
        weight,
    ), places


@compiled
def pooled_nats(x: float, tails: Tails, g: int, f: int, tolerance: float) -> float:
    """−ln p of x under one tail, at most 25."""
    knots, nats = tails.knots, tails.nats
    y = x - tolerance
    if x <= ABSENT or y <= knots[g, f, 0]:
        return 0.0
    if y > knots[g, f, KNOTS - 1]:
        p = nats[g, f, KNOTS - 1] + _LN2  # above all: 1 in n + 1 instead of 2
    else:
        low, high = 0, KNOTS - 1  # knots[low] < y <= knots[high]
        while high - low > 1:
            middle = (low + high) >> 1
            if knots[g, f, middle] < y:
                low = middle
            else:
                high = middle
        share = (y - knots[g, f, low]) / (knots[g, f, high] - knots[g, f, low])
        p = nats[g, f, low] + (nats[g, f, high] - nats[g, f, low]) * share
    if x > tails.start[g, f] + tolerance:
        p = max(p, tails.base[g, f] + (x - tails.start[g, f]) / tails.scale[g, f])
    return min(max(p, 0.0), CAP_NATS)


@compiled
def tail_nats(values: Floats, groups: Integers, tails: Tails, tolerance: float, out: Floats) -> None:
    """Fill out (n, features) with −ln p of values, each row under its group's tail drawn to the pooled one."""
    for i in range(values.shape[0]):
        g = groups[i]
        for f in range(values.shape[1]):
            w = tails.weight[g, f]
            p = pooled_nats(values[i, f], tails, 0, f, tolerance)
            if w > 0.0:
                p = w * pooled_nats(values[i, f], tails, g, f, tolerance) + (1.0 - w) * p
            out[i, f] = p
        _damp(out, i)


@compiled
def _damp(tails: Floats, i: int) -> None:
    """After a flood the long windows of shared keys stay high: they count as far as the short one bears out."""
    for at in _SHARED_AT:
        ceiling = tails[i, at] + WAKE_NATS
        tails[i, at + 1] = min(tails[i, at + 1], ceiling)
        tails[i, at + 2] = min(tails[i, at + 2], ceiling)
