"""Turn raw values into surprises by look-up in baseline tables: one kernel for training, batches and one line."""

from typing import NamedTuple

import numpy as np

from sentinel.detect.judge.features import AT, FEATURE_INDEX, GAPS, GLOBAL_REFS, SOURCE_REFS, TEMPLATE_REFS
from sentinel.detect.kernel.flags import Flag, Level
from sentinel.detect.kernel.jit import Booleans, Floats, Integers, compiled
from sentinel.detect.read.coded import Facts
from sentinel.detect.remember.raw import COLUMN, RAW_INDEX
from sentinel.detect.tuning.judge import (
    FAILURE_SLACK,
    GRAVE_SLACK,
    HABIT_SLACK,
    KNOWN_GRAVE_SLACK,
    MAX_NUMBER_EXCESS,
    MEAN_SLACK,
    MEAN_WARM_UP,
    MIN_CONTEXT,
    MIN_MEAN_LINES,
    MIN_NUMBER_LINES,
    MIN_SPREAD,
    MIN_WINDOW_RARITY,
    NEW_SPAN,
    SMOOTHING,
    YOUNG_SLACK,
)

__all__ = ["Baseline", "is_guess", "surprises"]


def _columns(names: tuple[str, ...]) -> tuple[Integers, Integers]:
    """Where the raw values of comparisons stand, and where their surprises go."""
    return np.array([RAW_INDEX[name] for name in names]), np.array([FEATURE_INDEX[name] for name in names])


_T_RAW, _T_AT = _columns(TEMPLATE_REFS)
_S_RAW, _S_AT = _columns(SOURCE_REFS)
_G_RAW, _G_AT = _columns(GLOBAL_REFS)
_T_GAPS, _S_GAPS, _G_GAPS = (np.isin(names, GAPS) for names in (TEMPLATE_REFS, SOURCE_REFS, GLOBAL_REFS))

COUNT, NUMBER_TRUST, MEAN_TRUST, NEW0, LENGTH_MEAN, LENGTH_SPREAD = 0, 1, 2, 3, 6, 7
TEMPLATE_COLUMNS = 8


class Baseline(NamedTuple):
    """What training lines showed. Row i of the template tables is the model's template i, the last row any other one;
    the same for sources.

    `template` (t+1, 8): lines, trust in numbers, trust in moving means, shares of new address / user / pair, length's
    mean and spread. `template_refs` (t+1, 16), `source_refs` (s+1, 16), `global_refs` (3,): usual upper bounds of
    log(1 + raw). `numbers`, `means` (t+1, 12): low, middle, high of log(1 + number) for 4 places. `cap` (2,): the
    ceilings of every rarity, nats: by lines, by windows of time.
    """

    template: Floats
    template_refs: Floats
    source_refs: Floats
    global_refs: Floats
    numbers: Floats
    means: Floats
    cap: Floats


@compiled
def _rarities(raw: Floats, level: int, cap: float, out: Floats) -> None:
    n, hits_t, hits_s = raw[COLUMN.lines], raw[COLUMN.hits_template], raw[COLUMN.hits_source]
    out[AT.rare_template] = _rarity(hits_t, n, cap)
    out[AT.rare_source] = _rarity(hits_s, n, cap)
    out[AT.rare_template_in_source] = _rarity(raw[COLUMN.hits_template_source], hits_s, cap)
    out[AT.rare_level_in_source] = _rarity(raw[COLUMN.hits_level_source], hits_s, cap) if level >= Level.WARN else 0.0
    usual = SMOOTHING * (hits_t + 0.5) / (n + 1.0)
    after, before = raw[COLUMN.hits_after_source], raw[COLUMN.hits_before_source]
    out[AT.unusual_after_source] = _unusual(after, before, usual, cap)
    after, before = raw[COLUMN.hits_after_session], raw[COLUMN.hits_before_session]
    out[AT.unusual_after_session] = _unusual(after, before, usual, cap) if after >= 0.0 else 0.0
    out[AT.broken_sequence] = _broken(raw)


