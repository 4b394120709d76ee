"""Learn sessions from training lines: which ids name one, when it is over, what is usual, and if that is of use."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from sentinel.detect.judge.nats import THRESHOLD_NATS
from sentinel.detect.kernel.jit import Booleans, Floats, Hashes, Integers
from sentinel.detect.sessions.model import SessionModel, fit_sessions
from sentinel.detect.tuning.sessions import (
    HELD_OUT,
    LONGEST,
    MAX_FLAGGED,
    MAX_KINDS,
    MAX_LINES,
    MAX_SESSIONS,
    MAX_TRIMMED_FLAGGED,
    MIN_LINES,
    MIN_OPENING,
    MIN_REPEATED,
    MIN_SHARED,
    MIN_TIMEOUT_S,
    MIN_TOGETHER,
    OVER,
    POOLED,
    RATHER_OVER,
    SLACK,
    SPELL,
)
from sentinel.detect.tuning.sessions import MAX_TEMPLATES_OF_FIT as MAX_TEMPLATES
from sentinel.detect.tuning.sessions import MIN_SESSIONS_OF_FIT as MIN_SESSIONS
from sentinel.detect.tuning.sessions import MIN_TO_TRIM_OF_FIT as MIN_TO_TRIM
from sentinel.errors import ArtifactError

__all__ = ["SessionRules", "learn_sessions"]

WAITS_S = np.concatenate([[0.0], np.geomspace(1.0, 30 * 86_400.0, 64)])


@dataclass(frozen=True, slots=True)
class SessionRules:
    """What service needs to follow and judge sessions: a model and, by its templates, when a session is over.

    `timeouts`, `endings` (V + 1,): seconds without a line after a template (V: one never seen) after which a session is
    over, and after which it rather is; `opens` (V,): whether sessions usually begin with it; `templates`: those
    whose lines belong to this kind of session; `figures`: what was found while learning.
    """

    model: SessionModel
    timeouts: Floats
    endings: Floats
    opens: Booleans
    templates: Hashes
    figures: dict[str, float]

    def to_arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Plain arrays by name, without pickles."""
        own = {name: getattr(self, name) for name in _ARRAYS}
        names, values = np.array(list(self.figures), "U"), np.array(list(self.figures.values()))
        return {**self.model.to_arrays(), **own, "figure_names": names, "figures": values}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray[Any, Any]]) -> Self:
        """The inverse of `to_arrays`. Raises ArtifactError where arrays are missing or do not fit together."""
        model = SessionModel.from_arrays(arrays)
        try:
            own = {name: np.ascontiguousarray(arrays[name], kind) for name, kind in _ARRAYS.items()}
            figures = dict(zip(arrays["figure_names"].tolist(), arrays["figures"].tolist(), strict=True))
        except (KeyError, TypeError, ValueError) as exc:
            raise ArtifactError(f"read rules of sessions: {exc!r}; train again") from exc
        v = len(model.usual.keys)
        if [len(own[name]) for name in ("timeouts", "endings", "opens")] != [v + 1, v + 1, v]:
            raise ArtifactError("read rules of sessions: arrays of different lengths; train again")
        return cls(model, **own, figures=figures)


_ARRAYS: dict[str, Any] = {
    "timeouts": np.float64, "endings": np.float64, "opens": np.bool_, "templates": np.uint64
}  # fmt: skip


class _Lines(NamedTuple):
    """Lines of sessions, one session after another, each in order; `bounds` (sessions + 1,) where each begins."""

    sessions: Hashes
    templates: Hashes
    times: Floats
    bounds: Integers