@compiled
def _broken(raw: Floats) -> float:
    """How much seldomer a template follows the one before it in its session than it would by chance, in logarithms."""
    if raw[COLUMN.hits_after_session] < 0.0 or raw[COLUMN.hits_before_session] < MIN_CONTEXT:
        return 0.0
    chance = raw[COLUMN.hits_template_source] / (raw[COLUMN.hits_source] + 1.0) * raw[COLUMN.hits_before_session]
    return max(np.log((chance + 1e-9) / (raw[COLUMN.hits_after_session] + 0.5)) - HABIT_SLACK, 0.0)


@compiled
def _rarity(hits: float, of: float, cap: float) -> float:
    """−ln of a share, never more than so many hits could yield in the smallest history: a long one must not leak."""
    return min(-np.log((hits + 0.5) / (of + 1.0)), _ceiling(hits, cap))


@compiled
def _unusual(after: float, before: float, usual: float, cap: float) -> float:
    """−ln of how often a template follows another, drawn to how often it comes at all."""
    return min(-np.log((after + usual) / (before + SMOOTHING)), _ceiling(after, cap))


@compiled
def _ceiling(hits: float, cap: float) -> float:
    """The most that a rarity can be of what was seen so often."""
    return cap - np.log1p(2.0 * hits)


@compiled
def _novelty(raw: Floats, cap: float, windows_cap: float, rare: float, out: Floats) -> float:
    """How new a template is, by lines or by windows of time (a flood counts once): 0 to 3; writes rare_windows."""
    by_window = _rarity(raw[COLUMN.windows_template], raw[COLUMN.windows], windows_cap)
    out[AT.rare_windows] = by_window
    return max(rare - (cap - NEW_SPAN), by_window - max(windows_cap - NEW_SPAN, MIN_WINDOW_RARITY), 0.0)


@compiled
def _excess(
    raw: Floats, columns: Integers, gaps: Booleans, refs: Floats, slack: float, out: Floats, at: Integers
) -> None:
    """How far log(1 + raw) lies above its usual upper bound, and `slack` above a rate's; −1 where the value does not
    apply or is the line alone."""
    for k in range(len(columns)):
        value = raw[columns[k]]
        if gaps[k]:
            out[at[k]] = max(np.log1p(value) - refs[k], -0.99) if value >= 0.0 else -1.0
        else:
            out[at[k]] = max(np.log1p(value) - refs[k] - slack, -1.0) if value > 1.001 else -1.0


@compiled
def _outside(x: float, bounds: Floats, k: int, slack: float) -> float:
    """How far x lies outside [low, high], in spans from the middle; 0 inside or where there are no bounds."""
    low, middle, high = bounds[3 * k], bounds[3 * k + 1], bounds[3 * k + 2]
    if np.isnan(x) or np.isnan(low):
        return 0.0
    return max((x - high) / (high - middle + slack), (low - x) / (middle - low + slack), 0.0)


@compiled
def _numbers(raw: Floats, numbers: Floats, base: Floats, bounds: Floats, means: Floats, out: Floats) -> None:
    odd, moved = 0.0, 0.0
    for k in range(4):
        if base[COUNT] < MIN_NUMBER_LINES or np.isnan(numbers[k]):
            continue
        x, mean = np.log1p(numbers[k]), raw[COLUMN.mean0 + k]
        far = _outside(x, bounds, k, 0.2)
        odd = max(odd, far)
        varies = bounds[3 * k + 2] - bounds[3 * k] > MIN_SPREAD  # what never varied is a name or a state, no measure
        same_side = varies and (x > bounds[3 * k + 1]) == (
            mean > means[3 * k + 1]
        )  # not a usual number in the wake of odd ones
        if base[COUNT] >= MIN_MEAN_LINES and raw[COLUMN.means_seen] >= MEAN_WARM_UP and far > 0.0 and same_side:
            moved = max(moved, _outside(mean, means, k, 0.2) - MEAN_SLACK)
    out[AT.number] = min(odd, MAX_NUMBER_EXCESS) * base[NUMBER_TRUST]
    out[AT.mean_number] = min(moved, MAX_NUMBER_EXCESS) * base[MEAN_TRUST]