def _grouped(sessions: Hashes, templates: Hashes, times: Floats) -> _Lines:
    order = np.argsort(sessions, kind="stable")
    ordered = sessions[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(ordered) else np.zeros(0, np.int64)
    return _Lines(ordered, templates[order], times[order], np.append(starts, len(ordered)))


def _not_of_sessions(lines: _Lines) -> Hashes:
    """The templates most of whose ids have no second line: they name something else."""
    sizes = np.diff(lines.bounds)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    keys, code = np.unique(lines.templates, return_inverse=True)
    pairs = np.unique(code * len(sizes) + owner)
    several = (sizes > 1)[pairs % max(len(sizes), 1)]
    shared = np.bincount(pairs // max(len(sizes), 1), several, len(keys))
    found: Hashes = keys[shared < MIN_SHARED * np.bincount(pairs // max(len(sizes), 1), minlength=len(keys))]
    return found


def _of_sessions(sessions: Hashes, templates: Hashes, times: Floats) -> _Lines:
    """The lines whose ids name sessions, with those templates left out whose ids do not."""
    named = sessions != 0
    while True:
        lines = _grouped(sessions[named], templates[named], times[named])
        left_out = _not_of_sessions(lines)
        if not len(left_out):
            return lines
        named &= ~np.isin(templates, left_out)


def _kinds(lines: _Lines) -> list[Hashes]:
    """Templates that share sessions, as sets, those with the most sessions first: each set is a kind of session."""
    sizes = np.diff(lines.bounds)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    keys, code = np.unique(lines.templates, return_inverse=True)
    cells = np.unique(owner * len(keys) + code)
    owner, code = cells // len(keys), cells % len(keys)
    there = np.bincount(code, minlength=len(keys))
    together: dict[tuple[int, int], int] = {}
    patterns: dict[bytes, int] = {}
    ends = np.searchsorted(owner, np.arange(len(sizes) + 1))
    for i in range(len(sizes)):
        name = code[ends[i] : min(ends[i + 1], ends[i] + MAX_TEMPLATES)].tobytes()
        patterns[name] = patterns.get(name, 0) + 1
    for name, count in patterns.items():
        own = np.frombuffer(name, np.int64).tolist()
        for pair in itertools.combinations(own, 2):
            together[pair] = together.get(pair, 0) + count
    root = list(range(len(keys)))
    for (a, b), count in together.items():
        if count >= MIN_TOGETHER * min(there[a], there[b]):
            _join(root, a, b)
    found = np.array([_root(root, i) for i in range(len(keys))])
    sessions = np.bincount(found, there, len(keys))
    return [keys[found == i] for i in np.argsort(-sessions, kind="stable")[:MAX_KINDS] if sessions[i] > 0]


def _root(root: list[int], i: int) -> int:
    while root[i] != i:
        i = root[i]
    return i


def _join(root: list[int], a: int, b: int) -> None:
    first, second = _root(root, a), _root(root, b)
    root[max(first, second)] = min(first, second)


def _waits(lines: _Lines, keys: Hashes, end_s: float) -> tuple[Floats, Floats]:
    """(V + 1, waits) by the template before a gap: how many went on after at least so long, how many did not."""
    v = len(keys)
    place = np.minimum(np.searchsorted(keys, lines.templates), v - 1)
    code = np.where(keys[place] == lines.templates, place, v)
    last = np.zeros(len(code), bool)
    last[lines.bounds[1:] - 1] = True
    idle = np.append(np.diff(lines.times), 0.0)
    idle[last] = end_s - lines.times[last]
    went_on, stayed = np.zeros((v + 1, len(WAITS_S))), np.zeros((v + 1, len(WAITS_S)))
    slot = np.searchsorted(WAITS_S, np.maximum(idle, 0.0), side="right") - 1
    np.add.at(went_on, (code[~last], slot[~last]), 1.0)
    np.add.at(stayed, (code[last], slot[last]), 1.0)
    counts = [part[:, ::-1].cumsum(1)[:, ::-1] for part in (went_on, stayed)]
    first, second = (part + POOLED * part.sum(0) / max(part[:, 0].sum(), 1.0) for part in counts)
    return first, second


def _limits(went_on: Floats, stayed: Floats, chance: float) -> Floats:
    """(V + 1,) the shortest wait from which on the chance that a session goes on stays below `chance`, seconds."""
    share = went_on / np.maximum(went_on + stayed, 1e-9)
    above = share >= chance
    first = np.where(above.any(1), len(WAITS_S) - above[:, ::-1].argmax(1), 0)
    limits: Floats = WAITS_S[np.minimum(first, len(WAITS_S) - 1)]
    return limits


def learn_sessions(
    sessions: Hashes, templates: Hashes, times: Floats, texts: Mapping[int, str], *, plain: Hashes, seed: int
) -> tuple[tuple[SessionRules, ...], list[dict[str, float]]]:
    """Rules, one for each kind of session, from lines in order of time, and what was found of every kind.

    `sessions` hashes of ids, 0 = none; `templates` keys; `times` seconds; `plain`: ids that are mere numbers. A kind
    gets no rules where there are fewer than 8 finished sessions or most have fewer than 4 lines, where they do not
    repeat themselves, or where a model of the earlier ones finds too many of the later ones strange: it would only make
    false alarms.
    """
    lines = _of_sessions(sessions, templates, times)
    rules, figures = [], []
    for keys in _kinds(lines) if len(lines.times) else []:
        own = np.isin(lines.templates, keys)
        one = _grouped(lines.sessions[own], lines.templates[own], lines.times[own])
        firm = bool(np.isin(one.sessions, plain).mean() < 0.5)
        found, told = _learn_kind(one, keys, float(times[-1]), texts, firm=firm, seed=seed)
        figures.append(told)
        if found is not None:
            rules.append(found)
    return tuple(rules), figures


def _learn_kind(
    lines: _Lines, keys: Hashes, end_s: float, texts: Mapping[int, str], *, firm: bool, seed: int
) -> tuple[SessionRules | None, dict[str, float]]:
    went_on, stayed = _waits(lines, keys, end_s)
    span_s = end_s - float(lines.times.min())
    longest_s = max(span_s * LONGEST, MIN_TIMEOUT_S)
    timeouts = np.clip(SLACK * _limits(went_on, stayed, OVER), MIN_TIMEOUT_S, longest_s)
    sequences, ends = _without_spells(*_finished(lines, keys, timeouts, end_s), SPELL * span_s)
    median = float(np.median([len(sequence) for sequence in sequences])) if sequences else 0.0
    figures = {"sessions": float(len(sequences)), "median_lines": median}
    if len(sequences) < MIN_SESSIONS or median < MIN_LINES:
        return None, figures
    trim = firm and len(sequences) >= MIN_TO_TRIM
    figures |= _figures(sequences, texts, seed, trim, ends, SPELL * span_s)
    if figures["repeated"] < MIN_REPEATED or figures["flagged"] > figures["flagged_at_most"]:
        return None, figures
    model = fit_sessions(sequences, seed=seed, texts=texts, trim=trim)
    at = np.append(np.searchsorted(keys, model.usual.keys), len(keys))
    endings = np.minimum(np.maximum(_limits(went_on, stayed, RATHER_OVER), MIN_TIMEOUT_S), timeouts)
    opens = np.isin(model.usual.keys, _openings(sequences))
    return SessionRules(model, timeouts[at], endings[at], opens, keys, figures), figures


def _without_spells(sequences: list[list[int]], ends: Floats, spell_s: float) -> tuple[list[list[int]], Floats]:
    """One of each variant whose sessions all ended in one spell: a burst of a variant is one event, no habit."""
    places: dict[tuple[int, ...], list[int]] = {}
    for i, sequence in enumerate(sequences):
        places.setdefault(tuple(sequence), []).append(i)
    again = [own[1:] for own in places.values() if len(own) > 1 and ends[own[-1]] - ends[own[0]] <= spell_s]
    left_out = set(itertools.chain.from_iterable(again))
    kept = [i for i in range(len(sequences)) if i not in left_out]
    return [sequences[i] for i in kept], ends[kept]


def _finished(lines: _Lines, keys: Hashes, timeouts: Floats, end_s: float) -> tuple[list[list[int]], Floats]:
    """Sessions as they are when a time-out says that they are over (one that goes on is there again, longer).

    As sequences of template keys, the newest ones, in the order of their ends, and when they ended.
    """
    idle = np.append(np.diff(lines.times), 0.0)
    idle[lines.bounds[1:] - 1] = end_s - lines.times[lines.bounds[1:] - 1]
    waits = timeouts[np.searchsorted(keys, lines.templates)]
    over = np.flatnonzero(idle > waits)
    over = over[np.argsort((lines.times + waits)[over], kind="stable")][-MAX_SESSIONS:]
    begins = lines.bounds[np.searchsorted(lines.bounds, over, side="right") - 1]
    found = [
        lines.templates[begin : min(end + 1, begin + MAX_LINES)].tolist()
        for begin, end in zip(begins.tolist(), over.tolist(), strict=True)
    ]
    return found, lines.times[over]


def _figures(
    sequences: list[list[int]], texts: Mapping[int, str], seed: int, trim: bool, ends: Floats, spell_s: float
) -> dict[str, float]:
    """How far sessions repeat each other's counts, and what a model of the earlier ones says of the later ones: those
    that it finds strange within one spell are one incident."""
    bags = [tuple(np.unique(np.array(sequence, np.uint64), return_counts=True)[k].tobytes() for k in (0, 1))
            for sequence in sequences]  # fmt: skip
    seen: dict[tuple[bytes, ...], int] = {}
    for bag in bags:
        seen[bag] = seen.get(bag, 0) + 1
    held_out = max(int(len(sequences) * HELD_OUT), 1)
    earlier = fit_sessions(sequences[:-held_out], seed=seed, texts=texts, trim=trim)
    nats, _ = earlier.score(sequences[-held_out:], texts)
    return {
        "repeated": sum(count for count in seen.values() if count > 1) / len(sequences),
        "held_out": float(held_out),
        "flagged": float(_spells(ends[-held_out:][nats >= THRESHOLD_NATS], spell_s)),
        "flagged_at_most": (MAX_TRIMMED_FLAGGED if trim else MAX_FLAGGED) * held_out + 1.0,
        "trim": float(trim),
    }


def _spells(ends: Floats, spell_s: float) -> int:
    """How many spells cover these moments, which come in order."""
    count, until = 0, -np.inf
    for end in ends.tolist():
        if end > until:
            count, until = count + 1, end + spell_s
    return count


def _openings(sequences: list[list[int]]) -> Hashes:
    keys, count = np.unique(np.array([sequence[0] for sequence in sequences], np.uint64), return_counts=True)
    usual: Hashes = keys[count >= max(MIN_OPENING * len(sequences), 1.0)]
    return usual