@compiled
def is_guess(raw: Floats, flags: int) -> bool:
    """Whether a line is a failed log-in of somebody who can be counted."""
    return flags & Flag.AUTH_FAILURE != 0 and raw[COLUMN.failures0] > 0.0


@compiled
def _one(
    raw: Floats,
    level: int,
    flags: int,
    length: float,
    rarity: float,
    numbers: Floats,
    base: Floats,
    template_refs: Floats,
    source_refs: Floats,
    tables: Baseline,
    place: int,
    new_source: bool,
    out: Floats,
) -> None:
    cap = tables.cap[0]
    _rarities(raw, level, cap, out)
    bad = flags & Flag.BAD != 0
    loud = bad or level >= Level.WARN
    out[AT.severity] = level + (1.0 if loud else 0.0)
    young = 0.0 if loud else YOUNG_SLACK * np.log1p(max(raw[COLUMN.windows_template], 0.0))  # trouble stays news
    _excess(raw, _T_RAW, _T_GAPS, template_refs, young if place == len(tables.template) - 1 else 0.0, out, _T_AT)
    _excess(raw, _S_RAW, _S_GAPS, source_refs, young if new_source else 0.0, out, _S_AT)
    _excess(raw, _G_RAW, _G_GAPS, tables.global_refs, 0.0, out, _G_AT)
    out[AT.length] = 0.0
    if base[COUNT] > 3.0:
        out[AT.length] = abs(length - base[LENGTH_MEAN]) / (base[LENGTH_SPREAD] + 3.0)
    _numbers(raw, numbers, base, tables.numbers[place], tables.means[place], out)
    entity = 0.0
    for k in range(3):
        out[AT.new_address + k] = -np.log(base[NEW0 + k]) if raw[COLUMN.new_address + k] == 0.0 else 0.0
        entity = max(entity, out[AT.new_address + k])
    novelty = _novelty(raw, cap, tables.cap[1], out[AT.rare_template], out)
    failed = loud and flags & Flag.CLIENT_ERROR == 0  # what a client asks wrongly is no failure of ours
    guess = is_guess(raw, flags)  # the prior and the counts of failures judge it
    grave = (flags & Flag.GRAVE or level == Level.FATAL) and not guess
    slack = KNOWN_GRAVE_SLACK if grave else FAILURE_SLACK
    out[AT.rare_failure] = max(novelty - slack, 0.0) if failed and not guess else 0.0
    out[AT.rare_grave] = max(novelty - GRAVE_SLACK, 0.0) if grave else 0.0
    out[AT.rare_privilege] = novelty if flags & Flag.SENSITIVE else 0.0
    out[AT.new_entity_privilege] = entity if flags & Flag.ACCEPTED or (flags & Flag.SENSITIVE and not bad) else 0.0
    out[AT.rare_words] = min(rarity, _ceiling(raw[COLUMN.hits_template], cap))  # its words came as often as it did
    probes = raw[COLUMN.hits_probe]
    out[AT.rare_probe] = _rarity(probes, raw[COLUMN.hits_source], cap) if probes >= 0.0 else 0.0


@compiled
def surprises(raw: Floats, facts: Facts, tables: Baseline, out: Floats) -> None:
    """Fill out (n, len(FEATURES)) with the surprises of n lines."""
    last_t, last_s = len(tables.template) - 1, len(tables.source_refs) - 1
    for i in range(len(raw)):
        t = facts.template[i] if facts.template[i] >= 0 else last_t
        s = facts.source[i] if facts.source[i] >= 0 else last_s
        _one(
            raw[i],
            facts.level[i],
            facts.flags[i],
            facts.length[i],
            facts.rarity[i],
            facts.numbers[i],
            tables.template[t],
            tables.template_refs[t],
            tables.source_refs[s],
            tables,
            t,
            s == last_s,
            out[i],
        )
